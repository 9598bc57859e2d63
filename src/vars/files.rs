//! `group_vars/` and `host_vars/`, and files of variables in general.

use super::lock::hold;
use super::{Layer, Level};
use crate::diag::Diagnostic;
use crate::inventory::read_document;
use crate::value::{Map, Value};
use crate::vault::Vault;
use crate::yaml::Kind;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// Endings of files of variables; a file without one counts too.
const ENDINGS: [&str; 3] = ["yml", "yaml", "json"];

/// Reads a file of variables (YAML or JSON, possibly encrypted). An empty file has none. The second part are
/// warnings, such as of duplicate keys.
///
/// # Errors
/// If the file cannot be read, decrypted or parsed, or is not a mapping.
pub fn load_vars_file(path: &Path, vault: &Vault) -> Result<(Map, Vec<Diagnostic>), Diagnostic> {
    load(path, vault, false)
}

/// The same of a file that may also hold a list of mappings, of which the later go before the earlier (`vars_files`).
///
/// # Errors
/// As [`load_vars_file`].
pub fn load_vars_list(path: &Path, vault: &Vault) -> Result<(Map, Vec<Diagnostic>), Diagnostic> {
    load(path, vault, true)
}

fn load(path: &Path, vault: &Vault, lists: bool) -> Result<(Map, Vec<Diagnostic>), Diagnostic> {
    let document = read_document(path, vault)?;
    match (document.node.to_value(), &document.node.kind) {
        (Value::Map(map), _) => Ok((Arc::unwrap_or_clone(map), document.warnings)),
        (_, Kind::Null) => Ok((Map::new(), document.warnings)),
        (Value::List(items), _) if lists && items.iter().all(|item| item.as_map().is_some()) => {
            let mut all = Map::new();
            for (key, value) in items.iter().filter_map(Value::as_map).flatten() {
                all.insert(key.clone(), value.clone());
            }
            Ok((all, document.warnings))
        }
        _ => Err(Diagnostic::error(
            "vars::not-a-mapping",
            format!(
                "a file of variables must be a mapping, this is {}",
                document.node.describe()
            ),
        )
        .at(&document.node.span)),
    }
}

/// The files that hold the variables called `name` in a directory: `name` (a file or a tree of files), or else
/// `name.yml`, `name.yaml`, `name.json`; the first that exists. A tree is walked in the order of names, without
/// hidden files, backups (`~`) and other endings.
pub fn find_vars_files(directory: &Path, name: &str) -> Vec<PathBuf> {
    let candidates = std::iter::once(name.to_owned())
        .chain(ENDINGS.iter().map(|ending| format!("{name}.{ending}")));
    for candidate in candidates {
        let path = directory.join(candidate);
        if path.is_dir() {
            let mut found = Vec::new();
            walk(&path, 0, &mut found);
            return found;
        }
        if path.exists() {
            return vec![path];
        }
    }
    Vec::new()
}

fn walk(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    // a link loop ends here
    if depth > 40 {
        return;
    }
    let mut names: Vec<OsString> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name())
        .collect();
    names.sort();
    for name in names {
        let path = directory.join(&name);
        let text = name.to_string_lossy();
        if text.starts_with('.') || text.ends_with('~') {
            continue;
        }
        let ending = path.extension().and_then(|ending| ending.to_str());
        if path.is_dir() {
            if ending.is_none() {
                walk(&path, depth + 1, found);
            }
        } else if path.is_file() && ending.is_none_or(|ending| ENDINGS.contains(&ending)) {
            found.push(path);
        }
    }
}

/// Reads the files beside inventories and playbooks, each once.
#[derive(Default)]
pub(super) struct VarFiles {
    vault: Arc<Vault>,
    /// What is in each `group_vars` or `host_vars` directory that was looked at.
    directories: Mutex<HashMap<PathBuf, Arc<HashSet<OsString>>>>,
    loaded: Mutex<HashMap<PathBuf, Arc<Map>>>,
    warnings: Mutex<Vec<Diagnostic>>,
}

impl VarFiles {
    pub(super) fn vault(&self) -> &Arc<Vault> {
        &self.vault
    }

    pub(super) fn new(vault: Arc<Vault>) -> Self {
        Self {
            vault,
            ..Self::default()
        }
    }

    /// The variables of a group or host in `directory` (which is `…/group_vars` or `…/host_vars`).
    pub(super) fn layers(
        &self,
        directory: &Path,
        name: &str,
        level: Level,
        out: &mut Vec<Layer>,
    ) -> Result<(), Diagnostic> {
        if name.contains('/') || !self.may_have(directory, name) {
            return Ok(());
        }
        for path in find_vars_files(directory, name) {
            let known = hold(&self.loaded).get(&path).cloned();
            let vars = if let Some(vars) = known {
                vars
            } else {
                let (vars, warnings) = load_vars_file(&path, &self.vault)?;
                let vars = Arc::new(vars);
                hold(&self.warnings).extend(warnings);
                hold(&self.loaded).insert(path.clone(), Arc::clone(&vars));
                vars
            };
            if !vars.is_empty() {
                out.push(Layer::new(level, path.display().to_string(), vars));
            }
        }
        Ok(())
    }

    /// Whether the directory has an entry for that name: thousands of hosts must not mean thousands of stats.
    fn may_have(&self, directory: &Path, name: &str) -> bool {
        let known = hold(&self.directories).get(directory).cloned();
        let entries = known.unwrap_or_else(|| {
            let entries: HashSet<OsString> = std::fs::read_dir(directory)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.file_name())
                .collect();
            let entries = Arc::new(entries);
            hold(&self.directories).insert(directory.to_path_buf(), Arc::clone(&entries));
            entries
        });
        !entries.is_empty()
            && (entries.contains(std::ffi::OsStr::new(name))
                || ENDINGS.iter().any(|ending| {
                    entries.contains(std::ffi::OsStr::new(&format!("{name}.{ending}")))
                }))
    }

    /// Forgets what was read, so that changed files are read again.
    pub(super) fn forget(&self) {
        hold(&self.directories).clear();
        hold(&self.loaded).clear();
    }

    /// Warnings of files read since the last call.
    pub(super) fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut hold(&self.warnings))
    }
}
