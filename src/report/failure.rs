//! Failures for readers: the message first, then what the command said, then everything else that is short.

use super::dump::{dump, visible};
use crate::result::{Diagnosis, Outcome, TaskInfo};
use crate::value::Value;
use std::fmt::Write;

/// Members that are shown in a place of their own, are told by the line itself, or repeat another.
const NOT_LISTED: &[&str] = &[
    "msg",
    "censored",
    "stdout",
    "stderr",
    "stdout_lines",
    "stderr_lines",
    "module_stdout",
    "module_stderr",
    "rc",
    "cmd",
    "changed",
    "failed",
    "unreachable",
    "exception",
    "invocation",
    "diff",
    "start",
    "end",
    "delta",
    "item",
    "include",
    "results",
    "ansible_loop_var",
    "ansible_index_var",
    "ansible_facts",
    "warnings",
    "deprecations",
];

/// Members longer than this are left for `-v`.
const LONGEST: usize = 300;

/// The message, and the block of indented lines below it (each with a line break).
pub(crate) fn describe(outcome: &Outcome, task: &TaskInfo, colour: bool) -> (String, String) {
    let message = message(outcome);
    let mut lines = message.lines().map(visible);
    let first = lines.next().unwrap_or_default();
    let mut block = String::new();
    for line in lines {
        let _ = writeln!(block, "    {line}");
    }
    block.push_str(&excerpt(outcome, colour));
    if let Some(rc) = outcome.data.get("rc").filter(|rc| !rc.is_null()) {
        let _ = writeln!(block, "    rc: {rc}");
    }
    if let Some(command) = outcome.data.get("cmd") {
        let words = command.as_list().map(|words| {
            let quoted: Vec<String> = words.iter().map(|word| quoted(&word.to_string())).collect();
            quoted.join(" ")
        });
        let _ = writeln!(
            block,
            "    cmd: {}",
            visible(&words.unwrap_or_else(|| command.to_string()))
        );
    }
    for name in ["stdout", "stderr", "module_stdout", "module_stderr"] {
        if let Some(text) = outcome.data.get(name).and_then(Value::as_str) {
            stream(&mut block, name, text);
        }
    }
    for (key, value) in outcome.data.str_iter() {
        if NOT_LISTED.contains(&key) || key.starts_with('_') || value.is_null() {
            continue;
        }
        let text = value.as_str().map_or_else(|| dump(value, None), visible);
        // `message` of `include_vars` is what stands above already
        if key == "message" && text == first {
            continue;
        }
        if !text.is_empty() && text.chars().count() <= LONGEST {
            let _ = writeln!(block, "    {key}: {text}");
        }
    }
    let place = outcome.diagnosis.as_ref().and_then(Diagnosis::span);
    // an excerpt shows the place itself
    if !task.path.is_empty() && !task.path.starts_with('<') && place.is_none() {
        let _ = writeln!(block, "    at: {}", task.path);
    }
    (first, block)
}

/// The place in a file that is to blame, with its hint, as indented lines.
pub(crate) fn excerpt(outcome: &Outcome, colour: bool) -> String {
    let mut block = String::new();
    if let Some(diagnosis) = &outcome.diagnosis {
        for line in diagnosis.body(colour).lines() {
            let _ = writeln!(block, "    {line}");
        }
    }
    block
}

fn message(outcome: &Outcome) -> String {
    if let Some(message) = outcome.diagnosis.as_ref().and_then(Diagnosis::message) {
        return message.to_owned();
    }
    let member = |name: &str| match outcome.data.get(name) {
        Some(Value::Str(text)) if !text.trim().is_empty() => Some(text.trim_end().to_owned()),
        Some(Value::Str(_) | Value::Null) | None => None,
        Some(other) => Some(dump(other, None)),
    };
    let last_of = |text: String| text.lines().last().map(str::to_owned);
    member("msg")
        .or_else(|| member("censored"))
        .or_else(|| member("exception").and_then(last_of))
        .or_else(|| outcome.data.get("rc").map(|rc| format!("return code {rc}")))
        .unwrap_or_else(|| "no message".to_owned())
}

fn stream(block: &mut String, name: &str, text: &str) {
    let text = text.trim_end();
    if text.is_empty() {
        return;
    }
    let _ = writeln!(block, "    {name}:");
    for line in text.lines() {
        let _ = writeln!(block, "      {}", visible(line.trim_end_matches('\r')));
    }
}

/// A word so that it can be pasted into a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
