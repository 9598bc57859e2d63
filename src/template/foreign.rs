//! Plugins in Python that lie beside a playbook or in a role: runbook does not run them, and says so by name when
//! one is used.
//!
//! Source: Ansible's documentation, "Adding modules and plugins locally".

use super::Templar;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Directories that may have directories of plugins (`filter_plugins`, …): those of playbooks and roles.
#[derive(Clone, Debug, Default)]
pub struct PluginPlaces(Arc<Mutex<Vec<PathBuf>>>);

impl Templar {
    /// Where plugins in Python may lie that templates name.
    pub fn plugins(&self) -> &PluginPlaces {
        &self.options().plugins
    }
}

impl PluginPlaces {
    /// Adds a directory at the end, unless it is there.
    pub fn add(&self, dir: PathBuf) {
        let mut dirs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !dirs.contains(&dir) {
            dirs.push(dir);
        }
    }

    /// The directories, in the order in which they were added.
    pub fn all(&self) -> Vec<PathBuf> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// What to say of a plugin that is there and written in Python; `kind` is `filter`, `lookup`, `strategy`, …
    pub fn unsupported(&self, kind: &str, name: &str) -> Option<String> {
        let (place, line) = self.find(kind, name)?;
        let here = std::env::current_dir().ok();
        let shown = here
            .and_then(|here| place.strip_prefix(here).map(Path::to_path_buf).ok())
            .unwrap_or(place);
        let line = line.map(|line| format!(":{line}")).unwrap_or_default();
        Some(format!(
            "`{name}` is a Python {kind} plugin ({}{line}), which runbook does not run",
            shown.display()
        ))
    }

    fn find(&self, kind: &str, name: &str) -> Option<(PathBuf, Option<usize>)> {
        let parts: Vec<&str> = name.split('.').collect();
        let (below, short) = if let [space, collection, short] = parts.as_slice() {
            let roots = Path::new("collections/ansible_collections");
            let own = roots.join(space).join(collection).join("plugins");
            (own.join(kind), *short)
        } else {
            (PathBuf::from(format!("{kind}_plugins")), name)
        };
        let dirs = self.all().into_iter().map(|base| base.join(&below));
        // one file may hold many filters or tests; other plugins have a file each
        let many = matches!(kind, "filter" | "test");
        for dir in dirs {
            let own = dir.join(format!("{short}.py"));
            if own.is_file() {
                let line = many.then(|| line_of(&own, short)).flatten();
                return Some((own, line));
            }
            if !many {
                continue;
            }
            let mut files: Vec<PathBuf> = std::fs::read_dir(&dir)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path())
                .filter(|path| path.extension().is_some_and(|ext| ext == "py"))
                .collect();
            files.sort();
            for file in files {
                if let Some(line) = line_of(&file, short) {
                    return Some((file, Some(line)));
                }
            }
        }
        None
    }
}

/// The line on which the name stands as a string.
fn line_of(path: &Path, name: &str) -> Option<usize> {
    let text = std::fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    let words = [format!("'{name}'"), format!("\"{name}\"")];
    let named = |line: &str| words.iter().any(|word| line.contains(word.as_str()));
    text.lines().position(named).map(|line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_found_by_what_they_are_called() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "filter_plugins/mine.py",
            "class FilterModule:\n    x = {'shout': 1}\n",
        );
        write("lookup_plugins/secret.py", "");
        write(
            "collections/ansible_collections/a/b/plugins/test/t.py",
            "{\n\"odd\": 1}\n",
        );
        let places = PluginPlaces::default();
        places.add(dir.path().to_owned());
        let said = |kind, name| places.unsupported(kind, name);
        let shout = said("filter", "shout").expect("a filter");
        assert!(
            shout.starts_with("`shout` is a Python filter plugin ("),
            "{shout}"
        );
        assert!(shout.contains("filter_plugins/mine.py:2)"), "{shout}");
        assert!(said("lookup", "secret").is_some());
        assert!(said("test", "a.b.odd").expect("a test").contains("t.py:2"));
        assert_eq!(said("filter", "whisper"), None);
        assert_eq!(said("lookup", "shout"), None);
    }
}
