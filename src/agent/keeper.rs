//! A second process that outlives the agent: what the agent left when it was killed is ended and removed.

use crate::sys;
use nix::sys::signal::{SigHandler, Signal, killpg, signal};
use nix::unistd::{ForkResult, Pid, fork, pipe2, setsid};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Time for processes to end by themselves.
const GRACE: Duration = Duration::from_millis(500);

/// The agent's line to its keeper: process groups, files and directories that must not outlive it.
#[derive(Debug, Default)]
pub(super) struct Keeper(Option<Mutex<File>>);

impl Keeper {
    /// Starts the process. Without one (no memory, no processes) the agent works all the same.
    ///
    /// # Safety
    /// No other thread may run yet.
    pub(super) unsafe fn start() -> Self {
        let Ok((read, write)) = pipe2(nix::fcntl::OFlag::O_CLOEXEC) else {
            return Self(None);
        };
        // SAFETY: there is one thread, so that the child may do whatever it likes
        match unsafe { fork() } {
            Ok(ForkResult::Parent { .. }) => Self(Some(Mutex::new(write.into()))),
            Ok(ForkResult::Child) => {
                drop(write);
                keep(read);
                // SAFETY: ends this process without touching what it shares with the agent
                unsafe { libc::_exit(0) }
            }
            Err(_) => Self(None),
        }
    }

    fn say(&self, what: &[u8], about: &[u8]) {
        if let Some(pipe) = &self.0 {
            let line = [what, about, b"\0"].concat();
            let mut pipe = pipe.lock().unwrap_or_else(PoisonError::into_inner);
            // a keeper that is gone keeps nothing
            let _ = pipe.write_all(&line);
        }
    }
}

impl sys::Keeper for Keeper {
    fn began(&self, group: i32) {
        self.say(b"+", group.to_string().as_bytes());
    }

    fn ended(&self, group: i32) {
        self.say(b"-", group.to_string().as_bytes());
    }

    fn made(&self, path: &Path) {
        self.say(b"m", path.as_os_str().as_bytes());
    }

    fn gone(&self, path: &Path) {
        self.say(b"g", path.as_os_str().as_bytes());
    }
}

/// What must not outlive the agent.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    groups: Vec<i32>,
    paths: Vec<PathBuf>,
}

impl Left {
    fn hear(&mut self, line: &[u8]) {
        let Some((what, about)) = line.split_first() else {
            return;
        };
        let group = || {
            let group = std::str::from_utf8(about).ok()?.parse::<i32>().ok()?;
            (group > 1).then_some(group)
        };
        let path = || PathBuf::from(std::ffi::OsString::from_vec(about.to_vec()));
        match what {
            b'+' => self.groups.extend(group()),
            b'-' => {
                if let Some(group) = group() {
                    self.groups.retain(|other| *other != group);
                }
            }
            b'm' if path().is_absolute() => self.paths.push(path()),
            b'g' => {
                let path = path();
                self.paths.retain(|other| *other != path);
            }
            _ => {}
        }
    }

    fn clear(self) {
        let all = |signal| {
            for group in &self.groups {
                let _ = killpg(Pid::from_raw(*group), signal);
            }
        };
        if !self.groups.is_empty() {
            all(Signal::SIGTERM);
            std::thread::sleep(GRACE);
            all(Signal::SIGKILL);
        }
        for path in &self.paths {
            if std::fs::remove_file(path).is_err() {
                let _ = std::fs::remove_dir_all(path);
            }
        }
    }
}

/// The life of the keeper.
fn keep(pipe: OwnedFd) {
    let _ = setsid();
    // its end is the agent's end, and nothing else
    for number in [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGQUIT,
        Signal::SIGPIPE,
    ] {
        // SAFETY: ignoring runs no handler
        let _ = unsafe { signal(number, SigHandler::SigIgn) };
    }
    // SAFETY: the name is a C string that outlives the call
    unsafe { libc::prctl(libc::PR_SET_NAME, c"runbook-keeper".as_ptr()) };
    let _ = std::env::set_current_dir("/");
    release(pipe.as_raw_fd());
    let mut reader = BufReader::new(File::from(pipe));
    let mut left = Left::default();
    let mut line = Vec::new();
    while let Ok(count) = reader.read_until(0, &mut line) {
        if count == 0 {
            break;
        }
        left.hear(line.strip_suffix(b"\0").unwrap_or(&line));
        line.clear();
    }
    left.clear();
}

/// Lets go of all descriptors but one: the connection must be able to end while this process lives.
fn release(but: i32) {
    // SAFETY: this process has one thread and uses none of these descriptors
    unsafe {
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for fd in 0..256 {
            if fd <= 2 && null >= 0 {
                libc::dup2(null, fd);
            } else if fd != but {
                libc::close(fd);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Left;

    #[test]
    fn what_ended_is_forgotten_and_nonsense_kills_nobody() {
        let mut left = Left::default();
        for line in [
            "+12",
            "+15",
            "m/tmp/a b",
            "m/c",
            "g/c",
            "m",
            "mx",
            "-12",
            "+",
            "+-1",
            "+1",
            "+0",
            "+x",
            "",
            "?",
        ] {
            left.hear(line.as_bytes());
        }
        let expected = Left {
            groups: vec![15],
            paths: vec!["/tmp/a b".into()],
        };
        assert_eq!(left, expected);
    }
}
