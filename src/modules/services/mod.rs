//! Services: systemd, service.

mod openrc;
mod service;
mod systemctl;
mod systemd;
mod sysv;
mod unit;

use super::Entry;
use crate::choices;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<systemd::Systemd>(),
    Entry::of::<service::Service>(),
];

choices! {
    /// What a service is to do.
    pub enum State {
        /// Read its configuration again; start if it does not run.
        Reloaded = "reloaded",
        /// Stop and start.
        Restarted = "restarted",
        /// Run.
        Started = "started",
        /// Not run.
        Stopped = "stopped",
    }
}

impl State {
    /// The verb that brings a service there, if something is to be done.
    fn verb(self, running: bool) -> Option<&'static str> {
        match (self, running) {
            (Self::Started, true) | (Self::Stopped, false) => None,
            (Self::Started | Self::Restarted | Self::Reloaded, false) => Some("start"),
            (Self::Stopped, true) => Some("stop"),
            (Self::Restarted, true) => Some("restart"),
            (Self::Reloaded, true) => Some("reload"),
        }
    }

    /// Whether a second task with it does something again.
    fn repeats(self) -> bool {
        matches!(self, Self::Reloaded | Self::Restarted)
    }

    /// What results call it afterwards.
    fn reached(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            _ => "started",
        }
    }
}

/// The diff of a service that is started, stopped, …
fn state_diff(name: &str, running: bool, state: State) -> crate::result::Diff {
    let before = if running { "started" } else { "stopped" };
    let after = if running {
        state.word()
    } else {
        state.reached()
    };
    crate::result::Diff::new(
        name,
        Some(format!("state: {before}\n")),
        Some(format!("state: {after}\n")),
    )
}

/// The diff of a service that is enabled or disabled.
fn enabled_diff(name: &str, enabled: bool) -> crate::result::Diff {
    crate::result::Diff::new(
        name,
        Some(format!("enabled: {}\n", !enabled)),
        Some(format!("enabled: {enabled}\n")),
    )
}
