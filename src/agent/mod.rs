//! The agent: the same binary on the machine that is managed, reading frames and running modules.
//!
//! It blocks: one thread reads frames and never waits for anything else, each request has a worker thread that runs
//! its calls in order, and each call a thread of its own, so that a module that crashes or hangs takes its call with
//! it and not the agent. When the stream ends (the controller vanished, or said goodbye), what runs is killed with
//! its process group, private files are removed, and the agent ends. If the agent itself is killed, its keeper, a
//! second process, does the same. A call in the background (`async`) is handed to another process, [`job`], that
//! outlives all this.

mod blobs;
mod call;
mod job;
mod keeper;
mod process;
mod request;
mod secrecy;
mod session;
#[cfg(test)]
mod tests;

pub use job::run as job;
pub use process::{check, run};
pub use session::{Finder, Session};

/// The line that comes before the first frame. What a login prints before it (banners, messages of the day,
/// prompts) is to be skipped.
pub const MARK: &str = "RUNBOOK-AGENT-1\n";

/// What [`check`] prints before the SHA-256 of the agent's program.
pub const CHECK_MARK: &str = "RUNBOOK-AGENT-OK";
