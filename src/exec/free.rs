//! Hosts that do not wait for each other: the strategies `free` and `host_pinned`.
//!
//! Source: Ansible's documentation, "Controlling playbook execution: strategies and more", and of the strategy plugins.

use super::flow::Flow;
use super::linear::{BatchEnd, Cursors, nearest};
use super::play::PlayState;
use super::run::Run;
use crate::diag::Diagnostic;
use crate::plan::Cursor;
use crate::playbook::{Item, Task};
use crate::result::TaskInfo;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// How the hosts of a play go through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// All are at the same task.
    Linear,
    /// Each goes on as soon as there is a slot for its next task.
    Free,
    /// Each has a slot until it is through.
    HostPinned,
}

impl Strategy {
    /// The strategy of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
            // `debug` is `linear` with a debugger
            "linear" | "debug" => Some(Self::Linear),
            "free" => Some(Self::Free),
            "host_pinned" => Some(Self::HostPinned),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Free => "free",
            Self::HostPinned => "host_pinned",
        }
    }
}

/// What hosts that go their own ways share.
#[derive(Debug)]
pub(crate) struct Lanes {
    /// One for each task, or with `host_pinned` for each host, at a time.
    slots: Arc<Semaphore>,
    pinned: bool,
    /// `throttle`, by the task's number.
    throttles: Mutex<HashMap<u64, Arc<Semaphore>>>,
    /// What a task is called in reports, by its number: all hosts are at the same task, each in its time.
    infos: Mutex<HashMap<(u64, bool), Arc<TaskInfo>>>,
    /// `meta: end_play`.
    over: AtomicBool,
}

impl Lanes {
    fn new(forks: usize, pinned: bool) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(forks)),
            pinned,
            throttles: Mutex::default(),
            infos: Mutex::default(),
            over: AtomicBool::new(false),
        }
    }

    /// The slots that a host needs for the task.
    pub(super) fn slots_of(&self, task: &Task, throttle: Option<usize>) -> Vec<Arc<Semaphore>> {
        let mut slots = Vec::new();
        if let Some(most) = throttle {
            let mut throttles = self
                .throttles
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let own = throttles
                .entry(task.id)
                .or_insert_with(|| Arc::new(Semaphore::new(most)));
            slots.push(Arc::clone(own));
        }
        if !self.pinned {
            slots.push(Arc::clone(&self.slots));
        }
        slots
    }

    /// The task as reports know it, and whether this is the first host that comes to it.
    pub(super) fn info(
        &self,
        task: &Task,
        handler: bool,
        make: impl FnOnce() -> Arc<TaskInfo>,
    ) -> (Arc<TaskInfo>, bool) {
        let mut infos = self.infos.lock().unwrap_or_else(PoisonError::into_inner);
        let mut first = false;
        let info = infos.entry((task.id, handler)).or_insert_with(|| {
            first = true;
            make()
        });
        (Arc::clone(info), first)
    }
}

impl Run {
    /// Runs the items on a batch of hosts, each at its own pace.
    pub(crate) async fn batch_apart(
        self: &Arc<Self>,
        state: &Arc<PlayState>,
        items: &Arc<Vec<(u32, Item)>>,
        hosts: &[Arc<str>],
    ) -> Result<BatchEnd, Box<Diagnostic>> {
        let pinned = state.strategy == Strategy::HostPinned;
        let lanes = Lanes::new(self.options.forks.max(1), pinned);
        // all on one thread: what they ask of machines is what takes time
        let mut ways: FuturesUnordered<_> = hosts
            .iter()
            .map(|host| self.go_alone(state, items, host, &lanes))
            .collect();
        let mut end = Ok(());
        while let Some(way) = ways.next().await {
            end = end.and(way);
            if end.is_err() {
                // the others stop before their next task
                lanes.over.store(true, Ordering::Relaxed);
            }
        }
        drop(ways);
        for warning in self.store.take_problems() {
            self.emitter.warn(warning.to_string());
        }
        end.map(|()| BatchEnd {
            ended: lanes.over.load(Ordering::Relaxed),
            aborted: false,
        })
    }

    async fn go_alone(
        self: &Arc<Self>,
        state: &Arc<PlayState>,
        items: &Arc<Vec<(u32, Item)>>,
        host: &Arc<str>,
        lanes: &Lanes,
    ) -> Result<(), Box<Diagnostic>> {
        let _slot = if lanes.pinned {
            Arc::clone(&lanes.slots).acquire_owned().await.ok()
        } else {
            None
        };
        let mut cursors: Cursors =
            std::iter::once((Arc::clone(host), Cursor::new(Arc::clone(items)))).collect();
        while !self.is_interrupted() && !lanes.over.load(Ordering::Relaxed) {
            let lost = self.lost().unreachable.contains(host);
            self.refresh_magic(state, &mut std::iter::empty());
            let Some((next, group)) = nearest(&mut cursors).filter(|_| !lost) else {
                break;
            };
            match self
                .at_task(state, &mut cursors, &next, &group, Some(lanes))
                .await?
            {
                Flow::Go { .. } => {}
                Flow::EndPlay => {
                    lanes.over.store(true, Ordering::Relaxed);
                }
                Flow::EndBatch => break,
            }
        }
        Ok(())
    }
}
