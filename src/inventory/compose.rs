//! Variables and groups that are computed from the variables of hosts: `compose`, `groups` and `keyed_groups`.
//!
//! See the documentation of `ansible.builtin.constructed`.

use super::{Inventory, LoadOptions};
use crate::diag::{Diagnostic, did_you_mean};
use crate::template::{Context, FileContext, Overlay, Scope, Templar, TemplarOptions, Variable};
use crate::value::{FromValue, Map, Value, str_of};
use crate::yaml::{Kind, Node};
use std::sync::Arc;

/// The keys that a composing source takes.
pub(super) const KEYS: [&str; 7] = [
    "compose",
    "groups",
    "keyed_groups",
    "strict",
    "leading_separator",
    "use_extra_vars",
    "use_vars_plugins",
];

/// What to compute.
pub(super) struct Rules {
    compose: Vec<(String, Node)>,
    groups: Vec<(String, Node)>,
    keyed: Vec<Keyed>,
    strict: bool,
    leading_separator: bool,
    use_extra_vars: bool,
    /// Whether the files beside the sources so far (`group_vars/`, `host_vars/`) count.
    pub use_vars_plugins: bool,
}

/// One item of `keyed_groups`.
struct Keyed {
    key: String,
    prefix: String,
    separator: String,
    parent: Option<String>,
    /// What stands for an empty value.
    default: Option<String>,
    trailing_separator: bool,
    node: Node,
}

/// An error in the file of a source, with its place.
pub(super) fn wrong(node: &Node, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error("inventory::plugin", message).at(&node.span)
}

/// A boolean of a source's file.
pub(super) fn flag(config: &Node, name: &str, default: bool) -> Result<bool, Diagnostic> {
    match config.get(name) {
        None => Ok(default),
        Some(node) => bool::from_value(&node.to_value())
            .map_err(|problem| wrong(node, format!("`{name}`: {}", problem.0))),
    }
}

/// A text of a source's file.
pub(super) fn text(config: &Node, name: &str) -> Result<Option<String>, Diagnostic> {
    match config.get(name) {
        None => Ok(None),
        Some(node) => match node.to_value() {
            Value::Null => Ok(None),
            Value::List(_) | Value::Map(_) => Err(wrong(
                node,
                format!("`{name}` must be a string, this is {}", node.describe()),
            )),
            value => Ok(Some(str_of(&value))),
        },
    }
}

/// Warns of keys that mean nothing.
pub(super) fn check_keys(inventory: &mut Inventory, config: &Node, known: &[&str]) {
    for entry in config.as_map().unwrap_or_default() {
        let key = entry.key.as_str().unwrap_or_default();
        if !known.contains(&key) {
            inventory.warnings.push(
                Diagnostic::warning(
                    "inventory::plugin",
                    format!("`{key}` has no meaning in this inventory source"),
                )
                .at(&entry.key.span)
                .maybe_hint(did_you_mean(key, known.iter().copied())),
            );
        }
    }
}

/// The members of a mapping that is optional.
fn members(config: &Node, name: &str) -> Result<Vec<(String, Node)>, Diagnostic> {
    let Some(node) = config.get(name).filter(|node| !node.is_null()) else {
        return Ok(Vec::new());
    };
    let entries = node.as_map().ok_or_else(|| {
        wrong(
            node,
            format!("`{name}` must be a mapping, this is {}", node.describe()),
        )
    })?;
    Ok(entries
        .iter()
        .map(|entry| (str_of(&entry.key.to_value()), entry.value.clone()))
        .collect())
}

impl Rules {
    /// Reads the rules of a source's file.
    pub fn read(config: &Node, options: &LoadOptions) -> Result<Self, Diagnostic> {
        let mut keyed = Vec::new();
        if let Some(node) = config.get("keyed_groups").filter(|node| !node.is_null()) {
            let items = node.as_seq().ok_or_else(|| {
                wrong(
                    node,
                    format!("`keyed_groups` must be a list, this is {}", node.describe()),
                )
            })?;
            for item in items {
                keyed.push(Keyed::read(item)?);
            }
        }
        Ok(Self {
            compose: members(config, "compose")?,
            groups: members(config, "groups")?,
            keyed,
            strict: flag(config, "strict", false)?,
            leading_separator: flag(config, "leading_separator", true)?,
            use_extra_vars: flag(config, "use_extra_vars", options.use_extra_vars)?,
            use_vars_plugins: flag(config, "use_vars_plugins", false)?,
        })
    }

    /// Whether there is nothing to compute.
    pub fn is_empty(&self) -> bool {
        self.compose.is_empty() && self.groups.is_empty() && self.keyed.is_empty()
    }
}

