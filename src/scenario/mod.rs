//! Scenarios: machines are made, a playbook converges them, and verdicts are passed on what it did.
//!
//! [`choose`] finds `scenario.yml` and `molecule.yml` files, which become a [`Scenario`]. A driver makes its machines; each [`Step`]
//! that runs a playbook starts runbook itself and reads the events of that run. Verdicts compare events and states of
//! machines, never text.

pub mod bed;
mod chance;
mod container_options;
mod discover;
mod drift;
mod driver;
mod end_state;
mod fields;
mod machines;
mod molecule;
mod observed;
mod play;
mod read;
mod report;
mod runner;
mod spec;
mod step;
mod verdicts;
mod work;

pub use discover::{Found, choose, discover};
pub use observed::Place;
pub use report::{Finding, StepEnd, Verdict, junit};
pub use runner::{Keep, Options, Runner, Watch, login};
pub use spec::{DriverKind, Image, Platform, Playbooks, Scenario};
pub use step::Step;
