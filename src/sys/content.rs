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
}
