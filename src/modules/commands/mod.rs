//! Commands: command, shell, script. (`raw` needs no agent: the controller's half is all of it.)

mod command;
mod run;
mod script;
mod shell;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<command::CommandModule>(),
    Entry::of::<shell::Shell>(),
    Entry::of::<script::Script>(),
];
