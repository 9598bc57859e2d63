//! The only door to the operating system for modules: files, commands, accounts, probes.
//!
//! Looking takes `&Sys`, changing takes `&mut Sys`; a module's `plan` gets only the former. Paths are those of
//! the machine; with [`Sys::rooted`] they lie under another directory and commands are answered by a fake.

mod accounts;
mod blobs;
mod cancel;
mod clock;
mod command;
mod content;
mod converse;
mod dialogue;
mod dns;
mod fake;
mod files;
mod glob;
mod grpc;
mod http;
mod inode_flags;
mod kernel;
mod kernel_setting;
mod lock;
mod meta;
mod mounts;
mod net_if;
mod private;
mod processes;
mod resolve;
mod session;
mod shadow;
mod tls_peer;
mod tool;
mod write;
mod xattrs;

pub use accounts::{Account, GroupEntry};
pub use blobs::{BlobError, Blobs, NoBlobs};
pub use cancel::{Cancel, Keeper};
pub use command::{Command, Output, RealRunner, Runner};
pub use content::ScratchFile;
pub use dialogue::{Answer, Dialogue, DialogueEnd, Manner};
pub use fake::FakeRunner;
pub use files::hex;
pub use glob::fnmatch;
pub use grpc::{Grpc, GrpcError, GrpcServer};
pub use http::{Follow, HttpRequest, HttpResponse, host_of, join};
pub use inode_flags::InodeFlags;
pub use kernel::FileSystemSize;
pub use kernel_setting::sysctl_path;
pub use lock::DirLock;
pub use meta::{FileKind, Meta, Special};
pub use mounts::unescape_mount;
pub use net_if::{NetAddress, NetRoute};
pub use private::{PrivateDir, PrivateFile, PrivatePipe};
pub use resolve::Stream;
pub use shadow::Shadow;
pub use tls_peer::TlsPeer;
pub use write::WriteOptions;

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What went wrong with an operation, with the thing that it was about.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file operation.
    #[error("{what} {}: {}", path.display(), reason(source))]
    File {
        /// What was tried: `cannot read`.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A command could not be started.
    #[error("cannot run {program}: {}", reason(source))]
    Start {
        /// The program.
        program: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The task was cancelled or ran into its time limit.
    #[error("it was stopped")]
    Cancelled,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

/// The system's reason in its own words, without Rust's "(os error 2)".
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(at) => text.get(..at).unwrap_or(&text).to_owned(),
        None => text,
    }
}

/// Results of operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The machine, as a module sees it.
pub struct Sys {
    root: Option<PathBuf>,
    environment: Vec<(String, String)>,
    runner: Arc<dyn Runner>,
    blobs: Arc<dyn Blobs>,
    cancel: Arc<Cancel>,
}

impl Sys {
    /// The real machine.
    pub fn real() -> Self {
        Self {
            root: None,
            environment: Vec::new(),
            runner: Arc::new(RealRunner),
            blobs: Arc::new(NoBlobs),
            cancel: Arc::default(),
        }
    }

    /// A machine whose files lie under `root` and whose commands are answered by `runner`: for tests.
    pub fn rooted(root: impl Into<PathBuf>, runner: Arc<dyn Runner>) -> Self {
        Self {
            root: Some(root.into()),
            runner,
            ..Self::real()
        }
    }

    /// The same with a source of contents that come from the controller.
    #[must_use]
    pub fn with_blobs(mut self, blobs: Arc<dyn Blobs>) -> Self {
        self.blobs = blobs;
        self
    }

    /// The same, stopped by this.
    #[must_use]
    pub fn with_cancel(mut self, cancel: Arc<Cancel>) -> Self {
        self.cancel = cancel;
        self
    }

    /// The same with these environment variables for commands (and for `$VAR` in paths).
    #[must_use]
    pub fn with_environment(mut self, environment: Vec<(String, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// The path on this machine's real file system.
    pub(crate) fn real_path(&self, path: &Path) -> PathBuf {
        match &self.root {
            Some(root) => root.join(path.strip_prefix("/").unwrap_or(path)),
            None => path.to_owned(),
        }
    }

    /// An environment variable as the task sees it.
    pub fn env(&self, name: &str) -> Option<String> {
        self.environment
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .or_else(|| std::env::var(name).ok())
    }

    /// The whole environment as the task sees it, sorted.
    pub fn env_all(&self) -> Vec<(String, String)> {
        let mut all: std::collections::BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        all.extend(self.environment.iter().cloned());
        all.into_iter().collect()
    }

    /// What stops the task.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// Waits, unless the task is stopped meanwhile.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn sleep(&self, duration: std::time::Duration) -> Result<()> {
        self.pauses()(duration)
    }

    /// The same for who lives longer than this borrow.
    pub fn pauses(&self) -> impl Fn(std::time::Duration) -> Result<()> + Send + 'static {
        let cancel = Arc::clone(&self.cancel);
        move |duration| {
            if cancel.wait(duration) {
                Err(Error::Cancelled)
            } else {
                Ok(())
            }
        }
    }

    /// Content that the controller holds, by its SHA-256. It is fetched when it is first asked for.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn blob(&self, sha256: &str) -> Result<PathBuf> {
        self.blobs
            .fetch(sha256)
            .map_err(|e| Error::Other(e.to_string()))
    }

    /// Sends content to the controller under its SHA-256 (`fetch`).
    ///
    /// # Errors
    /// When the connection is gone or the file cannot be read.
    pub fn send_blob(&self, path: &Path, sha256: &str) -> Result<()> {
        self.blobs
            .send(&self.real_path(path), sha256)
            .map_err(|e| Error::Other(e.to_string()))
    }

    /// Runs a command that only looks. The caller promises that it changes nothing.
    ///
    /// # Errors
    /// When it cannot be started or is stopped.
    pub fn query(&self, command: &Command) -> Result<Output> {
        self.runner.run(command, &self.environment, &self.cancel)
    }

    /// Runs a command.
    ///
    /// # Errors
    /// When it cannot be started or is stopped.
    pub fn run(&mut self, command: &Command) -> Result<Output> {
        self.runner.run(command, &self.environment, &self.cancel)
    }

    /// Where a program is found on the task's `PATH` (and the directories for administration), if anywhere.
    pub fn which(&self, program: &str) -> Option<PathBuf> {
        if program.contains('/') {
            let path = PathBuf::from(program);
            return self.is_executable(&path).then_some(path);
        }
        let path = self.env("PATH").unwrap_or_default();
        path.split(':')
            .filter(|dir| !dir.is_empty())
            .chain([
                "/usr/local/sbin",
                "/usr/local/bin",
                "/usr/sbin",
                "/usr/bin",
                "/sbin",
                "/bin",
            ])
            .map(|dir| Path::new(dir).join(program))
            .find(|candidate| self.is_executable(candidate))
    }

    fn is_executable(&self, path: &Path) -> bool {
        self.runner.has_program(path)
            || self
                .stat(path, true)
                .ok()
                .flatten()
                .is_some_and(|meta| meta.kind == FileKind::File && meta.mode & 0o111 != 0)
    }
}
