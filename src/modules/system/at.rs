//! `at`: a command or a script that is run once, later.
//!
//! Source: Ansible's documentation of `ansible.posix.at`; at(1).

use crate::modules::steps::ask_tool;
use crate::modules::streams::command_failed;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Value};
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// What becomes of the job.
    pub enum State {
        /// It is not there.
        Absent = "absent",
        /// It is there.
        Present = "present",
    }
}

choices! {
    /// What is counted.
    #[allow(missing_docs)]
    pub enum Units {
        Minutes = "minutes",
        Hours = "hours",
        Days = "days",
        Weeks = "weeks",
    }
}

module_args! {
    /// Arguments of `at`.
    pub struct Args {
        /// The command.
        command: Option<String> => optional;
        /// A script on the machine instead of a command.
        script_file: Option<PathBuf> => optional;
        /// How many units from now.
        count: Option<i64> => optional;
        /// What is counted.
        units: Option<Units> => optional;
        /// Whether the job is to be there.
        state: State => default("present");
        /// A job with that command is enough: no second one is added.
        unique: bool => default(false);
    }
}

/// The module.
pub struct At;

impl Module for At {
    const NAME: &'static str = "at";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Run a command or a script once, later, and take such jobs back.\nWithout `unique`, each run \
                               adds a job.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["command", "script_file"]),
        ArgRule::OneOf(&["command", "script_file"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("at").is_none() {
            return Err("at is not there: install the package at".into());
        }
        let script = match (&args.command, &args.script_file) {
            (Some(command), _) => format!("{command}\n"),
            (None, path) => {
                let path = sys.expand(path.as_deref().unwrap_or(std::path::Path::new("")));
                sys.read_text(&path)?.ok_or_else(|| {
                    Failure::new(format!(
                        "the script {} is not on this machine",
                        path.display()
                    ))
                })?
            }
        };
        let mut plan = Plan::new();
        plan.returns("state", args.state.word());
        if args.state == State::Absent {
            for (job, text) in matching(sys, &script)? {
                let diff = Diff::new(format!("job {job}"), Some(text), None::<String>);
                plan.act(
                    format!("remove the job {job}"),
                    Some(diff),
                    move |sys, _| {
                        crate::modules::steps::run_tool(sys, &["at", "-r", &job]).map(drop)
                    },
                );
            }
            return Ok(plan);
        }
        let (Some(count), Some(units)) = (args.count.filter(|count| *count != 0), args.units)
        else {
            return Err("present state requires count and units".into());
        };
        if args.unique && !matching(sys, &script)?.is_empty() {
            return Ok(plan);
        }
        plan.returns("count", count);
        plan.returns("units", units.word());
        if let Some(path) = &args.script_file {
            plan.returns("script_file", Value::data(path.to_string_lossy().as_ref()));
        }
        if !args.unique {
            plan.repeats();
        }
        let diff = Diff::new("jobs", None::<String>, Some(script.clone()));
        plan.act("add a job", Some(diff), move |sys, _| {
            let words = ["at", "now", "+", &count.to_string(), units.word()];
            let command = sys.tool(words).stdin(script);
            let output = sys.run(&command)?;
            if output.ok() {
                return Ok(());
            }
            Err(command_failed("at", &command, &output))
        });
        Ok(plan)
    }
}

/// The jobs that have the script in them: their numbers and the script.
fn matching(sys: &Sys, script: &str) -> ModuleResult<Vec<(String, String)>> {
    let mut found = Vec::new();
    for line in ask_tool(sys, &["atq"])?.lines() {
        let Some(job) = line.split_whitespace().next() else {
            continue;
        };
        // a job has the whole environment before its script, and that is nobody's business
        if ask_tool(sys, &["at", "-c", job])?.contains(script.trim()) {
            found.push((job.to_owned(), script.to_owned()));
        }
    }
    Ok(found)
}
