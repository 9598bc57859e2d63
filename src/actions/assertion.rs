//! `assert` and `fail`.

use super::args::decode;
use super::{Input, Result, Step};
use crate::module_args;
use crate::result::Outcome;
use crate::value::{Map, Value};

module_args! {
    /// Arguments of `assert`.
    pub struct AssertArgs {
        /// Conditions; all must be true.
        that: Value => required;
        /// What to say when one is not.
        fail_msg: Option<Value> => optional, aliases ["msg"];
        /// What to say when all are.
        success_msg: Option<Value> => optional;
        /// Say nothing of those that are true.
        quiet: bool => default(false);
    }
}

module_args! {
    /// Arguments of `fail`.
    pub struct FailArgs {
        /// Why.
        msg: Option<Value> => optional;
    }
}

pub(super) fn assert(input: &Input<'_>) -> Result<Step> {
    let args: AssertArgs = decode("assert", &input.args)?;
    let conditions = match args.that {
        Value::List(items) => items.to_vec(),
        one => vec![one],
    };
    for condition in conditions {
        if input.templar.condition(&condition, input.cx)? {
            continue;
        }
        let message = args
            .fail_msg
            .unwrap_or_else(|| Value::data("Assertion failed"));
        let mut data = Map::new()
            .with("evaluated_to", false)
            .with("assertion", condition)
            .with("msg", message);
        if !args.quiet {
            data.set("_ansible_verbose_always", true);
        }
        return Ok(Step::done(Outcome {
            failed: true,
            data,
            ..Outcome::ok()
        }));
    }
    let mut data = Map::new();
    data.set(
        "msg",
        args.success_msg
            .unwrap_or_else(|| Value::data("All assertions passed")),
    );
    if !args.quiet {
        data.set("_ansible_verbose_always", true);
    }
    Ok(Step::done(Outcome {
        data,
        ..Outcome::ok()
    }))
}

pub(super) fn fail(input: &Input<'_>) -> Result<Step> {
    let args: FailArgs = decode("fail", &input.args)?;
    let mut outcome = Outcome::failure("Failed as requested from task");
    if let Some(message) = args.msg {
        outcome.data.set("msg", message);
    }
    Ok(Step::done(outcome))
}
