//! One task on one host, from its variables to its registered result.

use super::censor::censored;
use super::fault::Fault;
use super::include::Include;
use super::items::{LoopControl, plain_label};
use super::play::PlayState;
use super::run::{Run, elapsed_ms};
use super::scope::with_local;
use super::single::{Place, Turn, TurnEnd};
use crate::actions::Effect;
use crate::playbook::Task;
use crate::result::{Event, ItemInfo, Outcome, Status, TaskInfo};
use crate::template::Context;
use crate::value::{Map, Value};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a task ended on a host.
#[derive(Clone, Debug)]
pub(crate) struct TaskEnd {
    pub status: Status,
    pub registered: Option<Value>,
    pub includes: Vec<Include>,
    pub notify: Vec<String>,
    pub effects: Vec<Effect>,
    pub any_errors_fatal: bool,
    pub ignore_errors: bool,
    pub looped: bool,
    pub outcome: Arc<Outcome>,
    /// What ends the run for all.
    pub abort: Option<Box<crate::diag::Diagnostic>>,
}

/// What is collected while a task runs.
#[derive(Default)]
struct Sum {
    outcome: Outcome,
    ends: Vec<TurnEnd>,
    looped: bool,
}

impl Run {
    pub(crate) async fn task_on_host(
        self: &Arc<Self>,
        state: &Arc<PlayState>,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        host: &Arc<str>,
        rescue: bool,
    ) -> TaskEnd {
        let begun = Instant::now();
        let place = Place {
            state,
            task,
            info,
            host,
        };
        let sum = match self.whole(&place).await {
            Ok(sum) => sum,
            Err(fault) => self.failed_early(&place, fault),
        };
        let ignore = ignored(&sum.ends, |outcome| outcome.failed, |end| end.ignore_errors);
        let ignore_unreachable = ignored(
            &sum.ends,
            |outcome| outcome.unreachable,
            |end| end.ignore_unreachable,
        );
        let no_log = sum.ends.iter().any(|end| end.no_log);
        let outcome = sum.outcome;
        let status = match () {
            () if outcome.failed && ignore => Status::Ignored,
            () if outcome.failed && rescue => Status::Rescued,
            () if outcome.failed => Status::Failed,
            () if outcome.unreachable && ignore_unreachable => Status::Ignored,
            () if outcome.unreachable => Status::Unreachable,
            () if outcome.skipped => Status::Skipped,
            () if outcome.changed => Status::Changed,
            () => Status::Ok,
        };
        let registered = task.register.as_ref().map(|name| {
            let value = registered(&outcome, task, sum.looped);
            self.warn_of_names(std::iter::once(name.as_str()));
            let origin = task.span.to_string().into();
            self.store
                .register_as_is(host, name, value.clone(), &origin);
            value
        });
        let mut includes = Vec::new();
        let mut notify = Vec::new();
        let mut effects = Vec::new();
        let mut delegated = None;
        let mut fatal = sum.ends.is_empty() && self.options.any_errors_fatal;
        let mut abort = None;
        for end in sum.ends {
            abort = abort.or(end.abort);
            includes.extend(end.include);
            // an item that changed nothing notifies too, if another of the loop changed something
            // (unless the loop failed, even if that is ignored)
            if outcome.changed && !outcome.failed {
                notify.extend(end.notify);
            }
            effects.extend(end.effects);
            delegated = end.delegate.map(|other| other.to_string()).or(delegated);
            fatal |= end.any_errors_fatal;
        }
        if sum.looped && delegated.is_some() {
            // each item has one of its own
            delegated =
                (task.keywords.delegate_to.as_ref()).map(|node| node.to_value().to_string());
        }
        let shown = Arc::new(if no_log {
            censored(&outcome)
        } else {
            outcome.clone()
        });
        // an include shows itself by what it includes
        let quiet = !includes.is_empty() && !outcome.failed;
        if abort.is_none() {
            self.emitter.emit(&Event::TaskDone {
                task: Arc::clone(info),
                host: host.to_string(),
                status,
                outcome: shown,
                delegated_to: delegated.filter(|other| *other != **host),
                elapsed_ms: elapsed_ms(begun),
                looped: sum.looped,
                quiet,
            });
        }
        TaskEnd {
            status,
            registered,
            includes,
            notify,
            effects,
            any_errors_fatal: fatal,
            ignore_errors: ignore,
            looped: sum.looped,
            outcome: Arc::new(outcome),
            abort,
        }
    }

