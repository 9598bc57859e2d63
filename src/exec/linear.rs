//! Keeping hosts in step: the strategy `linear`.

use super::flow::Flow;
use super::free::Lanes;
use super::play::PlayState;
use super::run::Run;
use super::task::TaskEnd;
use crate::diag::Diagnostic;
use crate::plan::{Cursor, Failure, Next, Place};
use crate::playbook::{Item, Task};
use crate::result::{Event, Status, TaskInfo};
use crate::vars::PlayMagic;
use indexmap::IndexMap;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How a batch ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BatchEnd {
    /// `meta: end_play`.
    pub ended: bool,
    /// Too many hosts failed.
    pub aborted: bool,
}

/// Hosts and where they are.
pub(crate) type Cursors = IndexMap<Arc<str>, Cursor>;

impl Run {
    /// Runs the items on a batch of hosts to the end. `size` counts those too that were lost before.
    pub(crate) async fn batch(
        self: &Arc<Self>,
        state: &Arc<PlayState>,
        items: &Arc<Vec<(u32, Item)>>,
        hosts: Vec<Arc<str>>,
        size: usize,
    ) -> Result<BatchEnd, Box<Diagnostic>> {
        let mut cursors: Cursors = hosts
            .iter()
            .map(|host| (Arc::clone(host), Cursor::new(Arc::clone(items))))
            .collect();
        let mut end = BatchEnd::default();
        let mut failed = 0;
        while !self.is_interrupted() {
            self.refresh_magic(
                state,
                &mut cursors
                    .iter()
                    .filter(|(_, cursor)| cursor.is_failed())
                    .map(|(host, _)| host),
            );
            let Some((next, group)) = nearest(&mut cursors) else {
                break;
            };
            let flow = self
                .at_task(state, &mut cursors, &next, &group, None)
                .await?;
            match flow {
                Flow::Go { lost } => failed += lost,
                Flow::EndPlay => {
                    end.ended = true;
                    break;
                }
                Flow::EndBatch => break,
            }
            if failed > 0 && self.too_many(state, failed, size)? {
                for (host, cursor) in &mut cursors {
                    if !cursor.is_failed() && cursor.next().is_some() {
                        cursor.drop_out();
                        self.lost().failed.insert(Arc::clone(host));
                    }
                }
                self.emitter.emit(&Event::NoHostsLeft);
                end.aborted = true;
                break;
            }
        }
        for warning in self.store.take_problems() {
            self.emitter.warn(warning.to_string());
        }
        Ok(end)
    }

    /// Which hosts of the play and the batch are left; `failed` are those that failed without being lost.
    pub(super) fn refresh_magic(
        &self,
        state: &PlayState,
        failed: &mut dyn Iterator<Item = &Arc<str>>,
    ) {
        let old = state.magic();
        let failed: HashSet<&Arc<str>> = failed.collect();
        let lost = self.lost();
        let gone = state.gone.read().unwrap_or_else(PoisonError::into_inner);
        let mut removed = state.removed.lock().unwrap_or_else(PoisonError::into_inner);
        removed.extend(lost.failed.iter().cloned());
        removed.extend(lost.unreachable.iter().cloned());
        let alive = |hosts: &mut dyn Iterator<Item = &Arc<str>>| -> Vec<Arc<str>> {
            hosts
                .filter(|host| !removed.contains(*host) && !gone.contains(*host))
                .cloned()
                .collect()
        };
        let batch = alive(&mut state.batch().iter().filter(|host| !failed.contains(host)));
        let hosts = alive(&mut old.hosts_all.iter());
        if *batch == *old.batch && *hosts == *old.hosts {
            return;
        }
        drop(lost);
        state.set_magic(PlayMagic {
            batch: batch.into(),
            hosts: hosts.into(),
            ..(*old).clone()
        });
    }

