//! Events, in order, to one sink.

use crate::result::{Event, EventSink, HostStats, Stats, Status};
use std::sync::{Mutex, PoisonError};

struct State {
    sink: Box<dyn EventSink>,
    stats: Stats,
}

/// Hands events to the sink and counts.
pub(crate) struct Emitter(Mutex<State>);

impl Emitter {
    pub(crate) fn new(sink: Box<dyn EventSink>) -> Self {
        Self(Mutex::new(State {
            sink,
            stats: Stats::default(),
        }))
    }

    pub(crate) fn emit(&self, event: &Event) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Event::TaskDone {
            host,
            status,
            outcome,
            quiet: false,
            ..
        } = event
        {
            count(state.stats.host(host), *status, outcome.changed);
        }
        if let Event::Included { hosts, .. } = event {
            for host in hosts {
                state.stats.host(host).ok += 1;
            }
        }
        if let Event::PlayStart { hosts, .. } = event {
            // the recap shows hosts in the order of the plays, not of their answers
            for host in hosts {
                state.stats.host(host);
            }
        }
        state.sink.event(event);
    }

    /// Takes a task's end out of the counts: it is run again.
    pub(crate) fn take_back(&self, host: &str, status: Status, changed: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = state.stats.host(host);
        let mut one = HostStats::default();
        count(&mut one, status, changed);
        for (counted, one) in [
            (&mut counts.ok, one.ok),
            (&mut counts.changed, one.changed),
            (&mut counts.unreachable, one.unreachable),
            (&mut counts.failed, one.failed),
            (&mut counts.skipped, one.skipped),
            (&mut counts.rescued, one.rescued),
            (&mut counts.ignored, one.ignored),
        ] {
            *counted = counted.saturating_sub(one);
        }
    }

    /// Warns.
    pub(crate) fn warn(&self, message: impl Into<String>) {
        self.emit(&Event::Warning {
            message: message.into(),
        });
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stats
            .clone();
        stats
            .hosts
            .retain(|_, counts| *counts != HostStats::default());
        stats
    }

    pub(crate) fn take_sink(self) -> Box<dyn EventSink> {
        self.0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .sink
    }
}

fn count(stats: &mut HostStats, status: Status, changed: bool) {
    match status {
        Status::Ok => stats.ok += 1,
        Status::Changed => {
            stats.ok += 1;
            stats.changed += 1;
        }
        Status::Skipped => stats.skipped += 1,
        Status::Failed => stats.failed += 1,
        Status::Ignored => {
            stats.ok += 1;
            stats.ignored += 1;
            if changed {
                stats.changed += 1;
            }
        }
        Status::Rescued => stats.rescued += 1,
        Status::Unreachable => stats.unreachable += 1,
    }
}
