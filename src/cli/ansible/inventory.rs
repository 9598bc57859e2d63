//! `ansible-inventory`.

use super::options::{Hosts, Secrets, Verbosity};
use crate::cli::exit::{CommandFailure, CommandResult, Exit};
use crate::cli::setup::Setup;
use crate::cli::show::Show;
use crate::cli::streams::outln;
use crate::diag::Diagnostic;
use crate::inventory::Inventory;
use crate::value::{Map, Value};
use crate::vars::VarStore;
use crate::yaml::{EmitOptions, emit};
use clap::{ArgMatches, Command, FromArgMatches, Parser};
use std::path::PathBuf;
use std::sync::Arc;

/// Show Ansible inventory information.
#[derive(Clone, Debug, Parser)]
struct AnsibleInventoryArgs {
    /// The group that the tree begins with
    #[arg(value_name = "GROUP")]
    group: Option<String>,
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    vault: Secrets,
    /// The directory that stands for a playbook's
    #[arg(long, value_name = "BASEDIR")]
    playbook_dir: Option<PathBuf>,
    /// All hosts, as an inventory script
    #[arg(long)]
    list: bool,
    /// One host's variables
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Groups as a tree
    #[arg(long)]
    graph: bool,
    /// As YAML
    #[arg(short, long)]
    yaml: bool,
    /// As TOML
    #[arg(long)]
    toml: bool,
    /// Variables in the tree
    #[arg(long)]
    vars: bool,
    /// Variables where they were given
    #[arg(long)]
    export: bool,
    /// Write into this file
    #[arg(long, value_name = "OUTPUT_FILE")]
    output: Option<PathBuf>,
}

/// Its arguments.
pub fn command() -> Command {
    <AnsibleInventoryArgs as clap::CommandFactory>::command()
}

/// Runs it.
pub fn run(matches: &ArgMatches, show: &Show) -> CommandResult {
    let args = AnsibleInventoryArgs::from_arg_matches(matches)
        .map_err(|e| CommandFailure::new(Exit::Usage, e.to_string()))?;
    let wrong = |text: &str| CommandFailure::new(Exit::Usage, text);
    let actions =
        usize::from(args.list) + usize::from(args.graph) + usize::from(args.host.is_some());
    if actions == 0 {
        return Err(wrong(
            "No action selected, at least one of --host, --graph or --list needs to be specified.",
        ));
    }
    if actions > 1 {
        return Err(wrong(
            "Conflicting options used, only one of --host, --graph or --list can be used at the same time.",
        ));
    }
    let setup = Setup::new(&args.hosts.sources(&[]), &args.vault.args(), show)?;
    let show = &show.configured(&setup.config);
    let inventory = setup.inventory(show)?;
    let limit = args.hosts.limit.iter().filter(|limit| !limit.is_empty());
    let limit: Vec<String> = limit.cloned().collect();
    // a limit may leave nobody here
    let limit = if args.list && !limit.is_empty() {
        Some(setup.limited(&inventory, &limit, show)?)
    } else {
        None
    };
    let dir = args
        .playbook_dir
        .clone()
        .or_else(|| setup.config.playbook_dir.value.clone())
        .unwrap_or_else(|| setup.cwd.clone());
    let store = setup.store(inventory, &setup.cwd.join(dir))?;
    let text = if let Some(host) = &args.host {
        if !store.inventory(|inventory| inventory.host(host).is_some()) {
            // warns, or fails if that is what is wanted
            let selection = store.inventory(|inventory| inventory.select(host))?;
            show.warnings(selection.warnings);
            return Err(wrong(
                "You must pass a single valid host to --host parameter",
            ));
        }
        text(&store.inventory_vars(host)?, args.yaml)
    } else if args.graph {
        let top = args.group.as_deref().unwrap_or("all");
        let vars = |group: bool, name: &str| -> Result<Map, Diagnostic> {
            if group {
                store.group_vars(name)
            } else {
                store.inventory_vars(name)
            }
        };
        let tree = store.inventory(|inventory| {
            if args.vars {
                inventory.graph_with_vars(top, &vars)
            } else {
                Ok(inventory.graph(top))
            }
        })?;
        tree.ok_or_else(|| wrong("Pattern must be valid group name when using --graph"))?
    } else {
        list(&args, &store, limit.as_deref())?
    };
    match &args.output {
        Some(path) => std::fs::write(path, format!("{}\n", text.trim_end())).map_err(|e| {
            let why = crate::diag::io_reason(&e);
            CommandFailure::new(
                Exit::Error,
                format!("cannot write {}: {why}", path.display()),
            )
        })?,
        None => outln!("{}", text.trim_end()),
    }
    show.warnings(store.take_problems());
    Ok(Exit::Ok)
}

fn list(
    args: &AnsibleInventoryArgs,
    store: &Arc<VarStore>,
    limit: Option<&[Arc<str>]>,
) -> Result<String, CommandFailure> {
    let host_vars = |host: &str| {
        if args.export {
            store.own_vars(host)
        } else {
            store.inventory_vars(host)
        }
    };
    let group_vars = |group: &str| {
        if args.export {
            store.group_vars(group)
        } else {
            Ok(Map::new())
        }
    };
    let shown = |host: &str| limit.is_none_or(|limit| limit.iter().any(|name| **name == *host));
    let dump = crate::inventory::Dump {
        host_vars: &host_vars,
        group_vars: &group_vars,
        shows: &shown,
    };
    if args.yaml {
        let value = store.inventory(|inventory| inventory.to_yaml_value(&dump))?;
        return Ok(yaml(&value));
    }
    if args.toml {
        return Ok(store.inventory(|inventory| inventory.to_toml(&dump))?);
    }
    let json = store.inventory(|inventory| inventory.to_json_of(&dump))?;
    Ok(pretty(&json))
}

fn text(vars: &Map, as_yaml: bool) -> String {
    if as_yaml {
        yaml(&Value::map(vars.clone()))
    } else {
        pretty(&Inventory::host_json(vars))
    }
}

fn yaml(value: &Value) -> String {
    emit(
        value,
        &EmitOptions {
            indent: 2,
            ..EmitOptions::to_nice_yaml()
        },
    )
}

fn pretty(json: &serde_json::Value) -> String {
    let mut out = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, format);
    let _ = serde::Serialize::serialize(json, &mut serializer);
    String::from_utf8_lossy(&out).into_owned()
}
