//! Magic variables: what runbook itself says of the run, the play, the task and the host. They are computed when a
//! template asks for one.
//!
//! Their meaning is that of Ansible's documentation, "Special variables".

use super::snapshot::Snapshot;
use crate::template::Variable;
use crate::value::{Map, OMIT, Value};
use std::path::PathBuf;
use std::sync::Arc;

/// The version of ansible-core whose behaviour runbook follows; `ansible_version` says it.
pub const VERSION: &str = "2.18.19";

/// What holds for the whole run.
#[derive(Clone, Debug)]
pub struct RunMagic {
    /// `ansible_check_mode`
    pub check_mode: bool,
    /// `ansible_diff_mode`
    pub diff_mode: bool,
    /// `ansible_forks`
    pub forks: u32,
    /// `ansible_verbosity`
    pub verbosity: u32,
    /// `ansible_limit`; not defined without a limit.
    pub limit: Option<String>,
    /// `ansible_run_tags`
    pub run_tags: Vec<String>,
    /// `ansible_skip_tags`
    pub skip_tags: Vec<String>,
    /// `ansible_inventory_sources`
    pub inventory_sources: Vec<String>,
    /// `ansible_config_file`
    pub config_file: Option<PathBuf>,
    /// `ansible_playbook_python`; roles expect a path.
    pub playbook_python: String,
    /// `playbook_dir`
    pub playbook_dir: PathBuf,
}

impl Default for RunMagic {
    fn default() -> Self {
        Self {
            check_mode: false,
            diff_mode: false,
            forks: 5,
            verbosity: 0,
            limit: None,
            run_tags: vec!["all".into()],
            skip_tags: Vec::new(),
            inventory_sources: Vec::new(),
            config_file: None,
            playbook_python: "/usr/bin/python3".into(),
            playbook_dir: PathBuf::new(),
        }
    }
}

/// What holds for a play (and batch), as of now.
#[derive(Clone, Debug, Default)]
pub struct PlayMagic {
    /// `playbook_dir`: that of the playbook that the play stands in.
    pub dir: PathBuf,
    /// `ansible_play_name`
    pub name: String,
    /// `ansible_play_hosts_all`: all that the play addresses.
    pub hosts_all: Arc<[Arc<str>]>,
    /// `ansible_play_hosts`: those of them that have not failed.
    pub hosts: Arc<[Arc<str>]>,
    /// `ansible_play_batch` and `play_hosts`: those of the current batch that have not failed.
    pub batch: Arc<[Arc<str>]>,
    /// `ansible_play_role_names` and `role_names`
    pub role_names: Vec<String>,
    /// `ansible_dependent_role_names`
    pub dependent_role_names: Vec<String>,
}

/// What holds for a task.
#[derive(Clone, Debug, Default)]
pub struct TaskMagic {
    /// `role_name` and `ansible_role_name`; not defined outside roles.
    pub role_name: Option<String>,
    /// `role_path`
    pub role_path: Option<PathBuf>,
    /// `ansible_collection_name`
    pub collection_name: Option<String>,
    /// `ansible_parent_role_names`, nearest first.
    pub parent_role_names: Vec<String>,
    /// `ansible_parent_role_paths`, nearest first.
    pub parent_role_paths: Vec<PathBuf>,
    /// `ansible_search_path`
    pub search_path: Vec<PathBuf>,
    /// `environment`: the list of what the keyword says, from the play down.
    pub environment: Option<Value>,
    /// The task's own check mode, if it differs from the run's.
    pub check_mode: Option<bool>,
    /// The task's own diff mode, if it differs from the run's.
    pub diff_mode: Option<bool>,
}

/// All of it. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Magic {
    /// Of the run.
    pub run: Arc<RunMagic>,
    /// Of the play; none outside plays, and for `hostvars`.
    pub play: Option<Arc<PlayMagic>>,
    /// Of the task; none outside tasks.
    pub task: Option<Arc<TaskMagic>>,
}

const NAMES_OF_RUN: [&str; 20] = [
    "ansible_check_mode",
    "ansible_config_file",
    "ansible_diff_mode",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_playbook_python",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "hostvars",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "omit",
    "playbook_dir",
    "ansible_limit",
];

const NAMES_OF_PLAY: [&str; 9] = [
    "ansible_dependent_role_names",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_role_names",
    "play_hosts",
    "role_names",
];

const NAMES_OF_TASK: [&str; 8] = [
    "ansible_collection_name",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_role_name",
    "ansible_search_path",
    "environment",
    "role_name",
    "role_path",
];

fn path(path: &std::path::Path) -> Value {
    Value::str(path.to_string_lossy().as_ref())
}

fn words(words: &[String]) -> Value {
    Value::list(words.iter().map(|word| Value::str(word.as_str())).collect())
}

fn hosts(hosts: &[Arc<str>]) -> Value {
    Value::list(
        hosts
            .iter()
            .map(|host| Value::str(Arc::clone(host)))
            .collect(),
    )
}

fn version() -> Value {
    let mut parts = VERSION
        .split('.')
        .map(|part| part.parse::<i64>().unwrap_or_default());
    let mut next = || Value::Int(parts.next().unwrap_or_default());
    Value::map(
        Map::new()
            .with("string", Value::str(VERSION))
            .with("full", Value::str(VERSION))
            .with("major", next())
            .with("minor", next())
            .with("revision", next()),
    )
}

