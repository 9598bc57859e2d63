//! Which tasks run, by tags.
//!
//! Source: Ansible's documentation, "Tags".

use super::Task;
use crate::value::Value;
use crate::yaml::Node;

/// The words of tags: lists and comma separated strings.
pub fn tag_words(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().flat_map(tag_words).collect(),
        Value::Null => Vec::new(),
        other => other
            .to_string()
            .split(',')
            .map(|word| word.trim().to_owned())
            .filter(|word| !word.is_empty())
            .collect(),
    }
}

/// What `--tags` and `--skip-tags` select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFilter {
    /// Tags to run; `all` if none are given.
    pub run: Vec<String>,
    /// Tags to skip.
    pub skip: Vec<String>,
}

impl Default for TagFilter {
    fn default() -> Self {
        Self {
            run: vec!["all".into()],
            skip: Vec::new(),
        }
    }
}

impl TagFilter {
    /// Whether a task with these tags runs.
    pub fn selects(&self, tags: &[String]) -> bool {
        let has = |tag: &str| tags.iter().any(|t| t == tag);
        let wants = |tag: &str| self.run.iter().any(|t| t == tag);
        let skips = |tag: &str| self.skip.iter().any(|t| t == tag);
        let overlap = |list: &[String]| list.iter().any(|t| has(t));
        let untagged = tags.is_empty();
        let run = has("always")
            || (wants("all") && !has("never"))
            || overlap(&self.run)
            || (wants("tagged") && !untagged && !has("never"))
            || (wants("untagged") && untagged);
        if !run {
            return false;
        }
        let skipped = if skips("all") {
            !has("always") || skips("always")
        } else {
            overlap(&self.skip) || skips(if untagged { "untagged" } else { "tagged" })
        };
        !skipped
    }

    /// Whether everything runs.
    pub fn is_all(&self) -> bool {
        self.skip.is_empty() && self.run == ["all"]
    }
}

impl Task {
    /// Its tags as written, for those that hold no template.
    pub fn static_tags(&self) -> Vec<String> {
        self.keywords
            .tags
            .iter()
            .map(Node::to_value)
            .flat_map(|value| tag_words(&value))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::TagFilter;

    fn selects(run: &[&str], skip: &[&str], tags: &[&str]) -> bool {
        let words = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        TagFilter {
            run: words(run),
            skip: words(skip),
        }
        .selects(&words(tags))
    }

    #[test]
    fn as_ansible_selects() {
        assert!(selects(&["all"], &[], &[]));
        assert!(selects(&["all"], &[], &["a"]));
        assert!(!selects(&["all"], &[], &["never"]));
        assert!(!selects(&["all"], &[], &["never", "a"]));
        assert!(selects(&["a"], &[], &["never", "a"]));
        assert!(selects(&["never"], &[], &["never"]));
        assert!(selects(&["b"], &[], &["always"]));
        assert!(!selects(&["b"], &["always"], &["always"]));
        assert!(!selects(&["b"], &[], &["a"]));
        assert!(selects(&["tagged"], &[], &["a"]));
        assert!(!selects(&["tagged"], &[], &[]));
        assert!(selects(&["untagged"], &[], &[]));
        assert!(!selects(&["untagged"], &[], &["a"]));
        assert!(!selects(&["all"], &["a"], &["a", "b"]));
        assert!(!selects(&["all"], &["tagged"], &["a"]));
        assert!(!selects(&["all"], &["untagged"], &[]));
        assert!(selects(&["all"], &["all"], &["always"]));
        assert!(!selects(&["all"], &["all"], &["a"]));
    }
}
