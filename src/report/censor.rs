//! The last gate for secrets: outcomes marked `_ansible_no_log` lose everything but their flags.

use crate::result::{Event, ItemInfo, Outcome};
use crate::value::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// What stands for a hidden result, word for word as Ansible has it (documentation page: "How do I keep secret data
/// in my playbook?"), for scripts look for it.
pub const CENSORED: &str =
    "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

/// Whether nothing of this outcome may be shown.
pub(crate) fn is_hidden(outcome: &Outcome) -> bool {
    outcome
        .data
        .get("_ansible_no_log")
        .is_some_and(Value::truthy)
}

/// The event as it may be shown: hidden outcomes are emptied, internal members (`_ansible_…`) removed.
pub fn censor(event: &Event) -> Cow<'_, Event> {
    gate(event, internal)
}

/// The same, but with the members that say how a terminal is to show the result (`_ansible_verbose_…`).
pub(crate) fn censor_for_terminal(event: &Event) -> Cow<'_, Event> {
    gate(event, |key| {
        internal(key) && !key.starts_with("_ansible_verbose_")
    })
}

fn internal(key: &str) -> bool {
    key.starts_with("_ansible_")
}

fn gate(event: &Event, drops: fn(&str) -> bool) -> Cow<'_, Event> {
    let mut shown = Cow::Borrowed(event);
    let needs_it = |outcome: &Outcome| outcome.data.str_iter().any(|(key, _)| drops(key));
    match event {
        Event::TaskDone { outcome, .. } if needs_it(outcome) => {
            if let Event::TaskDone { outcome, .. } = shown.to_mut() {
                *outcome = Arc::new(cleaned(outcome, drops));
            }
        }
        Event::ItemDone { outcome, .. } if needs_it(outcome) => {
            if let Event::ItemDone { outcome, item, .. } = shown.to_mut() {
                if is_hidden(outcome) {
                    *item = ItemInfo {
                        index: item.index,
                        label: "None".into(),
                        vars: Map::new(),
                    };
                }
                *outcome = Arc::new(cleaned(outcome, drops));
            }
        }
        _ => {}
    }
    shown
}

fn cleaned(outcome: &Outcome, drops: fn(&str) -> bool) -> Outcome {
    let mut shown = outcome.clone();
    if is_hidden(outcome) {
        shown.data = Map::new().with("censored", Value::data(CENSORED));
        shown.diffs.clear();
        shown.warnings.clear();
        shown.diagnosis = None;
        shown.left_to_do.fill("[hidden]".to_owned());
    } else {
        shown.data.retain(|key, _| !key.as_str().is_some_and(drops));
    }
    shown
}
