//! Locks between processes on this machine.

use super::{Error, Result, Sys};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

/// A directory locked by this process until the value is dropped.
#[derive(Debug)]
pub struct DirLock {
    _lock: Flock<File>,
}

impl Sys {
    /// Whether a process holds the lock of this file, as long as it lives. A file that cannot be opened counts as held:
    /// nothing is known of it.
    pub fn is_held(&self, path: &Path) -> bool {
        let Ok(file) = File::open(self.real_path(path)) else {
            return true;
        };
        Flock::lock(file, FlockArg::LockSharedNonblock).is_err()
    }

    /// Locks a directory, waiting at most `limit` for others that have it. Nothing is left behind in it.
    ///
    /// # Errors
    /// When there is no such directory, the wait is over, or the task is stopped.
    pub fn lock_dir(&mut self, dir: &Path, limit: Duration) -> Result<DirLock> {
        let failed = |source| Error::File {
            what: "cannot lock",
            path: dir.to_owned(),
            source,
        };
        let end = Instant::now() + limit;
        let mut file = File::open(self.real_path(dir)).map_err(failed)?;
        loop {
            match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(lock) => return Ok(DirLock { _lock: lock }),
                Err((back, Errno::EWOULDBLOCK)) if Instant::now() < end => file = back,
                Err((_, errno)) => return Err(failed(errno.into())),
            }
            self.sleep(Duration::from_millis(20))?;
        }
    }
}
