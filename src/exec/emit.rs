//! Events, in order, to one sink.

use crate::result::{Event, EventSink, HostStats, Outcome, Stats, Status};
use crate::value::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};

struct State {
    sink: Box<dyn EventSink>,
    stats: Stats,
}

/// Hands events to the sink and counts. Clones share both.
#[derive(Clone)]
pub(crate) struct Emitter(Arc<Mutex<State>>);

impl Emitter {
    pub(crate) fn new(sink: Box<dyn EventSink>) -> Self {
        Self(Arc::new(Mutex::new(State {
            sink,
            stats: Stats::default(),
        })))
    }

    pub(crate) fn emit(&self, event: &Event) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Event::TaskDone {
            host,
            status,
            outcome,
            quiet: false,
            ..
        } = event
        {
            count(state.stats.host(host), *status, outcome);
        }
        if let Event::Included { hosts, .. } = event {
            for host in hosts {
                state.stats.host(host).ok += 1;
            }
        }
        if let Event::PlayStart { hosts, .. } = event {
            // the recap shows hosts in the order of the plays, not of their answers
            for host in hosts {
                state.stats.host(host);
            }
        }
        state.sink.event(event);
    }

    /// Notes what `set_stats` collects for a host, or for the run as a whole.
    pub(crate) fn custom(&self, of: &str, name: &Value, value: &Value, aggregate: bool) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let custom = &mut state.stats.custom;
        let mut own = match custom.get(of) {
            Some(Value::Map(own)) => (**own).clone(),
            _ => Map::new(),
        };
        match own.get(name.to_string().as_str()).cloned() {
            Some(old) if aggregate => {
                // what does not go together stays as it was
                if let Some(both) = sum(&old, value) {
                    own.insert(name.clone(), both);
                }
            }
            _ => {
                own.insert(name.clone(), value.clone());
            }
        }
        custom.set(of, Value::map(own));
    }

    /// Takes a task's end out of the counts: it is run again.
    pub(crate) fn take_back(&self, host: &str, status: Status, outcome: &Outcome) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = state.stats.host(host);
        let mut one = HostStats::default();
        count(&mut one, status, outcome);
        for (counted, one) in [
            (&mut counts.ok, one.ok),
            (&mut counts.changed, one.changed),
            (&mut counts.unreachable, one.unreachable),
            (&mut counts.failed, one.failed),
            (&mut counts.skipped, one.skipped),
            (&mut counts.rescued, one.rescued),
            (&mut counts.ignored, one.ignored),
        ] {
            *counted = counted.saturating_sub(one);
        }
    }

    /// Warns.
    pub(crate) fn warn(&self, message: impl Into<String>) {
        self.emit(&Event::Warning {
            message: message.into(),
        });
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .stats
            .clone();
        stats
            .hosts
            .retain(|_, counts| *counts != HostStats::default());
        stats
    }

    /// Says that something will not work in later versions of Ansible.
    pub(crate) fn deprecate(&self, message: impl Into<String>) {
        self.emit(&Event::Deprecation {
            message: message.into(),
        });
    }

    /// The sink; what is emitted from now on goes nowhere.
    pub(crate) fn take_sink(&self, after: Box<dyn EventSink>) -> Box<dyn EventSink> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut state.sink, after)
    }
}

/// Two values of the same kind as one: numbers added, texts and lists joined, mappings merged.
fn sum(old: &Value, new: &Value) -> Option<Value> {
    Some(match (old, new) {
        (Value::Int(a), Value::Int(b)) => Value::Int(a.checked_add(*b)?),
        (Value::Float(a), Value::Float(b)) => Value::Float(a + b),
        (Value::Str(a), Value::Str(b)) => Value::data(format!("{a}{b}")),
        (Value::List(a), Value::List(b)) => {
            Value::list(a.iter().chain(b.iter()).cloned().collect())
        }
        (Value::Map(a), Value::Map(b)) => Value::map(crate::vars::merge_maps(a, b)),
        _ => return None,
    })
}

fn count(stats: &mut HostStats, status: Status, outcome: &Outcome) {
    match status {
        Status::Ok => stats.ok += 1,
        Status::Changed => {
            stats.ok += 1;
            stats.changed += 1;
        }
        Status::Skipped => stats.skipped += 1,
        Status::Failed => stats.failed += 1,
        Status::Ignored => {
            stats.ok += 1;
            stats.ignored += 1;
            // what an unreachable machine did before does not count
            if outcome.failed && outcome.changed {
                stats.changed += 1;
            }
        }
        Status::Rescued => stats.rescued += 1,
        Status::Unreachable => stats.unreachable += 1,
    }
}