    fn too_many(
        &self,
        state: &PlayState,
        failed: usize,
        size: usize,
    ) -> Result<bool, Box<Diagnostic>> {
        let Some(node) = &state.play.max_fail_percentage else {
            return Ok(false);
        };
        let text = node.to_value().to_string();
        let Ok(percent) = text.trim_end_matches('%').trim().parse::<f64>() else {
            return Err(Diagnostic::error(
                "play::max-fail-percentage",
                format!("`max_fail_percentage` must be a number, this is `{text}`"),
            )
            .at(&node.span)
            .into());
        };
        #[expect(clippy::cast_precision_loss, reason = "host counts are small")]
        let share = failed as f64 / size as f64 * 100.0;
        Ok(share > percent)
    }

    /// Runs one task on the hosts that are at it.
    pub(super) async fn at_task(
        self: &Arc<Self>,
        state: &Arc<PlayState>,
        cursors: &mut Cursors,
        next: &Next,
        group: &[Arc<str>],
        lanes: Option<&Lanes>,
    ) -> Result<Flow, Box<Diagnostic>> {
        self.warn_of_task(&next.task);
        let known = self.with_known_action(state, &next.task, group);
        let task = &known;
        tracing::debug!(place = ?next.place, at = %task.span, hosts = group.len(), "task");
        if task.short_action() == "meta" {
            return self.meta(state, cursors, task, group).await;
        }
        let mut group = group.to_vec();
        if task.implicit && task.action == "gather_facts" && self.options.gathering == "smart" {
            // facts that are known are not gathered again
            group.retain(|host| {
                let known = self.store.has_gathered(host);
                if known && let Some(cursor) = cursors.get_mut(host) {
                    cursor.advance();
                }
                !known
            });
            if group.is_empty() {
                return Ok(Flow::Go { lost: 0 });
            }
        }
        let group = group.as_slice();
        if !self.goes_on(state, task, group).await {
            for host in group {
                if let Some(cursor) = cursors.get_mut(host) {
                    cursor.advance();
                }
            }
            return Ok(Flow::Go { lost: 0 });
        }
        let first = group.first().cloned().unwrap_or_default();
        let handler = next.handler.is_some() || task.handler;
        // a task without a name is called as it is written
        let make = || {
            let name = match &next.task.name {
                None if next.task.has_templated_action() => next.task.action.clone(),
                _ => self.task_name(state, task, &first),
            };
            self.info(task, name, handler)
        };
        let (info, begins) = match lanes {
            Some(lanes) => lanes.info(task, handler, make),
            None => (make(), true),
        };
        if begins {
            self.emitter.emit(&Event::TaskStart {
                task: Arc::clone(&info),
            });
        }
        let shared = self.runs_once(state, task, &first);
        // actions that are about the run are done for the first host, and theirs is the result
        let once =
            lanes.is_none() && (shared || matches!(task.short_action(), "add_host" | "pause"));
        if lanes.is_some() {
            self.mind_others(state, task, shared)?;
        }
        let active = if once {
            group.get(..1).unwrap_or_default()
        } else {
            group
        };
        let hosts: Vec<(Arc<str>, bool)> = active
            .iter()
            .map(|host| {
                let rescue = cursors.get(host).is_some_and(Cursor::would_rescue);
                (Arc::clone(host), rescue)
            })
            .collect();
        let ends = self.on_hosts(state, &next.task, &info, hosts, lanes).await;
        let rescued = |host: &str| cursors.get(host).is_some_and(Cursor::would_rescue);
        let debugged = self.debug_ends(state, &next.task, &info, ends, &rescued);
        // it holds a whole task, which few runs need
        let ends = Box::pin(debugged).await;
        let ends = if once {
            self.spread(state, task, ends, group, shared)
        } else {
            ends
        };
        self.settle(state, cursors, task, &info, ends, once)
    }

    /// What a task about the run, or one that runs once, means where hosts do not wait for each other.
    fn mind_others(
        &self,
        state: &PlayState,
        task: &Task,
        once: bool,
    ) -> Result<(), Box<Diagnostic>> {
        let strategy = state.strategy.name();
        if matches!(task.short_action(), "add_host" | "pause") {
            return Err(Diagnostic::error(
                "task::strategy",
                format!(
                    "`{}` is done once for all hosts, which the strategy `{strategy}` does not know: it would be done \
                     for every host",
                    task.short_action()
                ),
            )
            .at(&task.action_span)
            .into());
        }
        if once {
            self.emitter.warn(format!(
                "with the strategy `{strategy}`, a task with `run_once` runs on every host"
            ));
        }
        if task.keywords.any_errors_fatal.is_some() {
            self.emitter.warn(format!(
                "with the strategy `{strategy}`, `any_errors_fatal` has no effect: hosts do not wait for each other"
            ));
        }
        Ok(())
    }

