//! YAML (and JSON) inventories.

use super::{Inventory, range};
use crate::diag::{Diagnostic, did_you_mean};
use crate::yaml::{Kind, Node};
use std::path::Path;

const SECTIONS: [&str; 3] = ["vars", "children", "hosts"];

/// Reads a parsed YAML inventory into the inventory.
pub(super) fn parse(
    inventory: &mut Inventory,
    document: &Node,
    file: &Path,
) -> Result<(), Diagnostic> {
    let Some(entries) = document.as_map() else {
        return Err(error(
            document,
            format!(
                "an inventory is a mapping of groups, this is {}",
                document.describe()
            ),
        ));
    };
    for entry in entries {
        let name = group_name(&entry.key)?;
        if entry.value.as_map().is_none() && !entry.value.is_null() {
            inventory.warnings.push(
                Diagnostic::warning(
                    "inventory::yaml",
                    format!(
                        "skipping `{name}`: a group is a mapping, this is {}",
                        entry.value.describe()
                    ),
                )
                .at(&entry.value.span),
            );
            continue;
        }
        group(inventory, name, &entry.value, file)?;
    }
    Ok(())
}

fn error(node: &Node, message: String) -> Diagnostic {
    Diagnostic::error("inventory::yaml", message).at(&node.span)
}

fn located(diagnostic: Diagnostic, node: &Node) -> Diagnostic {
    if diagnostic.span.is_some() {
        diagnostic
    } else {
        diagnostic.at(&node.span)
    }
}

fn group_name(key: &Node) -> Result<&str, Diagnostic> {
    key.as_str().ok_or_else(|| {
        error(
            key,
            format!(
                "the name of a group must be a string, this is {}",
                key.describe()
            ),
        )
        .hint("put it in quotes")
    })
}

fn group(
    inventory: &mut Inventory,
    name: &str,
    node: &Node,
    file: &Path,
) -> Result<(), Diagnostic> {
    inventory.add_group(name).map_err(|d| located(d, node))?;
    let Some(entries) = node.as_map() else {
        return match node.kind {
            Kind::Null => Ok(()),
            _ => Err(error(
                node,
                format!(
                    "group `{name}` must be a mapping, this is {}",
                    node.describe()
                ),
            )),
        };
    };
    for entry in entries {
        let section = entry.key.as_str().unwrap_or_default();
        if !SECTIONS.contains(&section) {
            inventory.warnings.push(
                Diagnostic::warning(
                    "inventory::yaml",
                    format!("skipping the unknown key `{section}` of group `{name}`: a group has hosts, children and vars"),
                )
                .at(&entry.key.span)
                .maybe_hint(did_you_mean(section, SECTIONS)),
            );
            continue;
        }
        match &entry.value.kind {
            Kind::Null => {}
            // a single name stands for a mapping with that key
            Kind::Str(text) if section == "hosts" => {
                hosts(inventory, name, text, None, &entry.value, file)?;
            }
            Kind::Str(text) if section == "children" => {
                child(
                    inventory,
                    name,
                    text,
                    &Node::new(Kind::Null, entry.value.span.clone()),
                    file,
                )?;
            }
            Kind::Map(members) => {
                for member in members {
                    match section {
                        "vars" => inventory
                            .set_variable(name, &member.key.to_value(), member.value.to_value())
                            .map_err(|d| located(d, &member.value))?,
                        "children" => child(
                            inventory,
                            name,
                            group_name(&member.key)?,
                            &member.value,
                            file,
                        )?,
                        _ => {
                            let Some(pattern) = member.key.as_str() else {
                                return Err(error(
                                    &member.key,
                                    format!(
                                        "Host pattern {} must be a string, this is {}",
                                        crate::value::str_of(&member.key.to_value()),
                                        member.key.describe()
                                    ),
                                )
                                .hint("put it in quotes"));
                            };
                            hosts(
                                inventory,
                                name,
                                pattern,
                                Some(&member.value),
                                &member.key,
                                file,
                            )?;
                        }
                    }
                }
            }
            _ => {
                let example = match section {
                    "vars" => "write each variable as `name: value`",
                    _ => "write each name as a key with a colon, without the dash: `web1:`",
                };
                return Err(error(
                    &entry.value,
                    format!(
                        "`{section}` of group `{name}` must be a mapping, this is {}",
                        entry.value.describe()
                    ),
                )
                .hint(example));
            }
        }
    }
    Ok(())
}

fn child(
    inventory: &mut Inventory,
    parent: &str,
    name: &str,
    node: &Node,
    file: &Path,
) -> Result<(), Diagnostic> {
    group(inventory, name, node, file)?;
    inventory
        .add_child(parent, name)
        .map_err(|d| located(d, node))
}

fn hosts(
    inventory: &mut Inventory,
    group: &str,
    pattern: &str,
    vars: Option<&Node>,
    at: &Node,
    file: &Path,
) -> Result<(), Diagnostic> {
    let (names, port) = range::expand(pattern).map_err(|why| error(at, why))?;
    let vars = match vars.map(|node| (&node.kind, node)) {
        None | Some((Kind::Null, _)) => &[],
        Some((Kind::Map(entries), _)) => entries.as_slice(),
        Some((_, node)) => {
            return Err(error(
                node,
                format!(
                    "the variables of host `{pattern}` must be a mapping, this is {}",
                    node.describe()
                ),
            ));
        }
    };
    for name in names {
        inventory
            .declare_host(&name, Some(group), port, Some(file))
            .map_err(|d| located(d, at))?;
        for entry in vars {
            inventory
                .set_variable(&name, &entry.key.to_value(), entry.value.to_value())
                .map_err(|d| located(d, &entry.value))?;
        }
    }
    Ok(())
}
