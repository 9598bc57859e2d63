//! Facts that outlive a run: a file for each host, in the form of Ansible's cache `jsonfile`, so that both programs can
//! share a directory.
//!
//! Source: Ansible's documentation, "Cache plugins" and the cache plugin `jsonfile`.

use crate::diag::Diagnostic;
use crate::value::{Map, Value};
use serde::Serialize;
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Says in a host's facts that they were gathered, and not only set. `gathering: smart` looks at it.
pub const GATHERED: &str = "_ansible_facts_gathered";

/// What stands for a text that is no template.
const UNSAFE: &str = "__ansible_unsafe";

/// A directory of facts.
#[derive(Clone, Debug)]
pub struct FactCache {
    dir: PathBuf,
    prefix: String,
    /// How long facts count; `None` for ever.
    timeout: Option<Duration>,
}

impl FactCache {
    /// The cache in a directory, which is made if it is not there. `timeout` is in seconds, 0 for no end.
    ///
    /// # Errors
    /// When there is no such directory and it cannot be made.
    pub fn open(dir: &Path, prefix: &str, timeout: u64) -> Result<Self, Diagnostic> {
        std::fs::create_dir_all(dir).map_err(|error| {
            Diagnostic::error(
                "facts::cache",
                format!(
                    "the directory of the fact cache {} cannot be made: {}",
                    dir.display(),
                    crate::diag::io_reason(&error)
                ),
            )
        })?;
        Ok(Self {
            dir: dir.to_owned(),
            prefix: prefix.to_owned(),
            timeout: (timeout > 0).then(|| Duration::from_secs(timeout)),
        })
    }

    /// The file of a host; `None` for names that would leave the directory.
    fn file(&self, host: &str) -> Option<PathBuf> {
        let name = format!("{}{host}", self.prefix);
        let plain = !host.is_empty() && !host.contains('/') && name != "." && name != "..";
        plain.then(|| self.dir.join(name))
    }

