//! Modules of the user's own: where they are looked for, and what was found.
//!
//! Source: Ansible's documentation, "Adding modules and plugins locally", "Using collections" and "Collection
//! structure".

use super::keywords::Keywords;
use super::{Loader, Result, Task};
use crate::diag::{Diagnostic, Span};
use crate::yaml::Node;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A module of the user's own, as a task names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomModule {
    /// Its name: short, or with its collection.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Whether it is an action plugin, which takes the module's place, written in Python.
    pub action_plugin: bool,
    /// Its collection (`ns.name`), if it is in one.
    pub collection: Option<String>,
    /// Directories of Python code that modules share, first ones win.
    pub module_utils: Vec<PathBuf>,
    /// Directories that hold collections (`…/ansible_collections`).
    pub collection_roots: Vec<PathBuf>,
}

/// What a name stands for.
pub(super) enum Found {
    /// A file.
    File(Box<CustomModule>),
    /// Another name, which the collection says to use instead.
    Other(String),
}

/// Files that are beside modules and are none.
const NO_MODULES: &[&str] = &[
    "pyc", "pyo", "swp", "bak", "rpm", "md", "txt", "rst", "yaml", "yml", "ini", "orig", "ps1",
];

/// How often a collection may point to another name.
const REDIRECTS: usize = 10;

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

/// The module's file in a directory, whatever it ends with.
fn in_dir(dir: &Path, name: &str) -> Option<PathBuf> {
    for ending in ["", ".py", ".sh"] {
        let path = dir.join(format!("{name}{ending}"));
        if path.is_file() {
            return Some(path);
        }
    }
    let mut others: Vec<PathBuf> = std::fs::read_dir(dir)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.file_stem().is_some_and(|stem| stem == name))
        .filter(|path| {
            let ending = path.extension().unwrap_or_default().to_string_lossy();
            !NO_MODULES.contains(&&*ending) && !ending.ends_with('~') && path.is_file()
        })
        .collect();
    others.sort();
    others.into_iter().next()
}

/// The directory and those below it, two deep.
fn with_subdirectories(dir: &Path) -> Vec<PathBuf> {
    let below = |dir: &Path| {
        let mut dirs: Vec<PathBuf> = std::fs::read_dir(dir)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        dirs.sort();
        dirs
    };
    let first = below(dir);
    let second = first.iter().flat_map(|dir| below(dir)).collect::<Vec<_>>();
    std::iter::once(dir.to_owned())
        .chain(first)
        .chain(second)
        .collect()
}

impl Loader {
    /// Remembers a directory that may have `library`, `module_utils` and plugins' directories: a playbook's or a role's.
    pub(super) fn remember_base(&self, dir: &Path) {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        self.options.bases.add(dir.components().collect());
    }

    /// Directories of playbooks and roles that were read, in order.
    pub fn bases(&self) -> Vec<PathBuf> {
        self.options.bases.all()
    }

    /// Directories that hold collections (`…/ansible_collections`), those beside playbooks first.
    pub fn collection_roots(&self) -> Vec<PathBuf> {
        let mut roots = Vec::new();
        for dir in self
            .playbook_dirs()
            .iter()
            .map(|dir| dir.join("collections"))
            .chain(self.options.collections_path.iter().cloned())
        {
            let root = if dir.ends_with("ansible_collections") {
                dir
            } else {
                dir.join("ansible_collections")
            };
            let root = std::path::absolute(&root).unwrap_or(root);
            if root.is_dir() && !roots.contains(&root) {
                roots.push(root);
            }
        }
        roots
    }

    /// The directory of a collection.
    pub(super) fn collection(&self, name: &str) -> Option<PathBuf> {
        let (space, short) = name.split_once('.')?;
        self.collection_roots()
            .into_iter()
            .map(|root| root.join(space).join(short))
            .find(|dir| dir.is_dir())
    }

    /// What a task's action stands for, if it is something of the user's own. `None` for everything else.
    pub(super) fn custom(
        &self,
        name: &str,
        near: &[&Path],
        keywords: &Keywords,
        at: &Span,
    ) -> Result<Option<Found>> {
        if let Some(short) = name.strip_prefix("ansible.legacy.") {
            return Ok(self.in_libraries(short, near));
        }
        if name.starts_with("ansible.builtin.") {
            return Ok(None);
        }
        if name.contains('.') {
            return self.in_collection(name, at);
        }
        for collection in keywords.collections.iter().flatten() {
            if matches!(collection.as_str(), "ansible.builtin" | "ansible.legacy") {
                break;
            }
            let full = format!("{collection}.{name}");
            if let Some(found) = self.in_collection(&full, at)? {
                return Ok(Some(found));
            }
            if self.vocabulary.is_built(&full) {
                return Ok(None);
            }
        }
        Ok(self.in_libraries(name, near))
    }

    /// Says what the task's action stands for, if it is something of the user's own.
    pub(super) fn settle_action(&self, task: &mut Task, near: &[&Path]) -> Result<()> {
        match self.custom(&task.action, near, &task.keywords, &task.action_span)? {
            Some(Found::File(custom)) => task.custom = Some(Arc::from(custom)),
            Some(Found::Other(name)) => task.action = name,
            None => {}
        }
        Ok(())
    }

