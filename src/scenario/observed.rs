//! What the events of a run say.

use super::fields::Read;
use crate::diag::Diagnostic;
use indexmap::{IndexMap, IndexSet};
use serde::Serialize;
use serde_json::Value;
use std::path::Path;

/// A result of a task, or of an item of its loop, on a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The host.
    pub host: String,
    /// The task's name, with its role.
    pub task: String,
    /// Whether it is a handler.
    pub handler: bool,
    /// Where it is written: `file:line:col`.
    pub at: String,
    /// The item of a loop.
    pub item: Option<String>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.handler { "handler" } else { "task" };
        write!(f, "{}: {kind} [{}]", self.host, self.task)?;
        if let Some(item) = &self.item {
            write!(f, " (item={item})")?;
        }
        write!(f, " at {}", self.at)
    }
}

/// One result.
#[derive(Clone, Debug)]
pub struct Seen {
    /// `ok`, `changed`, `skipped`, `failed`, `ignored`, `rescued`, `unreachable`.
    pub status: String,
    /// The short name of the action.
    pub action: String,
    /// What it returned.
    pub data: Value,
    /// Its diffs, rendered.
    pub diff: String,
    /// What it said, if it failed.
    pub message: String,
    /// The machine that it really ran on, if another.
    pub delegated_to: Option<String>,
}

/// The results of a run.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// Hosts of plays.
    pub hosts: IndexSet<String>,
    /// Results, in the order in which they came. A place may occur more than once (a role that runs twice).
    pub results: Vec<(Place, Seen)>,
    /// How many tasks each host really ran, without those that were skipped and without gathering facts.
    pub executed: IndexMap<String, usize>,
}

impl Observed {
    /// Reads a file of events.
    ///
    /// # Errors
    /// There is no such file.
    pub fn read(file: &Path) -> Read<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            let why = format!("{}: {}", file.display(), crate::diag::io_reason(&error));
            Box::new(Diagnostic::error("scenario::events", why))
        })?;
        Ok(Self::of(&text))
    }

    /// From lines of events; a line that was cut off by a kill is left out.
    pub fn of(text: &str) -> Self {
        let mut seen = Self::default();
        for line in text.lines() {
            if let Ok(event) = serde_json::from_str::<Value>(line) {
                seen.event(&event);
            }
        }
        seen
    }

    fn event(&mut self, event: &Value) {
        match event["event"].as_str() {
            Some("play_start") => {
                let hosts = event["hosts"].as_array().into_iter().flatten();
                self.hosts
                    .extend(hosts.filter_map(Value::as_str).map(str::to_owned));
            }
            Some("item_done") => self.result(event, event["item"]["label"].as_str()),
            Some("task_done") if event["quiet"] != true => {
                let status = event["status"].as_str().unwrap_or_default();
                let host = event["host"].as_str().unwrap_or_default();
                let gathers = event["task"]["action"] == "gather_facts";
                if !matches!(status, "skipped" | "unreachable") && !gathers {
                    *self.executed.entry(host.to_owned()).or_default() += 1;
                }
                if event["looped"] != true || !self.has_items(event) {
                    self.result(event, None);
                }
            }
            _ => {}
        }
    }

    /// Whether items of this task on this host were seen, which then say all.
    fn has_items(&self, event: &Value) -> bool {
        let (host, at) = (event["host"].as_str(), event["task"]["path"].as_str());
        self.results.iter().rev().take(1000).any(|(place, _)| {
            Some(place.host.as_str()) == host
                && Some(place.at.as_str()) == at
                && place.item.is_some()
        })
    }

    fn result(&mut self, event: &Value, item: Option<&str>) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let task = &event["task"];
        let name = match task["role"].as_str() {
            Some(role) => format!("{role} : {}", text(&task["name"])),
            None => text(&task["name"]),
        };
        let place = Place {
            host: text(&event["host"]),
            task: name,
            handler: task["handler"] == true,
            at: text(&task["path"]),
            item: item.map(str::to_owned),
        };
        let outcome = &event["outcome"];
        let action = text(&task["action"]);
        let mut diff = String::new();
        for one in outcome["diffs"].as_array().into_iter().flatten() {
            diff.push_str(&rendered(one));
        }
        let seen = Seen {
            status: text(&event["status"]),
            action: action.rsplit('.').next().unwrap_or_default().to_owned(),
            data: outcome["data"].clone(),
            diff,
            message: text(&outcome["data"]["msg"]),
            delegated_to: event["delegated_to"].as_str().map(str::to_owned),
        };
        self.results.push((place, seen));
    }

    /// What changed something.
    pub fn changes(&self) -> impl Iterator<Item = &(Place, Seen)> {
        self.results
            .iter()
            .filter(|(_, seen)| seen.status == "changed")
    }

    /// What failed for good, or could not be reached.
    pub fn failures(&self) -> impl Iterator<Item = &(Place, Seen)> {
        self.results
            .iter()
            .filter(|(_, seen)| matches!(seen.status.as_str(), "failed" | "unreachable"))
    }

    /// Hosts on which no task was run, which proves nothing of them.
    pub fn idle(&self) -> Vec<&str> {
        let ran = |host: &&String| self.executed.get(*host).copied().unwrap_or(0) > 0;
        self.hosts
            .iter()
            .filter(|host| !ran(host))
            .map(String::as_str)
            .collect()
    }

    /// How many results of tasks there are.
    pub fn tasks(&self) -> usize {
        self.executed.values().sum()
    }
}

