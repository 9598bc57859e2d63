//! Messages.

use crate::result::Outcome;
use crate::value::Map;
use serde::{Deserialize, Serialize};

/// Version of the protocol; both sides refuse another one.
pub const PROTOCOL: u32 = 1;

/// One module to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// The module's name as the registry knows it (short or with its collection).
    pub module: String,
    /// Rendered arguments.
    pub args: Map,
    /// Plan only.
    #[serde(default)]
    pub check: bool,
    /// Return diffs.
    #[serde(default)]
    pub diff: bool,
    /// Hide arguments and texts: the result is censored before it leaves the machine.
    #[serde(default)]
    pub no_log: bool,
    /// Plan again after applying and report what is left to do (`--verify=task`).
    #[serde(default)]
    pub replan: bool,
    /// Environment variables for the commands that the module runs.
    #[serde(default)]
    pub environment: Vec<(String, String)>,
    /// Seconds until the module is stopped and the call failed; `None` for no limit.
    #[serde(default)]
    pub timeout: Option<u64>,
    /// Run it as a job that outlives the connection; the outcome says which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<Background>,
}

/// A call that goes on by itself (`async`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Background {
    /// Seconds until the job is stopped.
    pub seconds: u64,
    /// The directory of its result; `~` is the home of the agent's user.
    pub dir: String,
}

/// The agent's first message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Its [`PROTOCOL`].
    pub protocol: u32,
    /// Its package version.
    pub version: String,
    /// Its process id.
    pub pid: u32,
    /// The user that it runs as.
    pub uid: u32,
}

/// A piece of a file's content on its way to the agent. Pieces of one file come in order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Blob {
    /// SHA-256 of the whole content, in hexadecimal.
    pub sha256: String,
    /// Whether this is the last piece.
    pub last: bool,
    /// The bytes; they travel raw in the frame's tail, not in its JSON.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// From the controller to the agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToAgent {
    /// Run these calls in order. One `Result` comes back for each that was run, then `Done`.
    Run {
        /// The request's id, unique on the connection.
        id: u64,
        /// The calls.
        calls: Vec<Call>,
        /// Do not run the calls after one that failed.
        stop_on_failure: bool,
    },
    /// A piece of content.
    Blob(Blob),
    /// Stop what is running (its process group is killed) and answer.
    Cancel {
        /// The request's id.
        id: u64,
    },
    /// End in order.
    Bye,
}

/// From the agent to the controller.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromAgent {
    /// The first message.
    Hello(Hello),
    /// The outcome of one call.
    Result {
        /// The request's id.
        id: u64,
        /// Which call of the batch, from 0.
        index: usize,
        /// Its outcome.
        outcome: Box<Outcome>,
        /// Milliseconds that it took on the machine.
        elapsed_ms: u64,
    },
    /// The call needs this content and waits for it; send its pieces.
    NeedBlob {
        /// The request's id.
        id: u64,
        /// SHA-256 of the content, in hexadecimal.
        sha256: String,
    },
    /// A piece of a file on its way to the controller (`fetch`), before the call's result.
    Blob(Blob),
    /// The request is over.
    Done {
        /// The request's id.
        id: u64,
    },
}
