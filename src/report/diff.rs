//! Changes as unified diffs.

use crate::result::Diff;
use similar::TextDiff;

/// The unified diff of a change with Ansible's headers (`--- before: path`), with a line break at its end.
/// Empty if nothing in the text differs. A side that does not exist has no path in its header.
pub fn unified(diff: &Diff) -> String {
    let header = |name: &str, side: &Option<String>| match side {
        Some(_) => format!("{name}: {}", diff.target),
        None => name.to_owned(),
    };
    let before = diff.before.as_deref().unwrap_or_default();
    let after = diff.after.as_deref().unwrap_or_default();
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(
            &header("before", &diff.before),
            &header("after", &diff.after),
        )
        .missing_newline_hint(true)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn created_changed_and_removed() {
        let created = unified(&Diff::new("/f", None::<String>, Some("a\n")));
        assert_eq!(created, "--- before\n+++ after: /f\n@@ -0,0 +1 @@\n+a\n");
        let changed = unified(&Diff::new("/f", Some("a\nb\n"), Some("a\nc")));
        assert_eq!(
            changed,
            "--- before: /f\n+++ after: /f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n"
        );
        let removed = unified(&Diff::new("/f", Some("a\n"), None::<String>));
        assert!(
            removed.starts_with("--- before: /f\n+++ after\n"),
            "{removed}"
        );
        assert_eq!(unified(&Diff::new("/f", Some("a"), Some("a"))), "");
    }
}
