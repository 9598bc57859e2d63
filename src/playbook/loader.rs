//! Reading files into plays. One loader serves a run: it also reads what dynamic includes ask for.

use super::static_names::Statics;
use super::task::Surroundings;
use super::{Item, Keywords, Play, Result, Role, Task, malformed};
use crate::diag::{Diagnostic, Source, did_you_mean, io_reason};
use crate::value::{ArgProblem, ArgSpec, Map, Trust, Value, check_args};
use crate::vault::{Vault, is_encrypted};
use crate::yaml::{Kind, Node};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What actions there are.
pub trait Vocabulary: Send + Sync {
    /// Whether this name is a module or an action.
    fn is_action(&self, name: &str) -> bool;
    /// All names, for hints.
    fn action_names(&self) -> Vec<String>;
    /// The interface of an action, if it is checked before the run.
    fn spec(&self, name: &str) -> Option<ArgSpec>;
    /// Whether runbook itself has it, and does not only know its name.
    fn is_built(&self, name: &str) -> bool;
    /// Whether it changes the course of a play (`include_tasks`, `meta`): no module can take its place.
    fn is_flow(&self, name: &str) -> bool;
    /// Whether the controller has a part in it that no module of the user's can take over.
    fn has_controller_half(&self, name: &str) -> bool;
    /// The collection of what runbook itself has.
    fn collection(&self, name: &str) -> Option<&'static str>;
}

/// Expands templates in names of files and roles, with these variables and those of the command line.
pub type Render = Arc<dyn Fn(&str, &[Arc<Map>]) -> Result<String, String> + Send + Sync>;

/// Directories of playbooks and roles, which may hold modules and plugins.
pub trait Bases: Send + Sync {
    /// Adds one at the end, unless it is there.
    fn add(&self, dir: PathBuf);
    /// All, in the order in which they were added.
    fn all(&self) -> Vec<PathBuf>;
}

/// Where to look, and how to expand names.
#[derive(Clone)]
pub struct LoadOptions {
    /// Directories of roles, besides `roles/` beside the playbook.
    pub roles_path: Vec<PathBuf>,
    /// Directories that hold `ansible_collections`, for roles of collections.
    pub collections_path: Vec<PathBuf>,
    /// Directories of modules of the user's own, besides `library/` beside the playbook and in roles.
    pub library: Vec<PathBuf>,
    /// Directories of Python code that such modules share, besides `module_utils/` beside the playbook and in roles.
    pub module_utils: Vec<PathBuf>,
    /// Takes the directories of playbooks and roles that are read.
    pub bases: Arc<dyn Bases>,
    /// Whether arguments of modules are left for the run to judge, as Ansible does.
    pub arguments_later: bool,
    /// Expands templates in names.
    pub render: Render,
    /// Opens encrypted files.
    pub vault: Arc<Vault>,
    /// What a key that a mapping has twice is.
    pub duplicate_keys: DuplicateKeys,
}

/// What a key that a mapping has twice is (`duplicate_dict_key`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// An error.
    Error,
    /// A warning.
    #[default]
    Warn,
    /// Nothing to speak of.
    Ignore,
}

/// How deep includes may bring includes while a play runs.
const INCLUDE_DEPTH: usize = 200;

/// Reads playbooks, roles and task files.
pub struct Loader {
    pub(super) vocabulary: Arc<dyn Vocabulary>,
    pub(super) options: LoadOptions,
    ids: AtomicU64,
    warnings: Mutex<Vec<Diagnostic>>,
    files: Mutex<HashMap<PathBuf, Arc<Node>>>,
    imported: Mutex<Imported>,
    playbook_dirs: Mutex<Vec<PathBuf>>,
    /// Groups of actions, by their names in full.
    pub(super) groups: Mutex<HashMap<String, Arc<HashSet<String>>>>,
    /// Variables of the play that is read or run.
    pub(super) statics: Mutex<Statics>,
}

/// What imported roles add to the play that is being read.
#[derive(Default)]
pub(super) struct Imported {
    pub handlers: Vec<Item>,
    pub roles: Vec<Arc<Role>>,
}

impl Loader {
    /// A loader for one run.
    pub fn new(vocabulary: Arc<dyn Vocabulary>, options: LoadOptions) -> Self {
        Self {
            vocabulary,
            options,
            ids: AtomicU64::new(1),
            warnings: Mutex::default(),
            files: Mutex::default(),
            imported: Mutex::default(),
            playbook_dirs: Mutex::default(),
            groups: Mutex::default(),
            statics: Mutex::default(),
        }
    }

