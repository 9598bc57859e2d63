//! The inventory as `ansible-inventory` prints it.

use super::{Group, Inventory};
use crate::diag::Diagnostic;
use crate::value::{Map, Trust, Value, str_of};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

/// Finds the variables of a host or group.
pub type VarsOf<'a> = &'a dyn Fn(&str) -> Result<Map, Diagnostic>;

/// What of an inventory is written.
pub struct Dump<'a> {
    /// The variables of a host.
    pub host_vars: VarsOf<'a>,
    /// The variables of a group; none, unless they are to be shown where they were given.
    pub group_vars: VarsOf<'a>,
    /// Whether a host is shown.
    pub shows: &'a dyn Fn(&str) -> bool,
}

/// What a tree of groups has told already.
#[derive(Default)]
struct Seen<'a> {
    groups: HashSet<&'a str>,
    hosts: HashSet<&'a str>,
}

impl Inventory {
    /// The JSON of `--list`, keys sorted: groups with `hosts` and `children`, and `_meta.hostvars` with what
    /// `vars_of` gives for each host.
    ///
    /// # Errors
    /// What `vars_of` reports.
    pub fn to_list_json(
        &self,
        vars_of: impl Fn(&str) -> Result<Map, Diagnostic>,
    ) -> Result<Json, Diagnostic> {
        self.to_json_of(&Dump {
            host_vars: &vars_of,
            group_vars: &|_| Ok(Map::new()),
            shows: &|_| true,
        })
    }

    /// The same, with variables of groups and without hosts, as the dump wants it.
    ///
    /// # Errors
    /// What looking for variables reports.
    pub fn to_json_of(&self, dump: &Dump<'_>) -> Result<Json, Diagnostic> {
        let mut out: BTreeMap<String, Json> = BTreeMap::new();
        let mut seen = HashSet::new();
        let mut todo = vec!["all"];
        while let Some(name) = todo.pop() {
            let Some(group) = self.groups.get(name).filter(|_| seen.insert(name)) else {
                continue;
            };
            let mut members = serde_json::Map::new();
            if !group.children.is_empty() {
                members.insert("children".into(), names(&group.children));
            }
            let hosts: Vec<_> = group
                .hosts
                .iter()
                .filter(|host| (dump.shows)(host))
                .collect();
            if name != "all" && !hosts.is_empty() {
                members.insert("hosts".into(), names(hosts));
            }
            let vars = (dump.group_vars)(name)?;
            if !vars.is_empty() {
                members.insert("vars".into(), sorted(&Value::map(vars)));
            }
            if !members.is_empty() {
                out.insert(name.to_owned(), Json::Object(members));
            }
            todo.extend(group.children.iter().map(|child| &**child));
        }
        let mut hostvars: BTreeMap<String, Json> = BTreeMap::new();
        for host in self.hosts_of_group("all") {
            if !(dump.shows)(&host) {
                continue;
            }
            let vars = (dump.host_vars)(&host)?;
            if !vars.is_empty() {
                hostvars.insert(host.to_string(), sorted(&Value::map(vars)));
            }
        }
        let hostvars = Json::Object(hostvars.into_iter().collect());
        out.insert("_meta".into(), serde_json::json!({ "hostvars": hostvars }));
        Ok(Json::Object(out.into_iter().collect()))
    }

    /// The mapping of `--list --yaml`: groups in groups, each group with what it holds and each host with its variables
    /// where they come first.
    ///
    /// # Errors
    /// What looking for variables reports.
    pub fn to_yaml_value(&self, dump: &Dump<'_>) -> Result<Value, Diagnostic> {
        let mut seen = Seen::default();
        let mut map = Map::new();
        if let Some(all) = self.groups.get("all")
            && let Some(members) = self.yaml_group(all, dump, &mut seen)?
        {
            map.set("all", members);
        }
        Ok(Value::map(map))
    }