    /// The end of a task that failed before its first turn: over its loop, or its variables.
    fn failed_early(&self, place: &Place<'_>, fault: Fault) -> Sum {
        let flags = self
            .task_scope(place.state, place.host, place.task)
            .map(|(scope, files)| {
                let cx = with_local(&scope, &files, Map::new());
                self.flags_of_failure(place.task, &cx)
            });
        let end = match flags {
            Ok(flags) => TurnEnd {
                no_log: flags.no_log,
                ignore_errors: flags.ignore_errors,
                any_errors_fatal: flags.any_errors_fatal,
                ..TurnEnd::default()
            },
            Err(_) => TurnEnd {
                no_log: place.task.keywords.no_log.is_some(),
                ..TurnEnd::default()
            },
        };
        Sum {
            outcome: fault.outcome(),
            ends: vec![end],
            looped: false,
        }
    }

    async fn whole(self: &Arc<Self>, place: &Place<'_>) -> Result<Sum, Fault> {
        let (scope, files) = self
            .task_scope(place.state, place.host, place.task)
            .map_err(Fault)?;
        let cx = Context::new(Arc::clone(&scope) as Arc<dyn crate::template::Scope>, files);
        let items = match self.items_of(place.task, &cx) {
            Ok(items) => items,
            Err(fault) => {
                // a loop that cannot be read does not matter if the task does not run
                return match self.skips(place.task, &cx) {
                    Ok(Some(outcome)) => Ok(Sum {
                        outcome,
                        ..Sum::default()
                    }),
                    _ => Err(fault),
                };
            }
        };
        match items {
            None => {
                let end = self.one(place, Map::new(), None).await;
                Ok(Sum {
                    outcome: end.outcome.clone(),
                    ends: vec![end],
                    looped: false,
                })
            }
            Some(items) => {
                let control = self.loop_control(place.task, &cx)?;
                self.many(place, &items, &control).await
            }
        }
    }

    async fn many(
        self: &Arc<Self>,
        place: &Place<'_>,
        items: &[Value],
        control: &LoopControl,
    ) -> Result<Sum, Fault> {
        if items.is_empty() {
            let mut outcome = Outcome::skip("No items in the list");
            outcome.data = Map::new()
                .with("skipped_reason", Value::data("No items in the list"))
                .with("results", Value::list(Vec::new()));
            return Ok(Sum {
                outcome,
                ends: Vec::new(),
                looped: true,
            });
        }
        let plain = place.task.until.is_empty()
            && place.task.retries.is_none()
            && control.break_when.is_empty()
            && control.pause.is_none();
        let mut ends = Vec::new();
        if plain {
            // items do not wait for each other's results: as many as follow one another go in one request
            let mut waiting: Vec<(usize, Turn)> = Vec::new();
            for index in 0..items.len() {
                let turn = self.begin(place, control.locals(items, index));
                if turn.broken {
                    self.finish_all(place, &mut waiting, items, control, &mut ends)
                        .await;
                    let end = self.dispatch(place, turn).await;
                    return Ok(broken(ends, end));
                }
                let joins = turn.is_call()
                    && waiting.len() < 64
                    && waiting.last().is_none_or(|(_, last)| last.same_way(&turn));
                if !joins {
                    self.finish_all(place, &mut waiting, items, control, &mut ends)
                        .await;
                }
                if turn.is_call() {
                    waiting.push((index, turn));
                } else {
                    let mut end = self.dispatch(place, turn).await;
                    self.item_done(place, items, index, control, &mut end);
                    ends.push(end);
                }
                if self.is_interrupted() {
                    break;
                }
            }
            self.finish_all(place, &mut waiting, items, control, &mut ends)
                .await;
        } else {
            for index in 0..items.len() {
                let mut end = self
                    .one(place, control.locals(items, index), Some(index))
                    .await;
                if end.broken {
                    return Ok(broken(ends, end));
                }
                self.item_done(place, items, index, control, &mut end);
                let stop = self.breaks(place, control, items, index, &end)?;
                ends.push(end);
                if stop || self.is_interrupted() {
                    break;
                }
                if let Some(pause) = control.pause
                    && index + 1 < items.len()
                {
                    tokio::time::sleep(Duration::try_from_secs_f64(pause).unwrap_or_default())
                        .await;
                }
            }
        }
        Ok(Sum {
            outcome: sum(&ends, items, control),
            ends,
            looped: true,
        })
    }