    /// The directories of the playbooks that were read.
    pub(super) fn playbook_dirs(&self) -> Vec<PathBuf> {
        self.playbook_dirs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn remember_playbook(&self, path: &Path) {
        let dir = path.parent().map(Path::to_path_buf).unwrap_or_default();
        self.remember_base(&dir);
        let mut dirs = self
            .playbook_dirs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }

    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Warnings since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn warn(&self, warning: Diagnostic) {
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(warning);
    }

    pub(super) fn add_imported(&self, handlers: Vec<Item>, roles: Vec<Arc<Role>>) {
        let mut imported = self.imported.lock().unwrap_or_else(PoisonError::into_inner);
        imported.handlers.extend(handlers);
        imported.roles.extend(roles);
    }

    /// Handlers and roles that imports (of roles, in tasks read since the last call) brought.
    pub fn take_imported(&self) -> (Vec<Item>, Vec<Arc<Role>>) {
        let mut imported = self.imported.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::take(&mut *imported);
        (taken.handlers, taken.roles)
    }

    /// A YAML file, read once per run.
    ///
    /// # Errors
    /// When it cannot be read or is not YAML.
    pub fn file(&self, path: &Path) -> Result<Arc<Node>> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = files.get(path) {
            return Ok(Arc::clone(node));
        }
        let text = std::fs::read(path).map_err(|e| {
            Diagnostic::error(
                "playbook::file",
                format!("cannot read {}: {}", path.display(), io_reason(&e)),
            )
        })?;
        let source = if is_encrypted(&text) {
            let plain = self.options.vault.decrypt_file(shown(path), &text)?;
            Source::hidden(shown(path), crate::vault::text_of(shown(path), plain)?)
        } else {
            let text = String::from_utf8(text).map_err(|_| {
                Diagnostic::error(
                    "playbook::encoding",
                    format!("{} is not UTF-8 text", path.display()),
                )
            })?;
            Source::new(shown(path), text)
        };
        let document = crate::yaml::parse(&source)?;
        for mut warning in document.warnings {
            match self.options.duplicate_keys {
                _ if warning.code != "yaml::duplicate-key" => self.warn(warning),
                DuplicateKeys::Warn => self.warn(warning),
                DuplicateKeys::Ignore => {}
                DuplicateKeys::Error => {
                    warning.severity = crate::diag::Severity::Error;
                    return Err(warning.into());
                }
            }
        }
        let node = Arc::new(document.node);
        files.insert(path.to_owned(), Arc::clone(&node));
        Ok(node)
    }

    /// Expands a text with the extra variables only.
    ///
    /// # Errors
    /// When it needs more than those.
    pub fn expand(&self, text: &str) -> Result<String, String> {
        if text.contains("{{") {
            (self.options.render)(text, &[])
        } else {
            Ok(text.to_owned())
        }
    }

