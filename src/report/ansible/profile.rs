//! The callbacks `ansible.posix.timer` and `ansible.posix.profile_tasks`.

use super::Screen;
use crate::report::Clock;
use crate::report::human::full_name;
use crate::result::{Event, EventSink, TaskInfo};
use std::time::Duration;

/// Says at the end how long the run took.
pub struct Timer {
    screen: Screen,
}

impl Timer {
    /// On this screen.
    pub fn new(screen: Screen) -> Self {
        Self { screen }
    }
}

impl EventSink for Timer {
    fn event(&mut self, event: &Event) {
        if let Event::Recap { elapsed_ms, .. } = event {
            let seconds = elapsed_ms / 1000;
            let text = format!(
                "Playbook run took {} days, {} hours, {} minutes, {} seconds",
                seconds / 86_400,
                seconds % 86_400 / 3600,
                seconds % 3600 / 60,
                seconds % 60
            );
            self.screen.say(&text, None);
        }
    }
}

/// The date and time of day in words, as `Friday 31 January 2026  12:00:00 +0000`.
pub type Calendar = Box<dyn Fn() -> String + Send>;

/// Shows the time with each task, and at the end the tasks by how long they took.
pub struct ProfileTasks {
    screen: Screen,
    clock: Clock,
    calendar: Calendar,
    current: Option<(u64, String, Duration)>,
    last: Duration,
    done: Vec<(String, Duration)>,
    most: usize,
}

impl ProfileTasks {
    /// On this screen; at most so many tasks are listed at the end.
    pub fn new(screen: Screen, clock: Clock, calendar: Calendar, most: usize) -> Self {
        Self {
            screen,
            clock,
            calendar,
            current: None,
            last: Duration::ZERO,
            done: Vec::new(),
            most,
        }
    }

    fn ends(&mut self) {
        let now = (self.clock)();
        if let Some((_, name, begun)) = self.current.take() {
            self.done.push((name, now.saturating_sub(begun)));
        }
    }

    fn stamp(&mut self) {
        let now = (self.clock)();
        let text = format!(
            "{} ({}) {:>7}{} ",
            (self.calendar)(),
            clock_text(now.saturating_sub(self.last)),
            "",
            clock_text(now)
        );
        self.last = now;
        let stars = 79_usize.saturating_sub(text.chars().count()).max(3);
        self.screen
            .say(&format!("{text}{} ", "*".repeat(stars)), None);
    }

    fn begins(&mut self, task: &TaskInfo) {
        if self
            .current
            .as_ref()
            .is_some_and(|(id, _, _)| *id == task.id)
        {
            return;
        }
        self.ends();
        self.stamp();
        self.current = Some((task.id, full_name(task), (self.clock)()));
    }
}

impl EventSink for ProfileTasks {
    fn event(&mut self, event: &Event) {
        match event {
            Event::TaskStart { task } => self.begins(task),
            Event::Recap { .. } => {
                self.ends();
                self.stamp();
                self.screen.say(&format!("{} ", "=".repeat(79)), None);
                let mut done = std::mem::take(&mut self.done);
                done.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
                for (name, took) in done.iter().take(self.most) {
                    let head = format!("{name} ");
                    let tail = format!(" {:.2}s", took.as_secs_f64());
                    self.screen.say(&format!("{head:-<70}{tail:->9}"), None);
                }
            }
            _ => {}
        }
    }
}

/// `0:00:01.234`
fn clock_text(time: Duration) -> String {
    let seconds = time.as_secs();
    format!(
        "{}:{:02}:{:02}.{:03}",
        seconds / 3600,
        seconds % 3600 / 60,
        seconds % 60,
        time.subsec_millis()
    )
}
