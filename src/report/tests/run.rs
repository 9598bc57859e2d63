//! A run with one of everything.

use crate::result::{
    Diff, Event, EventSink, HostStats, ItemInfo, Outcome, Stats, Status, TaskInfo,
};
use crate::value::{Map, Value};
use std::sync::Arc;

pub struct Task(Arc<TaskInfo>);

pub fn task(id: u64, name: &str, action: &str) -> Task {
    Task(Arc::new(TaskInfo {
        id,
        name: name.into(),
        action: action.into(),
        path: format!("site.yml:{}:7", id * 10),
        role: None,
        handler: false,
        check: false,
        args: String::new(),
    }))
}

impl Task {
    pub fn in_role(mut self, role: &str) -> Self {
        Arc::make_mut(&mut self.0).role = Some(role.into());
        self
    }

    pub fn handler(mut self) -> Self {
        Arc::make_mut(&mut self.0).handler = true;
        self
    }

    pub fn start(&self) -> Event {
        Event::TaskStart {
            task: Arc::clone(&self.0),
        }
    }

    pub fn host_start(&self, host: &str) -> Event {
        Event::HostStart {
            task: Arc::clone(&self.0),
            host: host.into(),
        }
    }

    pub fn retry(&self, host: &str, left: u32) -> Event {
        Event::Retry {
            task: Arc::clone(&self.0),
            host: host.into(),
            left,
        }
    }

