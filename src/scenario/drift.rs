//! Drift made on purpose: files that a playbook manages are changed behind its back.

use super::chance::Chance;
use super::end_state::{EndState, as_root};
use super::observed::{Observed, Seen};
use indexmap::IndexSet;
use serde_json::{Value, json};

/// Most files that drift in a step.
const MOST: usize = 4;

/// One file on one host, and what is done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// The host.
    pub host: String,
    /// The file.
    pub path: String,
    /// What is done.
    pub how: How,
}

/// What can happen to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It has another mode.
    Mode,
    /// It has a line more.
    Line,
    /// It is gone.
    Gone,
}

impl std::fmt::Display for Drift {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let what = match self.how {
            How::Mode => "got another mode",
            How::Line => "got a line more",
            How::Gone => "was removed",
        };
        write!(f, "{}: {} {what}", self.host, self.path)
    }
}

/// Chooses what drifts: files of `copy` and `template`, which know what is right without anything else. What was only
/// there for a while, as `before` knows, does not drift.
pub fn choose(seen: &Observed, before: &EndState, chance: &mut Chance) -> Vec<Drift> {
    let managed = |result: &Seen| matches!(result.action.as_str(), "copy" | "template");
    let mut files: IndexSet<(String, String)> = IndexSet::new();
    for (place, result) in &seen.results {
        let host = result.delegated_to.as_ref().unwrap_or(&place.host);
        let regular = result.data["state"] == "file";
        let gone = |path: &str| {
            let known = before.get(&(host.clone(), path.to_owned()));
            known.is_some_and(|known| known.get("exists").is_some_and(|there| there == "false"))
        };
        if let Some(path) = result.data["dest"].as_str()
            && managed(result)
            && regular
            && !gone(path)
            && matches!(result.status.as_str(), "ok" | "changed")
            && seen.hosts.contains(host)
        {
            files.insert((host.clone(), path.to_owned()));
        }
    }
    let files = chance.some(files.into_iter().collect(), MOST);
    files
        .into_iter()
        .map(|(host, path)| Drift {
            host,
            path,
            how: match chance.below(3) {
                0 => How::Mode,
                1 => How::Line,
                _ => How::Gone,
            },
        })
        .collect()
}

/// The playbook that does it.
pub fn playbook(drifts: &[Drift]) -> Value {
    let plays: Vec<Value> = drifts
        .iter()
        .map(|drift| {
            let task = match drift.how {
                How::Mode => json!({"name": "Another mode", "file": {"path": drift.path, "mode": "0604"}}),
                How::Line => {
                    // the path travels as an argument, not as part of the script; a program that runs cannot be written to
                    let script = "cp -p \"$1\" \"$1.drift\" && printf '\\n# drift\\n' >> \"$1.drift\" && mv \"$1.drift\" \"$1\"";
                    json!({"name": "A line more", "command": {"argv": ["sh", "-c", script, "sh", drift.path]}})
                }
                How::Gone => json!({"name": "Gone", "file": {"path": drift.path, "state": "absent"}}),
            };
            as_root(json!({
                "name": drift.to_string(),
                "hosts": drift.host,
                "gather_facts": false,
                "tasks": [task],
            }))
        })
        .collect();
    Value::Array(plays)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::observed::Place;

    #[test]
    fn only_regular_files_of_hosts_drift() {
        let mut seen = Observed::default();
        seen.hosts.insert("a".to_owned());
        for (action, path, state) in [
            ("copy", "/f", "file"),
            ("copy", "/gone", "file"),
            ("copy", "/d", "directory"),
            ("x509_ca", "/k", "file"),
        ] {
            let place = Place {
                host: "a".to_owned(),
                task: action.to_owned(),
                handler: false,
                at: "p:1:1".to_owned(),
                item: None,
            };
            let result = Seen {
                status: "changed".to_owned(),
                action: action.to_owned(),
                data: json!({"dest": path, "state": state}),
                diff: String::new(),
                message: String::new(),
                delegated_to: None,
            };
            seen.results.push((place, result));
        }
        let gone = [("exists".to_owned(), "false".to_owned())].into();
        let before = [(("a".to_owned(), "/gone".to_owned()), gone)].into();
        let drifts = choose(&seen, &before, &mut Chance::new(1));
        assert_eq!(drifts.len(), 1);
        assert_eq!(drifts[0].path, "/f");
        assert_eq!(playbook(&drifts).as_array().map(Vec::len), Some(1));
    }
}
