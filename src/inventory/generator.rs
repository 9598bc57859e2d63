//! Hosts and groups made of every combination of layers (`plugin: generator`).
//!
//! See the documentation of `ansible.builtin.generator`.

use super::compose::{check_keys, context, templar, wrong};
use super::{Inventory, LoadOptions};
use crate::diag::Diagnostic;
use crate::template::Templar;
use crate::value::{Map, Value, str_of};
use crate::yaml::Node;
use std::path::Path;

/// More hosts than this from one file are a mistake.
const LIMIT: usize = 1_000_000;

/// Makes the hosts of a generator's file.
pub(super) fn parse(
    inventory: &mut Inventory,
    config: &Node,
    file: &Path,
    options: &LoadOptions,
) -> Result<(), Diagnostic> {
    check_keys(inventory, config, &["plugin", "layers", "hosts"]);
    let layers = config
        .get("layers")
        .ok_or_else(|| wrong(config, "a generator needs `layers`"))?;
    let mut names = Vec::new();
    let mut choices: Vec<Vec<Value>> = Vec::new();
    for entry in layers
        .as_map()
        .ok_or_else(|| wrong(layers, "`layers` must be a mapping of names to lists"))?
    {
        let items = entry.value.as_seq().ok_or_else(|| {
            wrong(
                &entry.value,
                format!("a layer must be a list, this is {}", entry.value.describe()),
            )
        })?;
        names.push(entry.key.to_value());
        choices.push(items.iter().map(Node::to_value).collect());
    }
    let count = choices
        .iter()
        .try_fold(1usize, |all, layer| all.checked_mul(layer.len()));
    let Some(count) = count.filter(|count| *count <= LIMIT) else {
        return Err(wrong(
            layers,
            format!("the layers stand for more than {LIMIT} hosts"),
        ));
    };
    let hosts = config
        .get("hosts")
        .ok_or_else(|| wrong(config, "a generator needs `hosts`"))?;
    let name = hosts
        .get("name")
        .ok_or_else(|| wrong(hosts, "`hosts` needs a `name`"))?;
    let templar = templar(options);
    for number in 0..count {
        // the last layer changes fastest
        let mut rest = number;
        let mut picked = vec![Value::Null; choices.len()];
        for (place, layer) in picked.iter_mut().zip(&choices).rev() {
            *place = layer
                .get(rest % layer.len().max(1))
                .cloned()
                .unwrap_or_default();
            rest /= layer.len().max(1);
        }
        let vars: Map = names.iter().cloned().zip(picked).collect();
        let maker = Maker {
            templar: &templar,
            vars: &vars,
        };
        let host = maker.render(name)?;
        inventory.declare_host(&host, None, None, Some(file))?;
        if let Some(parents) = hosts.get("parents") {
            maker.parents(inventory, &host, true, parents, 0)?;
        }
    }
    Ok(())
}

struct Maker<'a> {
    templar: &'a Templar,
    vars: &'a Map,
}

impl Maker<'_> {
    fn value(&self, node: &Node) -> Result<Value, Diagnostic> {
        self.templar
            .render(&node.to_value(), &context(self.vars.clone()))
            .map_err(|why| wrong(node, why.message))
    }

    fn render(&self, node: &Node) -> Result<String, Diagnostic> {
        self.value(node).map(|value| str_of(&value))
    }

    /// Puts a host or group into its parents, and these into theirs.
    fn parents(
        &self,
        inventory: &mut Inventory,
        child: &str,
        is_host: bool,
        parents: &Node,
        depth: usize,
    ) -> Result<(), Diagnostic> {
        if depth > 40 {
            return Err(wrong(parents, "the parents are nested too deep"));
        }
        let items = parents
            .as_seq()
            .ok_or_else(|| wrong(parents, "`parents` must be a list"))?;
        for parent in items {
            let name = parent.get("name").ok_or_else(|| {
                wrong(
                    parent,
                    format!("Element {child} has a parent with no name element"),
                )
            })?;
            let group = self.render(name)?;
            inventory.add_group(&group)?;
            for entry in parent
                .get("vars")
                .and_then(Node::as_map)
                .unwrap_or_default()
            {
                let value = self.value(&entry.value)?;
                inventory.set_variable(&group, &entry.key.to_value(), value)?;
            }
            if is_host {
                inventory.declare_host(child, Some(&group), None, None)?;
            } else {
                inventory.add_child(&group, child)?;
            }
            if let Some(above) = parent.get("parents") {
                self.parents(inventory, &group, false, above, depth + 1)?;
            }
        }
        Ok(())
    }
}
