//! Taking a turn's step where it has to go.

use super::background::InBackground;
use super::custom::RUNNER;
use super::machines::{Login, same_user};
use super::pause::Question;
use super::run::{Run, stopped};
use super::settings::Settings;
use super::single::{Place, Turn, TurnEnd, TurnRest};
use crate::actions::{Content, RemoteCall, Step};
use crate::exec::VerifyTask;
use crate::playbook::Task;
use crate::result::{Event, Outcome};
use crate::transport::{Become, TransportError};
use crate::value::{Map, Value};
use crate::wire::Call;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

type Finish = Option<Box<dyn FnOnce(Outcome) -> Outcome + Send>>;

impl Turn {
    fn split(self) -> (Step, Option<(Login, Option<Become>)>, TurnRest) {
        let ran = self.scope.is_some();
        (
            self.step,
            self.way,
            TurnRest {
                include: self.include,
                local: self.local,
                settings: self.settings,
                delegate: self.delegate,
                ran,
                broken: self.broken,
                attempt: self.attempt,
            },
        )
    }
}

impl Run {
    /// Takes one turn to its end.
    pub(crate) async fn dispatch(self: &Arc<Self>, place: &Place<'_>, turn: Turn) -> TurnEnd {
        let (step, way, rest) = turn.split();
        let (outcome, effects) = match (step, way) {
            (Step::Done(outcome, effects), _) => (outcome, effects),
            (
                Step::Pause {
                    seconds,
                    in_seconds,
                    prompt,
                    echo,
                },
                _,
            ) => {
                let question = Question {
                    task: place.info.name.trim(),
                    prompt: prompt.as_deref(),
                    echo,
                };
                let outcome = self.pause(&question, seconds, in_seconds).await;
                (outcome, Vec::new())
            }
            (step, Some((login, who))) => {
                let outcome = self.remote(place, step, &login, who.as_ref(), &rest).await;
                let outcome = self
                    .when_over(place, outcome, &login, who.as_ref(), rest.settings.as_ref())
                    .await;
                (outcome, Vec::new())
            }
            (_, None) => (
                Outcome::failure("a bug in runbook: a step without a machine"),
                Vec::new(),
            ),
        };
        self.finish(place, rest, outcome, effects)
    }

    /// Takes several calls over the same way in one request.
    pub(crate) async fn dispatch_all(
        self: &Arc<Self>,
        place: &Place<'_>,
        mut turns: Vec<Turn>,
    ) -> Vec<TurnEnd> {
        if turns.len() <= 1 {
            return match turns.pop() {
                Some(turn) => vec![self.dispatch(place, turn).await],
                None => Vec::new(),
            };
        }
        let mut rests = Vec::new();
        let mut calls = Vec::new();
        let mut way = None;
        for turn in turns {
            let (step, own_way, rest) = turn.split();
            if let Step::Call(call) = step {
                calls.push((call, rest.settings.clone()));
                rests.push(rest);
                way = own_way.or(way);
            }
        }
        let outcomes = match &way {
            Some((login, who)) => self.calls(place, calls, login, who.as_ref(), false).await,
            None => Vec::new(),
        };
        let mut outcomes = outcomes.into_iter();
        rests
            .into_iter()
            .map(|rest| {
                let outcome = outcomes
                    .next()
                    .unwrap_or_else(|| Outcome::failure("it was not run: the request ended early"));
                self.finish(place, rest, outcome, Vec::new())
            })
            .collect()
    }

    async fn remote(
        self: &Arc<Self>,
        place: &Place<'_>,
        step: Step,
        login: &Login,
        who: Option<&Become>,
        rest: &TurnRest,
    ) -> Outcome {
        match step {
            Step::Call(call) => {
                let calls = vec![(call, rest.settings.clone())];
                let mut outcomes = self.calls(place, calls, login, who, false).await;
                outcomes
                    .pop()
                    .unwrap_or_else(|| Outcome::failure("the agent gave no answer"))
            }
            Step::Calls(calls, merge) => {
                let calls = calls
                    .into_iter()
                    .map(|call| (call, rest.settings.clone()))
                    .collect();
                merge(self.calls(place, calls, login, who, true).await)
            }
            Step::Raw {
                command,
                executable,
            } => self.raw(login, who, &command, executable.as_deref()).await,
            Step::WaitForConnection {
                delay,
                timeout,
                sleep,
                connect_timeout,
            } => {
                self.wait_for_connection(login, who, [delay, timeout, sleep, connect_timeout])
                    .await
            }
            Step::Reboot(wish) => self.reboot(login, who, &wish).await,
            Step::Done(..) | Step::Pause { .. } => Outcome::ok(),
        }
    }

