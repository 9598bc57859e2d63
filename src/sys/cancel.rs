//! Stopping a task: a flag that waits can see, and the process group that is running.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    groups: Vec<i32>,
}

/// Someone who is told which process groups run.
pub trait Groups: std::fmt::Debug + Send + Sync {
    /// One began.
    fn began(&self, group: i32);
    /// One ended.
    fn ended(&self, group: i32);
}

/// Stops what runs under it.
#[derive(Debug, Default)]
pub struct Cancel {
    told: Option<Arc<dyn Groups>>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Cancel {
    /// One that tells someone.
    pub fn telling(told: Arc<dyn Groups>) -> Self {
        Self {
            told: Some(told),
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
        if let Some(told) = &self.told {
            told.began(group);
        }
    }

    pub(crate) fn ended(&self, group: i32) {
        self.lock().groups.retain(|g| *g != group);
        if let Some(told) = &self.told {
            told.ended(group);
        }
    }
}
