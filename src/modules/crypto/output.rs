//! Files of keys and certificates: reading, and writing both or neither.

use crate::modules::files::attrs::{FileAttrs, Mode};
use crate::modules::{Failure, ModuleResult};
use crate::sys::{Sys, WriteOptions};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long another signer in the same directory is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(120);

/// A file that is to be written.
pub(super) struct Output<'a> {
    pub(super) path: &'a Path,
    pub(super) content: String,
    pub(super) options: WriteOptions,
}

/// The attributes with this mode where none is given.
pub(super) fn with_mode(attrs: &FileAttrs, mode: &str) -> FileAttrs {
    let mut attrs = attrs.clone();
    if attrs.mode.is_none() {
        attrs.mode = Mode::parse(mode).ok();
    }
    attrs
}

/// Options to write with: those of a new file, as mode and owner are always said.
pub(super) fn options(sys: &Sys, attrs: &FileAttrs, path: &Path) -> ModuleResult<WriteOptions> {
    attrs.write_options(sys, path)
}

/// Runs `work` while nobody else signs in that directory.
pub(super) fn locked<T>(
    sys: &mut Sys,
    path: &Path,
    work: impl FnOnce(&mut Sys) -> ModuleResult<T>,
) -> ModuleResult<T> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
    let lock = sys.lock_dir(dir.unwrap_or(Path::new(".")), LOCK_WAIT)?;
    let result = work(sys);
    drop(lock);
    result
}

/// Writes all files or none: what was written is put back if a later one fails.
pub(super) fn write_all(
    sys: &mut Sys,
    outputs: &[Output<'_>],
    backup: bool,
    returns: &mut Map,
) -> ModuleResult<()> {
    let mut backups: Vec<Value> = Vec::new();
    if backup {
        for output in outputs {
            if sys.exists(output.path) {
                let backup = sys.backup(output.path)?;
                backups.push(Value::data(backup.to_string_lossy().as_ref()));
            }
        }
    }
    let mut done: Vec<(&Path, Option<Vec<u8>>)> = Vec::new();
    for output in outputs {
        let old = sys.read(output.path)?;
        if let Err(error) = sys.write(output.path, output.content.as_bytes(), &output.options) {
            for (path, old) in done.into_iter().rev() {
                let _ = match old {
                    Some(old) => sys.write(path, &old, &WriteOptions::default()),
                    None => sys.remove_file(path),
                };
            }
            return Err(error.into());
        }
        done.push((output.path, old));
    }
    if !backups.is_empty() {
        returns.set("backup_files", backups);
    }
    Ok(())
}

/// Fails early where a file could not be written anyway.
pub(super) fn check_parent(sys: &Sys, path: &Path) -> ModuleResult<()> {
    let parent: PathBuf = path
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
        .into();
    if sys.stat(&parent, true)?.is_none() {
        return Err(Failure::new(format!(
            "the directory {} does not exist; make it first (file: state=directory)",
            parent.display()
        )));
    }
    Ok(())
}

/// A path as a return value.
pub(super) fn shown(path: &Path) -> Value {
    Value::data(path.to_string_lossy().as_ref())
}
