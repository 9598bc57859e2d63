//! The system: jobs, time zone, kernel, mounts, names.

mod cron;
mod getent;
mod hostname;
mod modprobe;
mod mount;
mod ping;
mod sysctl;
mod timezone;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<ping::Ping>(),
    Entry::of::<getent::Getent>(),
    Entry::of::<hostname::Hostname>(),
    Entry::of::<sysctl::Sysctl>(),
    Entry::of::<modprobe::Modprobe>(),
    Entry::of::<mount::Mount>(),
    Entry::of::<cron::Cron>(),
    Entry::of::<timezone::Timezone>(),
];
