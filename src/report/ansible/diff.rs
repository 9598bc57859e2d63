//! Changes as Ansible's callbacks show them.

use super::{Colour, Screen};
use crate::report::dump;
use crate::result::Diff;
use crate::value::{Map, Value};
use similar::TextDiff;

/// The text of a change, with colours, and with a line break at its end; empty if nothing differs.
///
/// What stands for the target depends on the module: contents of a file that lines are put into are marked as such, and
/// what `file` changes has no name in the headings.
pub(super) fn diff_text(diff: &Diff, action: &str, context: usize, screen: &Screen) -> String {
    let (before, after) = match attributes(diff, action) {
        Some(sides) => sides,
        None => (
            diff.before.clone().unwrap_or_default(),
            diff.after.clone().unwrap_or_default(),
        ),
    };
    if before == after {
        return String::new();
    }
    let target = match action {
        "lineinfile" | "blockinfile" => format!("{} (content)", diff.target),
        _ => diff.target.clone(),
    };
    let nameless = matches!(action, "file") || is_members(&before) && is_members(&after);
    let header = |name: &str, side: &Option<String>| match side {
        Some(_) if !nameless => format!("{name}: {target}"),
        _ => name.to_owned(),
    };
    let text = TextDiff::from_lines(before.as_str(), after.as_str())
        .unified_diff()
        .context_radius(context)
        .header(
            &header("before", &diff.before),
            &header("after", &diff.after),
        )
        .missing_newline_hint(true)
        .to_string();
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let colour = match line.chars().next() {
            Some('+') => Some(Colour::Ok),
            Some('-') => Some(Colour::Error),
            Some('@') => Some(Colour::Skip),
            _ => None,
        };
        match colour {
            Some(colour) => out.push_str(&screen.paint(colour, line)),
            None => out.push_str(line),
        }
    }
    out.push('\n');
    out
}

/// Attributes of a file, one a line, as Ansible shows them: as JSON. What a new file gets by default is left out.
fn attributes(diff: &Diff, action: &str) -> Option<(String, String)> {
    let read = |side: &Option<String>| -> Option<Map> {
        let mut map = Map::new();
        for line in side.as_deref()?.lines() {
            let (name, value) = line.split_once(": ")?;
            if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
                return None;
            }
            map.set(name, Value::data(value.trim_matches('\'')));
        }
        map.get("path").is_some().then_some(map)
    };
    if !matches!(
        action,
        "file" | "copy" | "template" | "lineinfile" | "blockinfile"
    ) {
        return None;
    }
    let (before, mut after) = (read(&diff.before)?, read(&diff.after)?);
    if before.get("mode").is_none() {
        let usual = |value: &Value| matches!(value.as_str(), Some("0755" | "0644"));
        after.retain(|key, value| key.as_str() != Some("mode") || !usual(value));
    }
    let text = |map: Map| format!("{}\n", dump(&Value::map(map), Some(4)));
    Some((text(before), text(after)))
}

/// Whether the text is a mapping of attributes.
fn is_members(text: &str) -> bool {
    text.starts_with("{\n")
}
