//! The inventory as `ansible-inventory` prints it.

use super::{Group, Inventory};
use crate::diag::Diagnostic;
use crate::value::{Map, Trust, Value, str_of};
use serde_json::Value as Json;
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write;

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
            if name != "all" && !group.hosts.is_empty() {
                members.insert("hosts".into(), names(&group.hosts));
            }
            if !members.is_empty() {
                out.insert(name.to_owned(), Json::Object(members));
            }
            todo.extend(group.children.iter().map(|child| &**child));
        }
        let mut hostvars: BTreeMap<String, Json> = BTreeMap::new();
        for host in self.hosts_of_group("all") {
            let vars = vars_of(&host)?;
            if !vars.is_empty() {
                hostvars.insert(host.to_string(), sorted(&Value::map(vars)));
            }
        }
        let hostvars = Json::Object(hostvars.into_iter().collect());
        out.insert("_meta".into(), serde_json::json!({ "hostvars": hostvars }));
        Ok(Json::Object(out.into_iter().collect()))
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
        let line = |out: &mut String, depth: usize, text: &str| {
            let dashes = if depth > 0 { "--" } else { "" };
            let _ = writeln!(out, "{}{dashes}{text}", "  |".repeat(depth));
        };
        line(out, depth, &format!("@{}:", group.name));
        for child in group
            .children
            .iter()
            .filter_map(|name| self.groups.get(name))
        {
            self.graph_group(child, depth + 1, out);
        }
        if &*group.name != "all" {
            for host in &group.hosts {
                line(out, depth + 1, host);
            }
        }
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
