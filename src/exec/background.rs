//! `async` and `poll`: tasks that go on in the background of their machine.
//!
//! Source: Ansible's documentation, "Asynchronous actions and polling".

use super::dispatch::lost;
use super::fault::Fault;
use super::machines::Login;
use super::run::{Run, stopped};
use super::settings::Settings;
use super::single::Place;
use crate::actions::{ActionRegistry, Step, look_at_job};
use crate::playbook::Task;
use crate::result::{Event, Outcome};
use crate::template::Context;
use crate::transport::Become;
use crate::value::{Map, Value};
use crate::wire::{Background, Call};
use crate::yaml::Node;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// What a task says of its life in the background.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InBackground {
    /// Until it is stopped.
    seconds: u64,
    /// Between two looks; 0: nobody waits for it.
    poll: u64,
    /// Where the machine keeps its file.
    dir: String,
}

impl InBackground {
    /// Whether the task is over only when the job is.
    pub(crate) fn waits(&self) -> bool {
        self.poll > 0
    }

    pub(crate) fn on_wire(&self) -> Background {
        Background {
            // whoever waits says first that the time is over, also where the machine's clock is a little ahead
            seconds: self.seconds + u64::from(self.waits()),
            dir: self.dir.clone(),
        }
    }
}

impl Run {
    /// The task's `async` and `poll`, if it is to go on in the background.
    pub(super) fn background(
        &self,
        task: &Task,
        cx: &Context,
    ) -> Result<Option<InBackground>, Fault> {
        let Some((seconds, poll)) = &task.background else {
            return Ok(None);
        };
        let seconds_given = self.whole_seconds("async", seconds, cx)?.unwrap_or(0);
        let poll = match poll {
            Some(node) => self.whole_seconds("poll", node, cx)?,
            None => None,
        };
        if seconds_given == 0 {
            return Ok(None);
        }
        if !ActionRegistry.supports_async(task.short_action()) {
            let why = format!("This action ({}) does not support async.", task.action);
            return Err(Fault::at(why, &seconds.span));
        }
        Ok(Some(InBackground {
            seconds: seconds_given,
            poll: poll.unwrap_or(self.options.poll_interval),
            dir: self.options.async_dir.clone(),
        }))
    }

    fn whole_seconds(&self, name: &str, node: &Node, cx: &Context) -> Result<Option<u64>, Fault> {
        let Some(number) = self.number(name, Some(node), cx)? else {
            return Ok(None);
        };
        if number.fract() != 0.0 || !number.is_finite() {
            let why = format!("`{name}` must be a whole number of seconds, it is {number}");
            return Err(Fault::at(why, &node.span));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and clamped"
        )]
        Ok(Some(number.clamp(0.0, 1e9) as u64))
    }

    /// Says where the machine that runs the task keeps the files of jobs. `cx` is that of its host.
    pub(super) fn job_files(
        &self,
        task: &Task,
        cx: &Context,
        step: &mut Step,
        background: Option<&mut InBackground>,
    ) -> Result<(), Fault> {
        let asks = task.short_action() == "async_status";
        if background.is_none() && !asks {
            return Ok(());
        }
        let dir = match self.variable("ansible_async_dir", cx)? {
            Some(dir) => dir.to_string(),
            None => self.options.async_dir.clone(),
        };
        if let Step::Call(call) = step
            && asks
        {
            call.args.set("_async_dir", Value::data(dir.as_str()));
        }
        if let Some(background) = background {
            background.dir = dir;
        }
        Ok(())
    }

    /// The outcome of a task that may have begun a job: with `poll`, that of the job when it is over.
    pub(super) async fn when_over(
        self: &Arc<Self>,
        place: &Place<'_>,
        begun: Outcome,
        login: &Login,
        who: Option<&Become>,
        settings: Option<&Settings>,
    ) -> Outcome {
        let Some(settings) = settings else {
            return begun;
        };
        let job = settings.background.as_ref().filter(|job| job.waits());
        let jid = begun.data.get("ansible_job_id").map(ToString::to_string);
        let (Some(job), Some(jid)) = (job, jid) else {
            return begun;
        };
        if begun.failed || begun.skipped || begun.unreachable {
            return begun;
        }
        let over = |failed: bool| {
            self.emitter.emit(&Event::AsyncDone {
                task: Arc::clone(place.info),
                host: place.host.to_string(),
                jid: jid.clone(),
                failed,
            });
        };
        let mut left = job.seconds;
        loop {
            let mut stop = self.interrupted.clone();
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(job.poll)) => {}
                () = stopped(&mut stop) => {
                    return Outcome::failure(format!("interrupted; the job {jid} goes on"));
                }
            }
            left = left.saturating_sub(job.poll);
            let said = self
                .ask_for_job(settings, login, who, &job.dir, &jid, "status")
                .await;
            match said {
                Ok(outcome) => {
                    let finished = outcome.data.get("finished").is_some_and(Value::truthy);
                    if finished || outcome.skipped {
                        // a file that nobody asks for any more; that it stays is no reason to fail
                        let _ = self
                            .ask_for_job(settings, login, who, &job.dir, &jid, "cleanup")
                            .await;
                        over(outcome.failed);
                        return outcome;
                    }
                    if outcome.failed {
                        over(true);
                        return outcome;
                    }
                    self.emitter.emit(&Event::AsyncPoll {
                        task: Arc::clone(place.info),
                        host: place.host.to_string(),
                        jid: jid.clone(),
                        left,
                    });
                    if left == 0 {
                        over(true);
                        let why = format!(
                            "async task did not complete within the requested time - {}s",
                            job.seconds
                        );
                        return Outcome::failure(why).with("async_result", outcome.data);
                    }
                }
                // the machine may come back; the job does not need us
                Err(error) if left == 0 => return *error,
                Err(_) => {}
            }
            if self.is_interrupted() {
                return Outcome::failure(format!("interrupted; the job {jid} goes on"));
            }
        }
    }

    async fn ask_for_job(
        &self,
        settings: &Settings,
        login: &Login,
        who: Option<&Become>,
        dir: &str,
        jid: &str,
        mode: &str,
    ) -> Result<Outcome, Box<Outcome>> {
        let args = Map::new()
            .with("jid", Value::data(jid))
            .with("mode", Value::data(mode))
            .with("_async_dir", Value::data(dir));
        let look = look_at_job(args);
        let call = Call {
            module: look.module,
            args: look.args,
            check: false,
            diff: false,
            no_log: false,
            replan: false,
            environment: settings.environment.clone(),
            timeout: None,
            background: None,
        };
        let asked = self
            .machines
            .run(login, who, vec![call], HashMap::new(), None, false);
        let mut stop = self.interrupted.clone();
        let said = tokio::select! {
            said = asked => said,
            () = stopped(&mut stop) => return Err(Outcome::failure("interrupted").into()),
        };
        match said.map(|mut outcomes| outcomes.pop()) {
            Ok(Some(outcome)) => Ok(match look.finish {
                Some(finish) => finish(outcome),
                None => outcome,
            }),
            Ok(None) => Err(Outcome::failure("the agent gave no answer").into()),
            Err(error) => Err(lost(&error).into()),
        }
    }
}