    /// Checks a task's arguments against the module's interface, as far as they are known before the run.
    pub(super) fn check_arguments(&self, task: &Task) -> Result<()> {
        if task.custom.is_some()
            || self.judged_later(task)
            || task.args.more.is_some()
            || !task.keywords.module_defaults.is_empty()
        {
            return Ok(());
        }
        let Some(spec) = self.vocabulary.spec(&task.action) else {
            return Ok(());
        };
        let values: Vec<(String, Option<Value>)> = task
            .args
            .members
            .iter()
            .map(|entry| {
                let value = entry.value.to_value();
                (
                    entry.key.to_value().to_string(),
                    // nothing is refused only where it is used: the task may be skipped
                    (!has_template(&value) && !value.is_null()).then_some(value),
                )
            })
            .filter(|(name, _)| {
                !(name == "_raw_params" && spec.free_form.is_some()) && name != "warn"
            })
            .collect();
        let free = task
            .args
            .get("_raw_params")
            .is_some()
            .then_some(spec.free_form)
            .flatten();
        let mut args: Vec<(&str, Option<&Value>)> = values
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_ref()))
            .collect();
        if let Some(name) = free
            && !name.starts_with('_')
        {
            args.push((name, None));
        }
        let problems = check_args(&spec, &args);
        let problem = problems.into_iter().find(|problem| match problem {
            ArgProblem::Missing { name } => Some(*name) != free,
            ArgProblem::Rule { .. } => free.is_none(),
            _ => true,
        });
        match problem {
            Some(problem) => Err(argument_error(task, &problem)),
            None => Ok(()),
        }
    }

    /// Whether the module itself refuses this task's arguments, when it runs.
    fn judged_later(&self, task: &Task) -> bool {
        self.options.arguments_later
            && !matches!(
                task.short_action(),
                "meta" | "include_tasks" | "include_role" | "import_tasks" | "import_role"
            )
    }

    /// Checks a task's arguments once they are rendered: what the machine would refuse is refused here, with its place.
    ///
    /// # Errors
    /// The first argument that is wrong.
    pub fn check_rendered(&self, task: &Task, args: &Map) -> Result<()> {
        let spec = self.vocabulary.spec(&task.action);
        let Some(spec) = spec.filter(|_| task.custom.is_none() && !self.judged_later(task)) else {
            return Ok(());
        };
        let args: Vec<(&str, Option<&Value>)> = args
            .str_iter()
            .map(|(name, value)| (name, Some(value)))
            .collect();
        let problem = check_args(&spec, &args).into_iter().find(|problem| {
            // whether something is missing is known before the run, or is the module's business
            matches!(problem, ArgProblem::Type { .. })
        });
        match problem {
            Some(problem) => Err(argument_error(task, &problem)),
            None => Ok(()),
        }
    }

    /// Task files that were included at run time: their tasks inherit these keywords.
    ///
    /// # Errors
    /// When the file cannot be read or is not a task list.
    pub fn include_tasks(
        &self,
        path: &Path,
        name: &str,
        keywords: Keywords,
        by: &Task,
    ) -> Result<Vec<Item>> {
        if by.depth >= INCLUDE_DEPTH {
            return Err(Diagnostic::error(
                "playbook::include-loop",
                format!("includes are nested more than {INCLUDE_DEPTH} deep"),
            )
            .at(&by.span)
            .label("the innermost one")
            .hint("an include that includes itself needs a `when` that becomes false")
            .into());
        }
        let node = self.file(path)?;
        self.items(
            &node,
            &Surroundings {
                keywords,
                role: by.role.clone(),
                handlers: by.handler,
                stack: vec![path.to_owned()],
                notify: by
                    .args
                    .get("apply")
                    .and_then(|apply| apply.get("notify"))
                    .map(super::task::list)
                    .unwrap_or_default(),
                depth: by.depth + 1,
                trail: Arc::new(by.trail.through(name)),
            },
        )
        .map_err(malformed::in_file)
    }

    /// The plays of a playbook, imported ones in their places.
    ///
    /// # Errors
    /// The first thing that is wrong in it.
    pub fn playbook(&self, path: &Path) -> Result<Vec<Play>> {
        self.plays(path, &Keywords::default(), &mut Vec::new(), None)
    }
}

impl Loader {
    /// The plays of a text that is in no file; names in it are relative to `path`.
    ///
    /// # Errors
    /// The first thing that is wrong in it.
    pub fn playbook_text(&self, source: &Arc<Source>, path: &Path) -> Result<Vec<Play>> {
        let document = crate::yaml::parse(source)?;
        self.plays_of(&document.node, path, &Keywords::default(), &mut Vec::new())
    }
}

fn argument_error(task: &Task, problem: &ArgProblem) -> Box<Diagnostic> {
    let place = |name: &str| {
        task.args
            .members
            .iter()
            .find(|entry| entry.key.as_str() == Some(name))
    };
    let action = task.short_action();
    let error = |text: String| Diagnostic::error("playbook::argument", text);
    let diagnostic = match problem {
        ArgProblem::Unknown { name, known } => {
            let span = place(name).map_or(&task.action_span, |entry| &entry.key.span);
            let hint = if name == "_raw_params" {
                Some(format!(
                    "`{action}` takes no free form; write `name: value` lines under it"
                ))
            } else {
                did_you_mean(name, known.iter().copied())
                    .or_else(|| Some(format!("`runbook doc {action}` lists its arguments")))
            };
            error(format!("`{action}` has no argument `{name}`"))
                .at(span)
                .maybe_hint(hint)
        }
        ArgProblem::Type { name, message, .. } => {
            let span = place(name).map_or(&task.action_span, |entry| &entry.value.span);
            // the types of words bring their own hint
            let (message, hint) = match message
                .strip_suffix(')')
                .and_then(|m| m.split_once(" (did"))
            {
                Some((message, hint)) => (message, Some(format!("did{hint}"))),
                None => (message.as_str(), None),
            };
            error(format!("`{action}`: argument `{name}`: {message}"))
                .at(span)
                .maybe_hint(hint)
        }
        ArgProblem::Missing { name } => error(format!("`{action}` needs the argument `{name}`"))
            .at(&task.action_span)
            .hint(format!("`runbook doc {action}` lists its arguments")),
        ArgProblem::Rule { message } => {
            error(format!("`{action}`: {message}")).at(&task.action_span)
        }
    };
    diagnostic.into()
}

