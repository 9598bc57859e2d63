//! The result of a task in the background as it stands in the job's file.
//!
//! Its members are those that Ansible's `async_wrapper` writes: what `register` would store, flags among them. What is
//! for reports goes along under names that `register` never shows.

use super::{Diff, Outcome};
use crate::value::{Map, Value, str_of};
use std::sync::Arc;

/// Marks the file of a job that holds the file's lock for as long as it lives.
pub const JOB_LOCKED: &str = "_ansible_job_locked";

/// Holds [`Outcome::left_to_do`].
const LEFT_TO_DO: &str = "_ansible_left_to_do";

impl Outcome {
    /// What a job's file says of this outcome. It never has `started`: that is how a result is told from a job that
    /// runs.
    pub fn into_job(mut self) -> Value {
        if !self.left_to_do.is_empty() {
            let left: Vec<Value> = self.left_to_do.iter().map(|w| Value::data(&**w)).collect();
            self.data.set(LEFT_TO_DO, Value::list(left));
        }
        let mut map = match self.to_value() {
            Value::Map(map) => Arc::unwrap_or_clone(map),
            _ => Map::new(),
        };
        for (key, value) in self.data {
            map.insert(key, value);
        }
        map.take("started");
        map.take("finished");
        Value::map(map)
    }

    /// The outcome that a job's file tells of, whichever program wrote it.
    pub fn of_job(mut data: Map) -> Self {
        let texts = |value: Option<Value>| -> Vec<String> {
            let items = value.as_ref().and_then(Value::as_list).map(<[_]>::to_vec);
            items.unwrap_or_default().iter().map(str_of).collect()
        };
        let warnings = texts(data.take("warnings"));
        let left_to_do = texts(data.take(LEFT_TO_DO));
        let diffs = match data.take("diff") {
            Some(Value::List(items)) => items.iter().filter_map(diff).collect(),
            Some(one) => diff(&one).into_iter().collect(),
            None => Vec::new(),
        };
        data.take("invocation");
        Self {
            diffs,
            warnings,
            left_to_do,
            ..Self::from_map(data)
        }
    }
}

fn diff(value: &Value) -> Option<Diff> {
    let map = value.as_map()?;
    let side = |name: &str| map.get(name).map(str_of).filter(|text| !text.is_empty());
    let target = side("after_header").or_else(|| side("before_header"))?;
    Some(Diff::new(target, side("before"), side("after")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_comes_back_from_its_file() {
        let outcome = Outcome {
            changed: true,
            warnings: vec!["w".into()],
            left_to_do: vec!["x".into()],
            ..Outcome::failure("no").with("rc", 3)
        };
        let Value::Map(job) = outcome.clone().into_job() else {
            panic!("a mapping")
        };
        assert_eq!(Outcome::of_job((*job).clone()), outcome);
    }

    #[test]
    fn a_result_is_never_taken_for_a_job_that_runs() {
        let job = Outcome::ok()
            .with("started", 7)
            .with("finished", 0)
            .into_job();
        assert_eq!((job.get("started"), job.get("finished")), (None, None));
    }

    #[test]
    fn numbers_are_flags_too() {
        let job = Map::new().with("failed", 1).with("invocation", "i");
        let outcome = Outcome::of_job(job);
        assert!(outcome.failed && outcome.data.is_empty());
    }
}
