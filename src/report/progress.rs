//! One line at the bottom of a terminal that says what a run waits for.

use super::Output;
use super::human::full_name;
use super::timing::seconds;
use crate::result::{Event, EventSink, Status};
use std::collections::HashSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// Time since any fixed moment. The caller's clock, so that tests can stop it.
pub type Clock = Arc<dyn Fn() -> Duration + Send + Sync>;

/// How often the line is drawn again while nothing happens.
const TICK: Duration = Duration::from_millis(500);

/// Keeps a line like `TASK [etcd : install]  3/10 hosts, 4.20s` below the output of another sink.
///
/// The line is wiped before the other sink sees an event and drawn anew after it, so both may use the same terminal.
/// Only for terminals: whether `screen` is one is for the caller to know.
pub struct Progress {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    stop: Condvar,
}

struct State {
    inner: Box<dyn EventSink>,
    screen: Output,
    columns: usize,
    clock: Clock,
    drawn: bool,
    over: bool,
    alive: HashSet<String>,
    task: Option<Running>,
}

struct Running {
    id: u64,
    name: String,
    since: Duration,
    done: usize,
    total: usize,
}

impl Progress {
    /// Around `inner`, on a terminal of so many columns.
    pub fn around(
        inner: impl EventSink + 'static,
        screen: Output,
        columns: usize,
        clock: Clock,
    ) -> Self {
        let state = State {
            inner: Box::new(inner),
            screen,
            columns,
            clock,
            drawn: false,
            over: false,
            alive: HashSet::new(),
            task: None,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            stop: Condvar::new(),
        });
        let ticking = Arc::clone(&shared);
        let ticker = std::thread::Builder::new()
            .name("progress".into())
            .spawn(move || ticking.tick())
            .ok();
        Self { shared, ticker }
    }
}

impl Shared {
    fn tick(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.over {
            state = self
                .stop
                .wait_timeout(state, TICK)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
            if !state.over && state.drawn {
                state.wipe();
                state.draw();
            }
        }
    }
}

impl State {
    fn wipe(&mut self) {
        if std::mem::take(&mut self.drawn) {
            let _ = write!(self.screen, "\r\x1b[2K");
            let _ = self.screen.flush();
        }
    }

    fn draw(&mut self) {
        let Some(task) = &self.task else { return };
        let elapsed = (self.clock)().saturating_sub(task.since);
        let elapsed = seconds(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX));
        let line = format!(
            "{}  {}/{} hosts, {elapsed}",
            task.name,
            task.done,
            task.total.max(task.done)
        );
        let line = console::truncate_str(&line, self.columns.saturating_sub(1), "…");
        let _ = write!(self.screen, "{line}");
        let _ = self.screen.flush();
        self.drawn = true;
    }

    fn follow(&mut self, event: &Event) {
        match event {
            Event::PlayStart { hosts, .. } => {
                self.alive = hosts.iter().cloned().collect();
                self.task = None;
            }
            Event::TaskStart { task } | Event::HostStart { task, .. }
                if self
                    .task
                    .as_ref()
                    .is_none_or(|running| running.id != task.id) =>
            {
                self.task = Some(Running {
                    id: task.id,
                    name: super::dump::visible(&full_name(task)),
                    since: (self.clock)(),
                    done: 0,
                    total: self.alive.len(),
                });
            }
            Event::TaskDone {
                task, host, status, ..
            } => {
                if matches!(status, Status::Failed | Status::Unreachable) {
                    self.alive.remove(host);
                }
                if let Some(running) = self.task.as_mut().filter(|running| running.id == task.id) {
                    running.done += 1;
                }
            }
            Event::Recap { .. } => self.task = None,
            _ => {}
        }
    }
}

impl EventSink for Progress {
    fn event(&mut self, event: &Event) {
        let mut state = self
            .shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        state.wipe();
        state.inner.event(event);
        state.follow(event);
        state.draw();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        {
            let mut state = self
                .shared
                .state
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            state.over = true;
            state.wipe();
        }
        self.shared.stop.notify_all();
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
    }
}
