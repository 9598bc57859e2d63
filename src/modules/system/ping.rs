//! `ping`: the agent answers.

use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::{module_args, value::Value};

module_args! {
    /// Arguments of `ping`.
    pub struct Args {
        /// What comes back as `ping`. The word `crash` makes the module fail, to test how failures are handled.
        data: String => default("pong");
    }
}

/// The module.
pub struct Ping;

impl Module for Ping {
    const NAME: &'static str = "ping";
    const DOC: &'static str = "Try to reach the machine, run the agent on it, and answer.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, _: &Sys) -> ModuleResult<Plan<'a>> {
        if args.data == "crash" {
            // as a module that ended before it could answer
            return Err(Failure::new(
                "MODULE FAILURE: No start of json char found\nSee stdout/stderr for the exact error",
            )
            .with("module_stdout", "")
            .with("module_stderr", "Exception: boom\n")
            .with("exception", "Exception: boom\n")
            .with("rc", 1));
        }
        let mut plan = Plan::new();
        plan.returns("ping", Value::data(args.data.as_str()));
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use crate::modules::{Registry, RunMode};
    use crate::sys::Sys;
    use crate::value::Map;

    #[test]
    fn answers_and_names_an_unknown_argument() {
        let ping = Registry.find("ansible.builtin.ping").expect("registered");
        let outcome = (ping.run)(&Map::new(), &mut Sys::real(), RunMode::default());
        assert_eq!(outcome.data.get("ping"), Some(&"pong".into()));
        let wrong = Map::new().with("dat", "x");
        let outcome = (ping.run)(&wrong, &mut Sys::real(), RunMode::default());
        assert!(outcome.failed);
        let message =
            "Unsupported parameters for (ping) module: dat. Supported parameters include: data.";
        assert_eq!(outcome.message(), Some(message));
    }
}
