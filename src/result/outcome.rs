//! The outcome of one task (or loop item) on one host.

use super::{Diagnosis, Diff};
use crate::value::{Map, Value, to_bool};
use serde::{Deserialize, Serialize};

/// What a module or an action gives back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Something was changed (or would be, in check mode).
    pub changed: bool,
    /// It failed; `data` has `msg`.
    pub failed: bool,
    /// It was not run.
    pub skipped: bool,
    /// The machine could not be reached.
    pub unreachable: bool,
    /// Everything else that it returns (`msg`, `rc`, `stdout`, …), in order.
    pub data: Map,
    /// What was (or would be) changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diffs: Vec<Diff>,
    /// Warnings for the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Steps that were still to do when the task was planned again right after it was applied
    /// (`--verify=task`); anything here means that it is not idempotent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_to_do: Vec<String>,
    /// Why and where it failed, if that is a place in a file and not the machine. For reports only.
    #[serde(default, skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
}

impl Outcome {
    /// Success without a change.
    pub fn ok() -> Self {
        Self::default()
    }

    /// A failure with its message.
    pub fn failure(message: impl Into<String>) -> Self {
        Self {
            failed: true,
            data: Map::new().with("msg", Value::data(message.into())),
            ..Self::default()
        }
    }

    /// An unreachable machine, with why.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self {
            unreachable: true,
            data: Map::new().with("msg", Value::data(message.into())),
            ..Self::default()
        }
    }

    /// Whether it came to nothing for the machine. (A loop may have failed beside that, which says more.)
    pub fn is_unreachable(&self) -> bool {
        self.unreachable && !self.failed
    }

    /// A skipped task, with Ansible's reason.
    pub fn skip(reason: &str) -> Self {
        Self {
            skipped: true,
            data: Map::new().with("skip_reason", Value::data(reason)),
            ..Self::default()
        }
    }

    /// The same with a return value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.set(key, value);
        self
    }

    /// The message, if there is one.
    pub fn message(&self) -> Option<&str> {
        self.data.get("msg").and_then(Value::as_str)
    }

    /// The mapping that `register` stores: the data with the flags, as Ansible names them.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        map.set("changed", self.changed);
        // where a condition was false nothing ran that could have failed
        if self.failed || self.data.get("false_condition").is_none() {
            map.set("failed", self.failed);
        }
        if self.skipped {
            map.set("skipped", true);
        }
        if self.unreachable {
            map.set("unreachable", true);
        }
        if !self.diffs.is_empty() {
            map.set("diff", self.diffs_value());
        }
        if !self.warnings.is_empty() {
            map.set(
                "warnings",
                Value::list(
                    self.warnings
                        .iter()
                        .map(|w| Value::data(w.as_str()))
                        .collect(),
                ),
            );
        }
        for (key, value) in &self.data {
            // what is for reports only; `register` leaves out what the module was called with, as in Ansible
            let kept = |key: &str| !key.starts_with("_ansible_") && key != "invocation";
            // what was asked for says more than what is always there
            let shown = key.as_str() == Some("diff") && !self.diffs.is_empty();
            if shown && value.as_list().is_some() {
                continue;
            }
            if key.as_str().is_none_or(kept) {
                map.insert(key.clone(), value.clone());
            }
        }
        Value::map(map)
    }

    fn diffs_value(&self) -> Value {
        Value::list(self.diffs.iter().map(super::Diff::to_value).collect())
    }

    /// The outcome of a mapping with Ansible's flags in it (from an action or an external module).
    pub fn from_map(mut data: Map) -> Self {
        let mut flag = |name: &str| {
            data.take(name)
                .is_some_and(|value| to_bool(&value).unwrap_or_else(|| value.truthy()))
        };
        let (changed, failed) = (flag("changed"), flag("failed"));
        let (skipped, unreachable) = (flag("skipped"), flag("unreachable"));
        Self {
            changed,
            failed,
            skipped,
            unreachable,
            data,
            ..Self::default()
        }
    }
}
