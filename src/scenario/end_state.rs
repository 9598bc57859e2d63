//! What the machines are in the end: the files and units that a playbook manages, as data that can be compared.

use super::Step;
use super::observed::Observed;
use super::play::{Ended, Player, Wanted};
use crate::sys::fnmatch;
use indexmap::{IndexMap, IndexSet};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

/// Modules whose results name a file that they manage.
const FILES: [&str; 12] = [
    "copy",
    "template",
    "file",
    "lineinfile",
    "blockinfile",
    "replace",
    "get_url",
    "assemble",
    "ini_file",
    "x509_private_key",
    "x509_certificate",
    "kubeconfig",
];
/// Modules whose results name a unit.
const UNITS: [&str; 3] = ["systemd", "systemd_service", "service"];

/// What is managed on each host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managed {
    files: IndexMap<String, IndexSet<String>>,
    units: IndexMap<String, IndexSet<String>>,
}

/// The state of what is managed: for each host and thing, what is known of it.
pub type EndState = BTreeMap<(String, String), BTreeMap<String, String>>;

impl Managed {
    /// What a run has managed.
    pub fn of(seen: &Observed) -> Self {
        let mut managed = Self::default();
        for (place, result) in &seen.results {
            let host = result.delegated_to.as_ref().unwrap_or(&place.host);
            if !matches!(result.status.as_str(), "ok" | "changed") || !seen.hosts.contains(host) {
                continue;
            }
            let text = |name: &str| result.data[name].as_str().map(str::to_owned);
            if FILES.contains(&result.action.as_str()) && text("state").as_deref() != Some("absent")
            {
                let path = text("dest").or_else(|| text("path"));
                if let Some(path) = path.filter(|path| path.starts_with('/')) {
                    managed.files.entry(host.clone()).or_default().insert(path);
                }
            }
            if UNITS.contains(&result.action.as_str())
                && let Some(name) = text("name")
            {
                managed.units.entry(host.clone()).or_default().insert(name);
            }
        }
        managed
    }

    /// How many files there are.
    pub fn count(&self) -> usize {
        self.files.values().map(IndexSet::len).sum()
    }

    /// Looks at all of it.
    ///
    /// # Errors
    /// The looking failed, in words.
    pub fn look(&self, player: &Player<'_>, step: Step) -> Result<EndState, String> {
        if self.files.is_empty() && self.units.is_empty() {
            return Ok(EndState::new());
        }
        let hosts: IndexSet<&String> = self.files.keys().chain(self.units.keys()).collect();
        let play = json!([as_root(json!({
            "name": "What the machines are",
            "hosts": hosts,
            "gather_facts": false,
            "vars": {"runbook_files": self.files, "runbook_units": self.units},
            "tasks": [
                {
                    "name": "Files",
                    "stat": {"path": "{{ item }}", "checksum_algorithm": "sha256"},
                    "loop": "{{ runbook_files[inventory_hostname] | default([]) }}",
                },
                {
                    "name": "Units",
                    "command": {"argv": ["systemctl", "show", "-p", "ActiveState", "-p", "UnitFileState", "--", "{{ item }}"]},
                    "changed_when": false,
                    "check_mode": false,
                    "loop": "{{ runbook_units[inventory_hostname] | default([]) }}",
                },
            ],
        }))]);
        let file = player.work.file("look.yml");
        let text = serde_json::to_string_pretty(&play).map_err(|error| error.to_string())?;
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        let ended = player.play(step, &file, &Wanted::default())?;
        if !ended.well() {
            return Err(format!(
                "the state of the machines cannot be read, see {}",
                ended.log.display()
            ));
        }
        Ok(state(&ended, &player.scenario.volatile))
    }
}

/// A play whose tasks are those of root. Only where another user logs in they become it: a container need not have sudo.
pub(super) fn as_root(mut play: Value) -> Value {
    let who = json!({
        "name": "Who logs in",
        "command": {"argv": ["id", "-u"]},
        "become": false,
        "changed_when": false,
        "check_mode": false,
        "register": "runbook_login",
    });
    if let Some(tasks) = play["tasks"].as_array_mut() {
        tasks.insert(0, who);
    }
    play["become"] = json!("{{ runbook_login.stdout != '0' }}");
    play
}

fn state(ended: &Ended, volatile: &[String]) -> EndState {
    let mut state = EndState::new();
    for (place, seen) in &ended.seen.results {
        let Some(item) = &place.item else { continue };
        let mut known = BTreeMap::new();
        if seen.action == "stat" {
            let stat = &seen.data["stat"];
            let content = !volatile.iter().any(|pattern| fnmatch(pattern, item));
            for name in [
                "exists",
                "isreg",
                "isdir",
                "islnk",
                "mode",
                "pw_name",
                "gr_name",
                "lnk_target",
                "checksum",
            ] {
                if stat[name].is_null() || (name == "checksum" && !content) {
                    continue;
                }
                known.insert(name.to_owned(), plain(&stat[name]));
            }
        } else {
            for line in seen.data["stdout"].as_str().unwrap_or_default().lines() {
                if let Some((name, value)) = line.split_once('=') {
                    known.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        state.insert((place.host.clone(), item.clone()), known);
    }
    state
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// How two states differ, a line each.
pub fn differences(want: &EndState, got: &EndState) -> Vec<String> {
    let mut all = Vec::new();
    let none = BTreeMap::new();
    let keys: std::collections::BTreeSet<_> = want.keys().chain(got.keys()).collect();
    for key in keys {
        let (a, b) = (
            want.get(key).unwrap_or(&none),
            got.get(key).unwrap_or(&none),
        );
        let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
        for name in names {
            let (a, b) = (a.get(name), b.get(name));
            if a != b {
                let show =
                    |value: Option<&String>| value.cloned().unwrap_or_else(|| "nothing".to_owned());
                all.push(format!(
                    "{}: {}: {name} is {}, was {}",
                    key.0,
                    key.1,
                    show(b),
                    show(a)
                ));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_host_thing_and_both_values() {
        let one = |value: &str| {
            let known = BTreeMap::from([("mode".to_owned(), value.to_owned())]);
            EndState::from([(("h".to_owned(), "/f".to_owned()), known)])
        };
        assert_eq!(
            differences(&one("0600"), &one("0600")),
            Vec::<String>::new()
        );
        assert_eq!(
            differences(&one("0600"), &one("0644")),
            ["h: /f: mode is 0644, was 0600"]
        );
        assert_eq!(
            differences(&one("0600"), &EndState::new()),
            ["h: /f: mode is nothing, was 0600"]
        );
    }
}