    /// Runs modules in one request; an outcome for each that was run.
    async fn calls(
        self: &Arc<Self>,
        place: &Place<'_>,
        calls: Vec<(RemoteCall, Option<Settings>)>,
        login: &Login,
        who: Option<&Become>,
        stop_on_failure: bool,
    ) -> Vec<Outcome> {
        let count = calls.len();
        let mut wire = Vec::new();
        let mut finishes: Vec<Finish> = Vec::new();
        let mut contents: HashMap<String, Content> = HashMap::new();
        let mut receive = None;
        let mut told = Vec::new();
        for (call, settings) in calls {
            wire.push(self.wire_call(place.task, &call, settings.as_ref()));
            contents.extend(call.contents);
            receive = call.receive.or(receive);
            finishes.push(call.finish);
            if self.options.verbosity >= 3 {
                // a custom module tells that itself, and knows what is secret of it
                let own = call.module == RUNNER;
                told.push((!own).then(|| self.loader.told_arguments(&call.module, &call.args)));
            }
        }
        if self.options.verbosity >= 3
            && let Some(who) = who.filter(|who| !same_user(login, who))
            && let Ok(command) = who.shown()
        {
            let host = place.host.to_string();
            self.emitter.emit(&Event::Becoming { host, command });
        }
        let run = self
            .machines
            .run(login, who, wire, contents, receive, stop_on_failure);
        let mut stop = self.interrupted.clone();
        let result = tokio::select! {
            result = run => result,
            () = stopped(&mut stop) => {
                // what runs there is stopped before anything else happens
                self.machines.cancel().await;
                return vec![Outcome::failure("interrupted"); count];
            }
        };
        match result {
            Ok(outcomes) => outcomes
                .into_iter()
                .zip(finishes.into_iter().chain(std::iter::repeat_with(|| None)))
                .map(|(outcome, finish)| match finish {
                    Some(finish) => finish(outcome),
                    None => outcome,
                })
                .zip(told.into_iter().chain(std::iter::repeat(None)))
                .map(|(mut outcome, told)| {
                    if let Some(args) = told {
                        let invocation = Map::new().with("module_args", args);
                        outcome.data.set("invocation", invocation);
                    }
                    outcome
                })
                .collect(),
            Err(error) => vec![lost(&error); count],
        }
    }

    fn wire_call(&self, task: &Task, call: &RemoteCall, settings: Option<&Settings>) -> Call {
        let timeout = settings.and_then(|s| s.timeout);
        let background = settings.and_then(|s| s.background.as_ref());
        Call {
            module: call.module.clone(),
            args: call.args.clone(),
            check: settings.is_some_and(|s| s.check),
            diff: settings.is_some_and(|s| s.diff && !s.no_log),
            // a registered result is needed whole; it is censored where it is shown
            no_log: settings.is_some_and(|s| s.no_log)
                && task.register.is_none()
                && task.until.is_empty()
                && task.failed_when.is_none()
                && task.changed_when.is_none(),
            replan: self.options.verify_task == VerifyTask::On,
            environment: settings.map(|s| s.environment.clone()).unwrap_or_default(),
            timeout,
            background: background.map(InBackground::on_wire),
        }
    }

    async fn raw(
        &self,
        login: &Login,
        who: Option<&Become>,
        command: &str,
        executable: Option<&str>,
    ) -> Outcome {
        let run = self.machines.raw(login, who, command, executable);
        let mut stop = self.interrupted.clone();
        let result = tokio::select! {
            result = run => result,
            () = stopped(&mut stop) => return Outcome::failure("interrupted"),
        };
        let output = match result {
            Ok(output) => output,
            Err(error) => return lost(&error),
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let lines = |text: &str| Value::list(text.lines().map(Value::data).collect());
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let mut data = Map::new()
            .with("rc", output.rc)
            .with("stdout", Value::data(stdout.as_str()))
            .with("stdout_lines", lines(&stdout))
            .with("stderr", Value::data(stderr.as_str()))
            .with("stderr_lines", lines(&stderr));
        if output.rc != 0 {
            data.set("msg", "non-zero return code");
        }
        Outcome {
            changed: true,
            failed: output.rc != 0,
            data,
            ..Outcome::ok()
        }
    }

    async fn wait_for_connection(
        &self,
        login: &Login,
        who: Option<&Become>,
        [delay, timeout, sleep, connect_timeout]: [Duration; 4],
    ) -> Outcome {
        let begun = Instant::now();
        let mut stop = self.interrupted.clone();
        let mut login = login.clone();
        login.target.connect_timeout = Some(connect_timeout);
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            () = stopped(&mut stop) => return Outcome::failure("interrupted"),
        }
        loop {
            self.machines.forget(&login).await;
            let ping = Call {
                module: "ping".into(),
                args: Map::new(),
                check: false,
                diff: false,
                no_log: false,
                replan: false,
                environment: Vec::new(),
                timeout: Some(connect_timeout.as_secs().max(1)),
                background: None,
            };
            let ping = self
                .machines
                .run(&login, who, vec![ping], HashMap::new(), None, false);
            let tried = tokio::select! {
                tried = ping => tried,
                () = stopped(&mut stop) => return Outcome::failure("interrupted"),
            };
            let why = match tried {
                Ok(_) => {
                    let seconds = i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX);
                    return Outcome::ok().with("elapsed", seconds);
                }
                Err(error) => error.to_string(),
            };
            if begun.elapsed() >= timeout {
                return Outcome::failure(format!(
                    "timed out waiting for the connection after {} s: failed to {why}",
                    timeout.as_secs()
                ));
            }
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = stopped(&mut stop) => return Outcome::failure("interrupted"),
            }
        }
    }
}

/// The outcome for a machine that could not be talked to.
pub(super) fn lost(error: &TransportError) -> Outcome {
    let message = format!("failed to {error}");
    if error.is_unreachable() {
        Outcome::unreachable(message)
    } else {
        Outcome::failure(message)
    }
}