fn has_template(value: &Value) -> bool {
    match value {
        Value::Str(text) => {
            text.trust() == Trust::Vault || text.contains("{{") || text.contains("{%")
        }
        Value::List(items) => items.iter().any(has_template),
        Value::Map(map) => map.iter().any(|(k, v)| has_template(k) || has_template(v)),
        _ => false,
    }
}

/// The path as messages show it: relative to the current directory where it lies below it.
pub fn shown(path: &Path) -> PathBuf {
    let below = std::env::current_dir()
        .ok()
        .and_then(|cwd| path.strip_prefix(cwd).map(Path::to_path_buf).ok());
    match below {
        Some(below) if below.as_os_str().is_empty() => PathBuf::from("."),
        Some(below) => below,
        None => path.to_owned(),
    }
}

/// "looked in …", each directory once.
pub(super) fn looked_in<'a>(dirs: impl IntoIterator<Item = &'a PathBuf>) -> String {
    let mut all: Vec<String> = Vec::new();
    for dir in dirs {
        let dir = match shown(dir) {
            dir if dir.as_os_str().is_empty() => ".".to_owned(),
            dir => dir.display().to_string(),
        };
        if !all.contains(&dir) {
            all.push(dir);
        }
    }
    format!("looked in {}", all.join(", "))
}

/// The first of a file's usual forms that exists: `main`, `main.yml`, `main.yaml`, `main.json`.
pub(super) fn find_main(dir: &Path, stem: &str) -> Option<PathBuf> {
    [".yml", ".yaml", ".json", ""]
        .iter()
        .map(|ext| dir.join(format!("{stem}{ext}")))
        .find(|path| path.is_file())
}

impl Loader {
    /// A role's variables: `defaults/main` or `vars/main`, a file or a directory of files.
    pub(super) fn role_vars(&self, dir: &Path, stem: &str, required: bool) -> Result<Arc<Map>> {
        let mut files = Vec::new();
        let as_dir = dir.join(stem);
        if as_dir.is_dir() {
            for entry in walkdir::WalkDir::new(&as_dir)
                .sort_by_file_name()
                .into_iter()
                .flatten()
            {
                let name = entry.file_name().to_string_lossy().into_owned();
                let hidden = name.starts_with('.') || name.ends_with('~');
                let known = ["yml", "yaml", "json"]
                    .iter()
                    .any(|ext| entry.path().extension().is_some_and(|e| e == *ext))
                    || entry.path().extension().is_none();
                if entry.file_type().is_file() && !hidden && known {
                    files.push(entry.into_path());
                }
            }
        } else if let Some(path) = find_main(dir, stem.trim_end_matches(".yml")) {
            files.push(path);
        } else if required {
            return Err(Diagnostic::error(
                "playbook::role-file",
                format!("there is no `{stem}` in {}", shown(dir).display()),
            )
            .into());
        }
        let mut all = Map::new();
        for file in files {
            let node = self.file(&file)?;
            match &node.kind {
                Kind::Null => {}
                Kind::Map(_) => {
                    if let Value::Map(map) = node.to_value() {
                        for (key, value) in map.iter() {
                            all.insert(key.clone(), value.clone());
                        }
                    }
                }
                _ => {
                    return Err(Diagnostic::error(
                        "playbook::vars-not-a-mapping",
                        format!(
                            "a file of variables must be a mapping, this is {}",
                            node.describe()
                        ),
                    )
                    .at(&node.span)
                    .into());
                }
            }
        }
        Ok(Arc::new(all))
    }
}
