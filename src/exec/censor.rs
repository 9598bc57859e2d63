//! What may be shown of a result.

use crate::result::Outcome;
use crate::value::{Map, Value};

/// Ansible's sentence for hidden results.
const HIDDEN: &str =
    "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

/// The outcome without anything but its flags.
pub(crate) fn censored(outcome: &Outcome) -> Outcome {
    let mut data = Map::new();
    data.set("censored", Value::data(HIDDEN));
    data.set("_ansible_no_log", true);
    Outcome {
        changed: outcome.changed,
        failed: outcome.failed,
        skipped: outcome.skipped,
        unreachable: outcome.unreachable,
        data,
        diffs: Vec::new(),
        warnings: Vec::new(),
        left_to_do: outcome.left_to_do.clone(),
        diagnosis: None,
    }
}
