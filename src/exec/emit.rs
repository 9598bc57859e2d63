//! Events, in order, to one sink.

use crate::result::{Event, EventSink, HostStats, Stats, Status};
use std::sync::{Arc, Mutex, PoisonError};

struct State {
    sink: Box<dyn EventSink>,
    stats: Stats,
}

/// Hands events to the sink and counts. Clones share both.
#[derive(Clone)]
pub(crate) struct Emitter(Arc<Mutex<State>>);

impl Emitter {
    pub(crate) fn new(sink: Box<dyn EventSink>) -> Self {
        Self(Arc::new(Mutex::new(State {
            sink,
            stats: Stats::default(),
        })))
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

    /// Says that something will not work in later versions of Ansible.
    pub(crate) fn deprecate(&self, message: impl Into<String>) {
        self.emit(&Event::Deprecation {
            message: message.into(),
        });
    }

    /// The sink; what is emitted from now on goes nowhere.
    pub(crate) fn take_sink(&self, after: Box<dyn EventSink>) -> Box<dyn EventSink> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut state.sink, after)
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
