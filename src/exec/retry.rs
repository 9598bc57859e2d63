//! Trying a turn again: `until`, `retries`, `delay`.

use super::fault::Fault;
use super::run::{Run, stopped};
use super::scope::with_local;
use super::single::{Place, TurnEnd};
use crate::result::{Event, Outcome};
use crate::value::Map;
use std::sync::Arc;
use std::time::Duration;

impl Run {
    /// One turn from beginning to end, tried again as `until` and `retries` say.
    pub(crate) async fn one(
        self: &Arc<Self>,
        place: &Place<'_>,
        local: Map,
        index: Option<usize>,
    ) -> TurnEnd {
        let _ = index;
        let task = place.task;
        if task.until.is_empty() && task.retries.is_none() {
            let turn = self.begin(place, local);
            return self.dispatch(place, turn).await;
        }
        let (tries, delay) = match self.retry_plan(place, &local) {
            Ok(plan) => plan,
            Err(fault) => {
                return TurnEnd {
                    outcome: fault.outcome(),
                    ..TurnEnd::default()
                };
            }
        };
        let mut attempt = 1;
        loop {
            let mut turn = self.begin(place, local.clone());
            turn.attempt = Some(attempt);
            let mut end = self.dispatch(place, turn).await;
            let outcome = &mut end.outcome;
            if outcome.skipped || outcome.unreachable || self.is_interrupted() {
                return end;
            }
            outcome.data.set("attempts", attempt);
            let good = match self.is_good(place, &local, outcome) {
                Ok(good) => good,
                Err(fault) => {
                    end.outcome = fault.outcome();
                    return end;
                }
            };
            if good {
                return end;
            }
            if attempt > tries {
                outcome.data.set("attempts", tries);
                // what `failed_when` says of the result counts more
                if task.failed_when.is_some() {
                    outcome.data.set("failed", true);
                } else if !outcome.failed {
                    outcome.failed = true;
                    if outcome.data.get("msg").is_none() {
                        outcome
                            .data
                            .set("msg", "the condition of `until` did not come true");
                    }
                }
                return end;
            }
            self.emitter.emit(&Event::Retry {
                task: Arc::clone(place.info),
                host: place.host.to_string(),
                left: tries - attempt + 1,
            });
            attempt += 1;
            let mut stop = self.interrupted.clone();
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = stopped(&mut stop) => {}
            }
        }
    }

    fn retry_plan(&self, place: &Place<'_>, local: &Map) -> Result<(u32, Duration), Fault> {
        let (scope, files) = self
            .task_scope(place.state, place.host, place.task)
            .map_err(Fault)?;
        let cx = with_local(&scope, &files, local.clone());
        let tries = self
            .number("retries", place.task.retries.as_ref(), &cx)?
            .unwrap_or(3.0);
        let delay = self
            .number("delay", place.task.delay.as_ref(), &cx)?
            .unwrap_or(5.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped"
        )]
        let tries = tries.clamp(0.0, 1e6) as u32;
        Ok((
            tries,
            Duration::try_from_secs_f64(delay.max(0.0)).unwrap_or_default(),
        ))
    }

    fn is_good(&self, place: &Place<'_>, local: &Map, outcome: &Outcome) -> Result<bool, Fault> {
        if place.task.until.is_empty() {
            return Ok(!outcome.failed);
        }
        let cx = self.result_context(place, local, outcome)?;
        for node in &place.task.until {
            let fits = self.condition(node, &cx)?;
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
