//! One request: its calls in order.

use super::{Session, call};
use crate::result::Outcome;
use crate::sys::Cancel;
use crate::wire::{Call, FromAgent};
use std::sync::Arc;
use std::time::Instant;

/// Runs the calls and sends their outcomes.
pub(super) fn run(session: &Arc<Session>, id: u64, calls: Vec<Call>, stop_on_failure: bool) {
    for (index, call) in calls.into_iter().enumerate() {
        let begun = Instant::now();
        let cancel = Arc::new(Cancel::kept(session.keeper.clone()));
        let outcome = if session.begin_call(id, &cancel) {
            call::run(session, id, call, &cancel)
        } else {
            Outcome::failure("it was stopped before it began")
        };
        let stop = session.is_stopped(id) || (stop_on_failure && outcome.failed);
        session.send(&FromAgent::Result {
            id,
            index,
            outcome: Box::new(outcome),
            elapsed_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        if stop {
            return;
        }
    }
}
