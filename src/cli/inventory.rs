//! `runbook inventory`.

use super::args::InventoryArgs;
use super::exit::{CommandFailure, CommandResult, Exit};
use super::setup::Setup;
use super::show::Show;
use super::streams::outln;
use crate::diag::did_you_mean;
use crate::inventory::Inventory;

pub fn inventory(args: &InventoryArgs, show: &Show) -> CommandResult {
    let setup = Setup::new(&args.sources, &args.vault, show)?;
    let inventory = setup.inventory(show)?;
    let store = setup.store(inventory, &setup.cwd)?;
    if let Some(host) = &args.host {
        let known = store.inventory(|inventory| inventory.host(host).is_some());
        if !known {
            let names: Vec<String> = store
                .inventory(|inventory| inventory.hosts.keys().map(ToString::to_string).collect());
            let hint = did_you_mean(host, names.iter().map(String::as_str));
            let mut failure = CommandFailure::new(
                Exit::Error,
                format!("there is no host `{host}` in the inventory"),
            );
            failure.diagnostic.hint = hint;
            return Err(failure);
        }
        let json = Inventory::host_json(&store.inventory_vars(host)?);
        print_json(&json);
    } else if args.list {
        let json = store
            .inventory(|inventory| inventory.to_list_json(|host| store.inventory_vars(host)))?;
        print_json(&json);
    } else {
        let top = args.group.as_deref().unwrap_or("all");
        let text = store
            .inventory(|inventory| inventory.graph(top))
            .ok_or_else(|| {
                CommandFailure::new(
                    Exit::Error,
                    format!("there is no group `{top}` in the inventory"),
                )
            })?;
        outln!("{}", text.trim_end());
    }
    show.warnings(store.take_problems());
    Ok(Exit::Ok)
}

fn print_json(json: &impl serde::Serialize) {
    let mut out = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, format);
    if json.serialize(&mut serializer).is_ok() {
        outln!("{}", String::from_utf8_lossy(&out));
    }
}
