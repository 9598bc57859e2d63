//! Commands: command, shell, script, expect. (`raw` needs no agent: the controller's half is all of it.)

mod command;
mod expect;
mod run;
mod script;
mod shell;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<command::CommandModule>(),
    Entry::of::<shell::Shell>(),
    Entry::of::<script::Script>(),
    Entry::of::<expect::Expect>(),
];
