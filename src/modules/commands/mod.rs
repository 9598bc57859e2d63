//! Commands: command, shell, script, expect; `async_status`, which tells of those in the background. (`raw` needs
//! no agent: the controller's half is all of it.)

mod async_status;
mod command;
mod expect;
mod make;
mod run;
mod script;
mod shell;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<command::CommandModule>(),
    Entry::of::<shell::Shell>(),
    Entry::of::<script::Script>(),
    Entry::of::<async_status::AsyncStatus>(),
    Entry::of::<expect::Expect>(),
    Entry::of::<make::Make>(),
];
