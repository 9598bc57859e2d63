//! The system: getent, hostname, sysctl, modprobe, ping.

mod getent;
mod hostname;
mod modprobe;
mod ping;
mod sysctl;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<ping::Ping>(),
    Entry::of::<getent::Getent>(),
    Entry::of::<hostname::Hostname>(),
    Entry::of::<sysctl::Sysctl>(),
    Entry::of::<modprobe::Modprobe>(),
];
