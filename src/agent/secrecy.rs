//! What must not leave the machine.
//!
//! Source: Ansible's documentation, "Logging Ansible output: protecting sensitive data with `no_log`".

use crate::result::Outcome;
use crate::value::{ArgSpec, Map, Value, str_of};

/// What stands for a hidden result.
const CENSORED: &str =
    "the output has been hidden due to the fact that 'no_log: true' was specified for this result";

/// What stands for a secret within a text.
const MASK: &str = "********";

/// The texts of all arguments that the module declares secret, longest first.
pub(super) fn secrets(spec: &ArgSpec, args: &Map) -> Vec<String> {
    let mut found = Vec::new();
    for field in spec.fields.iter().filter(|field| field.secret) {
        for name in std::iter::once(&field.name).chain(field.aliases) {
            if let Some(value) = args.get(*name) {
                collect(value, &mut found);
            }
        }
    }
    found.sort_by_key(|text: &String| std::cmp::Reverse(text.len()));
    found.dedup();
    found
}

fn collect(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::List(items) => items.iter().for_each(|item| collect(item, into)),
        Value::Map(map) => map.iter().for_each(|(_, value)| collect(value, into)),
        other => {
            let text = str_of(other);
            // a file's content is often echoed without its last line break
            let trimmed = text.trim();
            if !trimmed.is_empty() {
                if trimmed != text {
                    into.push(trimmed.to_owned());
                }
                into.push(text);
            }
        }
    }
}

/// Replaces secrets anywhere in the outcome's texts.
pub(super) fn mask(outcome: &mut Outcome, secrets: &[String]) {
    if secrets.is_empty() {
        return;
    }
    // the names of return values are the module's own
    outcome.data = std::mem::take(&mut outcome.data)
        .into_iter()
        .map(|(key, value)| (key, masked(&value, secrets)))
        .collect();
    for diff in &mut outcome.diffs {
        hide(&mut diff.target, secrets);
        for side in [&mut diff.before, &mut diff.after].into_iter().flatten() {
            hide(side, secrets);
        }
    }
    for text in outcome.warnings.iter_mut().chain(&mut outcome.left_to_do) {
        hide(text, secrets);
    }
}

fn hide(text: &mut String, secrets: &[String]) {
    for secret in secrets {
        if text.contains(secret.as_str()) {
            *text = text.replace(secret.as_str(), MASK);
        }
    }
}

fn masked(value: &Value, secrets: &[String]) -> Value {
    match value {
        Value::Str(text) => {
            if secrets.iter().any(|secret| text.contains(secret.as_str())) {
                let mut text = text.to_string();
                hide(&mut text, secrets);
                Value::data(text)
            } else {
                value.clone()
            }
        }
        Value::Int(_) | Value::Float(_) if secrets.contains(&str_of(value)) => Value::data(MASK),
        Value::List(items) => Value::list(items.iter().map(|i| masked(i, secrets)).collect()),
        Value::Map(map) => Value::map(
            map.iter()
                .map(|(k, v)| (masked(k, secrets), masked(v, secrets)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// The outcome with nothing but its flags.
pub(super) fn censor(outcome: Outcome) -> Outcome {
    Outcome {
        changed: outcome.changed,
        failed: outcome.failed,
        skipped: outcome.skipped,
        unreachable: outcome.unreachable,
        data: Map::new().with("censored", Value::data(CENSORED)),
        diffs: Vec::new(),
        warnings: Vec::new(),
        left_to_do: outcome
            .left_to_do
            .iter()
            .map(|_| "[hidden]".to_owned())
            .collect(),
        diagnosis: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_return_values_stay() {
        let inner = Map::new().with("xps", 1);
        let mut outcome = Outcome::ok()
            .with("elapsed", "a p b")
            .with("json", Value::map(inner));
        mask(&mut outcome, &["p".to_owned()]);
        assert_eq!(
            outcome.data.get("elapsed"),
            Some(&Value::data("a ******** b"))
        );
        let json = outcome.data.get("json").expect("json");
        assert_eq!(json.get("x********s"), Some(&Value::from(1)));
    }
}