    /// Runs the task on these hosts at the same time; ends in the order of the hosts.
    async fn on_hosts(
        self: &Arc<Self>,
        state: &Arc<PlayState>,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        hosts: Vec<(Arc<str>, bool)>,
        lanes: Option<&Lanes>,
    ) -> Vec<(Arc<str>, TaskEnd)> {
        let first = hosts.first().map(|(host, _)| Arc::clone(host));
        let throttle = self.throttle(state, task, first.as_slice());
        let forks = self.options.forks.max(1);
        let slots = match lanes {
            Some(lanes) => lanes.slots_of(task, throttle),
            None => vec![Arc::new(Semaphore::new(
                throttle.unwrap_or(forks).min(forks),
            ))],
        };
        let mut set = JoinSet::new();
        for (order, (host, rescue)) in hosts.into_iter().enumerate() {
            let (run, state, task) = (Arc::clone(self), Arc::clone(state), Arc::clone(task));
            let info = Arc::clone(info);
            // hosts begin in their order
            let mut held = Vec::new();
            for slot in &slots {
                held.push(Arc::clone(slot).acquire_owned().await);
            }
            set.spawn(async move {
                let _held = held;
                run.emitter.emit(&Event::HostStart {
                    task: Arc::clone(&info),
                    host: host.to_string(),
                });
                let end = run.task_on_host(&state, &task, &info, &host, rescue).await;
                (order, host, end)
            });
        }
        let mut ends: Vec<(usize, Arc<str>, TaskEnd)> = Vec::new();
        while let Some(joined) = set.join_next().await {
            match joined {
                Ok(end) => ends.push(end),
                Err(error) => self.emitter.warn(format!("a bug in runbook: {error}")),
            }
        }
        for warning in self.machines.take_warnings() {
            self.emitter.warn(warning);
        }
        ends.sort_by_key(|(order, _, _)| *order);
        self.join_groups(
            ends.iter()
                .map(|(_, host, end)| (host, end.effects.as_slice())),
        );
        ends.into_iter().map(|(_, host, end)| (host, end)).collect()
    }

    /// The end of a task that runs once, for all hosts that are at it. With `shared` (`run_once`) all hosts of the batch
    /// get what it brought, also those that are not (a host included it, or the others have failed).
    fn spread(
        &self,
        state: &PlayState,
        task: &Task,
        mut ends: Vec<(Arc<str>, TaskEnd)>,
        group: &[Arc<str>],
        shared: bool,
    ) -> Vec<(Arc<str>, TaskEnd)> {
        let Some((first, end)) = ends.pop() else {
            return ends;
        };
        let batch = state.batch();
        for host in batch.iter().filter(|host| shared && **host != first) {
            if self.lost().unreachable.contains(host) {
                continue;
            }
            if let (Some(name), Some(value)) = (&task.register, &end.registered) {
                let origin = task.span.to_string().into();
                (self.store).register_as_is(host, name, value.clone(), &origin);
            }
            self.remember_too(host, &end.effects, task);
        }
        group
            .iter()
            .map(|host| {
                // a handler is notified once, for the host that ran
                (
                    Arc::clone(host),
                    TaskEnd {
                        notify: if host == &first {
                            end.notify.clone()
                        } else {
                            Vec::new()
                        },
                        includes: if host == &first {
                            end.includes.clone()
                        } else {
                            Vec::new()
                        },
                        ..end.clone()
                    },
                )
            })
            .collect()
    }

