//! The inventory as `ansible-inventory --list --toml` prints it.

use super::{Dump, Group, Inventory};
use crate::diag::Diagnostic;
use crate::value::{Map, Value, str_of};
use std::collections::HashSet;
use std::fmt::Write;

impl Inventory {
    /// The TOML of `--list --toml`: a table for each group with `children`, `hosts` and `vars`, each host with its
    /// variables where it comes first.
    ///
    /// # Errors
    /// If something has no form in TOML, and what looking for variables reports.
    pub fn to_toml(&self, dump: &Dump<'_>) -> Result<String, Diagnostic> {
        let mut groups = Map::new();
        let (mut hosts, mut seen) = (HashSet::new(), HashSet::new());
        if let Some(all) = self.groups.get("all") {
            self.toml_group(all, dump, &mut hosts, &mut seen, &mut groups)?;
        }
        let mut out = String::new();
        table(&mut out, "", &groups)?;
        Ok(out.trim_start().to_owned())
    }

    fn toml_group<'a>(
        &'a self,
        group: &'a Group,
        dump: &Dump<'_>,
        hosts: &mut HashSet<&'a str>,
        seen: &mut HashSet<&'a str>,
        out: &mut Map,
    ) -> Result<(), Diagnostic> {
        if !seen.insert(&group.name) {
            return Ok(());
        }
        let mut members = Map::new();
        let children: Vec<&Group> = group
            .children
            .iter()
            .filter_map(|name| self.groups.get(name))
            .filter(|child| &*child.name != "ungrouped" || !child.hosts.is_empty())
            .collect();
        if &*group.name != "all" {
            let names = children.iter().map(|child| Value::data(&*child.name));
            members.set("children", Value::list(names.collect()));
            let mut of = Map::new();
            for host in group.hosts.iter().filter(|host| (dump.shows)(host)) {
                let vars = if hosts.insert(host) {
                    (dump.host_vars)(host)?
                } else {
                    Map::new()
                };
                of.set(host, Value::map(vars));
            }
            members.set("hosts", Value::map(of));
        }
        members.set("vars", Value::map((dump.group_vars)(&group.name)?));
        members.retain(|_, value| value.truthy());
        if !members.is_empty() {
            out.set(&group.name, Value::map(members));
        }
        for child in children {
            self.toml_group(child, dump, hosts, seen, out)?;
        }
        Ok(())
    }
}

fn no_form(what: &str) -> Diagnostic {
    Diagnostic::error(
        "inventory::toml",
        format!("The source inventory contains {what}, which cannot be represented as TOML"),
    )
}

fn key(name: &Value) -> Result<String, Diagnostic> {
    let Some(name) = name.as_str() else {
        return Err(no_form(&format!("the non-string key {}", str_of(name))));
    };
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    Ok(if !name.is_empty() && name.chars().all(bare) {
        name.to_owned()
    } else {
        text(name)
    })
}

/// A basic string.
fn text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x20 || c == '\u{7f}' => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A table: first what stands in lines, then the tables inside it.
fn table(out: &mut String, path: &str, map: &Map) -> Result<(), Diagnostic> {
    let mut tables = Vec::new();
    for (name, value) in map {
        let name = key(name)?;
        match value {
            Value::Map(inner) => tables.push((name, inner)),
            // as Ansible's encoder: what is nothing is not written
            Value::Null => {}
            value => {
                let _ = writeln!(out, "{name} = {}", inline(value)?);
            }
        }
    }
    for (name, inner) in tables {
        let path = if path.is_empty() {
            name
        } else {
            format!("{path}.{name}")
        };
        let only_tables = !inner.is_empty()
            && inner
                .iter()
                .all(|(_, value)| matches!(value, Value::Map(_)));
        if !only_tables {
            let _ = writeln!(out, "\n[{path}]");
        }
        table(out, &path, inner)?;
    }
    Ok(())
}

fn inline(value: &Value) -> Result<String, Diagnostic> {
    Ok(match value {
        Value::Null => return Err(no_form("a list with null in it")),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) if number.is_finite() => format!("{number:?}"),
        Value::Float(number) => number.to_string().to_lowercase(),
        Value::Str(string) => text(string),
        Value::List(items) => {
            let items: Result<Vec<String>, Diagnostic> = items.iter().map(inline).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Map(map) => {
            let mut members = Vec::new();
            for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                members.push(format!("{} = {}", key(name)?, inline(value)?));
            }
            format!("{{{}}}", members.join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::from_text;
    use super::*;
    use crate::inventory::SourceSpec;

    fn dump(inventory: &Inventory) -> Result<String, Diagnostic> {
        inventory.to_toml(&Dump {
            host_vars: &|host| Ok(inventory.host(host).unwrap().vars.clone()),
            group_vars: &|group| Ok(inventory.group(group).unwrap().vars.clone()),
            shows: &|_| true,
        })
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        let inventory = from_text(
            "hosts.yml",
            "web:\n  hosts:\n    a.b: {x: 1, \"q \\\"\": [1, \"t\\n\", {k: true}], deep: {in: {er: 2.0}}}\n    c:\n  vars: {p: é}\n\
             top:\n  children:\n    web:\n",
        )
        .unwrap();
        let text = dump(&inventory).unwrap();
        let again = from_text("hosts.toml", &text).unwrap();
        assert_eq!(
            again.host("a.b").unwrap().vars,
            inventory.host("a.b").unwrap().vars
        );
        assert_eq!(again.graph("top"), inventory.graph("top"));
        assert_eq!(
            again.group("web").unwrap().vars,
            inventory.group("web").unwrap().vars
        );
        assert!(matches!(again.sources.first(), Some(SourceSpec::Path(_))));
    }

    #[test]
    fn keys_that_are_no_strings_have_no_form() {
        let inventory = from_text("hosts.yml", "g:\n  hosts:\n    h: {x: {1: 2}}\n").unwrap();
        let problem = dump(&inventory).unwrap_err();
        assert!(
            problem.message.starts_with("The source inventory contains"),
            "{problem}"
        );
    }
}