    /// The facts that are kept of a host and still count.
    ///
    /// # Errors
    /// When there is a file that cannot be read as facts.
    pub(super) fn load(&self, host: &str) -> Result<Option<Map>, Diagnostic> {
        let Some(path) = self.file(host) else {
            return Ok(None);
        };
        let unreadable = |why: String| {
            Diagnostic::warning(
                "facts::cache",
                format!(
                    "the cached facts of {host} are not used: {}: {why}",
                    path.display()
                ),
            )
        };
        let text = match self.read(&path) {
            Ok(Some(text)) => text,
            Ok(None) => return Ok(None),
            Err(error) => return Err(unreadable(crate::diag::io_reason(&error))),
        };
        match serde_json::from_slice::<serde_json::Value>(&text) {
            Ok(json) => match plain(Value::from_json(&json)) {
                Value::Map(facts) => Ok(Some(Arc::unwrap_or_clone(facts))),
                other => Err(unreadable(format!(
                    "they must be a mapping, this is a {}",
                    other.type_name()
                ))),
            },
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let about = match std::fs::metadata(path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if let Some(timeout) = self.timeout {
            let age = SystemTime::now().duration_since(about.modified()?);
            // a file from the future is as young as can be
            if age.is_ok_and(|age| age > timeout) {
                return Ok(None);
            }
        }
        std::fs::read(path).map(Some)
    }

    /// Keeps the facts of a host.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn keep(&self, host: &str, facts: &Map) -> Result<(), Diagnostic> {
        let Some(path) = self.file(host) else {
            return Ok(());
        };
        self.write(&path, facts).map_err(|error| {
            Diagnostic::warning(
                "facts::cache",
                format!(
                    "the facts of {host} are not kept: {}: {}",
                    path.display(),
                    crate::diag::io_reason(&error)
                ),
            )
        })
    }

    fn write(&self, path: &Path, facts: &Map) -> io::Result<()> {
        let mut json = Value::map(facts.clone()).to_json();
        json.sort_all_objects();
        let mut text = Vec::new();
        let form = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut writer = serde_json::Serializer::with_formatter(&mut text, form);
        json.serialize(&mut writer)?;
        let mut file = tempfile::Builder::new()
            .prefix(".runbook-")
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(&self.dir)?;
        file.write_all(&text)?;
        // whatever the umask: others may share the cache
        let permissions = Permissions::from_mode(0o644);
        file.as_file().set_permissions(permissions)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    /// Forgets a host.
    pub(super) fn forget(&self, host: &str) {
        if let Some(path) = self.file(host) {
            // what is not there needs no removing
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Texts that another program marked as no templates: none of them is one here.
fn plain(value: Value) -> Value {
    match value {
        Value::Map(map) => match map.get(UNSAFE) {
            Some(Value::Str(text)) if map.len() == 1 => Value::data(text.to_string()),
            _ => Value::map(
                map.iter()
                    .map(|(key, value)| (key.clone(), plain(value.clone())))
                    .collect(),
            ),
        },
        Value::List(items) => Value::list(items.iter().cloned().map(plain).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(dir: &Path, timeout: u64) -> FactCache {
        FactCache::open(dir, "p_", timeout).expect("opens")
    }

    #[test]
    fn facts_come_back_from_a_file_that_others_can_read() {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = cache(&dir.path().join("a/b"), 60);
        let facts = Map::new().with("ansible_b", "ä").with("a", 1);
        cache.keep("h1", &facts).expect("kept");
        let path = dir.path().join("a/b/p_h1");
        let text = std::fs::read_to_string(&path).expect("there");
        assert_eq!(text, "{\n    \"a\": 1,\n    \"ansible_b\": \"ä\"\n}");
        let mode = std::fs::metadata(&path)
            .expect("there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(cache.load("h1").expect("reads"), Some(facts));
        assert_eq!(cache.load("h2").expect("reads"), None);
        cache.forget("h1");
        assert_eq!(cache.load("h1").expect("reads"), None);
    }

    #[test]
    fn old_facts_do_not_count() {
        let dir = tempfile::tempdir().expect("a directory");
        cache(dir.path(), 60)
            .keep("h", &Map::new().with("a", 1))
            .expect("kept");
        let file = std::fs::File::options()
            .write(true)
            .open(dir.path().join("p_h"));
        let past = SystemTime::now() - Duration::from_secs(100);
        file.expect("opens").set_modified(past).expect("set");
        assert_eq!(cache(dir.path(), 60).load("h").expect("reads"), None);
        assert!(cache(dir.path(), 0).load("h").expect("reads").is_some());
        assert!(cache(dir.path(), 200).load("h").expect("reads").is_some());
    }

    #[test]
    fn what_is_no_facts_is_named_and_no_host_leaves_the_directory() {
        let outer = tempfile::tempdir().expect("a directory");
        let dir = outer.path().join("cache");
        std::fs::create_dir(&dir).expect("made");
        let cache = cache(&dir, 0);
        for text in ["{", "[1]"] {
            std::fs::write(dir.join("p_h"), text).expect("written");
            let problem = cache.load("h").expect_err("is no facts");
            assert!(problem.message.contains("p_h"), "{}", problem.message);
        }
        cache.keep("../x", &Map::new()).expect("nothing to do");
        assert!(!dir.join("../x").exists());
    }

    #[test]
    fn marked_texts_are_plain() {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = cache(dir.path(), 0);
        let text = r#"{"a": [{"__ansible_unsafe": "{{ x }}"}]}"#;
        std::fs::write(dir.path().join("p_h"), text).expect("written");
        let facts = cache.load("h").expect("reads").expect("there");
        let first = facts
            .get("a")
            .and_then(Value::as_list)
            .and_then(|l| l.first());
        assert_eq!(first, Some(&Value::data("{{ x }}")));
    }
}
