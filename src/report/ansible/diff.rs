//! Changes as Ansible's callbacks show them.

use super::{Colour, Screen};
use crate::result::Diff;
use similar::TextDiff;

/// The text of a change, with colours, and with a line break at its end; empty if nothing differs.
///
/// What stands for the target depends on the module: contents of a file that lines are put into are marked as such, and
/// what `file` changes has no name in the headings.
pub(super) fn diff_text(diff: &Diff, action: &str, context: usize, screen: &Screen) -> String {
    let before = diff.before.as_deref().unwrap_or_default();
    let after = diff.after.as_deref().unwrap_or_default();
    if before == after {
        return String::new();
    }
    let target = match action {
        "lineinfile" | "blockinfile" => format!("{} (content)", diff.target),
        _ => diff.target.clone(),
    };
    let nameless = matches!(action, "file") || is_members(before) && is_members(after);
    let header = |name: &str, side: &Option<String>| match side {
        Some(_) if !nameless => format!("{name}: {target}"),
        _ => name.to_owned(),
    };
    let text = TextDiff::from_lines(before, after)
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

/// Whether the text is a mapping of attributes.
fn is_members(text: &str) -> bool {
    text.starts_with("{\n")
}
