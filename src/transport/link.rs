//! A way to run commands on a machine.

use super::counters::Counters;
use super::fake::FakeMachine;
use super::openssh::OpenSsh;
use super::process::Process;
use super::ssh::Ssh;
use super::{TransportError, child};
use std::sync::Arc;
use tokio::process::Command;

/// An open connection.
pub(crate) enum Link {
    /// Our own SSH.
    Ssh(Ssh),
    /// A master process of the system's `ssh`.
    OpenSsh(OpenSsh),
    /// Child processes: the words before `sh -c COMMAND`, which are none for this machine itself.
    Child(Vec<String>),
    /// A machine in memory.
    Fake(Arc<FakeMachine>),
}

impl Link {
    /// Runs a command through the login user's shell.
    pub(crate) async fn exec(
        &self,
        command: &str,
        pty: bool,
        counters: &Arc<Counters>,
    ) -> Result<Process, TransportError> {
        match self {
            Self::Ssh(ssh) => ssh.exec(command, pty, counters).await,
            Self::OpenSsh(ssh) => ssh.exec(command, pty, counters),
            Self::Child(before) => {
                let mut words = before
                    .iter()
                    .map(String::as_str)
                    .chain(["/bin/sh", "-c", command]);
                let program = words.next().unwrap_or("/bin/sh");
                let mut child = Command::new(program);
                child.args(words);
                child::spawn(child, pty, counters).map_err(|error| {
                    TransportError::unreachable(program, format!("it cannot be started: {error}"))
                })
            }
            Self::Fake(machine) => Ok(machine.exec(command, counters)),
        }
    }

    /// Whether it can still be used.
    pub(crate) fn is_open(&self) -> bool {
        match self {
            Self::Ssh(ssh) => ssh.is_open(),
            Self::OpenSsh(ssh) => ssh.is_open(),
            Self::Child(_) | Self::Fake(_) => true,
        }
    }

    /// Ends it, waiting no longer than a few seconds.
    pub(crate) async fn close(&self) {
        match self {
            Self::Ssh(ssh) => ssh.close().await,
            Self::OpenSsh(ssh) => ssh.close().await,
            Self::Child(_) | Self::Fake(_) => {}
        }
    }
}