impl Magic {
    /// Whether the name is one that runbook sets.
    pub fn is_reserved(name: &str) -> bool {
        NAMES_OF_RUN.contains(&name)
            || NAMES_OF_PLAY.contains(&name)
            || NAMES_OF_TASK.contains(&name)
            || name == "vars"
    }

    /// Whether variables of plays, tasks and facts go before it: Ansible has it as a variable of the inventory.
    pub(super) fn gives_way(name: &str) -> bool {
        matches!(
            name,
            "inventory_hostname" | "inventory_hostname_short" | "group_names"
        )
    }

    /// The names that [`Magic::get`] knows now, `hostvars` and `vars` aside.
    pub(super) fn names(&self, host: &str, snapshot: &Snapshot) -> Vec<&'static str> {
        let play: &[&str] = if self.play.is_some() {
            &NAMES_OF_PLAY
        } else {
            &[]
        };
        let task: &[&str] = if self.task.is_some() {
            &NAMES_OF_TASK
        } else {
            &[]
        };
        NAMES_OF_RUN
            .iter()
            .chain(play)
            .chain(task)
            .copied()
            .filter(|name| *name != "hostvars" && self.get(name, host, snapshot).is_some())
            .collect()
    }

    /// A magic variable as seen from a host.
    pub(super) fn get(&self, name: &str, host: &str, snapshot: &Snapshot) -> Option<Variable> {
        if name == "environment" {
            return self.task.as_ref()?.environment.clone().map(Variable::Lazy);
        }
        Self::of_host(name, host, snapshot)
            .or_else(|| self.of_play(name))
            .or_else(|| self.of_run(name))
            .or_else(|| self.of_task(name))
            .map(Variable::Final)
    }

    fn of_host(name: &str, host: &str, snapshot: &Snapshot) -> Option<Value> {
        Some(match name {
            "inventory_hostname" => Value::str(host),
            "inventory_hostname_short" => Value::str(snapshot.host(host).short_name()),
            "group_names" => hosts(&snapshot.inventory.group_names(host)),
            "groups" => snapshot.groups(),
            "inventory_file" => {
                let host = snapshot.host(host);
                host.file.as_deref().map_or(Value::Null, path)
            }
            "inventory_dir" => {
                let dir = snapshot.host(host).dir();
                dir.as_deref().map_or(Value::Null, path)
            }
            _ => return None,
        })
    }

    fn of_run(&self, name: &str) -> Option<Value> {
        let run = &self.run;
        let task = self.task.as_deref();
        Some(match name {
            "omit" => Value::str(OMIT),
            "playbook_dir" => path(&run.playbook_dir),
            "ansible_check_mode" => Value::Bool(
                task.and_then(|task| task.check_mode)
                    .unwrap_or(run.check_mode),
            ),
            "ansible_diff_mode" => Value::Bool(
                task.and_then(|task| task.diff_mode)
                    .unwrap_or(run.diff_mode),
            ),
            "ansible_forks" => run.forks.into(),
            "ansible_verbosity" => run.verbosity.into(),
            "ansible_limit" => Value::str(run.limit.as_deref()?),
            "ansible_run_tags" => words(&run.run_tags),
            "ansible_skip_tags" => words(&run.skip_tags),
            "ansible_inventory_sources" => words(&run.inventory_sources),
            "ansible_config_file" => run.config_file.as_deref().map_or(Value::Null, path),
            "ansible_playbook_python" => Value::str(run.playbook_python.as_str()),
            "ansible_version" => version(),
            _ => return None,
        })
    }

    fn of_play(&self, name: &str) -> Option<Value> {
        let play = self.play.as_deref()?;
        Some(match name {
            "playbook_dir" => path(&play.dir),
            "ansible_play_name" => Value::str(play.name.as_str()),
            "ansible_play_hosts_all" => hosts(&play.hosts_all),
            "ansible_play_hosts" => hosts(&play.hosts),
            "ansible_play_batch" | "play_hosts" => hosts(&play.batch),
            "ansible_play_role_names" | "role_names" => words(&play.role_names),
            "ansible_dependent_role_names" => words(&play.dependent_role_names),
            "ansible_role_names" => {
                let mut all: Vec<String> = play.dependent_role_names.clone();
                for name in &play.role_names {
                    if !all.contains(name) {
                        all.push(name.clone());
                    }
                }
                words(&all)
            }
            _ => return None,
        })
    }

    fn of_task(&self, name: &str) -> Option<Value> {
        let task = self.task.as_deref()?;
        let paths = |paths: &[PathBuf]| Value::list(paths.iter().map(|p| path(p)).collect());
        Some(match name {
            "role_name" => {
                let name = task.role_name.as_deref()?;
                Value::str(name.rsplit('.').next().unwrap_or(name))
            }
            "ansible_role_name" => Value::str(task.role_name.as_deref()?),
            "role_path" => path(task.role_path.as_deref()?),
            "ansible_collection_name" => Value::str(task.collection_name.as_deref()?),
            "ansible_parent_role_names" if !task.parent_role_names.is_empty() => {
                words(&task.parent_role_names)
            }
            "ansible_parent_role_paths" if !task.parent_role_paths.is_empty() => {
                paths(&task.parent_role_paths)
            }
            "ansible_search_path" if !task.search_path.is_empty() => paths(&task.search_path),
            _ => return None,
        })
    }
}
