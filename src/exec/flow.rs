//! `meta`: what changes the course of a play.
//!
//! Source: Ansible's documentation of the module `meta`.

use super::linear::Cursors;
use super::play::PlayState;
use super::run::{Lost, Run};
use crate::diag::Diagnostic;
use crate::playbook::Task;
use crate::result::Event;
use crate::template::Context;
use crate::value::Value;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How a batch goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// With the next task; so many hosts were lost.
    Go {
        /// Hosts that failed or could not be reached.
        lost: usize,
    },
    /// Not at all: the play is over.
    EndPlay,
    /// With the next batch.
    EndBatch,
}

impl Run {
    pub(crate) async fn meta(
        self: &Arc<Self>,
        state: &Arc<PlayState>,
        cursors: &mut Cursors,
        task: &Arc<Task>,
        group: &[Arc<str>],
    ) -> Result<Flow, Box<Diagnostic>> {
        let word = task
            .args
            .get("_raw_params")
            .map(|node| node.to_value().to_string())
            .unwrap_or_default();
        let handlers = Arc::clone(
            &state
                .handlers
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        let mut hosts: Vec<Arc<str>> = Vec::new();
        // what ends or resets something for all is asked of the first host, for all
        let of_all = matches!(
            word.as_str(),
            "end_play" | "end_batch" | "clear_facts" | "clear_host_errors" | "refresh_inventory"
        );
        let refreshes = word == "refresh_inventory";
        if refreshes && !task.keywords.when.is_empty() {
            self.emitter
                .warn("`meta: refresh_inventory` does not look at `when`");
        }
        for host in group {
            let asked = if of_all {
                group.first().unwrap_or(host)
            } else {
                host
            };
            let applies = task.implicit || refreshes || self.meta_applies(state, task, asked)?;
            if applies {
                hosts.push(Arc::clone(host));
            }
            if !task.implicit && (!of_all || group.first() == Some(host)) {
                let info = self.info(task, self.task_name(state, task, host), task.handler);
                self.emitter.emit(&Event::Meta {
                    task: info,
                    host: host.to_string(),
                    skipped: !applies,
                    message: told(&word, host, task, applies),
                });
            }
        }
        // the cursor moves over the task in any case
        for host in group {
            if let Some(cursor) = cursors.get_mut(host) {
                // handlers run where the flush stands; the end of their frame moves on
                cursor.take_off_handler();
                let asked = word == "flush_handlers" && hosts.contains(host);
                if asked {
                    self.find_notified(state, &handlers, cursor, host);
                }
                if asked && !cursor.notified.is_empty() {
                    cursor.flush(Arc::clone(&handlers));
                } else {
                    cursor.advance();
                }
            }
        }
        let mut each = |act: &mut dyn FnMut(&mut crate::plan::Cursor)| {
            for host in &hosts {
                if let Some(cursor) = cursors.get_mut(host) {
                    act(cursor);
                }
            }
        };
        match word.as_str() {
            "noop" | "flush_handlers" => {}
            "end_host" => {
                each(&mut crate::plan::Cursor::end);
                let mut gone = state
                    .gone
                    .write()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                gone.extend(hosts.iter().cloned());
            }
            "end_role" => each(&mut crate::plan::Cursor::end_role),
            "end_play" if !hosts.is_empty() => return Ok(Flow::EndPlay),
            "end_batch" if !hosts.is_empty() => return Ok(Flow::EndBatch),
            "end_play" | "end_batch" => {}
            "clear_facts" => {
                for host in &hosts {
                    self.store.clear_facts(host);
                }
            }
            "clear_host_errors" if !hosts.is_empty() => {
                let mut lost = self.lost();
                *lost = Lost::default();
                for cursor in cursors.values_mut() {
                    cursor.clear_failure();
                }
            }
            "clear_host_errors" => {}
            "reset_connection" => {
                for host in &hosts {
                    let (scope, files) = self.task_scope(state, host, task)?;
                    let cx = Context::new(scope, files);
                    if let Ok(login) = self.login(host, task, &cx) {
                        self.machines.forget(&login).await;
                    }
                }
            }
            "refresh_inventory" => self.refresh_inventory(state, cursors, task).await?,
            other => {
                let known = [
                    "noop",
                    "flush_handlers",
                    "end_host",
                    "end_role",
                    "end_play",
                    "end_batch",
                    "clear_facts",
                    "clear_host_errors",
                    "reset_connection",
                    "refresh_inventory",
                ];
                return Err(Diagnostic::error(
                    "task::meta",
                    format!("there is no `meta: {other}`"),
                )
                .at(&task.action_span)
                .maybe_hint(crate::diag::did_you_mean(other, known))
                .into());
            }
        }
        Ok(Flow::Go { lost: 0 })
    }

    fn meta_applies(
        &self,
        state: &PlayState,
        task: &Task,
        host: &str,
    ) -> Result<bool, Box<Diagnostic>> {
        let (scope, files) = self.task_scope(state, host, task)?;
        let cx = Context::new(scope, files);
        for node in &task.keywords.when {
            let fits = self.condition(node, &cx).map_err(|e| e.0)?;
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `run_once`, as the first host sees it.
    pub(crate) fn runs_once(&self, state: &PlayState, task: &Task, first: &str) -> bool {
        let Some(node) = &task.keywords.run_once else {
            return false;
        };
        if let Some(flag) = crate::value::to_bool(&node.to_value()) {
            return flag;
        }
        self.task_scope(state, first, task)
            .ok()
            .and_then(|(scope, files)| {
                let cx = Context::new(scope, files);
                self.flag("run_once", Some(node), &cx).ok().flatten()
            })
            .unwrap_or(false)
    }

    /// Whether the user wants the task (`--step`); without that option, always.
    pub(crate) async fn goes_on(&self, state: &PlayState, task: &Task, hosts: &[Arc<str>]) -> bool {
        if !self.stepping.load(Ordering::Relaxed) {
            return true;
        }
        let first = hosts.first().map_or("", |host| host);
        let question = format!(
            "Perform task: {} (N)o/(y)es/(c)ontinue: ",
            self.task_name(state, task, first)
        );
        let prompt = Arc::clone(&self.prompt);
        let asked = tokio::task::spawn_blocking(move || prompt.ask(&question, true));
        let answer = asked.await.ok().flatten().unwrap_or_default();
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => true,
            "c" | "continue" => {
                self.stepping.store(false, Ordering::Relaxed);
                true
            }
            _ => false,
        }
    }

    /// How many hosts may work at once on a task, if it says so.
    pub(crate) fn throttle(
        &self,
        state: &PlayState,
        task: &Task,
        hosts: &[Arc<str>],
    ) -> Option<usize> {
        let node = task.keywords.throttle.as_ref()?;
        let (scope, files) = self.task_scope(state, hosts.first()?, task).ok()?;
        let cx = Context::new(scope, files);
        let number = self.number("throttle", Some(node), &cx).ok().flatten()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped"
        )]
        (number >= 1.0).then(|| number.min(1e6) as usize)
    }