    fn in_libraries(&self, name: &str, near: &[&Path]) -> Option<Found> {
        if !is_plain(name) || self.vocabulary.is_flow(name) {
            return None;
        }
        let mut bases = self.bases();
        for dir in near {
            let dir = std::path::absolute(dir).unwrap_or_else(|_| (*dir).to_owned());
            if !bases.contains(&dir) {
                bases.push(dir);
            }
        }
        let found = |path: PathBuf, action_plugin| {
            Some(Found::File(Box::new(CustomModule {
                name: name.to_owned(),
                path,
                action_plugin,
                collection: None,
                module_utils: self.module_utils(&bases),
                collection_roots: self.collection_roots(),
            })))
        };
        for base in &bases {
            let plugin = base.join("action_plugins").join(format!("{name}.py"));
            if plugin.is_file() {
                return found(plugin, true);
            }
        }
        // the controller's halves stay runbook's own
        if self.vocabulary.has_controller_half(name) {
            return None;
        }
        let first = bases
            .iter()
            .find_map(|base| in_dir(&base.join("library"), name));
        first
            .or_else(|| {
                let dirs = &self.options.library;
                dirs.iter()
                    .flat_map(|dir| with_subdirectories(dir))
                    .find_map(|dir| in_dir(&dir, name))
            })
            .and_then(|path| found(path, false))
    }

    fn module_utils(&self, bases: &[PathBuf]) -> Vec<PathBuf> {
        let configured = self.options.module_utils.iter().cloned();
        bases
            .iter()
            .map(|base| base.join("module_utils"))
            .chain(configured)
            .filter(|dir| dir.is_dir())
            .collect()
    }

    fn in_collection(&self, name: &str, at: &Span) -> Result<Option<Found>> {
        let mut full = name.to_owned();
        for _ in 0..REDIRECTS {
            let mut parts = full.splitn(3, '.');
            let (Some(space), Some(short), Some(module)) =
                (parts.next(), parts.next(), parts.next())
            else {
                return Ok(None);
            };
            if !module.split('.').all(is_plain) || self.vocabulary.is_built(&full) {
                return Ok((full != name).then_some(Found::Other(full)));
            }
            let collection = format!("{space}.{short}");
            let Some(dir) = self.collection(&collection) else {
                return Ok((full != name).then_some(Found::Other(full)));
            };
            if let Some(other) = self.routed(&dir, module, at)? {
                full = other;
                continue;
            }
            let below: PathBuf = module.split('.').collect();
            let file = |kind: &str| {
                let path = dir.join("plugins").join(kind).join(&below);
                let stem = path.file_name()?.to_string_lossy().into_owned();
                in_dir(path.parent()?, &stem)
            };
            let (path, action_plugin) = match (file("action"), file("modules")) {
                (Some(path), _) => (path, true),
                (None, Some(path)) => (path, false),
                (None, None) => return Ok((full != name).then_some(Found::Other(full))),
            };
            let bases = self.bases();
            return Ok(Some(Found::File(Box::new(CustomModule {
                name: full,
                path,
                action_plugin,
                collection: Some(collection),
                module_utils: self.module_utils(&bases),
                collection_roots: self.collection_roots(),
            }))));
        }
        Err(Diagnostic::error(
            "playbook::redirect",
            format!("`{name}` is redirected more than {REDIRECTS} times"),
        )
        .at(at)
        .into())
    }

    /// Where `meta/runtime.yml` of a collection says that a module went.
    fn routed(&self, dir: &Path, module: &str, at: &Span) -> Result<Option<String>> {
        let file = dir.join("meta/runtime.yml");
        if !file.is_file() {
            return Ok(None);
        }
        let node = self.file(&file)?;
        let entry = |kind: &str| {
            node.get("plugin_routing")
                .and_then(|node| node.get(kind))
                .and_then(|node| node.get(module))
        };
        for entry in [entry("action"), entry("modules")].into_iter().flatten() {
            let text = |key: &str, name: &str| {
                let node = entry.get(key).and_then(|node| node.get(name));
                node.map(|node| node.to_value().to_string())
            };
            if entry.get("tombstone").is_some() {
                let why = text("tombstone", "warning_text").unwrap_or_default();
                return Err(Diagnostic::error(
                    "playbook::removed-module",
                    format!("the module `{module}` was removed from its collection. {why}")
                        .trim()
                        .to_owned(),
                )
                .at(at)
                .into());
            }
            if let Some(why) = text("deprecation", "warning_text") {
                self.warn(
                    Diagnostic::warning(
                        "playbook::deprecated-module",
                        format!("`{module}`: {why}"),
                    )
                    .at(at),
                );
            }
            if let Some(other) = entry.get("redirect").and_then(Node::as_str) {
                return Ok(Some(other.to_owned()));
            }
        }
        Ok(None)
    }
}

/// The names of a `collections` keyword.
pub(super) fn collections_of(node: &Node) -> Vec<String> {
    let names = match node.as_seq() {
        Some(items) => items.iter().collect(),
        None if node.is_null() => Vec::new(),
        None => vec![node],
    };
    names
        .iter()
        .map(|node| node.to_value().to_string())
        .collect()
}
