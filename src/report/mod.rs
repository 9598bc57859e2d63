//! Reports: everything that reads the events of a run ([`crate::result::Event`]) and shows or stores them.
//!
//! | sink | output |
//! |---|---|
//! | [`Human`] | the terminal, in the look of Ansible's `default` callback, with failures that can be read |
//! | [`Progress`] | one redrawn line below another sink's output, for terminals |
//! | [`Minimal`] | a block per host, for commands that run one module |
//! | [`Json`] | one event per line |
//! | [`Junit`] | one XML document, a test case for each task and host |
//! | [`Timing`] | where the time went: tasks, roles, hosts |
//! | [`Fan`] | several of them |
//! | [`ansible`] | what Ansible's own callbacks print |
//!
//! Sinks write to writers that they are given, read no environment and no clock of their own, and ignore errors of
//! writing: a closed pipe must not stop a run half way. What is marked as `no_log` passes [`censor`] first in each.

pub mod ansible;
mod censor;
mod diff;
mod dump;
mod failure;
mod fan;
mod human;
mod json;
mod junit;
mod minimal;
mod progress;
mod style;
mod timing;
pub(crate) mod xml;

#[cfg(test)]
mod tests;

pub use censor::{CENSORED, censor};
pub use diff::unified;
pub use dump::dump;
pub use fan::Fan;
pub use human::{Human, HumanOptions};
pub use json::{Json, SCHEMA};
pub use junit::Junit;
pub use minimal::Minimal;
pub use progress::{Clock, Progress};
pub use style::{Label, Palette};
pub use timing::Timing;

/// Where a sink writes.
pub type Output = Box<dyn std::io::Write + Send>;
