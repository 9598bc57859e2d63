//! The stream of events that every report reads.

use super::{Outcome, Stats};
use crate::value::Map;
use serde::Serialize;
use std::sync::Arc;

/// How a task ended on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing had to be changed.
    Ok,
    /// Something was changed.
    Changed,
    /// Not run, its condition was false.
    Skipped,
    /// It failed.
    Failed,
    /// It failed, and `ignore_errors` let it pass.
    Ignored,
    /// It failed, and a `rescue` section takes over.
    Rescued,
    /// The machine could not be reached.
    Unreachable,
}

/// What reports need to know of a task. The same `id` stands for the same task of the same run.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct TaskInfo {
    /// Unique in the run, in order of first execution.
    pub id: u64,
    /// Its name, templated as far as possible: what the banner shows (with `role : ` before it).
    pub name: String,
    /// The action's name as written.
    pub action: String,
    /// Where it is written: `file:line:col`, the file relative to the playbook's directory where it can be.
    pub path: String,
    /// The role that it is in.
    pub role: Option<String>,
    /// Whether it is a handler.
    pub handler: bool,
    /// Whether it runs in check mode, as far as that is known before it runs.
    #[serde(skip)]
    pub check: bool,
    /// Its arguments as written, `k=v, k=v`; nothing with `no_log`.
    #[serde(skip)]
    pub args: String,
}

/// A loop item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemInfo {
    /// Place in the loop, from 0.
    pub index: usize,
    /// What to show: `loop_control.label` or the item.
    pub label: String,
    /// What the result says of it: the item under its variable's name, and the names of the loop's variables.
    #[serde(skip)]
    pub vars: Map,
}

/// What the connection to a machine cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConnectionCost {
    /// The machine's address.
    pub address: String,
    /// Bytes written to its channels, before encryption, the agent's upload included.
    pub sent: u64,
    /// Bytes read from its channels.
    pub received: u64,
    /// Bytes of agent executables among those sent, as they travelled.
    pub uploaded: u64,
    /// Requests to its agents.
    pub requests: u64,
    /// Microseconds that the last connect and login took.
    pub connect_us: u64,
    /// Microseconds until the agent started last said hello, its upload included.
    pub agent_start_us: u64,
}

/// Something that happened in a run. Reports are sinks of these; verdicts compare them.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A playbook begins.
    PlaybookStart {
        /// Its path.
        path: String,
        /// How many plays it has.
        #[serde(skip)]
        plays: usize,
    },
    /// A play begins.
    PlayStart {
        /// Its name, or its hosts pattern.
        name: String,
        /// Its hosts (of the batch), in order.
        hosts: Vec<String>,
        /// Whether it runs in check mode.
        check: bool,
        /// How its hosts go through it: `linear`, `free` or `host_pinned`.
        strategy: String,
    },
    /// A play matched no host.
    PlayNoHosts {
        /// Its name.
        name: String,
    },
    /// No host is left, so that the rest of the play is not run. Told where Ansible tells it.
    #[serde(skip)]
    NoHostsLeft,
    /// A `meta` task that somebody wrote, on a host; no report but Ansible's shows it.
    #[serde(skip)]
    Meta {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: String,
        /// Its condition was false.
        skipped: bool,
        /// What it does, or why it does not.
        message: String,
    },
    /// A task begins on some hosts.
    TaskStart {
        /// The task.
        task: Arc<TaskInfo>,
    },
    /// A host runs the task now (used for progress).
    HostStart {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: String,
    },
    /// A loop item ended on a host.
    ItemDone {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: String,
        /// The item.
        item: ItemInfo,
        /// How it ended.
        status: Status,
        /// Its outcome; censored if `no_log`.
        outcome: Arc<Outcome>,
        /// The host that really ran it, if delegated.
        delegated_to: Option<String>,
    },
    /// An attempt of an `until` task did not succeed; it will be tried again.
    Retry {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: String,
        /// Attempts left.
        left: u32,
    },
    /// A task in the background was looked at and goes on.
    AsyncPoll {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: String,
        /// The job.
        jid: String,
        /// Seconds that it has left.
        left: u64,
    },
    /// A task in the background ended while it was waited for.
    AsyncDone {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: String,
        /// The job.
        jid: String,
        /// Whether it failed.
        failed: bool,
    },
    /// A task ended on a host.
    TaskDone {
        /// The task.
        task: Arc<TaskInfo>,
        /// The host.
        host: String,
        /// How it ended.
        status: Status,
        /// Its outcome (the sum of its items, if it has any); censored if `no_log`.
        outcome: Arc<Outcome>,
        /// The host that really ran it, if delegated.
        delegated_to: Option<String>,
        /// Wall time, in milliseconds.
        elapsed_ms: u64,
        /// Whether it was a loop (its items came as `ItemDone`).
        looped: bool,
        /// Whether an action that Ansible does not count (`meta`) made it: no line, no count.
        quiet: bool,
    },
    /// A file or role was included for some hosts.
    Included {
        /// The including task.
        task: Arc<TaskInfo>,
        /// What was included: a path or a role's name.
        what: String,
        /// For which hosts.
        hosts: Vec<String>,
        /// The loop item's label, if it was in a loop.
        item: Option<String>,
    },
    /// A request goes to a machine as another user. Told from `-vvv` on, to find out what is wrong with it.
    Becoming {
        /// The host.
        host: String,
        /// The command line, without secrets: passwords never are in it.
        command: String,
    },
    /// A warning that belongs to no result. Full text as it is to be shown.
    Warning {
        /// The message.
        message: String,
    },
    /// Something works today, but not in later versions of Ansible.
    Deprecation {
        /// The message.
        message: String,
    },
    /// The connections of the run were closed. Only a run that had some says so, right before `Recap`.
    Connections {
        /// What each cost, in the order of their addresses.
        machines: Vec<ConnectionCost>,
    },
    /// The run is over.
    Recap {
        /// Counts.
        stats: Stats,
        /// Wall time of the run, in milliseconds.
        elapsed_ms: u64,
    },
}

/// Somebody who reads events. Called in order, from one thread at a time.
pub trait EventSink: Send {
    /// Takes one event.
    fn event(&mut self, event: &Event);
}

impl<T: EventSink + ?Sized> EventSink for Box<T> {
    fn event(&mut self, event: &Event) {
        (**self).event(event);
    }
}
