//! Stopping a task: a flag that waits can see, and the process group that is running.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    groups: Vec<i32>,
}

/// Someone who is told what must not outlive this process, in case that it is killed.
pub trait Keeper: std::fmt::Debug + Send + Sync {
    /// A process group began.
    fn began(&self, group: i32);
    /// It ended.
    fn ended(&self, group: i32);
    /// A file or directory for the time being was made.
    fn made(&self, path: &Path);
    /// It is gone.
    fn gone(&self, path: &Path);
}

/// Something for the time being: its keeper knows of it as long as this lives.
#[derive(Debug)]
pub(crate) struct Kept(Option<(Arc<dyn Keeper>, PathBuf)>);

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some((keeper, path)) = &self.0 {
            keeper.gone(path);
        }
    }
}

/// Stops what runs under it.
#[derive(Debug, Default)]
pub struct Cancel {
    keeper: Option<Arc<dyn Keeper>>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Cancel {
    /// One that tells a keeper.
    pub fn kept(keeper: Arc<dyn Keeper>) -> Self {
        Self {
            keeper: Some(keeper),
            ..Self::default()
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops: kills the process groups that run, and wakes whoever waits.
    pub fn stop(&self) {
        let groups = {
            let mut state = self.lock();
            state.stopped = true;
            state.groups.clone()
        };
        self.changed.notify_all();
        for group in groups {
            let _ = killpg(Pid::from_raw(group), Signal::SIGTERM);
        }
        // those that do not listen get a moment, then no choice
        std::thread::sleep(Duration::from_millis(200));
        for group in self.lock().groups.clone() {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }

    /// Whether it was stopped.
    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Waits at most that long; true if it was stopped.
    pub fn wait(&self, duration: Duration) -> bool {
        let end = Instant::now() + duration;
        let mut state = self.lock();
        while !state.stopped {
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                return false;
            };
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        true
    }

    pub(crate) fn began(&self, group: i32) {
        self.lock().groups.push(group);
        if let Some(keeper) = &self.keeper {
            keeper.began(group);
        }
    }

    pub(crate) fn ended(&self, group: i32) {
        self.lock().groups.retain(|g| *g != group);
        if let Some(keeper) = &self.keeper {
            keeper.ended(group);
        }
    }

    /// Tells the keeper of something for the time being.
    pub(crate) fn keep(&self, path: &Path) -> Kept {
        Kept(self.keeper.as_ref().map(|keeper| {
            keeper.made(path);
            (Arc::clone(keeper), path.to_owned())
        }))
    }
}
