//! `make`: targets of a Makefile.
//!
//! Source: Ansible's documentation of `community.general.make`.

use crate::module_args;
use crate::modules::streams::{command_failed, set_output};
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::{Command, Sys};
use crate::value::{Map, Value};
use std::path::PathBuf;

module_args! {
    /// Arguments of `make`.
    pub struct Args {
        /// The directory.
        chdir: PathBuf => required;
        /// The Makefile, if it has another name.
        file: Option<PathBuf> => optional;
        /// How many jobs at once.
        jobs: Option<i64> => optional;
        /// The program.
        make: Option<PathBuf> => optional;
        /// Variables for the command line; without a value, only the name.
        params: Option<Map> => optional;
        /// The target; the first of the Makefile without it.
        target: Option<String> => optional;
        /// More targets.
        targets: Option<Vec<String>> => optional;
    }
}

/// The module.
pub struct Make;

impl Module for Make {
    const NAME: &'static str = "make";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str =
        "Run targets of a Makefile.\nWhether something is to be done is asked of `make -q` first.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.target.is_some() && args.targets.is_some() {
            return Err("parameters are mutually exclusive: target|targets".into());
        }
        let program = match &args.make {
            Some(path) => path.to_string_lossy().into_owned(),
            None => ["gmake", "make"]
                .into_iter()
                .find(|name| sys.which(name).is_some())
                .ok_or("make is not there")?
                .to_owned(),
        };
        let mut words = vec![program];
        words.extend(args.jobs.map(|jobs| format!("-j{jobs}")));
        if let Some(file) = &args.file {
            words.extend(["-f".to_owned(), file.to_string_lossy().into_owned()]);
        }
        words.extend(
            args.target
                .iter()
                .chain(args.targets.iter().flatten())
                .cloned(),
        );
        for (name, value) in args.params.iter().flatten() {
            words.push(match value {
                Value::Null => name.to_string(),
                value => format!("{name}={value}"),
            });
        }
        let directory = sys.expand(&args.chdir);
        let command = Command::new(words.clone()).c_locale().cwd(&directory);
        let mut asking = words.clone();
        asking.insert(1, "-q".to_owned());
        let asked = sys.query(&Command::new(asking).c_locale().cwd(&directory))?;
        let mut plan = Plan::new();
        plan.returns("chdir", Value::data(directory.to_string_lossy().as_ref()));
        plan.returns("target", args.target.as_deref().map(Value::data));
        plan.returns("command", Value::data(words.join(" ")));
        if !asked.ok() {
            // a target that is no file is never up to date
            plan.repeats();
            plan.act(words.join(" "), None, move |sys, data| {
                let output = sys.run(&command)?;
                if !output.ok() {
                    return Err(command_failed("make", &command, &output));
                }
                set_output(data, &output, false);
                Ok(())
            });
        }
        Ok(plan)
    }
}
