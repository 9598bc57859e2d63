//! Changing files. A file's content is always replaced whole: a temporary file beside it, fsync, rename.

use super::{Error, Result, Sys};
use std::fs;
use std::io::{self, Read as _, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, chown, lchown, symlink};
use std::path::{Path, PathBuf};

/// Bytes that are written before looking whether the task was stopped.
const WRITE_PIECE: u64 = 4 << 20;

/// Tries to get a later time; the clock that files get their times from moves on every ten milliseconds at most.
const LATER_TRIES: usize = 30;

/// How a file is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteOptions {
    /// Permission bits of the new file. Without it: those of the file it replaces, else `0o666` less the umask.
    pub mode: Option<u32>,
    /// Owner's id; without it that of the file it replaces.
    pub uid: Option<u32>,
    /// Group's id; without it that of the file it replaces.
    pub gid: Option<u32>,
    /// Write in place if the file cannot be replaced (a bind-mounted file): not atomic.
    pub unsafe_writes: bool,
    /// Leave it to the caller to make many files durable at once, with [`Sys::sync_file_system`].
    pub synced_later: bool,
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::File { what, path, source }
}

/// The permission bits that a new file gets when nothing is said.
fn default_mode() -> u32 {
    let mask = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    nix::sys::stat::umask(mask);
    0o666 & !mask.bits()
}

