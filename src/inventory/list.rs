//! Host lists: `-i web1,web2:2222,`.

use super::{Inventory, parse_address, range};
use crate::diag::Diagnostic;
use std::path::Path;

/// Adds the hosts of a comma separated list to `ungrouped`; with ranges, if wanted (`advanced_host_list`).
pub(super) fn parse(inventory: &mut Inventory, list: &str, ranges: bool) -> Result<(), Diagnostic> {
    for entry in list
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        let (names, port) = if ranges {
            match range::expand_strictly(entry) {
                Ok(expanded) => expanded,
                Err(range::Problem::Bounds(why)) => {
                    return Err(Diagnostic::error(
                        "inventory::host-list",
                        format!("Invalid data from string, could not parse: {why}"),
                    ));
                }
                Err(range::Problem::Form(why)) => {
                    inventory.notes.push(format!(
                        "Unable to parse address from hostname, leaving unchanged: {why}"
                    ));
                    (vec![entry.to_owned()], None)
                }
            }
        } else {
            match parse_address(entry) {
                Some(address) if !address.host.contains('[') => (vec![address.host], address.port),
                _ => (vec![entry.to_owned()], None),
            }
        };
        for name in names {
            if !inventory.hosts.contains_key(name.as_str()) {
                inventory.declare_host(&name, Some("ungrouped"), port, Some(Path::new(list)))?;
            }
        }
    }
    Ok(())
}
