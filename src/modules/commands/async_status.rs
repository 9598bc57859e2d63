//! `async_status`: what became of a task in the background. The controller's half says so in the job's own words.
//!
//! Source: Ansible's documentation of `ansible.builtin.async_status`.

use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::JOB_LOCKED;
use crate::sys::Sys;
use crate::value::{Map, Value};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};
use std::sync::Arc;

choices! {
    /// What is wanted.
    pub enum Mode {
        /// How the job is.
        Status = "status",
        /// That its file goes.
        Cleanup = "cleanup",
    }
}

module_args! {
    /// Arguments of `async_status`.
    pub struct Args {
        /// The job, as `ansible_job_id` of the task that began it says; the path of its file does as well.
        jid: String => required;
        /// Whether its state or result is told, or its file removed.
        mode: Mode => default("status");
        _async_dir: Option<PathBuf> => optional;
    }
}

/// The module.
pub struct AsyncStatus;

impl Module for AsyncStatus {
    const NAME: &'static str = "async_status";
    const DOC: &'static str = "Tell what became of a task in the background.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let dir = args._async_dir.as_deref();
        let dir = sys.expand(dir.unwrap_or(Path::new("~/.ansible_async")));
        let path = dir.join(&args.jid);
        let told = Value::data(path.to_string_lossy().as_ref());
        let mut plan = Plan::new();
        plan.returns("ansible_job_id", Value::data(args.jid.as_str()));
        if !sys.exists(&path) {
            let name = match args.mode {
                Mode::Status => "results_file",
                Mode::Cleanup => "erased",
            };
            return Err(Failure::new("could not find job")
                .with("ansible_job_id", Value::data(args.jid.as_str()))
                .with("started", 1)
                .with("finished", 1)
                .with(name, told));
        }
        if args.mode == Mode::Cleanup {
            plan.returns("erased", told);
            plan.act("remove the job's file", None, move |sys, _| {
                Ok(sys.remove_file(&path)?)
            });
            return Ok(plan);
        }
        plan.returns("results_file", told);
        plan.returns("started", 1);
        match state(sys, &path)? {
            State::Runs => plan.returns("finished", 0),
            State::Died => {
                return Err(Failure::new(
                    "the job ended without a result: it was killed, or the machine was started anew",
                )
                .with("ansible_job_id", Value::data(args.jid.as_str()))
                .with("started", 1)
                .with("finished", 1));
            }
            State::Over(result) => {
                plan.returns("finished", 1);
                plan.returns("job", result);
            }
        }
        Ok(plan)
    }
}

enum State {
    Runs,
    Died,
    Over(Map),
}

fn state(sys: &Sys, path: &Path) -> ModuleResult<State> {
    let first = read(sys, path)?;
    match first {
        // what cannot be read yet is being written
        None => Ok(State::Runs),
        Some(map) if map.get("started").is_none() => Ok(State::Over(map)),
        Some(map) if map.get(JOB_LOCKED).is_none() || sys.is_held(path) => {
            let over = map.get("finished").is_some_and(Value::truthy);
            Ok(if over { State::Over(map) } else { State::Runs })
        }
        // it may have ended between the two looks
        Some(_) => Ok(match read(sys, path)? {
            Some(map) if map.get("started").is_none() => State::Over(map),
            _ => State::Died,
        }),
    }
}

fn read(sys: &Sys, path: &Path) -> ModuleResult<Option<Map>> {
    let bytes = sys.read(path)?.unwrap_or_default();
    let json = serde_json::from_slice::<serde_json::Value>(&bytes).ok();
    Ok(match json.map(|json| Value::from_json(&json)) {
        Some(Value::Map(map)) => Some(Arc::unwrap_or_clone(map)),
        _ => None,
    })
}
