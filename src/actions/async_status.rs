//! `async_status`: asks the machine for a job, and answers as the job's task would have.
//!
//! Source: Ansible's documentation of `ansible.builtin.async_status`.

use super::{Error, Input, RemoteCall, Result, Step};
use crate::result::Outcome;
use crate::value::{Map, Value};
use std::sync::Arc;

pub(super) fn async_status(input: &Input<'_>) -> Result<Step> {
    let jid = input.args.get("jid").filter(|jid| !jid.is_null());
    if jid.is_none() {
        return Err(Error::Failed(
            "async_status: missing argument `jid`: the task's `ansible_job_id`".into(),
        ));
    }
    Ok(Step::Call(look(input.args.clone())))
}

/// The call that looks for a job, or removes its file.
#[must_use]
pub fn look(args: Map) -> RemoteCall {
    let jid = args.get("jid").map(ToString::to_string).unwrap_or_default();
    let cleanup = args.get("mode").and_then(Value::as_str) == Some("cleanup");
    let mut call = RemoteCall::new("async_status", args);
    call.finish = Some(Box::new(move |outcome| told(outcome, &jid, cleanup)));
    call
}

/// What the machine said, as the result of a task: the job's own once it is over. That its file went is no change.
fn told(outcome: Outcome, jid: &str, cleanup: bool) -> Outcome {
    let mut data = Map::new()
        .with("ansible_job_id", Value::data(jid))
        .with("started", i64::from(!cleanup))
        .with("finished", 0);
    for name in ["stdout", "stderr"] {
        data.set(name, Value::data(""));
        data.set(&format!("{name}_lines"), Value::list(Vec::new()));
    }
    let mut said = outcome.data;
    let job = match said.take("job") {
        Some(Value::Map(job)) => Outcome::of_job(Arc::unwrap_or_clone(job)),
        _ => Outcome::default(),
    };
    for (key, value) in said.into_iter().chain(job.data) {
        data.insert(key, value);
    }
    let mut warnings = outcome.warnings;
    warnings.extend(job.warnings);
    Outcome {
        changed: job.changed,
        failed: outcome.failed || job.failed,
        skipped: outcome.skipped || job.skipped,
        unreachable: outcome.unreachable || job.unreachable,
        data,
        diffs: job.diffs,
        warnings,
        left_to_do: job.left_to_do,
        diagnosis: outcome.diagnosis,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_runs_is_neither_changed_nor_failed() {
        let said = Outcome::ok().with("finished", 0).with("results_file", "/x");
        let told = told(said, "j1", false);
        assert!(!told.changed && !told.failed);
        assert_eq!(told.data.get("started"), Some(&1.into()));
        assert_eq!(told.data.get("finished"), Some(&0.into()));
        assert_eq!(told.data.get("stdout"), Some(&"".into()));
    }

    #[test]
    fn one_that_is_over_speaks_for_itself() {
        let job = Map::new()
            .with("failed", true)
            .with("changed", true)
            .with("stdout", "out")
            .with("msg", "non-zero return code");
        let said = Outcome::ok().with("finished", 1).with("job", job);
        let told = told(said, "j1", false);
        assert!(told.changed && told.failed);
        assert_eq!(told.message(), Some("non-zero return code"));
        assert_eq!(told.data.get("stdout"), Some(&"out".into()));
        assert_eq!(told.data.get("finished"), Some(&1.into()));
        assert_eq!(told.data.get("job"), None);
    }

    #[test]
    fn removing_the_file_did_not_start_anything() {
        let told = told(Outcome::ok().with("erased", "/x"), "j1", true);
        assert_eq!(told.data.get("started"), Some(&0.into()));
        assert_eq!(told.data.get("finished"), Some(&0.into()));
    }
}
