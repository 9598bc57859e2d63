//! Users and groups, and the keys with which they log in.

mod authorized_key;
mod group;
mod htpasswd;
mod known_hosts;
mod sudoers;
mod user;

use super::Entry;
use super::streams::{command_failed, set_output};
use super::{Failure, ModuleResult};
use crate::sys::{Command, Sys};
use crate::value::Map;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<user::User>(),
    Entry::of::<group::Group>(),
    Entry::of::<authorized_key::AuthorizedKey>(),
    Entry::of::<known_hosts::KnownHosts>(),
    Entry::of::<htpasswd::Htpasswd>(),
    Entry::of::<sudoers::Sudoers>(),
];

/// Runs one of the shadow tools; `what` begins the message if it fails.
fn run(command: &Command, what: &str, sys: &mut Sys, data: &mut Map) -> ModuleResult<()> {
    let output = sys.run(command)?;
    if !output.ok() {
        return Err(command_failed(what, command, &output));
    }
    if !(output.stdout.is_empty() && output.stderr.is_empty()) {
        set_output(data, &output, false);
        data.take("rc");
    }
    Ok(())
}

/// Fails if a tool is missing, saying where it comes from.
fn need(tool: &str, sys: &Sys) -> ModuleResult<()> {
    if sys.which(tool).is_some() {
        return Ok(());
    }
    let hint = if sys.which("adduser").is_some() || sys.which("addgroup").is_some() {
        " (busybox's tools are not enough: install the package shadow)"
    } else {
        ""
    };
    Err(Failure::new(format!("{tool} is not there{hint}")))
}

/// Whether a name can be given to the tools: not empty, no switch, no separator.
fn check_name(name: &str) -> ModuleResult<()> {
    if name.is_empty() || name.starts_with('-') || name.contains([':', ',', '\n', '/']) {
        return Err(format!("`{name}` is no name for a user or group").into());
    }
    Ok(())
}