    pub fn included(&self, what: &str, hosts: &[&str], item: Option<&str>) -> Event {
        Event::Included {
            task: Arc::clone(&self.0),
            what: what.into(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            item: item.map(str::to_owned),
        }
    }

    pub fn item(
        &self,
        host: &str,
        index: usize,
        label: &str,
        status: Status,
        outcome: Outcome,
    ) -> Event {
        Event::ItemDone {
            task: Arc::clone(&self.0),
            host: host.into(),
            item: ItemInfo {
                index,
                label: label.into(),
                vars: Map::new(),
            },
            status,
            outcome: Arc::new(outcome),
            delegated_to: None,
        }
    }

    pub fn done(&self, host: &str, status: Status, outcome: Outcome) -> Event {
        self.ended(host, status, outcome, None, false)
    }

    pub fn loop_done(&self, host: &str, status: Status, outcome: Outcome) -> Event {
        self.ended(host, status, outcome, None, true)
    }

    pub fn delegated(&self, host: &str, to: &str, status: Status, outcome: Outcome) -> Event {
        self.ended(host, status, outcome, Some(to.to_owned()), false)
    }

    fn ended(
        &self,
        host: &str,
        status: Status,
        outcome: Outcome,
        delegated_to: Option<String>,
        looped: bool,
    ) -> Event {
        Event::TaskDone {
            task: Arc::clone(&self.0),
            host: host.into(),
            status,
            outcome: Arc::new(outcome),
            delegated_to,
            elapsed_ms: 1000 * self.0.id + u64::try_from(host.len()).unwrap_or(0),
            looped,
            quiet: self.0.action == "meta",
        }
    }
}

pub fn changed() -> Outcome {
    Outcome {
        changed: true,
        ..Outcome::ok()
    }
}

pub fn command_failure() -> Outcome {
    let list = |words: &[&str]| Value::list(words.iter().map(|word| Value::data(*word)).collect());
    Outcome {
        changed: true,
        ..Outcome::failure("non-zero return code")
    }
    .with("rc", 3)
    .with("cmd", list(&["sh", "-c", "echo out; exit 3"]))
    .with("stdout", Value::data("out\n"))
    .with("stdout_lines", list(&["out"]))
    .with("stderr", Value::data("one\ntwo \u{1b}[2J\n"))
    .with("stderr_lines", list(&["one", "two \u{1b}[2J"]))
    .with("delta", Value::data("0:00:00.004"))
}

pub fn hidden(outcome: Outcome) -> Outcome {
    Outcome {
        diffs: vec![Diff::new(
            "/etc/secret",
            Some("hunter1\n"),
            Some("hunter2\n"),
        )],
        warnings: vec!["the password hunter2 is weak".into()],
        ..outcome
            .with("stdout", Value::data("hunter2"))
            .with("_ansible_no_log", true)
    }
}

fn debug(value: Value) -> Outcome {
    Outcome::ok()
        .with("msg", value)
        .with("_ansible_verbose_always", true)
}

fn play(name: &str, hosts: &[&str]) -> Event {
    Event::PlayStart {
        name: name.into(),
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        check: false,
        strategy: "linear".into(),
    }
}

/// Events in the order in which the executor sends them.
pub fn events() -> Vec<Event> {
    let mut events = vec![
        Event::PlaybookStart {
            path: "site.yml".into(),
            plays: 3,
        },
        play("First", &["web1", "db1"]),
    ];
    let copy = task(1, "write a file", "copy").in_role("base");
    let written = Outcome {
        diffs: vec![Diff::new("/etc/motd", Some("a\nb\n"), Some("a\nc\n"))],
        warnings: vec!["mode was not given".into()],
        ..changed().with("dest", Value::data("/etc/motd"))
    };
    events.extend([
        copy.start(),
        copy.host_start("web1"),
        copy.host_start("db1"),
        copy.done("web1", Status::Changed, written.clone()),
        copy.done(
            "db1",
            Status::Ok,
            Outcome {
                warnings: written.warnings,
                ..Outcome::ok()
            },
        ),
    ]);
    let several = task(2, "several", "command");
    events.extend([
        several.start(),
        several.item("web1", 0, "a", Status::Ok, Outcome::ok()),
        several.item("web1", 1, "b", Status::Changed, changed()),
        several.item(
            "web1",
            2,
            "c",
            Status::Skipped,
            Outcome::skip("Conditional result was False"),
        ),
        several.item("web1", 3, "d", Status::Failed, command_failure()),
        several.loop_done(
            "web1",
            Status::Ignored,
            Outcome {
                changed: true,
                ..Outcome::failure("One or more items failed")
            },
        ),
        several.loop_done(
            "db1",
            Status::Skipped,
            Outcome::skip("No items in the list"),
        ),
    ]);
    let fails = task(3, "fails", "command");
    events.extend([
        fails.start(),
        fails.retry("web1", 1),
        fails.done(
            "web1",
            Status::Rescued,
            command_failure().with("attempts", 2),
        ),
        fails.done(
            "db1",
            Status::Unreachable,
            Outcome::unreachable("no route to 198.18.0.9:22\ncheck the address"),
        ),
    ]);
    let include = task(4, "more", "include_tasks");
    events.extend([
        include.start(),
        include.included("/p/more.yml", &["web1"], Some("x")),
        include.done("web1", Status::Ok, Outcome::ok()),
    ]);
    let show = task(5, "show", "ansible.builtin.debug");
    let message = Value::map(Map::new().with("b", 1).with("a", Value::data("é")));
    events.extend([
        show.start(),
        show.delegated("web1", "localhost", Status::Ok, debug(message)),
    ]);
    let secret = task(6, "secret", "command");
    events.extend([
        secret.start(),
        secret.item("web1", 0, "hunter2", Status::Changed, hidden(changed())),
        secret.loop_done("web1", Status::Changed, hidden(changed())),
        secret.done("db1", Status::Ignored, hidden(command_failure())),
    ]);
    let quiet = task(7, "meta", "meta");
    events.push(quiet.done("web1", Status::Ok, Outcome::ok()));
    let handler = task(8, "restart", "service").in_role("base").handler();
    let unsteady = Outcome {
        left_to_do: vec!["start nginx".into()],
        diagnosis: None,
        ..changed()
    };
    events.extend([
        handler.start(),
        handler.done("web1", Status::Changed, unsteady),
    ]);
    events.push(Event::Warning {
        message: "Could not match supplied host pattern, ignoring: nobody".into(),
    });
    events.push(Event::PlayNoHosts {
        name: "nobody".into(),
    });
    let mut stats = Stats::default();
    *stats.host("web1") = HostStats {
        ok: 5,
        changed: 3,
        rescued: 1,
        ignored: 1,
        ..HostStats::default()
    };
    *stats.host("a-host-with-quite-a-long-name") = HostStats {
        ok: 1234,
        failed: 1,
        ..HostStats::default()
    };
    events.push(Event::Recap {
        stats,
        elapsed_ms: 61_234,
    });
    events
}

/// Sends all events.
pub fn send(sink: &mut impl EventSink, events: &[Event]) {
    for event in events {
        sink.event(event);
    }
}