/// A diff as people read it.
fn rendered(diff: &Value) -> String {
    let side = |name: &str| match &diff[name] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => serde_json::to_string_pretty(other).unwrap_or_default() + "\n",
    };
    let (before, after) = (side("before"), side("after"));
    let target = diff["target"].as_str().unwrap_or_default();
    let text = similar::TextDiff::from_lines(before.as_str(), after.as_str());
    text.unified_diff()
        .context_radius(2)
        .header(target, target)
        .missing_newline_hint(false)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = concat!(
        r#"{"schema":1,"event":"playbook_start","path":"p.yml"}"#,
        "\n",
        r#"{"event":"play_start","name":"all","hosts":["a","b"],"check":false,"strategy":"linear"}"#,
        "\n",
        r#"{"event":"item_done","task":{"id":1,"name":"c","action":"ansible.builtin.copy","path":"p.yml:4:7","role":"r","handler":false},"host":"a","item":{"index":0,"label":"1"},"status":"changed","outcome":{"data":{"dest":"/f"},"diffs":[{"target":"/f","before":"x\n","after":"y\n"}]},"delegated_to":null}"#,
        "\n",
        r#"{"event":"task_done","task":{"id":1,"name":"c","action":"copy","path":"p.yml:4:7","role":"r","handler":false},"host":"a","status":"changed","outcome":{"data":{"results":[]}},"looped":true,"quiet":false}"#,
        "\n",
        r#"{"event":"task_done","task":{"id":2,"name":"h","action":"debug","path":"p.yml:9:7","role":null,"handler":true},"host":"b","status":"skipped","outcome":{"data":{}},"looped":false,"quiet":false}"#,
        "\n",
        r#"{"event":"task_done","task":{"id":3,"na"#,
    );

    #[test]
    fn items_count_once_and_idle_hosts_are_seen() {
        let seen = Observed::of(RUN);
        let changes: Vec<String> = seen.changes().map(|(place, _)| place.to_string()).collect();
        assert_eq!(changes, ["a: task [r : c] (item=1) at p.yml:4:7"]);
        assert!(
            seen.results[0].1.diff.contains("-x\n+y\n"),
            "{}",
            seen.results[0].1.diff
        );
        assert_eq!(seen.idle(), ["b"]);
        assert_eq!(seen.tasks(), 1);
    }
}