    /// What the ends of a task mean for the hosts.
    fn settle(
        self: &Arc<Self>,
        state: &Arc<PlayState>,
        cursors: &mut Cursors,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        ends: Vec<(Arc<str>, TaskEnd)>,
        once: bool,
    ) -> Result<Flow, Box<Diagnostic>> {
        let mut lost = 0;
        let mut fatal = false;
        let mut fatal_includes = false;
        let mut includes = Vec::new();
        // hosts that failed of themselves; of `run_once`, the one that ran
        let mut failing: Vec<Arc<str>> = Vec::new();
        let runner = ends.first().map(|(host, _)| Arc::clone(host));
        for (host, mut end) in ends {
            if let Some(problem) = end.abort.take() {
                return Err(problem);
            }
            let Some(cursor) = cursors.get_mut(&host) else {
                continue;
            };
            let own = !once || runner.as_ref() == Some(&host);
            // a handler may be notified again from here on, by itself too
            cursor.take_off_handler();
            let bad = end.outcome.failed || end.outcome.unreachable;
            fatal |= bad && (end.any_errors_fatal || once) && !end.ignore_errors;
            if own
                && end.status != Status::Skipped
                && !end.outcome.unreachable
                && let Some(role) = &task.role
            {
                cursor.ran(role);
            }
            match end.status {
                Status::Failed | Status::Rescued => {
                    if own {
                        failing.push(Arc::clone(&host));
                    }
                    let failure = cursor.fail();
                    if end.status == Status::Rescued {
                        self.remember_failure(state, &host, task, &end);
                    } else {
                        state.remove(&host);
                    }
                    if failure == Failure::Final {
                        // who still has an `always` or handlers to run does not count yet, as in Ansible
                        lost += usize::from(cursor.next().is_none());
                        self.lost().failed.insert(Arc::clone(&host));
                    }
                    continue;
                }
                Status::Unreachable => {
                    cursor.drop_out();
                    self.lost().unreachable.insert(Arc::clone(&host));
                    continue;
                }
                Status::Ok | Status::Changed | Status::Skipped | Status::Ignored => {}
            }
            let problems = self.notify(state, cursor, &host, task, &end.notify);
            if let Some(problem) = problems.into_iter().next() {
                return Err(problem.into());
            }
            if end.includes.is_empty() {
                cursor.advance();
            } else {
                fatal_includes |= (end.any_errors_fatal || once) && !end.ignore_errors;
                includes.push((host, end.includes));
            }
        }
        if !includes.is_empty() {
            let before = failing.len();
            lost += self.include(state, cursors, task, info, includes, &mut failing)?;
            fatal |= fatal_includes && failing.len() > before;
        }
        if fatal {
            // those that did not fail do so where they stand, and run their `rescue` and `always`
            let others = (cursors.iter_mut()).filter(|(host, _)| !failing.contains(*host));
            for (host, cursor) in others {
                let mut out = self.lost();
                if out.unreachable.contains(host) {
                    continue;
                }
                out.later.insert(Arc::clone(host));
                state.remove(host);
                if !cursor.is_at_end() && cursor.fail() == Failure::Final {
                    lost += usize::from(out.failed.insert(Arc::clone(host)));
                }
            }
        }
        Ok(Flow::Go { lost })
    }
}

/// The least place that a host is at, its task, and the hosts that are there. Hosts that were out of the play follow when
/// the others are done.
pub(super) fn nearest(cursors: &mut Cursors) -> Option<(Next, Vec<Arc<str>>)> {
    nearest_of(cursors, false).or_else(|| nearest_of(cursors, true))
}

fn nearest_of(cursors: &mut Cursors, behind: bool) -> Option<(Next, Vec<Arc<str>>)> {
    let mut best: Option<(Place, Next)> = None;
    let mut group: Vec<Arc<str>> = Vec::new();
    for (host, cursor) in cursors.iter_mut() {
        if cursor.is_failed() || cursor.is_behind() != behind {
            continue;
        }
        let Some(next) = cursor.next() else {
            continue;
        };
        match &best {
            Some((place, _)) if next.place > *place => {}
            Some((place, _)) if next.place == *place => group.push(Arc::clone(host)),
            _ => {
                group = vec![Arc::clone(host)];
                best = Some((next.place.clone(), next));
            }
        }
    }
    best.map(|(_, next)| (next, group))
}
