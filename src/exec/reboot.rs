//! Restarting a machine and waiting until it is back.

use super::machines::Login;
use super::run::{Run, stopped};
use crate::actions::Reboot;
use crate::result::Outcome;
use crate::transport::{Become, ConnectionKind, TransportError};
use crate::value::{Map, Value};
use crate::wire::Call;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// How long a command may take while the machine goes down or comes up, beside the time to connect.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest time between two tries.
const LONGEST_SLEEP: Duration = Duration::from_secs(12);

struct Seen {
    ok: bool,
    stdout: String,
    stderr: String,
}

impl Run {
    pub(crate) async fn reboot(
        &self,
        login: &Login,
        who: Option<&Become>,
        wish: &Reboot,
    ) -> Outcome {
        let begun = Instant::now();
        let result = |outcome: Outcome, rebooted: bool| {
            let seconds = i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX);
            outcome.with("elapsed", seconds).with("rebooted", rebooted)
        };
        if login.kind == ConnectionKind::Local {
            let message = "Running reboot with local connection would reboot the control node.";
            return result(Outcome::failure(message), false);
        }
        let mut done = result(
            Outcome {
                changed: true,
                ..Outcome::ok()
            },
            true,
        );
        if wish.check {
            return done;
        }
        let mut stop = self.interrupted.clone();
        tokio::select! {
            failed = self.restart(login, who, wish) => match failed {
                Ok(()) => {}
                Err((outcome, rebooted)) => return result(outcome, rebooted),
            },
            () = stopped(&mut stop) => return Outcome::failure("interrupted"),
        }
        done = result(done, true);
        done
    }

    async fn restart(
        &self,
        login: &Login,
        who: Option<&Become>,
        wish: &Reboot,
    ) -> Result<(), (Outcome, bool)> {
        let before = match self.shell(login, who, &wish.boot_id).await {
            Ok(seen) if seen.ok => seen.stdout,
            Ok(seen) => {
                let message = format!(
                    "reboot: failed to get host boot time info, stdout: {}, stderr: {}",
                    seen.stdout, seen.stderr
                );
                return Err((Outcome::failure(message), false));
            }
            Err(error) => return Err((super::dispatch::lost(&error), false)),
        };
        // the connection may be lost before the command has answered: that is as good as an answer
        let asked = self.shell(login, who, &wish.command);
        if let Ok(Ok(seen)) = tokio::time::timeout(PATIENCE, asked).await
            && !seen.ok
        {
            let message = format!(
                "Reboot command failed. Error was: '{}, {}'",
                seen.stdout.trim(),
                seen.stderr.trim()
            );
            return Err((Outcome::failure(message), false));
        }
        tokio::time::sleep(wish.post_delay).await;
        let mut login = login.clone();
        if wish.connect_timeout.is_some() {
            login.target.connect_timeout = wish.connect_timeout;
        }
        let waits = [
            (&wish.boot_id, true, "last boot time check"),
            (&wish.test, false, "post-reboot test command"),
        ];
        for (command, differs, what) in waits {
            let holds = |seen: &Seen| seen.ok && !(differs && seen.stdout == before);
            if !self.until(&login, who, command, wish.timeout, &holds).await {
                let message = format!(
                    "Timed out waiting for {what} (timeout={})",
                    wish.timeout.as_secs()
                );
                return Err((Outcome::failure(message), true));
            }
        }
        Ok(())
    }

    /// Runs the command over new connections until its answer is right; whether it was in time.
    async fn until(
        &self,
        login: &Login,
        who: Option<&Become>,
        command: &str,
        timeout: Duration,
        holds: &(dyn Fn(&Seen) -> bool + Sync),
    ) -> bool {
        let begun = Instant::now();
        let mut sleep = Duration::from_secs(1);
        loop {
            self.machines.forget(login).await;
            let limit = PATIENCE + login.target.connect_timeout.unwrap_or_default();
            let tried = tokio::time::timeout(limit, self.shell(login, who, command)).await;
            if let Ok(Ok(seen)) = &tried
                && holds(seen)
            {
                return true;
            }
            if begun.elapsed() >= timeout {
                return false;
            }
            tokio::time::sleep(sleep.min(timeout.saturating_sub(begun.elapsed()))).await;
            sleep = (sleep * 2).min(LONGEST_SLEEP);
        }
    }

    async fn shell(
        &self,
        login: &Login,
        who: Option<&Become>,
        line: &str,
    ) -> Result<Seen, TransportError> {
        let call = Call {
            module: "shell".into(),
            args: Map::new().with("cmd", Value::data(line)),
            check: false,
            diff: false,
            no_log: false,
            replan: false,
            environment: Vec::new(),
            timeout: Some(PATIENCE.as_secs()),
            background: None,
        };
        let outcomes = self
            .machines
            .run(login, who, vec![call], HashMap::new(), None, false)
            .await?;
        let outcome = outcomes.into_iter().next().unwrap_or_default();
        let text = |name: &str| outcome.data.get(name).map(ToString::to_string);
        Ok(Seen {
            ok: !outcome.failed && !outcome.unreachable,
            stdout: text("stdout").unwrap_or_default(),
            stderr: text("stderr")
                .filter(|text| !text.is_empty())
                .or_else(|| text("msg"))
                .unwrap_or_default(),
        })
    }
}
