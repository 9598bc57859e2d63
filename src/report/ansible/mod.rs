//! What Ansible's own callbacks print, for scripts and tests that read it: `default`, `minimal`, `oneline`, `json`,
//! `junit`, `timer`, `profile_tasks` and `tree`.
//!
//! Followed is what ansible-core 2.18 writes (documentation pages: "ansible.builtin.default callback" and its like; for
//! those of collections "ansible.posix.json", "ansible.posix.timer", "ansible.posix.profile_tasks"). `tests/ansible_output`
//! compares it with recordings. Nothing here is for people first: what a machine printed goes out as it came, except for
//! control characters in names.

mod colour;
mod default;
mod diff;
mod json;
mod junit;
mod minimal;
mod profile;
mod result;
mod screen;
mod tree;

pub use colour::Colour;
pub use default::AnsibleDefault;
pub use json::AnsibleJson;
pub use junit::{AnsibleJunit, JunitOptions};
pub use minimal::{AnsibleMinimal, Lines};
pub use profile::{ProfileTasks, Timer};
pub use screen::{Screen, wrapped};
pub use tree::Tree;

use std::path::PathBuf;
use std::sync::Arc;

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResultFormat {
    /// As JSON.
    #[default]
    Json,
    /// As YAML (`result_format=yaml`).
    Yaml,
}

/// Finds the `ansible_host` of a host, if it has one.
pub type AddressOf = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The settings of the callback `default` that the others share.
#[derive(Clone)]
pub struct AnsibleOptions {
    /// `-v` count.
    pub verbosity: u8,
    /// Show diffs.
    pub diff: bool,
    /// Lines around a change.
    pub diff_context: usize,
    /// The run predicts only (`--check`).
    pub check: bool,
    /// `display_ok_hosts`.
    pub show_ok: bool,
    /// `display_skipped_hosts`.
    pub show_skipped: bool,
    /// `display_failed_stderr`.
    pub failed_to_stderr: bool,
    /// `show_custom_stats`.
    pub custom_stats: bool,
    /// `check_mode_markers`.
    pub check_markers: bool,
    /// `display_args_to_stdout`.
    pub task_arguments: bool,
    /// `show_per_host_start`.
    pub per_host_start: bool,
    /// `show_task_path_on_failure`.
    pub path_on_failure: bool,
    /// `result_format`.
    pub format: ResultFormat,
    /// `pretty_results`; unset: for YAML only.
    pub pretty: Option<bool>,
    /// What relative paths of tasks begin with.
    pub base: PathBuf,
    /// Where hosts are, for delegated tasks.
    pub address_of: AddressOf,
}

impl Default for AnsibleOptions {
    fn default() -> Self {
        Self {
            verbosity: 0,
            diff: false,
            diff_context: 3,
            check: false,
            show_ok: true,
            show_skipped: true,
            failed_to_stderr: false,
            custom_stats: false,
            check_markers: false,
            task_arguments: false,
            per_host_start: false,
            path_on_failure: false,
            format: ResultFormat::Json,
            pretty: None,
            base: PathBuf::new(),
            address_of: Arc::new(|_| None),
        }
    }
}

impl AnsibleOptions {
    /// `path:line` of a task as Ansible shows it: absolute, without a column.
    fn place(&self, path: &str) -> String {
        let mut parts = path.rsplitn(3, ':');
        let shown = match (parts.next(), parts.next(), parts.next()) {
            (Some(_column), Some(line), Some(file)) => format!("{file}:{line}"),
            _ => path.to_owned(),
        };
        self.base.join(shown).display().to_string()
    }
}

/// The name without Ansible's own collection.
fn base_name(action: &str) -> &str {
    action
        .strip_prefix("ansible.builtin.")
        .or_else(|| action.strip_prefix("ansible.legacy."))
        .unwrap_or(action)
}
