//! Exit codes, all of them.

use crate::diag::Diagnostic;

/// How a command ends. The codes of `play` are those of `ansible-playbook`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything went well.
    Ok,
    /// Something that has no code of its own.
    Error,
    /// A host failed.
    HostFailed,
    /// A host could not be reached, or a playbook or inventory could not be read.
    Unreachable,
    /// The command line is wrong.
    Usage,
    /// `--verify`: the second run changed something (or would), or a task had something left to do.
    NotIdempotent,
    /// `--verify`: a host executed no task in the second run, which proves nothing.
    NothingVerified,
    /// Interrupted by the user.
    Interrupted,
    /// A bug in runbook.
    Bug,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> i32 {
        match self {
            Self::Ok => 0,
            Self::Error => 1,
            Self::HostFailed => 2,
            Self::Unreachable => 4,
            Self::Usage => 5,
            Self::NotIdempotent => 20,
            Self::NothingVerified => 21,
            Self::Interrupted => 99,
            Self::Bug => 250,
        }
    }
}

/// Why a command could not do its work.
#[derive(Debug)]
pub struct CommandFailure {
    /// What to tell the user.
    pub diagnostic: Box<Diagnostic>,
    /// How to exit.
    pub exit: Exit,
}

impl CommandFailure {
    /// A sentence without a place.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            diagnostic: Box::new(Diagnostic::error("cli", message)),
            exit,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.diagnostic.hint = Some(hint.into());
        self
    }
}

impl From<Box<Diagnostic>> for CommandFailure {
    /// What is wrong with a file: Ansible's code for a playbook that cannot be read.
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        let exit = match diagnostic.code {
            // no error of a file, but of the run
            "task::unknown-handler" => Exit::Error,
            _ => Exit::Unreachable,
        };
        Self { diagnostic, exit }
    }
}

impl From<Diagnostic> for CommandFailure {
    fn from(diagnostic: Diagnostic) -> Self {
        Box::new(diagnostic).into()
    }
}

/// What commands give back.
pub type CommandResult = Result<Exit, CommandFailure>;
