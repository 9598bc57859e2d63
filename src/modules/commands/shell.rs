//! `shell`: runs a command line in a shell.

use super::run::{Job, RunArgs, refused};
use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::Value;
use std::path::PathBuf;

module_args! {
    /// Arguments of `shell`.
    pub struct Args {
        /// The command line.
        _raw_params: Option<String> => optional;
        /// The command line, as an argument of its own.
        cmd: Option<String> => optional;
        /// The shell that runs it; `/bin/sh` if not given.
        executable: Option<PathBuf> => optional;
        /// Not taken: the shell expands variables. It is known so that its refusal says which module has it.
        expand_argument_vars: Option<Value> => optional;
        run: RunArgs => flatten;
    }
}

/// The module.
pub struct Shell;

impl Module for Shell {
    const NAME: &'static str = "shell";
    const DOC: &'static str = "Run a command line in a shell.\nIt counts as changed always, unless `creates` or `removes` say that it need not run.";
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.expand_argument_vars.is_some() {
            return Err(Failure::new(
                "Unsupported parameters for (shell) module: expand_argument_vars",
            ));
        }
        let line = args
            ._raw_params
            .as_deref()
            .or(args.cmd.as_deref())
            .filter(|line| !line.trim().is_empty())
            .ok_or_else(|| refused("no command given", Some(256)))?;
        let shell = args.executable.as_ref().map_or_else(
            || "/bin/sh".to_owned(),
            |path| path.to_string_lossy().into_owned(),
        );
        Job {
            argv: vec![shell, "-c".to_owned(), line.to_owned()],
            shown: Value::data(line),
            args: &args.run,
        }
        .plan(sys)
    }
}
