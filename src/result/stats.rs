//! Counts per host, as the recap shows them.

use crate::value::Map;
use indexmap::IndexMap;
use serde::Serialize;

/// Counts of one host. `ok` includes `changed`, as in Ansible's recap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HostStats {
    /// Tasks that succeeded, changed or not.
    pub ok: u32,
    /// Tasks that changed something.
    pub changed: u32,
    /// Times that it could not be reached.
    pub unreachable: u32,
    /// Tasks that failed and were not ignored or rescued.
    pub failed: u32,
    /// Tasks that were skipped.
    pub skipped: u32,
    /// Failures that a `rescue` section took.
    pub rescued: u32,
    /// Failures that `ignore_errors` let pass.
    pub ignored: u32,
}

/// Counts of a run, by host in order of appearance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Stats {
    /// By host name.
    pub hosts: IndexMap<String, HostStats>,
    /// What `set_stats` collected, by host; of the run as a whole under `_run`.
    #[serde(skip)]
    pub custom: Map,
}

impl Stats {
    /// The counts of a host, made if it is new.
    pub fn host(&mut self, name: &str) -> &mut HostStats {
        self.hosts.entry(name.to_owned()).or_default()
    }

    /// The same without hosts that nothing was counted for.
    #[must_use]
    pub fn without_idle(mut self) -> Self {
        self.hosts
            .retain(|_, counts| *counts != HostStats::default());
        self
    }
}
