//! Counts, as the recap shows them.

use crate::result::{Event, EventSink, Stats, Status};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts results by host in the way of Ansible's recap: an ignored failure counts as `ok` and as `ignored`, an
/// unreachable machine that is ignored as `skipped` and as `unreachable`.
#[derive(Clone, Debug, Default)]
pub struct StatsSink {
    stats: Arc<Mutex<Stats>>,
}

impl StatsSink {
    /// Nothing counted yet. Clones count into, and read, the same numbers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The counts so far.
    pub fn stats(&self) -> Stats {
        self.stats
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl EventSink for StatsSink {
    fn event(&mut self, event: &Event) {
        let Event::TaskDone {
            host,
            status,
            outcome,
            quiet: false,
            ..
        } = event
        else {
            return;
        };
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = stats.host(host);
        match status {
            Status::Ok => counts.ok += 1,
            Status::Changed => {
                counts.ok += 1;
                counts.changed += 1;
            }
            Status::Skipped => counts.skipped += 1,
            Status::Failed => counts.failed += 1,
            Status::Rescued => counts.rescued += 1,
            Status::Unreachable => counts.unreachable += 1,
            Status::Ignored if outcome.unreachable => {
                counts.unreachable += 1;
                counts.skipped += 1;
            }
            Status::Ignored => {
                counts.ok += 1;
                counts.ignored += 1;
                counts.changed += u32::from(outcome.changed);
            }
        }
    }
}
