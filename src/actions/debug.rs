//! `debug`.

use super::args::decode;
use super::{Input, Result, Step};
use crate::module_args;
use crate::result::Outcome;
use crate::value::{Map, Trust, Value};

module_args! {
    /// Arguments of `debug`.
    pub struct DebugArgs {
        /// What to print.
        msg: Option<Value> => optional;
        /// A variable (or expression) to print instead.
        var: Option<Value> => optional;
        /// Print only from this many `-v` on.
        verbosity: i64 => default(0);
    }
}

pub(super) fn debug(input: &Input<'_>) -> Result<Step> {
    let args: DebugArgs = decode("debug", &input.args)?;
    if args.verbosity > i64::from(input.verbosity) {
        let mut outcome = Outcome::skip("Verbosity threshold not met.");
        outcome.data = Map::new().with(
            "skipped_reason",
            Value::data("Verbosity threshold not met."),
        );
        return Ok(Step::done(outcome));
    }
    let mut data = Map::new();
    match (args.var, args.msg) {
        (Some(_), Some(_)) => {
            return Err("debug: `msg` and `var` exclude each other"
                .to_owned()
                .into());
        }
        (Some(var), None) => {
            let (name, value) = match &var {
                // data is never evaluated: it stays what would have been
                Value::Str(text) if text.trust() == Trust::Data => {
                    (text.to_string(), Value::data(format!("{{{{{text}}}}}")))
                }
                Value::Str(text) => {
                    let value = match input.templar.expression(text, input.cx) {
                        Ok(value) => value,
                        Err(error) if error.is_undefined() => {
                            Value::data("VARIABLE IS NOT DEFINED!")
                        }
                        Err(error) => return Err(error.into()),
                    };
                    (text.to_string(), value)
                }
                other => (other.type_name().to_string(), other.clone()),
            };
            data.set(&name, value);
        }
        (None, Some(msg)) => {
            data.set("msg", msg);
        }
        (None, None) if input.args.get("msg").is_some() => {
            data.set("msg", Value::Null);
        }
        (None, None) => {
            data.set("msg", "Hello world!");
        }
    }
    data.set("_ansible_verbose_always", true);
    Ok(Step::done(Outcome {
        data,
        ..Outcome::ok()
    }))
}
