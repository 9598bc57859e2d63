//! Tests of tasks' results.

use super::Test;
use crate::template::call::{Call, fail};
use crate::value::Value;
use minijinja::Error;

pub(super) const TABLE: &[(&str, Test)] = &[
    ("failed", |c| flag(c, "failed")),
    ("failure", |c| flag(c, "failed")),
    ("succeeded", |c| flag(c, "failed").map(|failed| !failed)),
    ("success", |c| flag(c, "failed").map(|failed| !failed)),
    ("successful", |c| flag(c, "failed").map(|failed| !failed)),
    ("changed", changed),
    ("change", changed),
    ("skipped", |c| flag(c, "skipped")),
    ("skip", |c| flag(c, "skipped")),
    ("reachable", |c| {
        flag(c, "unreachable").map(|unreachable| !unreachable)
    }),
    ("unreachable", |c| flag(c, "unreachable")),
    ("timedout", |c| {
        let result = result(c)?;
        Ok(result
            .get("timedout")
            .and_then(|t| t.get("period"))
            .is_some_and(Value::truthy))
    }),
    ("started", |c| number(c, "started")),
    ("finished", |c| number(c, "finished")),
];

fn result(call: &mut Call) -> Result<Value, Error> {
    match call.value()? {
        map @ Value::Map(_) => Ok(map),
        other => fail(format!(
            "the test needs a task's result (a dictionary), not {} {other:?}",
            other.type_name()
        )),
    }
}

fn flag(call: &mut Call, name: &str) -> Result<bool, Error> {
    Ok(result(call)?.get(name).is_some_and(Value::truthy))
}

/// `changed` of the result, or of any of a loop's results.
fn changed(call: &mut Call) -> Result<bool, Error> {
    let result = result(call)?;
    if let Some(changed) = result.get("changed") {
        return Ok(changed.truthy());
    }
    Ok(result
        .get("results")
        .and_then(Value::as_list)
        .is_some_and(|items| {
            items
                .iter()
                .any(|item| item.get("changed").is_some_and(Value::truthy))
        }))
}

fn number(call: &mut Call, name: &str) -> Result<bool, Error> {
    Ok(result(call)?.get(name).is_none_or(Value::truthy))
}
