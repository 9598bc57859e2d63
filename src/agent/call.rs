//! One call: a module on a thread of its own, with its time limit.

use super::blobs::CallBlobs;
use super::{Session, job, secrecy};
use crate::modules::{Entry, RunMode};
use crate::result::Outcome;
use crate::sys::{Cancel, Sys};
use crate::value::{Map, Value};
use crate::wire::Call;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long a stopped module may take to notice, before it is left behind.
const GRACE: Duration = Duration::from_secs(5);

/// How often a waiting call looks whether it was stopped.
const LOOK: Duration = Duration::from_millis(50);

thread_local! {
    static PANIC_AT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Remembers where a panic happened instead of printing it.
pub(super) fn remember_panics() {
    std::panic::set_hook(Box::new(|info| {
        PANIC_AT.set(info.location().map(ToString::to_string));
    }));
}

/// Runs a call to its outcome, which is fit to leave the machine.
pub(super) fn run(session: &Arc<Session>, id: u64, call: Call, cancel: &Arc<Cancel>) -> Outcome {
    let Some(entry) = (session.find)(&call.module) else {
        return Outcome::failure(format!(
            "the module `{}` is not built yet; `runbook doc` lists those that are",
            call.module
        ));
    };
    if let Some(background) = &call.background {
        let blobs = CallBlobs {
            session: Arc::clone(session),
            request: id,
            cancel: Arc::clone(cancel),
        };
        return job::start(&call, background, &blobs);
    }
    let secrets = secrecy::secrets(&(entry.spec)(), &call.args);
    let no_log = call.no_log;
    let mut outcome = in_thread(session, id, call, entry, cancel);
    secrecy::mask(&mut outcome, &secrets);
    if no_log {
        outcome = secrecy::censor(outcome);
    }
    outcome
}

fn in_thread(
    session: &Arc<Session>,
    id: u64,
    call: Call,
    entry: &'static Entry,
    cancel: &Arc<Cancel>,
) -> Outcome {
    let module = call.module.clone();
    let limit = call.timeout.filter(|seconds| *seconds > 0);
    let blobs = Arc::new(CallBlobs {
        session: Arc::clone(session),
        request: id,
        cancel: Arc::clone(cancel),
    });
    let (sender, receiver) = channel();
    let theirs = Arc::clone(cancel);
    let started = std::thread::Builder::new()
        .name(entry.name.to_owned())
        // modules may recurse over what users wrote
        .stack_size(8 << 20)
        .spawn(move || {
            let mode = RunMode {
                check: call.check,
                diff: call.diff,
                replan: call.replan,
            };
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let mut sys = Sys::real()
                    .with_environment(call.environment)
                    .with_blobs(blobs)
                    .with_cancel(theirs);
                (entry.run)(&call.args, &mut sys, mode)
            }));
            // nobody may wait any more
            let _ = sender.send(outcome.unwrap_or_else(|panic| crashed(entry.name, &*panic)));
        });
    if let Err(error) = started {
        return Outcome::failure(format!("module {module} could not be started: {error}"));
    }
    let deadline = limit.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut timed_out = false;
    let mut stopped_at: Option<Instant> = None;
    let outcome = loop {
        match receiver.recv_timeout(LOOK) {
            Ok(outcome) => break outcome,
            Err(RecvTimeoutError::Disconnected) => {
                break Outcome::failure(format!("module {module} ended without a result"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        if stopped_at.is_none() {
            if cancel.is_stopped() {
                stopped_at = Some(Instant::now());
            } else if deadline.is_some_and(|at| Instant::now() >= at) {
                timed_out = true;
                cancel.stop();
                stopped_at = Some(Instant::now());
            }
        } else if stopped_at.is_some_and(|at| at.elapsed() > GRACE) {
            break Outcome::failure(format!(
                "module {module} was told to stop, did not, and was left behind"
            ));
        }
    };
    match limit {
        Some(seconds) if timed_out => {
            let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
            let mut outcome = Outcome::failure(format!(
                "The {module} action failed to execute in the expected time frame ({seconds}) and was terminated"
            ));
            outcome
                .data
                .set("timedout", Value::map(Map::new().with("period", seconds)));
            outcome
        }
        _ => outcome,
    }
}

fn crashed(module: &str, panic: &(dyn std::any::Any + Send)) -> Outcome {
    let what = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no reason given".to_owned());
    let place = PANIC_AT
        .take()
        .map(|place| format!(" at {place}"))
        .unwrap_or_default();
    Outcome::failure(format!(
        "module {module} crashed: {what}{place}. This is a bug in runbook, please report it"
    ))
}