/// The time of what replaces another file is made a later one where both were written within one tick of the clock of
/// file times: who compares times (make, a watcher) would not see the change.
fn set_later(file: &fs::File, old: &fs::Metadata) -> io::Result<()> {
    use nix::sys::{stat::futimens, time::TimeSpec};
    for _ in 0..LATER_TRIES {
        if file.metadata()?.modified()? != old.modified()? {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
        futimens(file, &TimeSpec::UTIME_NOW, &TimeSpec::UTIME_NOW)?;
    }
    Ok(())
}

impl Sys {
    /// Replaces or makes a file.
    ///
    /// # Errors
    /// When it cannot be written; the old file is then as it was.
    pub fn write(&mut self, path: &Path, bytes: &[u8], options: &WriteOptions) -> Result<()> {
        self.write_from(path, &mut &*bytes, options)
    }

    /// Replaces or makes a file with what a reader gives.
    ///
    /// # Errors
    /// When it cannot be read or written; the old file is then as it was.
    pub fn write_from(
        &mut self,
        path: &Path,
        content: &mut dyn io::Read,
        options: &WriteOptions,
    ) -> Result<()> {
        let cancel = std::sync::Arc::clone(&self.cancel);
        self.write_with(path, options, &mut |file| {
            // what was stopped is not written to its end
            while !cancel.is_stopped() {
                if io::copy(&mut (&mut *content).take(WRITE_PIECE), file)? == 0 {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Replaces or makes a file with what is written into the file that it is called with. Long writing looks now and
    /// then whether the task was stopped; what it leaves is then thrown away.
    ///
    /// # Errors
    /// When it cannot be written; the old file is then as it was.
    pub fn write_with(
        &mut self,
        path: &Path,
        options: &WriteOptions,
        write: &mut dyn FnMut(&mut fs::File) -> io::Result<()>,
    ) -> Result<()> {
        // through a link, the file that it points to is replaced
        let real = fs::canonicalize(self.real_path(path)).unwrap_or_else(|_| self.real_path(path));
        let dir = real.parent().unwrap_or(Path::new("/"));
        let old = fs::metadata(&real).ok();
        let temp = tempfile::Builder::new()
            .prefix(".runbook-")
            .permissions(fs::Permissions::from_mode(0o600))
            .tempfile_in(dir);
        let temp = match temp {
            Ok(temp) => temp,
            Err(_) if options.unsafe_writes && old.is_some() => {
                let mut file = fs::OpenOptions::new()
                    .write(true)
                    .truncate(true)
                    .open(&real)
                    .map_err(failed("cannot write in place", path))?;
                let written = write(&mut file).and_then(|()| file.sync_all());
                if self.cancel.is_stopped() {
                    return Err(Error::Cancelled);
                }
                return written.map_err(failed("cannot write in place", path));
            }
            Err(error) => return Err(failed("cannot write into the directory of", path)(error)),
        };
        let _kept = self.cancel.keep(temp.path());
        // goes before the keeper forgets it
        let mut temp = temp;
        let written = write(temp.as_file_mut());
        if self.cancel.is_stopped() {
            return Err(Error::Cancelled);
        }
        written.map_err(failed("cannot write", path))?;
        let file = temp.as_file();
        if let Some(old) = &old {
            use std::os::unix::fs::MetadataExt;
            let (uid, gid) = (
                options.uid.unwrap_or_else(|| old.uid()),
                options.gid.unwrap_or_else(|| old.gid()),
            );
            // keeping the owner is only possible for root; as another user the file becomes ours
            let _ = std::os::unix::fs::fchown(file, Some(uid), Some(gid));
        }
        if old.is_none() && (options.uid.is_some() || options.gid.is_some()) {
            std::os::unix::fs::fchown(file, options.uid, options.gid)
                .map_err(failed("cannot set the owner of", path))?;
        }
        let mode = options
            .mode
            .or_else(|| old.as_ref().map(|old| old.permissions().mode() & 0o7777))
            .unwrap_or_else(default_mode);
        file.set_permissions(fs::Permissions::from_mode(mode))
            .map_err(failed("cannot set the mode of", path))?;
        if let Some(old) = &old {
            super::xattrs::copy_xattrs(&real, file);
            set_later(file, old).map_err(failed("cannot set the times of", path))?;
        }
        if !options.synced_later {
            file.sync_all().map_err(failed("cannot write", path))?;
        }
        if let Err(error) = temp.persist(&real) {
            if !options.unsafe_writes {
                return Err(failed("cannot replace", path)(error.error));
            }
            let bytes = fs::read(error.file.path()).map_err(failed("cannot read back", path))?;
            let mut file = fs::OpenOptions::new()
                .write(true)
                .truncate(true)
                .open(&real)
                .map_err(failed("cannot write in place", path))?;
            file.write_all(&bytes)
                .and_then(|()| file.sync_all())
                .map_err(failed("cannot write in place", path))?;
        }
        // the rename itself is durable only with its directory
        if !options.synced_later
            && let Ok(dir) = fs::File::open(dir)
        {
            let _ = dir.sync_all();
        }
        Ok(())
    }

    /// Makes everything durable that was written to the file system that holds this path.
    ///
    /// # Errors
    /// When writing failed.
    pub fn sync_file_system(&mut self, path: &Path) -> Result<()> {
        use std::os::fd::AsRawFd;
        let file = self.open(path)?;
        // SAFETY: the descriptor is open
        match unsafe { libc::syncfs(file.as_raw_fd()) } {
            0 => Ok(()),
            _ => Err(failed("cannot write", path)(io::Error::last_os_error())),
        }
    }

    /// Makes a directory (its parent must be there). Nothing happens if it is there already.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make_dir(&mut self, path: &Path, mode: u32) -> Result<()> {
        match fs::DirBuilder::new()
            .mode(mode)
            .create(self.real_path(path))
        {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other.map_err(failed("cannot make the directory", path)),
        }
    }

    /// Makes an empty file if there is none.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn touch(&mut self, path: &Path) -> Result<()> {
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o666)
            .open(self.real_path(path))
            .map(drop)
            .map_err(failed("cannot make", path))
    }

    /// Sets permission bits (of what a link points to).
    ///
    /// # Errors
    /// When it is not allowed.
    pub fn set_mode(&mut self, path: &Path, mode: u32) -> Result<()> {
        fs::set_permissions(self.real_path(path), fs::Permissions::from_mode(mode))
            .map_err(failed("cannot set the mode of", path))
    }

    /// Sets owner and group; `follow` looks through a link.
    ///
    /// # Errors
    /// When it is not allowed.
    pub fn set_owner(
        &mut self,
        path: &Path,
        uid: Option<u32>,
        gid: Option<u32>,
        follow: bool,
    ) -> Result<()> {
        let real = self.real_path(path);
        if follow {
            chown(real, uid, gid)
        } else {
            lchown(real, uid, gid)
        }
        .map_err(failed("cannot set the owner of", path))
    }

    /// Sets access and modification times, in seconds since 1970; `None` leaves one as it is.
    ///
    /// # Errors
    /// When it is not allowed.
    pub fn set_times(
        &mut self,
        path: &Path,
        atime: Option<f64>,
        mtime: Option<f64>,
        follow: bool,
    ) -> Result<()> {
        use nix::sys::stat::{UtimensatFlags, utimensat};
        use nix::sys::time::TimeSpec;
        let spec = |time: Option<f64>| match time {
            #[expect(clippy::cast_possible_truncation, reason = "seconds fit")]
            Some(t) => TimeSpec::new(t.floor() as i64, ((t - t.floor()) * 1e9) as i64),
            None => TimeSpec::UTIME_OMIT,
        };
        let flag = if follow {
            UtimensatFlags::FollowSymlink
        } else {
            UtimensatFlags::NoFollowSymlink
        };
        utimensat(
            nix::fcntl::AT_FDCWD,
            &self.real_path(path),
            &spec(atime),
            &spec(mtime),
            flag,
        )
        .map_err(|e| failed("cannot set the times of", path)(e.into()))
    }

    /// Sets access and modification times to now, which those who may write to it may do.
    ///
    /// # Errors
    /// When it is not allowed.
    pub fn set_times_now(&mut self, path: &Path) -> Result<()> {
        use nix::sys::stat::{UtimensatFlags, utimensat};
        use nix::sys::time::TimeSpec;
        let (now, flag) = (TimeSpec::UTIME_NOW, UtimensatFlags::NoFollowSymlink);
        let real = self.real_path(path);
        utimensat(nix::fcntl::AT_FDCWD, &real, &now, &now, flag)
            .map_err(|e| failed("cannot set the times of", path)(e.into()))
    }

    /// Makes or replaces (atomically) a symbolic link.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn symlink(&mut self, target: &Path, path: &Path) -> Result<()> {
        self.replace_with(path, |temp| symlink(target, temp))
    }

    /// Makes or replaces (atomically) a hard link.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn hard_link(&mut self, target: &Path, path: &Path) -> Result<()> {
        let target = self.real_path(target);
        self.replace_with(path, |temp| fs::hard_link(&target, temp))
    }

    fn replace_with(
        &mut self,
        path: &Path,
        make: impl FnMut(&Path) -> io::Result<()>,
    ) -> Result<()> {
        let real = self.real_path(path);
        let dir = real.parent().unwrap_or(Path::new("/"));
        tempfile::Builder::new()
            .prefix(".runbook-")
            .make_in(dir, make)
            .map_err(failed("cannot make the link", path))?
            .into_temp_path()
            .persist(&real)
            .map_err(|e| failed("cannot make the link", path)(e.error))
    }

    /// Removes a file or link; nothing happens if there is none.
    ///
    /// # Errors
    /// When it is not allowed.
    pub fn remove_file(&mut self, path: &Path) -> Result<()> {
        match fs::remove_file(self.real_path(path)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(failed("cannot remove", path)),
        }
    }

    /// Removes a directory and all in it; nothing happens if there is none.
    ///
    /// # Errors
    /// When it is not allowed.
    pub fn remove_tree(&mut self, path: &Path) -> Result<()> {
        match fs::remove_dir_all(self.real_path(path)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(failed("cannot remove", path)),
        }
    }

    /// Renames, replacing what is there.
    ///
    /// # Errors
    /// When it cannot be done, e.g. across file systems.
    pub fn rename(&mut self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(self.real_path(from), self.real_path(to)).map_err(failed("cannot rename", from))
    }

    /// Copies a file beside itself under a name with the time in it, as `backup` does; returns that path.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn backup(&mut self, path: &Path) -> Result<PathBuf> {
        let stamp = jiff::Zoned::now().strftime("%Y-%m-%d@%H:%M:%S~");
        // the process goes on to the next task: a second backup within a second must not take the first one's place
        let mut number = std::process::id();
        let backup = loop {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{number}.{stamp}"));
            let backup = PathBuf::from(name);
            if self.stat(&backup, false)?.is_none() {
                break backup;
            }
            number += 1;
        };
        let mut source = self.open(path)?;
        let meta = self.stat(path, true)?;
        let options = WriteOptions {
            mode: meta.as_ref().map(|m| m.mode),
            uid: meta.as_ref().map(|m| m.uid),
            gid: meta.as_ref().map(|m| m.gid),
            ..WriteOptions::default()
        };
        self.write_from(&backup, &mut source, &options)?;
        if let Some(meta) = meta {
            self.set_times(&backup, Some(meta.atime), Some(meta.mtime), true)?;
        }
        Ok(backup)
    }

    /// A private empty directory that is removed when the value is dropped: for downloads and validation.
    /// Taking `&self`, it is allowed while planning; nothing of the machine's state is touched.
    ///
    /// # Errors
    /// When there is no place for it.
    pub fn scratch(&self) -> Result<tempfile::TempDir> {
        let dir = self.real_path(Path::new("/tmp"));
        tempfile::Builder::new()
            .prefix("runbook-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&dir)
            .map_err(failed("cannot make a temporary directory in", &dir))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::FakeRunner;
    use std::sync::Arc;

    #[test]
    fn backups_of_one_second_have_names_of_their_own() {
        let root = tempfile::tempdir().unwrap();
        let mut sys = Sys::rooted(root.path(), Arc::new(FakeRunner::new()));
        let path = Path::new("/a");
        let mut kept = Vec::new();
        for round in 0..5_u8 {
            sys.write(path, &[round], &WriteOptions::default()).unwrap();
            kept.push(sys.backup(path).unwrap());
        }
        for (round, backup) in (0..5_u8).zip(kept) {
            assert_eq!(sys.read(&backup).unwrap(), Some(vec![round]));
        }
    }

    #[test]
    fn what_replaces_a_file_is_newer_however_fast() {
        let root = tempfile::tempdir().unwrap();
        let mut sys = Sys::rooted(root.path(), Arc::new(FakeRunner::new()));
        let options = WriteOptions {
            synced_later: true,
            ..WriteOptions::default()
        };
        let mut times = Vec::new();
        for round in 0..20_u8 {
            sys.write(Path::new("/a"), &[round], &options).unwrap();
            let meta = fs::metadata(root.path().join("a")).unwrap();
            times.push(meta.modified().unwrap());
        }
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    }
}