impl Keyed {
    fn read(node: &Node) -> Result<Self, Diagnostic> {
        if node.as_map().is_none() {
            return Err(wrong(
                node,
                format!(
                    "Invalid keyed group entry, it must be a dictionary: this is {}",
                    node.describe()
                ),
            ));
        }
        let known = [
            "key",
            "prefix",
            "separator",
            "parent_group",
            "default_value",
            "trailing_separator",
        ];
        for entry in node.as_map().unwrap_or_default() {
            let key = entry.key.as_str().unwrap_or_default();
            if !known.contains(&key) {
                return Err(
                    wrong(&entry.key, format!("`{key}` is no part of a keyed group"))
                        .maybe_hint(did_you_mean(key, known)),
                );
            }
        }
        let default = text(node, "default_value")?;
        let trailing = node
            .get("trailing_separator")
            .is_some_and(|node| !node.is_null());
        if trailing && default.is_some() {
            return Err(wrong(
                node,
                "parameters are mutually exclusive for keyed groups: default_value|trailing_separator",
            ));
        }
        Ok(Self {
            key: text(node, "key")?.unwrap_or_default(),
            prefix: text(node, "prefix")?.unwrap_or_default(),
            separator: text(node, "separator")?.unwrap_or_else(|| "_".to_owned()),
            parent: text(node, "parent_group")?.filter(|parent| !parent.is_empty()),
            default,
            trailing_separator: !trailing || flag(node, "trailing_separator", true)?,
            node: node.clone(),
        })
    }

    /// The ends of the names of groups that a value stands for.
    fn names(&self, value: &Value) -> Result<Vec<String>, Diagnostic> {
        let or_default = |name: &Value| match (&self.default, name.as_str()) {
            (Some(default), Some("")) => default.clone(),
            _ => str_of(name),
        };
        match value {
            Value::Str(_) => Ok(vec![or_default(value)]),
            Value::List(items) => Ok(items.iter().map(or_default).collect()),
            Value::Map(map) => Ok(map
                .iter()
                .map(|(name, value)| {
                    let (name, end) = (str_of(name), or_default(value));
                    if end.is_empty() && !self.trailing_separator {
                        name
                    } else {
                        format!("{name}{}{end}", self.separator)
                    }
                })
                .collect()),
            other => Err(wrong(
                &self.node,
                format!(
                    "Invalid group name format, expected a string or a list of them or dictionary, got: {}",
                    other.type_name()
                ),
            )),
        }
    }
}

#[derive(Debug)]
struct Nothing;

impl Scope for Nothing {
    fn get(&self, _: &str) -> Option<Variable> {
        None
    }
    fn names(&self) -> Vec<Arc<str>> {
        Vec::new()
    }
}

/// What templates in inventories see: these variables.
pub(super) fn context(vars: Map) -> Context {
    let scope = Overlay {
        base: Arc::new(Nothing),
        vars,
    };
    Context::new(Arc::new(scope), Arc::new(FileContext::default()))
}

/// An engine for templates in inventories.
pub(super) fn templar(options: &LoadOptions) -> Templar {
    Templar::new(TemplarOptions {
        vault: Arc::clone(&options.vault),
        ..TemplarOptions::default()
    })
}

/// A name that can be a group's: what a variable's name must not hold becomes `_`.
pub(super) fn group_name(name: &str) -> String {
    name.chars()
        .enumerate()
        .map(|(at, c)| {
            let word = c.is_alphanumeric() || c == '_';
            if word && !(at == 0 && c.is_numeric()) {
                c
            } else {
                '_'
            }
        })
        .collect()
}

/// The variables of a host that the sources read so far set, with its names and groups.
pub(super) fn own_vars(inventory: &Inventory, host: &str) -> Map {
    let mut vars = Map::new();
    let mut take = |from: &Map| vars.extend(from.iter().map(|(k, v)| (k.clone(), v.clone())));
    let groups = inventory.groups_of(host);
    // what has no parent yet will be in `all`
    if groups.first().is_none_or(|group| &*group.name != "all")
        && let Some(all) = inventory.group("all")
    {
        take(&all.vars);
    }
    for group in groups {
        take(&group.vars);
    }
    if let Some(host) = inventory.hosts.get(host) {
        take(&host.vars);
    }
    vars
}

/// The names and groups of a host, as variables.
fn names_of(inventory: &Inventory, host: &str, vars: &mut Map) {
    let Some(found) = inventory.hosts.get(host) else {
        return;
    };
    vars.set("inventory_hostname", &*found.name);
    vars.set("inventory_hostname_short", found.short_name());
    let groups = inventory.group_names(host);
    let groups = groups.iter().map(|name| Value::str(Arc::clone(name)));
    vars.set("group_names", Value::list(groups.collect()));
    if let Some(file) = &found.file {
        vars.set("inventory_file", file.display().to_string());
    }
    if let Some(dir) = found.dir() {
        vars.set("inventory_dir", dir.display().to_string());
    }
}

