//! The callback `ansible.posix.json`: one document when the run is over.

use super::AnsibleOptions;
use crate::report::{Output, censor, dump};
use crate::result::{Event, EventSink, Outcome, TaskInfo};
use crate::value::{Map, Value};
use std::io::Write as _;

/// The time of day in UTC, as `2026-01-31T12:00:00.000000Z`.
pub type Now = Box<dyn Fn() -> String + Send>;

/// Writes what happened as plays, tasks and hosts.
pub struct AnsibleJson {
    out: Output,
    options: AnsibleOptions,
    now: Now,
    plays: Vec<Play>,
    counter: u64,
}

#[derive(Default)]
struct Play {
    about: About,
    tasks: Vec<Task>,
}

#[derive(Default)]
struct Task {
    id: u64,
    about: About,
    hosts: Map,
}

#[derive(Default)]
struct About {
    name: String,
    number: String,
    path: String,
    start: String,
    end: String,
}

impl About {
    fn value(&self) -> Value {
        let mut duration = Map::new().with("start", Value::data(self.start.as_str()));
        if !self.end.is_empty() {
            duration.set("end", Value::data(self.end.as_str()));
        }
        let mut map = Map::new()
            .with("duration", Value::map(duration))
            .with("id", Value::data(self.number.as_str()))
            .with("name", Value::data(self.name.as_str()));
        if !self.path.is_empty() {
            map.set("path", Value::data(self.path.as_str()));
        }
        Value::map(map)
    }
}

impl AnsibleJson {
    /// To this writer.
    pub fn new(out: Output, options: AnsibleOptions, now: Now) -> Self {
        Self {
            out,
            options,
            now,
            plays: Vec::new(),
            counter: 0,
        }
    }

    fn about(&mut self, name: &str, path: &str) -> About {
        self.counter += 1;
        About {
            name: name.to_owned(),
            number: format!("00000000-0000-0000-0000-{:012x}", self.counter),
            path: if path.is_empty() {
                String::new()
            } else {
                self.options.place(path)
            },
            start: (self.now)(),
            end: String::new(),
        }
    }

    fn task(&mut self, info: &TaskInfo) {
        let known = |play: &Play| play.tasks.last().is_some_and(|task| task.id == info.id);
        if self.plays.last().is_some_and(known) {
            return;
        }
        let about = self.about(&info.name, &info.path);
        if let Some(play) = self.plays.last_mut() {
            play.tasks.push(Task {
                id: info.id,
                about,
                hosts: Map::new(),
            });
        }
    }

    fn done(&mut self, info: &TaskInfo, host: &str, outcome: &Outcome) {
        self.task(info);
        let end = (self.now)();
        let mut map = match outcome.to_value() {
            Value::Map(map) => (*map).clone(),
            _ => Map::new(),
        };
        if !outcome.failed {
            map.take("failed");
        }
        map.set("action", Value::data(info.action.as_str()));
        map.set("_ansible_no_log", outcome.data.get("censored").is_some());
        if let Some(play) = self.plays.last_mut() {
            play.about.end.clone_from(&end);
            if let Some(task) = play.tasks.iter_mut().rev().find(|task| task.id == info.id) {
                task.about.end = end;
                task.hosts.set(host, Value::map(map));
            }
        }
    }

    fn write(&mut self, stats: &crate::result::Stats) {
        let plays = self.plays.iter().map(|play| {
            let tasks = play.tasks.iter().map(|task| {
                Value::map(
                    Map::new()
                        .with("hosts", Value::map(task.hosts.clone()))
                        .with("task", task.about.value()),
                )
            });
            Value::map(
                Map::new()
                    .with("play", play.about.value())
                    .with("tasks", Value::list(tasks.collect())),
            )
        });
        let mut counted = Map::new();
        for (host, counts) in &stats.hosts {
            let mut map = Map::new();
            for (name, count) in [
                ("changed", counts.changed),
                ("failures", counts.failed),
                ("ignored", counts.ignored),
                ("ok", counts.ok),
                ("rescued", counts.rescued),
                ("skipped", counts.skipped),
                ("unreachable", counts.unreachable),
            ] {
                map.set(name, i64::from(count));
            }
            counted.set(host, Value::map(map));
        }
        let mut custom = stats.custom.clone();
        let global = custom.take("_run").unwrap_or(Value::map(Map::new()));
        let document = Map::new()
            .with("custom_stats", Value::map(custom))
            .with("global_custom_stats", global)
            .with("plays", Value::list(plays.collect()))
            .with("stats", Value::map(counted));
        let _ = writeln!(self.out, "{}", dump(&Value::map(document), Some(4)));
        let _ = self.out.flush();
    }
}

impl EventSink for AnsibleJson {
    fn event(&mut self, event: &Event) {
        match censor(event).as_ref() {
            Event::PlayStart { name, .. } | Event::PlayNoHosts { name } => {
                let about = self.about(name, "");
                self.plays.push(Play {
                    about,
                    tasks: Vec::new(),
                });
            }
            Event::TaskStart { task } => self.task(task),
            Event::TaskDone {
                task,
                host,
                outcome,
                quiet: false,
                ..
            } => self.done(task, host, outcome),
            Event::Recap { stats, .. } => self.write(stats),
            _ => {}
        }
    }
}
