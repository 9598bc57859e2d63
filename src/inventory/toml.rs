//! TOML inventories: tables of groups with `hosts`, `children` and `vars`.
//!
//! See the documentation of `ansible.builtin.toml`.

use super::{Inventory, range};
use crate::diag::{Diagnostic, Source, Span};
use crate::value::{Map, Value};
use std::sync::Arc;
use toml_edit::{Document, Item, Value as Toml};

/// Reads a TOML inventory into the inventory.
pub(super) fn parse(inventory: &mut Inventory, source: &Arc<Source>) -> Result<(), Diagnostic> {
    let document = Document::<&str>::parse(&source.text).map_err(|error| {
        let problem = Diagnostic::error(
            "inventory::toml",
            format!("the TOML is wrong: {}", error.message().trim()),
        );
        match error.span() {
            Some(span) => problem.at(&Span::of_bytes(source, span.start, span.end)),
            None => problem,
        }
    })?;
    let top = document.as_table();
    if top.is_empty() {
        return Err(error("Parsed empty TOML file"));
    }
    if top.contains_key("plugin") {
        return Err(error("Plugin configuration TOML file, not TOML inventory"));
    }
    for (name, item) in top {
        group(inventory, name, &value(item), source)?;
    }
    Ok(())
}

fn error(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error("inventory::toml", message)
}

fn group(
    inventory: &mut Inventory,
    name: &str,
    data: &Value,
    source: &Arc<Source>,
) -> Result<(), Diagnostic> {
    let Value::Map(data) = data else {
        inventory.warnings.push(Diagnostic::warning(
            "inventory::toml",
            format!("Skipping '{name}' as this is not a valid group definition"),
        ));
        return Ok(());
    };
    inventory.add_group(name)?;
    for (key, data) in data.str_iter() {
        let must_be = |what: &str| {
            error(format!(
                "Invalid \"{key}\" entry for \"{name}\" group, requires a {what}, found a {}",
                data.type_name()
            ))
        };
        match key {
            "vars" => {
                for (key, value) in data.as_map().ok_or_else(|| must_be("table"))? {
                    inventory.set_variable(name, key, value.clone())?;
                }
            }
            "children" => {
                for child in data.as_list().ok_or_else(|| must_be("list"))? {
                    let child = child.as_str().ok_or_else(|| must_be("list of strings"))?;
                    inventory.add_group(child)?;
                    inventory.add_child(name, child)?;
                }
            }
            "hosts" => {
                for (pattern, vars) in data
                    .as_map()
                    .ok_or_else(|| must_be("table"))?
                    .str_iter()
                {
                    let (hosts, port) = range::expand(pattern).map_err(error)?;
                    let vars = vars
                        .as_map()
                        .ok_or_else(|| must_be("table of tables"))?;
                    for host in hosts {
                        inventory.declare_host(&host, Some(name), port, Some(&source.path))?;
                        for (key, value) in vars {
                            inventory.set_variable(&host, key, value.clone())?;
                        }
                    }
                }
            }
            _ => inventory.warnings.push(Diagnostic::warning(
                "inventory::toml",
                format!(
                    "Skipping unexpected key \"{key}\" in group \"{name}\", only \"vars\", \"children\" and \"hosts\" \
                     are valid"
                ),
            )),
        }
    }
    Ok(())
}

/// As a variable's value; dates and times become text.
fn value(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(scalar) => of_value(scalar),
        Item::Table(table) => Value::map(
            table
                .iter()
                .map(|(key, item)| (Value::str(key), value(item)))
                .collect::<Map>(),
        ),
        Item::ArrayOfTables(tables) => Value::list(
            tables
                .iter()
                .map(|table| value(&Item::Table(table.clone())))
                .collect(),
        ),
    }
}

fn of_value(scalar: &Toml) -> Value {
    match scalar {
        Toml::String(text) => Value::str(text.value().as_str()),
        Toml::Integer(number) => Value::Int(*number.value()),
        Toml::Float(number) => Value::Float(*number.value()),
        Toml::Boolean(flag) => Value::Bool(*flag.value()),
        // as Python writes them
        Toml::Datetime(time) => Value::str(time.value().to_string().replace('Z', "+00:00")),
        Toml::Array(items) => Value::list(items.iter().map(of_value).collect()),
        Toml::InlineTable(table) => Value::map(
            table
                .iter()
                .map(|(key, value)| (Value::str(key), of_value(value)))
                .collect::<Map>(),
        ),
    }
}