    async fn finish_all(
        self: &Arc<Self>,
        place: &Place<'_>,
        waiting: &mut Vec<(usize, Turn)>,
        items: &[Value],
        control: &LoopControl,
        ends: &mut Vec<TurnEnd>,
    ) {
        let (indices, turns): (Vec<usize>, Vec<Turn>) = waiting.drain(..).unzip();
        for (index, mut end) in indices
            .into_iter()
            .zip(self.dispatch_all(place, turns).await)
        {
            self.item_done(place, items, index, control, &mut end);
            ends.push(end);
        }
    }

    fn breaks(
        &self,
        place: &Place<'_>,
        control: &LoopControl,
        items: &[Value],
        index: usize,
        end: &TurnEnd,
    ) -> Result<bool, Fault> {
        if control.break_when.is_empty() {
            return Ok(false);
        }
        let mut local = control.locals(items, index);
        if let Some(name) = &place.task.register {
            local.set(name, end.outcome.to_value());
        }
        let (scope, files) = self
            .task_scope(place.state, place.host, place.task)
            .map_err(Fault)?;
        let cx = with_local(&scope, &files, local);
        for node in &control.break_when {
            let fits = self.condition(node, &cx)?;
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What an item is called: as `loop_control.label` says, which may use the item's result.
    fn label(
        &self,
        place: &Place<'_>,
        items: &[Value],
        index: usize,
        control: &LoopControl,
        end: &TurnEnd,
    ) -> Result<String, Fault> {
        let plain = || items.get(index).map(plain_label).unwrap_or_default();
        let Some(node) = control.label.as_ref().filter(|node| !is_nothing(node)) else {
            return Ok(plain());
        };
        let local = control.locals(items, index);
        let cx = self.result_context(place, &local, &end.outcome)?;
        let value = self.templar.render(&node.to_value(), &cx);
        value
            .map(|value| value.to_string())
            .map_err(|error| Fault::template(&error, node))
    }

    fn item_done(
        &self,
        place: &Place<'_>,
        items: &[Value],
        index: usize,
        control: &LoopControl,
        end: &mut TurnEnd,
    ) {
        let label = match self.label(place, items, index, control, end) {
            Ok(label) => label,
            // the item fails, and shows no label of its own
            Err(fault) => {
                let why = fault.outcome();
                let message = why.message().unwrap_or_default();
                end.outcome.data.set(
                    "msg",
                    Value::data(format!("Failed to template loop_control.label: {message}")),
                );
                end.outcome.failed = true;
                end.outcome.diagnosis = why.diagnosis;
                end.include = None;
                if place.task.short_action() == "debug" {
                    "None".to_owned()
                } else {
                    items.get(index).map(plain_label).unwrap_or_default()
                }
            }
        };
        let outcome = if end.no_log {
            censored(&end.outcome)
        } else {
            end.outcome.clone()
        };
        let status = match () {
            () if outcome.failed => Status::Failed,
            () if outcome.unreachable => Status::Unreachable,
            () if outcome.skipped => Status::Skipped,
            () if outcome.changed => Status::Changed,
            () => Status::Ok,
        };
        if let Some(include) = &mut end.include {
            include.item = Some(label);
            return;
        }
        self.emitter.emit(&Event::ItemDone {
            task: Arc::clone(place.info),
            host: place.host.to_string(),
            item: ItemInfo {
                index,
                label: if end.no_log {
                    "(censored due to no_log)".into()
                } else {
                    label
                },
                vars: if end.no_log {
                    Map::new()
                } else {
                    control.told(items, index)
                },
            },
            status,
            outcome: Arc::new(outcome),
            delegated_to: end
                .delegate
                .as_ref()
                .filter(|other| *other != place.host)
                .map(ToString::to_string),
        });
    }

    /// Remembers what failed, for the `rescue` section that follows.
    pub(crate) fn remember_failure(
        &self,
        state: &PlayState,
        host: &str,
        task: &Task,
        end: &TaskEnd,
    ) {
        let origin: Arc<str> = task.span.to_string().into();
        let mut about = Map::new();
        // a task without a name has an empty one
        let name = task
            .name
            .as_ref()
            .map(|_| self.task_name(state, task, host));
        about.set("name", Value::data(name.unwrap_or_default()));
        about.set("action", Value::data(task.action.as_str()));
        // those of a loop's items are nowhere
        let scope = (!end.looped).then(|| self.task_scope(state, host, task));
        let cx = scope
            .and_then(Result::ok)
            .map(|(scope, files)| Context::new(scope, files));
        let shown = |value: Value| {
            let rendered = cx
                .as_ref()
                .and_then(|cx| self.templar.render(&value, cx).ok());
            rendered.unwrap_or(value).into_data()
        };
        about.set("args", shown(Value::map(task.args.to_map())));
        let keywords = &task.keywords;
        let all = |nodes: &[crate::yaml::Node]| {
            Value::list(nodes.iter().map(crate::yaml::Node::to_value).collect()).into_data()
        };
        about.set("tags", all(&keywords.tags));
        about.set("when", all(&keywords.when));
        about.set("until", all(&task.until));
        let one = |node: Option<&crate::yaml::Node>| {
            node.map_or(Value::Null, |node| node.to_value().into_data())
        };
        about.set("loop", one(task.items.as_ref().map(|(_, items)| items)));
        about.set("retries", one(task.retries.as_ref()));
        let delegate = keywords.delegate_to.as_ref();
        about.set(
            "delegate_to",
            delegate.map_or(Value::Null, |node| shown(node.to_value())),
        );
        about.set(
            "register",
            task.register.as_deref().map_or(Value::Null, Value::data),
        );
        self.store.set_fact(
            host,
            "ansible_failed_task",
            Value::map(about),
            false,
            &origin,
        );
        self.store.set_fact(
            host,
            "ansible_failed_result",
            registered(&end.outcome, task, end.looped),
            false,
            &origin,
        );
    }
}

/// A label that Ansible does not take for one.
fn is_nothing(label: &crate::yaml::Node) -> bool {
    !label.to_value().truthy()
}

/// What `register` stores of an outcome: data, but for variables that the playbook itself has written. That of a loop says
/// always whether all items were skipped, and of a failure only if there was one.
fn registered(outcome: &Outcome, task: &Task, looped: bool) -> Value {
    let value = outcome.to_value();
    let own = matches!(task.short_action(), "set_fact" | "include_vars");
    let facts = value.get("ansible_facts").filter(|_| own).cloned();
    let mut value = value.into_data();
    if let Value::Map(map) = &mut value {
        let map = Arc::make_mut(map);
        map.take("invocation");
        if looped {
            map.set("skipped", outcome.skipped);
        }
        if (looped || outcome.unreachable) && !outcome.failed {
            map.take("failed");
        }
        if let Some(facts) = facts {
            map.set("ansible_facts", facts);
        }
    }
    value
}

/// Whether those of the ends that are bad are all to be ignored. (A task that failed over its loop or its variables has an
/// end with no outcome of its own, and a skipped item has no keywords, though its label may fail.)
fn ignored(
    ends: &[TurnEnd],
    bad: impl Fn(&Outcome) -> bool,
    ignores: impl Fn(&TurnEnd) -> bool,
) -> bool {
    let bad = |end: &&TurnEnd| bad(&end.outcome) && !end.outcome.skipped;
    let mut bad = ends.iter().filter(bad).peekable();
    if bad.peek().is_some() {
        bad.all(&ignores)
    } else {
        ends.iter().any(ignores)
    }
}

/// The end of a loop at an item whose conditions or arguments cannot be templated: that fails the task as a whole.
fn broken(mut ends: Vec<TurnEnd>, end: TurnEnd) -> Sum {
    let outcome = end.outcome.clone();
    ends.push(end);
    Sum {
        outcome,
        ends,
        looped: false,
    }
}

/// One outcome of all items.
fn sum(ends: &[TurnEnd], items: &[Value], control: &LoopControl) -> Outcome {
    let mut all = Outcome::ok();
    let mut results = Vec::new();
    let mut skipped = !ends.is_empty();
    for (index, end) in ends.iter().enumerate() {
        let outcome = &end.outcome;
        all.changed |= outcome.changed;
        all.failed |= outcome.failed;
        all.unreachable |= outcome.unreachable;
        all.left_to_do.extend(outcome.left_to_do.iter().cloned());
        skipped &= outcome.skipped;
        let mut result = match outcome.to_value() {
            Value::Map(map) => (*map).clone(),
            _ => Map::new(),
        };
        if outcome.is_unreachable() {
            // nobody knows what it would have come to
            result.take("changed");
            result.take("failed");
        }
        result.extend(control.told(items, index));
        results.push(Value::map(result));
    }
    all.skipped = skipped;
    all.data.set("results", Value::list(results));
    all.data.set(
        "msg",
        match () {
            () if all.failed => "One or more items failed",
            () if all.skipped => "All items skipped",
            () => "All items completed",
        },
    );
    all
}
