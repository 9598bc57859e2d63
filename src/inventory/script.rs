//! Inventory scripts: programs that print JSON for `--list` and `--host NAME`.

use super::Inventory;
use crate::diag::Diagnostic;
use crate::value::{Map, Value};
use indexmap::IndexSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Whether the file is meant to be run: it is executable, or begins with `#!`.
pub(super) fn is_script(path: &Path, text: &[u8]) -> bool {
    use std::os::unix::fs::PermissionsExt;
    text.starts_with(b"#!")
        || path
            .metadata()
            .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// What came of running a script.
pub(super) enum Ran {
    /// Its output is in the inventory.
    Parsed,
    /// The system cannot run it; it may be a plain file with the executable bit.
    NotAProgram(std::io::Error),
}

/// Runs the script and reads its output into the inventory.
pub(super) fn parse(inventory: &mut Inventory, path: &Path) -> Result<Ran, Diagnostic> {
    let list = match run(path, &["--list"]) {
        Ok(output) => output?,
        Err(error) => return Ok(Ran::NotAProgram(error)),
    };
    let Some(top) = list.as_map() else {
        return Err(failed(path, "its --list output must be a JSON mapping"));
    };
    let mut hosts: IndexSet<Arc<str>> = IndexSet::new();
    let mut meta = None;
    for (name, data) in top.str_iter() {
        if name == "_meta" {
            meta = data.get("hostvars");
        } else {
            group(inventory, path, name, data, &mut hosts)?;
        }
    }
    for host in hosts {
        let vars = match meta {
            Some(Value::Map(all)) => all.get(&*host).cloned().unwrap_or_default(),
            Some(_) => return Err(failed(path, "`_meta.hostvars` must be a mapping")),
            None => run(path, &["--host", &host]).map_err(|e| failed(path, &e.to_string()))??,
        };
        let vars = match vars {
            Value::Map(vars) => vars,
            Value::Null => Arc::new(Map::new()),
            _ => {
                return Err(failed(
                    path,
                    &format!("the variables of host `{host}` must be a mapping"),
                ));
            }
        };
        for (key, value) in &*vars {
            inventory.set_variable(&host, key, value.clone())?;
        }
    }
    Ok(Ran::Parsed)
}

fn failed(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error(
        "inventory::script",
        format!("the inventory script {} failed: {why}", path.display()),
    )
}

/// Runs the script; the outer error is that it cannot be run at all.
fn run(path: &Path, arguments: &[&str]) -> std::io::Result<Result<Value, Diagnostic>> {
    let output = Command::new(path)
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    let note = |diagnostic: Diagnostic| {
        let talk = String::from_utf8_lossy(&output.stderr);
        let talk = talk.trim();
        if talk.is_empty() {
            diagnostic
        } else {
            diagnostic.note(talk)
        }
    };
    if !output.status.success() {
        return Ok(Err(note(failed(path, &output.status.to_string()))));
    }
    if output.stdout.trim_ascii().is_empty() && arguments.first() == Some(&"--host") {
        return Ok(Ok(Value::Null));
    }
    Ok(serde_json::from_slice::<serde_json::Value>(&output.stdout)
        .map(|json| Value::from_json(&json))
        .map_err(|error| note(failed(path, &format!("its output is not JSON: {error}")))))
}

fn group(
    inventory: &mut Inventory,
    path: &Path,
    name: &str,
    data: &Value,
    seen: &mut IndexSet<Arc<str>>,
) -> Result<(), Diagnostic> {
    inventory.add_group(name)?;
    let wrong = |what: &str| {
        failed(
            path,
            &format!("{what} of group `{name}` has the wrong type"),
        )
    };
    let (hosts, vars, children) = match data {
        Value::Map(map)
            if ["hosts", "vars", "children"]
                .iter()
                .any(|key| map.contains_key(*key)) =>
        {
            (
                map.get("hosts").cloned(),
                map.get("vars").cloned(),
                map.get("children").cloned(),
            )
        }
        // the short form of a host with variables
        Value::Map(_) => (
            Some(Value::list(vec![Value::str(name)])),
            Some(data.clone()),
            None,
        ),
        other => (Some(other.clone()), None, None),
    };
    if let Some(hosts) = hosts {
        for host in hosts.as_list().ok_or_else(|| wrong("`hosts`"))? {
            let host = host.as_str().ok_or_else(|| wrong("a host"))?;
            inventory.declare_host(host, Some(name), None, Some(path))?;
            seen.insert(Arc::from(host));
        }
    }
    if let Some(vars) = vars {
        for (key, value) in vars.as_map().ok_or_else(|| wrong("`vars`"))? {
            inventory.set_variable(name, key, value.clone())?;
        }
    }
    if let Some(children) = children {
        for child in children.as_list().ok_or_else(|| wrong("`children`"))? {
            let child = child.as_str().ok_or_else(|| wrong("a child"))?;
            inventory.add_group(child)?;
            inventory.add_child(name, child)?;
        }
    }
    Ok(())
}
