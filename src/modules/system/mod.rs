//! The system: jobs, time zone, kernel, mounts, names.

mod alternatives;
mod at;
mod capabilities;
mod cron;
mod getent;
mod hostname;
mod locale_gen;
mod modprobe;
mod mount;
mod pam_limits;
mod ping;
mod selinux;
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
    Entry::of::<alternatives::Alternatives>(),
    Entry::of::<at::At>(),
    Entry::of::<capabilities::Capabilities>(),
    Entry::of::<locale_gen::LocaleGen>(),
    Entry::of::<pam_limits::PamLimits>(),
    Entry::of::<selinux::Selinux>(),
    Entry::of::<selinux::Seboolean>(),
];
