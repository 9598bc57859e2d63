//! What happened: the outcome of a task, its diffs, the counts of a run, and the events that reports read.

mod diagnosis;
mod diff;
mod event;
mod job;
mod outcome;
mod stats;

pub use diagnosis::Diagnosis;
pub use diff::Diff;
pub use event::{ConnectionCost, Event, EventSink, ItemInfo, Status, TaskInfo};
pub use job::JOB_LOCKED;
pub use outcome::Outcome;
pub use stats::{HostStats, Stats};
