//! Contents on their way: from the controller, and into private files that a validator looks at.

use super::{Error, Result, Sys};
use std::fs;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// A private copy of a content in a directory of its own; both vanish when this is dropped.
#[derive(Debug)]
pub struct ScratchFile {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

impl ScratchFile {
    /// Where it lies on the real file system, as a command sees it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Sys {
    /// The controller's content of that SHA-256, open for reading.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn open_blob(&self, sha256: &str) -> Result<fs::File> {
        let path = self.blob(sha256)?;
        fs::File::open(&path).map_err(|source| Error::File {
            what: "cannot open the content sent along,",
            path,
            source,
        })
    }

    /// Writes a content to a private file named `name`, e.g. for a validator. It is no part of the machine's state,
    /// so it is allowed while planning.
    ///
    /// # Errors
    /// When there is no place for it or the content cannot be read.
    pub fn scratch_file(&self, name: &str, content: &mut dyn io::Read) -> Result<ScratchFile> {
        let dir = self.scratch()?;
        let name = name
            .rsplit('/')
            .next()
            .filter(|n| !n.is_empty() && *n != "..");
        let path = dir.path().join(name.unwrap_or("content"));
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| io::copy(content, &mut file).map(drop))
            .map_err(|source| Error::File {
                what: "cannot write",
                path: path.clone(),
                source,
            })?;
        Ok(ScratchFile { _dir: dir, path })
    }

    /// Up to `limit` bytes of a file's content and whether that is all of it; `None` if there is no such file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read_up_to(&self, path: &Path, limit: u64) -> Result<Option<(Vec<u8>, bool)>> {
        use io::Read;
        if self.stat(path, true)?.is_none() {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        self.open(path)?
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|source| Error::File {
                what: "cannot read",
                path: path.to_owned(),
                source,
            })?;
        let whole = bytes.len() as u64 <= limit;
        bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(Some((bytes, whole)))
    }

    /// The file mode creation mask that new files get.
    pub fn umask(&self) -> u32 {
        // the only way to ask without setting it for a moment
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        status
            .lines()
            .find_map(|line| line.strip_prefix("Umask:"))
            .and_then(|mask| u32::from_str_radix(mask.trim(), 8).ok())
            .unwrap_or(0o022)
    }

    /// Seconds since 1970.
    pub fn now(&self) -> f64 {
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    }

    /// Removes a directory if it is empty.
    ///
    /// # Errors
    /// When it is not empty, or it is not allowed.
    pub fn remove_empty_dir(&mut self, path: &Path) -> Result<()> {
        fs::remove_dir(self.real_path(path)).map_err(|source| Error::File {
            what: "cannot remove the directory",
            path: path.to_owned(),
            source,
        })
    }

    /// Makes a file or directory with a name that nobody else has, open to its owner alone; it stays.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_temporary(
        &mut self,
        directory: &Path,
        prefix: &str,
        suffix: &str,
        is_directory: bool,
    ) -> Result<PathBuf> {
        let failed = |source| Error::File {
            what: "cannot make a temporary file in",
            path: directory.to_owned(),
            source,
        };
        let real = self.real_path(directory);
        let mut builder = tempfile::Builder::new();
        builder.prefix(prefix).suffix(suffix).rand_bytes(8);
        let made = if is_directory {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            builder
                .permissions(mode)
                .tempdir_in(real)
                .map(tempfile::TempDir::keep)
                .map_err(failed)?
        } else {
            let file = builder.tempfile_in(real).map_err(failed)?;
            file.keep().map_err(|e| failed(e.error))?.1
        };
        Ok(directory.join(made.file_name().unwrap_or_default()))
    }

    /// A nameless file for what does not fit into memory; it vanishes when it is closed.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn nameless_file(&self) -> Result<fs::File> {
        let dir = self.real_path(Path::new("/tmp"));
        tempfile::tempfile_in(&dir).map_err(|source| Error::File {
            what: "cannot make a temporary file in",
            path: dir,
            source,
        })
    }

    /// The id of the user of exactly that name (an empty name is nobody's).
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn account_named(&self, name: &str) -> Result<Option<u32>> {
        let accounts = self.accounts()?;
        Ok(accounts.iter().find(|a| a.name == name).map(|a| a.uid))
    }

    /// The id of the group of exactly that name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn group_named(&self, name: &str) -> Result<Option<u32>> {
        let groups = self.groups()?;
        Ok(groups.iter().find(|g| g.name == name).map(|g| g.gid))
    }

    /// Another handle that only looks, for reading one thing while another is changed.
    #[must_use]
    pub fn reader(&self) -> Self {
        Self {
            root: self.root.clone(),
            environment: self.environment.clone(),
            runner: std::sync::Arc::clone(&self.runner),
            blobs: std::sync::Arc::clone(&self.blobs),
            cancel: std::sync::Arc::clone(&self.cancel),
        }
    }

    /// Puts a new file in the place of a symbolic link, atomically; what the link points to stays as it is.
    ///
    /// # Errors
    /// When it cannot be written; the link is then as it was.
    pub fn write_over_link(
        &mut self,
        path: &Path,
        content: &mut dyn io::Read,
        options: &super::WriteOptions,
    ) -> Result<()> {
        // beside the link and then over it: writing to the link itself would go through it
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".runbook-{}", std::process::id()));
        let beside = PathBuf::from(name);
        let written = self
            .write_from(&beside, content, options)
            .and_then(|()| self.rename(&beside, path));
        if written.is_err() {
            let _ = self.remove_file(&beside);
        }
        written
    }
}