    /// A task's name as a banner shows it: templated with the first host's variables as far as that works.
    pub(crate) fn task_name(&self, state: &PlayState, task: &Task, first: &str) -> String {
        let label = task.label();
        // what stands for a name that there is not is shown as it is
        if task.name.is_none() || !label.contains("{{") {
            return label;
        }
        self.task_scope(state, first, task)
            .ok()
            .and_then(|(scope, files)| {
                let cx = Context::new(scope, files);
                self.templar.render(&Value::str(label.as_str()), &cx).ok()
            })
            .map_or(label, |value| value.to_string())
    }
}

/// What a `meta` task does for a host, or what its condition leaves as it is.
fn told(word: &str, host: &str, task: &Task, applies: bool) -> String {
    let role = task.role.as_ref().map_or("", |role| role.name.as_str());
    if applies {
        return match word {
            "flush_handlers" => format!("triggered running handlers for {host}"),
            "refresh_inventory" => "inventory successfully refreshed".into(),
            "clear_facts" => "facts cleared".into(),
            "clear_host_errors" => "cleared host errors".into(),
            "end_batch" => "ending batch".into(),
            "end_play" => "ending play".into(),
            "end_host" => format!("ending play for {host}"),
            "end_role" => format!("ending role {role} for {host}"),
            "reset_connection" => "reset connection".into(),
            other => other.to_owned(),
        };
    }
    let left = match word {
        "flush_handlers" => format!(", not running handlers for {host}"),
        "clear_facts" => format!(", not clearing facts and fact cache for {host}"),
        "clear_host_errors" => format!(", not clearing host error state for {host}"),
        "end_batch" => ", continuing current batch".into(),
        "end_play" => ", continuing play".into(),
        "end_host" => format!(", continuing execution for {host}"),
        "end_role" => format!(", continuing role {role} for {host}"),
        _ => String::new(),
    };
    format!("{word} conditional evaluated to False{left}")
}
