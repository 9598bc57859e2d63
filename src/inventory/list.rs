//! Host lists: `-i web1,web2:2222,`.

use super::{Inventory, parse_address};
use crate::diag::Diagnostic;
use std::path::Path;

/// Adds the hosts of a comma separated list to `ungrouped`.
pub(super) fn parse(inventory: &mut Inventory, list: &str) -> Result<(), Diagnostic> {
    for entry in list
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        let (name, port) = match parse_address(entry) {
            Some(address) if !address.host.contains('[') => (address.host, address.port),
            _ => (entry.to_owned(), None),
        };
        if !inventory.hosts.contains_key(name.as_str()) {
            inventory.declare_host(&name, Some("ungrouped"), port, Some(Path::new(list)))?;
        }
    }
    Ok(())
}
