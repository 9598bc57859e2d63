//! What the command line and the configuration say of a run.

use crate::playbook::TagFilter;
use std::sync::Arc;

/// Whether each task is planned again right after it was applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerifyTask {
    /// No.
    #[default]
    Off,
    /// Yes; whatever is left to do is a failure of the proof.
    On,
}

/// Options of a run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Predict, change nothing.
    pub check: bool,
    /// Show diffs.
    pub diff: bool,
    /// Plan each task again after applying.
    pub verify_task: VerifyTask,
    /// How many hosts work at once.
    pub forks: usize,
    /// Which tasks.
    pub tags: TagFilter,
    /// Begin at the first task whose name matches this glob.
    pub start_at: Option<String>,
    /// Hosts that are left after `--limit`; `None` for all.
    pub limit: Option<Vec<Arc<str>>>,
    /// `-v` count.
    pub verbosity: u8,
    /// Run handlers on failed hosts too.
    pub force_handlers: bool,
    /// `gathering`: `implicit`, `explicit` or `smart`.
    pub gathering: String,
    /// What `ansible_managed` says.
    pub managed: String,
    /// Every failure ends the play for all.
    pub any_errors_fatal: bool,
    /// Seconds that a task may take; 0 for no limit.
    pub task_timeout: u64,
    /// Hide results of tasks that do not say otherwise.
    pub no_log: bool,
    /// The strategy of plays that name none.
    pub strategy: String,
    /// Seconds between two looks at a task in the background that does not say.
    pub poll_interval: u64,
    /// Where the machines keep the files of tasks in the background.
    pub async_dir: String,
    /// Ask before each task.
    pub step: bool,
    /// The Python that runs modules written in it, unless a variable says; `auto` for the machine's.
    pub python: String,
    /// Count after each playbook, and not only after the last.
    pub recap_each: bool,
    /// Every failure starts the debugger, where tasks do not say otherwise.
    pub debugger: bool,
    /// Failures that are ignored do not start the debugger.
    pub debugger_ignores_errors: bool,
    /// A handler that does not exist fails the task that notifies it; else it is a warning.
    pub missing_handler_fails: bool,
    /// Whether variables of roles are for themselves alone; `None`: those of roles that tasks include.
    pub private_role_vars: Option<bool>,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            check: false,
            diff: false,
            verify_task: VerifyTask::Off,
            forks: 100,
            tags: TagFilter::default(),
            start_at: None,
            limit: None,
            verbosity: 0,
            force_handlers: false,
            gathering: "implicit".into(),
            managed: "Ansible managed".into(),
            any_errors_fatal: false,
            task_timeout: 0,
            no_log: false,
            strategy: "linear".into(),
            poll_interval: 15,
            async_dir: "~/.ansible_async".into(),
            step: false,
            python: "auto".into(),
            recap_each: false,
            debugger: false,
            debugger_ignores_errors: true,
            missing_handler_fails: true,
            private_role_vars: None,
        }
    }
}
