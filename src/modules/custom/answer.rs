//! What a module answers: JSON on its standard output, perhaps with other lines around it.
//!
//! Source: Ansible's documentation, "Return Values".

use crate::modules::streams::{lines, split};
use crate::result::{Diff, Outcome};
use crate::sys::Output;
use crate::value::{Map, Value, str_of};

/// The outcome that a module's output stands for.
pub(super) fn read(output: &Output) -> Outcome {
    let stdout = String::from_utf8_lossy(&output.stdout);
    match object(&stdout) {
        Ok((data, junk)) => outcome(data, junk),
        Err(why) => failure(output, &stdout, &why),
    }
}

/// The object in a module's output, and what stands after it.
fn object(stdout: &str) -> Result<(Map, Option<String>), String> {
    let all: Vec<&str> = lines(stdout);
    let first = all
        .iter()
        .position(|line| line.trim_start().starts_with('{'))
        .ok_or("No start of json char found")?;
    let rest = all.get(first..).unwrap_or_default();
    let last = rest
        .iter()
        .rposition(|line| line.trim_end().ends_with('}'))
        .ok_or("No end of json char found")?;
    let text = rest.get(..=last).unwrap_or_default().join("\n");
    let json: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| format!("its answer is no JSON: {e}"))?;
    let junk = rest.get(last + 1..).unwrap_or_default().join("\n");
    match without_internal(Value::from_json(&json).into_data()) {
        Value::Map(map) => Ok((
            (*map).clone(),
            Some(junk).filter(|junk| !junk.trim().is_empty()),
        )),
        _ => Err("its answer is no mapping".to_owned()),
    }
}

/// The value without what is only told between modules and Ansible, at any depth.
fn without_internal(value: Value) -> Value {
    match value {
        Value::Map(map) => Value::map(
            map.iter()
                .filter(|(key, _)| !key.as_str().is_some_and(|key| key.starts_with("_ansible_")))
                .map(|(key, value)| (key.clone(), without_internal(value.clone())))
                .collect(),
        ),
        Value::List(items) => Value::list(items.iter().cloned().map(without_internal).collect()),
        other => other,
    }
}

fn outcome(mut data: Map, junk: Option<String>) -> Outcome {
    let failed = data.get("failed").is_some();
    let mut warnings: Vec<String> = match data.take("warnings") {
        Some(Value::List(items)) => items.iter().map(str_of).collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(one) => vec![str_of(&one)],
    };
    if let Some(junk) = junk {
        warnings.push(format!(
            "Module invocation had junk after the JSON data: {junk}"
        ));
    }
    split(&mut data);
    let diffs = diffs(data.get("diff"));
    let mut outcome = Outcome::from_map(data);
    let rc = outcome.data.get("rc").map(str_of);
    if !failed && rc.is_some_and(|rc| rc != "0" && !rc.is_empty() && rc != "None") {
        outcome.failed = true;
        if outcome.data.get("msg").is_none() {
            outcome.data.set("msg", "non-zero return code");
        }
    }
    outcome.warnings = warnings;
    outcome.diffs = diffs;
    outcome
}

fn diffs(value: Option<&Value>) -> Vec<Diff> {
    let side = |diff: &Value, name: &str| match diff.get(name) {
        None | Some(Value::Null) => None,
        Some(Value::Str(text)) => Some(text.to_string()),
        Some(other) => serde_json::to_string_pretty(&other.to_json())
            .ok()
            .map(|text| text + "\n"),
    };
    let one = |diff: &Value| {
        let (before, after) = (side(diff, "before"), side(diff, "after"));
        if before.is_none() && after.is_none() {
            let prepared = side(diff, "prepared")?;
            return Some(Diff::new("", None::<String>, Some(prepared)));
        }
        let target = side(diff, "after_header").or_else(|| side(diff, "before_header"));
        Some(Diff {
            target: target.unwrap_or_default(),
            before: before.or_else(|| Some(String::new())),
            after: after.or_else(|| Some(String::new())),
        })
    };
    match value {
        Some(Value::List(items)) => items.iter().filter_map(one).collect(),
        Some(diff @ Value::Map(_)) => one(diff).into_iter().collect(),
        _ => Vec::new(),
    }
}

fn failure(output: &Output, stdout: &str, why: &str) -> Outcome {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut failure = Outcome::failure(format!(
        "MODULE FAILURE: {why}\nSee stdout/stderr for the exact error"
    ))
    .with("module_stdout", Value::data(stdout))
    .with("module_stderr", Value::data(&*stderr))
    .with("rc", output.rc);
    for text in [&*stderr, stdout] {
        if text.starts_with("Traceback") && failure.data.get("exception").is_none() {
            failure.data.set("exception", Value::data(text));
        }
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(stdout: &str) -> Outcome {
        read(&Output {
            rc: 1,
            stdout: stdout.into(),
            stderr: b"oh".to_vec(),
        })
    }

    #[test]
    fn what_stands_around_the_answer_is_left_out() {
        let outcome = said("motd\n{\"changed\": true,\n \"x\": 1}\n");
        assert!(outcome.changed && !outcome.failed && outcome.warnings.is_empty());
        assert_eq!(outcome.data.get("x"), Some(&Value::Int(1)));
        let outcome = said("{\"warnings\": [\"a\"]}\nbye\n");
        let junk = "Module invocation had junk after the JSON data: bye";
        assert_eq!(outcome.warnings, ["a", junk]);
    }

    #[test]
    fn internal_members_are_dropped_at_any_depth() {
        let outcome = said(r#"{"_ansible_x": 1, "a": [{"_ansible_y": 2, "b": 3}]}"#);
        let json = Value::map(outcome.data).to_json().to_string();
        assert_eq!(json, r#"{"a":[{"b":3}]}"#);
    }

    #[test]
    fn what_is_no_answer_fails() {
        let outcome = said("no");
        assert!(outcome.failed);
        let message = outcome.message().unwrap_or_default();
        assert!(message.starts_with("MODULE FAILURE: No start of json char found"));
        assert_eq!(outcome.data.get("module_stdout"), Some(&Value::data("no")));
        assert_eq!(outcome.data.get("module_stderr"), Some(&Value::data("oh")));
        assert_eq!(outcome.data.get("rc"), Some(&Value::Int(1)));
        assert!(said("{\"a\": }").failed);
    }

    #[test]
    fn a_return_code_is_a_failure_unless_the_module_says_otherwise() {
        assert!(said("{\"rc\": 3}").failed);
        assert!(!said("{\"rc\": 3, \"failed\": false}").failed);
        assert!(!said("{\"rc\": 0}").failed);
    }

    #[test]
    fn output_is_split_into_lines_and_diffs_are_read() {
        let outcome = said(
            r#"{"stdout": "a\nb\n", "diff": {"before": "x", "after": {"k": 1}, "after_header": "f"}}"#,
        );
        let lines = outcome.data.get("stdout_lines").and_then(Value::as_list);
        assert_eq!(lines.map(<[_]>::len), Some(2));
        let diff = outcome.diffs.first().expect("a diff");
        assert_eq!(
            (diff.target.as_str(), diff.before.as_deref()),
            ("f", Some("x"))
        );
        assert_eq!(diff.after.as_deref(), Some("{\n  \"k\": 1\n}\n"));
    }
}
