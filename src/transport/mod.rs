//! Everything between the executor and the agent process on a machine.
//!
//! A [`Machine`] is one connection of some [`ConnectionKind`] to a [`Target`], with one agent per
//! user on it. The way of a request:
//!
//! - `target` says what to connect to; `hop` puts it together with `ssh_config` and arguments;
//! - `link` runs a command there: `ssh` (with `ssh_auth`, `host_key`, `known_hosts`), `openssh`, or
//!   `child` processes, behind the words of a `container`;
//! - `process` is what such a command looks like; `escalate` words it for another user and `talk`
//!   listens to it through banners and password prompts;
//! - `install` starts the agent with `bootstrap.sh`: one command, which takes the executable
//!   from us only if the machine does not have it;
//! - `agent` speaks frames with it; `blob` gives and takes the contents of files.
//!
//! There is no clock and no environment in here but time limits, and [`Options::from_environment`].

mod agent;
mod binaries;
mod blob;
mod child;
mod container;
mod counters;
mod error;
mod escalate;
mod fake;
mod hop;
mod host_key;
mod install;
mod key_ring;
mod known_hosts;
mod link;
mod machine;
mod openssh;
mod process;
mod raw;
mod shell;
mod ssh;
mod ssh_args;
mod ssh_auth;
mod ssh_config;
mod talk;
mod target;
#[cfg(test)]
mod tests;

pub use binaries::AgentBinaries;
pub use blob::{BlobContent, BlobSink, BlobSource, MemorySink, NoBlobs};
pub use container::{Container, ContainerOptions, ContainerSetting};
pub use counters::Traffic;
pub use error::TransportError;
pub use fake::FakeMachine;
pub use key_ring::{AskPassphrase, KeyRing};
pub use machine::Machine;
pub use openssh::login_words;
pub use raw::RawOutput;
pub(crate) use shell::quote;
pub use target::{Become, BecomeMethod, ConnectionKind, HostKeyChecking, Options, Target};