    fn yaml_group<'a>(
        &'a self,
        group: &'a Group,
        dump: &Dump<'_>,
        seen: &mut Seen<'a>,
    ) -> Result<Option<Value>, Diagnostic> {
        let mut children = Map::new();
        // the first in the inventory's order, whatever the order of writing is
        for name in &group.children {
            let Some(child) = self.groups.get(name) else {
                continue;
            };
            if !seen.groups.insert(&child.name) {
                children.set(name, Value::map(Map::new()));
            } else if let Some(members) = self.yaml_group(child, dump, seen)? {
                children.set(name, members);
            }
        }
        let mut hosts = Map::new();
        if &*group.name != "all" {
            for host in group.hosts.iter().filter(|host| (dump.shows)(host)) {
                let vars = if seen.hosts.insert(host) {
                    (dump.host_vars)(host)?
                } else {
                    Map::new()
                };
                hosts.set(host, Value::map(vars));
            }
        }
        let vars = (dump.group_vars)(&group.name)?;
        let mut members = Map::new();
        for (name, map) in [("children", children), ("hosts", hosts), ("vars", vars)] {
            if !map.is_empty() {
                members.set(name, Value::map(map));
            }
        }
        Ok((!members.is_empty()).then(|| Value::map(members)))
    }

    /// The text of `--graph --vars`: the tree with the variables of hosts and of groups (`vars_of(true, group)`).
    ///
    /// # Errors
    /// What looking for variables reports.
    pub fn graph_with_vars(
        &self,
        top: &str,
        vars_of: &dyn Fn(bool, &str) -> Result<Map, Diagnostic>,
    ) -> Result<Option<String>, Diagnostic> {
        let Some(group) = self.groups.get(top) else {
            return Ok(None);
        };
        let mut out = String::new();
        self.vars_of_group(group, 0, vars_of, &mut out)?;
        out.pop();
        Ok(Some(out))
    }

    fn vars_of_group(
        &self,
        group: &Group,
        depth: usize,
        vars_of: &dyn Fn(bool, &str) -> Result<Map, Diagnostic>,
        out: &mut String,
    ) -> Result<(), Diagnostic> {
        tree_line(out, depth, &format!("@{}:", group.name));
        for child in group
            .children
            .iter()
            .filter_map(|name| self.groups.get(name))
        {
            self.vars_of_group(child, depth + 1, vars_of, out)?;
        }
        if &*group.name != "all" {
            for host in &group.hosts {
                tree_line(out, depth + 1, host);
                tree_vars(out, depth + 2, &vars_of(false, host)?);
            }
        }
        tree_vars(out, depth + 1, &vars_of(true, &group.name)?);
        Ok(())
    }

    /// The JSON of `--host`: the variables, keys sorted.
    pub fn host_json(vars: &Map) -> Json {
        sorted(&Value::map(vars.clone()))
    }

    /// The text of `--graph` from that group down, or `None` if there is no such group.
    pub fn graph(&self, top: &str) -> Option<String> {
        let mut out = String::new();
        self.graph_group(self.groups.get(top)?, 0, &mut out);
        out.pop();
        Some(out)
    }

    fn graph_group(&self, group: &Group, depth: usize, out: &mut String) {
        tree_line(out, depth, &format!("@{}:", group.name));
        for child in group
            .children
            .iter()
            .filter_map(|name| self.groups.get(name))
        {
            self.graph_group(child, depth + 1, out);
        }
        if &*group.name != "all" {
            for host in &group.hosts {
                tree_line(out, depth + 1, host);
            }
        }
    }
}

fn tree_line(out: &mut String, depth: usize, text: &str) {
    let dashes = if depth > 0 { "--" } else { "" };
    let _ = writeln!(out, "{}{dashes}{text}", "  |".repeat(depth));
}

fn tree_vars(out: &mut String, depth: usize, vars: &Map) {
    let mut entries: Vec<(String, &Value)> = vars.iter().map(|(k, v)| (str_of(k), v)).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, value) in entries {
        tree_line(out, depth, &format!("{{{name} = {}}}", str_of(value)));
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a std::sync::Arc<str>>) -> Json {
    names.into_iter().map(|name| Json::from(&**name)).collect()
}

/// JSON with sorted keys; encrypted and unsafe values are marked as `ansible-inventory` marks them.
fn sorted(value: &Value) -> Json {
    match value {
        Value::Str(text) if text.trust() == Trust::Vault => {
            serde_json::json!({ "__ansible_vault": text.as_str() })
        }
        Value::Str(text) if text.trust() == Trust::Data => {
            serde_json::json!({ "__ansible_unsafe": text.as_str() })
        }
        Value::List(items) => items.iter().map(sorted).collect(),
        Value::Map(map) => {
            let members: BTreeMap<String, Json> = map
                .iter()
                .map(|(key, value)| (str_of(key), sorted(value)))
                .collect();
            Json::Object(members.into_iter().collect())
        }
        other => other.to_json(),
    }
}
