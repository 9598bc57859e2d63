//! The system: hostname, sysctl, modprobe, ping.

mod ping;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[Entry::of::<ping::Ping>()];