/// Computes the variables and groups of these hosts.
///
/// # Errors
/// If an expression fails and the rules are strict, or a key's value cannot name a group.
pub(super) fn compose(
    inventory: &mut Inventory,
    rules: &Rules,
    hosts: &[Arc<str>],
    options: &LoadOptions,
) -> Result<(), Diagnostic> {
    let templar = templar(options);
    let more = match &options.more_vars {
        Some(more) => Some(more(inventory, rules.use_vars_plugins)?),
        None => None,
    };
    let vars_of = |inventory: &Inventory, host: &str| -> Result<Map, Diagnostic> {
        let mut vars = own_vars(inventory, host);
        if let Some(more) = &more {
            // what files and the fact cache say; the sources' own variables of hosts stay above groups' files
            let known = more(host)?;
            vars.extend(known.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        names_of(inventory, host, &mut vars);
        Ok(vars)
    };
    for host in hosts {
        let strictly = |node: &Node, message: String| -> Result<(), Diagnostic> {
            if rules.strict {
                Err(wrong(node, message))
            } else {
                Ok(())
            }
        };
        let all_of = |vars: &Map| {
            let mut vars = vars.clone();
            if rules.use_extra_vars {
                let extra = options.extra_vars.iter();
                vars.extend(extra.map(|(k, v)| (k.clone(), v.clone())));
            }
            context(vars)
        };
        if !rules.compose.is_empty() {
            let cx = all_of(&vars_of(inventory, host)?);
            for (name, node) in &rules.compose {
                match evaluate(&templar, node, &cx) {
                    Ok(value) => inventory.set_variable(host, &Value::str(&**name), value)?,
                    Err(why) => {
                        strictly(node, format!("Could not set {name} for host {host}: {why}"))?;
                    }
                }
            }
        }
        if rules.groups.is_empty() && rules.keyed.is_empty() {
            continue;
        }
        let mut vars = vars_of(inventory, host)?;
        // what was just computed counts over what files say of groups
        if let Some(found) = inventory.hosts.get(host) {
            for (name, _) in &rules.compose {
                if let Some(value) = found.vars.get(name.as_str()) {
                    vars.insert(Value::str(&**name), value.clone());
                }
            }
        }
        let cx = context(vars.clone());
        for (name, node) in &rules.groups {
            let group = group_name(name);
            match templar.condition(&node.to_value(), &cx) {
                Ok(true) => {
                    inventory.add_group(&group)?;
                    inventory.declare_host(host, Some(&group), None, None)?;
                }
                Ok(false) => {}
                Err(why) => strictly(
                    node,
                    format!(
                        "Could not add host {host} to group {group}: {}",
                        why.message
                    ),
                )?,
            }
        }
        if rules.keyed.is_empty() {
            continue;
        }
        let cx = all_of(&vars);
        for keyed in &rules.keyed {
            let key = match templar.expression(&keyed.key, &cx) {
                Ok(key) => key,
                Err(why) => {
                    strictly(
                        &keyed.node,
                        format!(
                            "Could not generate group for host {host} from {} entry: {}",
                            keyed.key, why.message
                        ),
                    )?;
                    continue;
                }
            };
            let is_default = key.as_str() == Some("") && keyed.default.is_some();
            if !key.truthy() && !is_default {
                if !matches!(key, Value::List(_) | Value::Map(_)) {
                    strictly(
                        &keyed.node,
                        format!(
                            "No key or key resulted empty for {} in host {host}, invalid entry",
                            keyed.key
                        ),
                    )?;
                }
                continue;
            }
            let parent = match &keyed.parent {
                None => None,
                Some(parent) => match templar.render_str(parent, &cx) {
                    Ok(parent) => Some(group_name(&str_of(&parent))),
                    Err(why) => {
                        strictly(
                            &keyed.node,
                            format!(
                                "Could not generate parent group {parent} for group {}: {}",
                                str_of(&key),
                                why.message
                            ),
                        )?;
                        continue;
                    }
                },
            };
            let separator = if keyed.prefix.is_empty() && !rules.leading_separator {
                ""
            } else {
                &keyed.separator
            };
            for name in keyed.names(&key)? {
                let group = group_name(&format!("{}{separator}{name}", keyed.prefix));
                inventory.add_group(&group)?;
                inventory.declare_host(host, Some(&group), None, None)?;
                if let Some(parent) = &parent {
                    inventory.add_group(parent)?;
                    inventory.add_child(parent, &group)?;
                }
            }
        }
    }
    Ok(())
}

/// The value of an expression of `compose`; what is no text is taken as it is.
fn evaluate(templar: &Templar, node: &Node, cx: &Context) -> Result<Value, String> {
    match &node.kind {
        Kind::Str(text) => templar.expression(text, cx).map_err(|e| e.message),
        _ => templar
            .expression(&str_of(&node.to_value()), cx)
            .map_err(|e| e.message),
    }
}
