//! The controller halves of tasks: what is done before a module runs on the machine, or instead of it.
//!
//! An action is a pure step: arguments in, [`Step`] out. What has to touch connections or the inventory is
//! returned as data and done by `exec`.

mod args;
mod argument_spec;
mod assemble;
mod assertion;
mod async_status;
mod content;
mod copy;
pub mod custom;
mod debug;
mod documented;
mod fetch;
mod hosts;
mod include_vars;
mod k8s;
mod package;
mod patch;
mod pause;
mod reboot;
mod registry;
mod script;
mod set_fact;
mod set_stats;
mod spec_types;
mod synchronize;
mod template;
mod tree;
mod unarchive;
mod uri;

pub use async_status::look as look_at_job;
pub use content::Content;
pub use documented::documented_specs;
pub use reboot::Reboot;
pub use registry::{Action, ActionRegistry, controller_specs, template_fields};

use crate::result::Outcome;
use crate::template::{Context, Templar, TemplateError};
use crate::value::Map;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What an action knows.
pub struct Input<'a> {
    /// Rendered arguments.
    pub args: Map,
    /// The template engine.
    pub templar: &'a Templar,
    /// Variables and files of the task on this host.
    pub cx: &'a Context,
    /// Check mode.
    pub check: bool,
    /// `-v` count.
    pub verbosity: u8,
    /// The host's name in the inventory.
    pub host: &'a str,
    /// What `ansible_managed` says.
    pub managed: &'a str,
    /// Arguments may not be shown.
    pub no_log: bool,
}

/// Something that changes what the run knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Variables of the host (`set_fact`).
    SetFacts {
        /// The variables.
        facts: Map,
        /// Also as facts that a cache keeps.
        cacheable: bool,
    },
    /// Variables of the host (`include_vars`).
    IncludeVars(Map),
    /// Facts of the host, as a module found them.
    HostFacts(Map),
    /// A new host.
    AddHost {
        /// Its name.
        name: String,
        /// Its groups.
        groups: Vec<String>,
        /// Its variables.
        vars: Map,
    },
    /// The host joins a group.
    GroupBy {
        /// The group.
        key: String,
        /// Its parent groups.
        parents: Vec<String>,
    },
}

impl Effect {
    /// Whether it says something of the host that the task ran for, and not of the inventory.
    #[must_use]
    pub fn is_of_host(&self) -> bool {
        match self {
            Self::SetFacts { .. } | Self::IncludeVars(_) | Self::HostFacts(_) => true,
            Self::AddHost { .. } | Self::GroupBy { .. } => false,
        }
    }
}

/// A call of a module on the machine.
pub struct RemoteCall {
    /// The module.
    pub module: String,
    /// Its arguments.
    pub args: Map,
    /// Contents that it may ask for, by SHA-256.
    pub contents: Vec<(String, Content)>,
    /// Where a content that it sends is to be written (`fetch`).
    pub receive: Option<PathBuf>,
    /// What becomes of its outcome.
    pub finish: Option<Box<dyn FnOnce(Outcome) -> Outcome + Send>>,
}

impl RemoteCall {
    /// A plain call.
    pub fn new(module: impl Into<String>, args: Map) -> Self {
        Self {
            module: module.into(),
            args,
            contents: Vec::new(),
            receive: None,
            finish: None,
        }
    }
}

/// What comes next for a task.
pub enum Step {
    /// It is done.
    Done(Outcome, Vec<Effect>),
    /// A module runs on the machine.
    Call(RemoteCall),
    /// Several do, in order, until one fails; their outcomes become one.
    Calls(
        Vec<RemoteCall>,
        Box<dyn FnOnce(Vec<Outcome>) -> Outcome + Send>,
    ),
    /// A command line runs on the machine without the agent.
    Raw {
        /// The command line.
        command: String,
        /// The shell that gets it.
        executable: Option<String>,
    },
    /// Wait, or ask the user.
    Pause {
        /// How long, at least one; `None` until the user answers.
        seconds: Option<u64>,
        /// Whether it is told in seconds, not minutes.
        in_seconds: bool,
        /// What to ask.
        prompt: Option<String>,
        /// Whether the answer is shown.
        echo: bool,
    },
    /// Restart the machine and wait until it is back.
    Reboot(Reboot),
    /// Wait until the machine can be reached.
    WaitForConnection {
        /// Before the first try.
        delay: Duration,
        /// In all.
        timeout: Duration,
        /// Between tries.
        sleep: Duration,
        /// For one try.
        connect_timeout: Duration,
    },
}

impl Step {
    /// Done with this outcome and nothing else.
    pub fn done(outcome: Outcome) -> Self {
        Self::Done(outcome, Vec::new())
    }
}

/// Why an action could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// What is wrong with a file.
    #[error(transparent)]
    File(#[from] crate::diag::Diagnostic),
    /// Anything else: the task fails with this message.
    #[error("{0}")]
    Failed(String),
}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::Failed(message)
    }
}

/// Results of actions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A shared piece of content with its digests.
pub(crate) fn shared(bytes: Vec<u8>) -> (String, Content) {
    let content = Content::Bytes(Arc::from(bytes));
    (content.sha256().unwrap_or_default(), content)
}
