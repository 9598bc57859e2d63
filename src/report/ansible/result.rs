//! Results as Ansible's callbacks write them.

use super::{AnsibleOptions, ResultFormat, base_name};
use crate::diag::{excerpt, place};
use crate::report::dump;
use crate::result::{Diagnosis, ItemInfo, Outcome, TaskInfo};
use crate::value::{Map, Value};
use crate::yaml::{EmitOptions, FlowStyle, emit};

/// One result: of a task or of one of its items.
pub(super) struct Shown<'a> {
    pub task: &'a TaskInfo,
    pub host: &'a str,
    pub item: Option<&'a ItemInfo>,
    pub outcome: &'a Outcome,
    pub delegated_to: Option<&'a str>,
}

impl Shown<'_> {
    /// Whether a result says of itself that it is to be shown (`_ansible_verbose_always`, `…_override`).
    pub fn flag(&self, name: &str) -> bool {
        self.outcome.data.get(name).is_some_and(Value::truthy)
    }

    pub fn is_debug(&self) -> bool {
        base_name(&self.task.action) == "debug"
    }

    /// Ansible's modules whose result is what they printed.
    pub fn is_command(&self) -> bool {
        matches!(
            base_name(&self.task.action),
            "command" | "shell" | "raw" | "win_command" | "win_shell"
        )
    }

    /// What a module in Python that crashed said at last; all of it where the run is verbose.
    pub fn crash(&self, verbosity: u8) -> Option<String> {
        let text = self.outcome.data.get("exception")?.as_str()?;
        Some(if verbosity < 3 {
            let last = text.trim().lines().next_back().unwrap_or_default();
            format!(
                "An exception occurred during task execution. To see the full traceback, use -vvv. The error was: {last}"
            )
        } else {
            format!("The full traceback is:\n{text}")
        })
    }

    /// Whether the task failed before its action: its templates or its loop cannot be read.
    fn is_unread(&self) -> bool {
        let code = self.outcome.diagnosis.as_ref().map(Diagnosis::code);
        matches!(
            code,
            Some("task::template" | "task::condition" | "task::loop")
        ) && base_name(&self.task.action) != "template"
    }

    /// Why a file, or a role with the place, cannot be included: it is the result's `reason`.
    pub fn reason(&self) -> Option<String> {
        let diagnosis = self.outcome.diagnosis.as_ref()?;
        let message = self.outcome.message()?;
        match diagnosis.code() {
            "playbook::file" => Some(message.to_string()),
            "playbook::role-not-found" => {
                let span = diagnosis.span()?;
                Some(format!("{message}{}{}\n", place(span), excerpt(span)))
            }
            _ => None,
        }
    }

    /// `h1`, or `h1 -> h2` with its address in parentheses where it is another.
    pub fn host_label(&self, options: &AnsibleOptions) -> String {
        let Some(other) = self.delegated_to else {
            return self.host.to_owned();
        };
        match (options.address_of)(other) {
            Some(address) if address != other && !self.outcome.unreachable => {
                format!("{} -> {other}({address})", self.host)
            }
            _ => format!("{} -> {other}", self.host),
        }
    }

    /// The members as `default` and `minimal` show them: of `debug`, only what it was asked to print.
    pub fn cleaned(&self, verbosity: u8) -> Map {
        let mut map = self.members(verbosity);
        if self.is_debug() {
            debug_only(&mut map);
        }
        map
    }

    /// The members that are shown, without what the line says already.
    pub fn members(&self, verbosity: u8) -> Map {
        let outcome = self.outcome;
        let mut map = Map::new();
        let item_unreachable = self.item.is_some() && self.outcome.is_unreachable();
        if !self.is_unread() && !item_unreachable {
            map.set("changed", outcome.changed);
        }
        if outcome.unreachable {
            map.set("unreachable", true);
        }
        for (key, value) in &outcome.data {
            let name = key.as_str().unwrap_or_default();
            let hidden = match name {
                "invocation" | "diff" => verbosity < 3,
                "exception" | "warnings" | "deprecations" | "failed" | "skipped" => true,
                _ => name.starts_with("_ansible_"),
            };
            if !hidden {
                map.insert(key.clone(), value.clone());
            }
        }
        if let Some(reason) = self.reason() {
            map.take("msg");
            map.set("reason", Value::data(reason));
        }
        // what belongs to the item is told by each item's own line
        if let Some(item) = self.item {
            for (key, value) in &item.vars {
                map.insert(key.clone(), value.clone());
            }
        }
        map
    }
}

/// Of `debug`, only what it was asked to print.
fn debug_only(map: &mut Map) {
    if map.get("msg").is_some() {
        map.retain(|key, _| key.as_str() == Some("msg"));
        return;
    }
    for name in ["changed", "skip_reason"] {
        map.take(name);
    }
}

/// The text after ` => `.
pub(super) fn written(options: &AnsibleOptions, shown: &Shown<'_>) -> String {
    let mut map = shown.cleaned(options.verbosity);
    match options.format {
        ResultFormat::Json => {
            let wide = options.verbosity > 2
                || options.pretty == Some(true)
                || shown.flag("_ansible_verbose_always");
            dump(&Value::map(map), wide.then_some(4))
        }
        ResultFormat::Yaml => {
            let pretty = options.pretty.unwrap_or(true);
            for name in ["stdout", "stderr"].into_iter().filter(|_| pretty) {
                let lines = format!("{name}_lines");
                if map.get(name).is_some() && map.get(lines.as_str()).is_some() {
                    map.set(&lines, Value::data("<omitted>"));
                }
            }
            let value = if pretty {
                readable(&Value::map(map))
            } else {
                Value::map(map)
            };
            let text = emit(
                &value,
                &EmitOptions {
                    indent: if pretty { 4 } else { 2 },
                    default_flow_style: FlowStyle::Block,
                    width: 1000,
                    literal_lines: true,
                    ..EmitOptions::to_yaml()
                },
            );
            let mut out = String::new();
            for line in text.trim_end().lines() {
                out.push('\n');
                if !line.is_empty() {
                    out.push_str("    ");
                    out.push_str(line);
                }
            }
            out
        }
    }
}

/// Text of several lines without blanks that would force quotes.
fn readable(value: &Value) -> Value {
    match value {
        Value::Str(text) if text.contains('\n') => {
            let lines: Vec<String> = text
                .trim_end()
                .lines()
                .map(|line| line.trim_end().replace('\t', "    "))
                .collect();
            Value::data(lines.join("\n"))
        }
        Value::List(items) => Value::list(items.iter().map(readable).collect()),
        Value::Map(map) => Value::map(
            map.iter()
                .map(|(key, value)| (key.clone(), readable(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}
