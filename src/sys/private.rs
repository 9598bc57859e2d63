//! Private copies of what the controller sent, to be run or read by a program.

use super::cancel::Kept;
use super::{Error, Result, Sys};
use nix::sys::statvfs::{FsFlags, statvfs};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file that only the task's user can read, run or write; it is removed when the value is dropped.
#[derive(Debug)]
pub struct PrivateFile {
    path: PathBuf,
    _dir: tempfile::TempDir,
    // the keeper forgets it after it went
    _kept: Kept,
}

impl PrivateFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A directory that only the task's user can look into; it is removed with everything in it when this is dropped.
#[derive(Debug)]
pub struct PrivateDir {
    dir: tempfile::TempDir,
    _kept: Kept,
}

impl PrivateDir {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Puts a file into it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&self, name: &str, content: &[u8], mode: u32) -> Result<PathBuf> {
        let path = self.dir.path().join(name);
        std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .and_then(|mut file| file.write_all(content))
            .map_err(|source| Error::File {
                what: "cannot make the private file",
                path: path.clone(),
                source,
            })?;
        Ok(path)
    }
}

/// A pipe with a name; what was written to it is gone when this is dropped.
#[derive(Debug)]
pub struct PrivatePipe {
    _end: std::fs::File,
}

impl PrivateDir {
    /// Puts a pipe into it that holds a few kilobytes: they can be read once, and are on no disk.
    ///
    /// # Errors
    /// When it cannot be made, or does not hold all of it.
    pub fn pipe(&self, name: &str, content: &[u8]) -> Result<(PathBuf, PrivatePipe)> {
        let path = self.dir.path().join(name);
        let failed = |source| Error::File {
            what: "cannot make the private pipe",
            path: path.clone(),
            source,
        };
        let mode = nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR;
        nix::unistd::mkfifo(&path, mode).map_err(|number| failed(number.into()))?;
        let mut end = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(&path)
            .map_err(failed)?;
        end.write_all(content).map_err(failed)?;
        Ok((path, PrivatePipe { _end: end }))
    }
}

impl Sys {
    /// A private directory for the time of a task.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn private_dir(&self) -> Result<PrivateDir> {
        let dir = self.scratch()?;
        let kept = self.cancel.keep(dir.path());
        Ok(PrivateDir { dir, _kept: kept })
    }

    /// An executable copy of a content (see [`Sys::blob`]) under that name, in a private directory on a file
    /// system that lets programs run.
    ///
    /// # Errors
    /// When there is no place for it, or the content cannot be read.
    pub fn private_copy(&self, content: &Path, name: &str) -> Result<PrivateFile> {
        let home = self.me()?.home;
        let places = [Path::new("/tmp"), Path::new("/var/tmp"), &home];
        let place = places
            .iter()
            .map(|place| self.real_path(place))
            .find(|place| statvfs(place).is_ok_and(|fs| !fs.flags().contains(FsFlags::ST_NOEXEC)))
            .ok_or_else(|| {
                Error::Other(
                    "there is no directory to run a program from: /tmp, /var/tmp and the home directory are \
                     missing or mounted with noexec"
                        .into(),
                )
            })?;
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| Error::File {
                what: "cannot make the private file",
                path,
                source,
            }
        };
        let dir = tempfile::Builder::new()
            .prefix("runbook-")
            .permissions(std::fs::Permissions::from_mode(0o700))
            .tempdir_in(&place)
            .map_err(failed(&place))?;
        let kept = self.cancel.keep(dir.path());
        let name = Path::new(name)
            .file_name()
            .unwrap_or(std::ffi::OsStr::new("file"));
        let path = dir.path().join(name);
        std::fs::copy(content, &path).map_err(failed(&path))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
            .map_err(failed(&path))?;
        Ok(PrivateFile {
            path,
            _dir: dir,
            _kept: kept,
        })
    }
}
