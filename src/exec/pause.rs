//! `pause`: waiting for a time, or for the user.
//!
//! Source: Ansible's documentation of the module `pause`: Ctrl-C, then `C` to go on at once or `A` to give up.

use super::prompt::{Keys, Pressed};
use super::run::{Run, stopped};
use crate::result::Outcome;
use crate::value::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the user is asked.
pub(super) struct Question<'a> {
    /// The task's name.
    pub task: &'a str,
    /// The task's own words.
    pub prompt: Option<&'a str>,
    /// Whether the answer is shown.
    pub echo: bool,
}

impl Question<'_> {
    fn hidden(&self) -> &'static str {
        if self.echo { "" } else { " (output is hidden)" }
    }

    fn text(&self) -> String {
        let prompt = (self.prompt).unwrap_or("Press enter to continue, Ctrl+C to interrupt");
        format!("[{}]\n{prompt}{}:", self.task, self.hidden())
    }
}

/// What the keys do while a time is waited for.
const WAITING: &str = "(ctrl+C then 'C' = continue early, ctrl+C then 'A' = abort)\r";

/// Nothing but Ctrl-C ends a wait.
const NO_KEY: &[u8] = b"";

impl Run {
    /// Waits for so many seconds, or until the user answers.
    pub(super) async fn pause(
        &self,
        question: &Question<'_>,
        seconds: Option<u64>,
        in_seconds: bool,
    ) -> Outcome {
        let clock = Instant::now();
        let begun = jiff::Zoned::now();
        let attended = self.prompt.attended();
        let mut text = question.text();
        if let Some(seconds) = seconds {
            let hidden = question.hidden();
            self.prompt
                .tell(&format!("Pausing for {seconds} seconds{hidden}"));
            if question.prompt.is_some() {
                self.prompt.tell(WAITING);
            } else {
                WAITING.clone_into(&mut text);
            }
        }
        let mut answer = String::new();
        match (attended, seconds) {
            (true, _) => {
                let limit = seconds.map(Duration::from_secs);
                let keys = Keys {
                    echo: question.echo && limit.is_none(),
                    limit,
                    complete: if limit.is_none() { b"\r\n" } else { NO_KEY },
                    abort: NO_KEY,
                };
                match self.pressed(text, keys).await {
                    Some(Pressed::Answer(typed)) if limit.is_none() => answer = typed,
                    Some(Pressed::Answer(_)) => {}
                    Some(Pressed::Interrupted) => {
                        let text = "Press 'C' to continue the play or 'A' to abort \r".to_owned();
                        let keys = Keys {
                            limit: None,
                            complete: b"c",
                            abort: b"a",
                            ..keys
                        };
                        match self.pressed(text, keys).await {
                            Some(Pressed::Answer(typed)) => answer = typed,
                            _ => return Outcome::failure("user requested abort!"),
                        }
                    }
                    None => return Outcome::failure("interrupted"),
                }
            }
            (false, Some(seconds)) => {
                let mut stop = self.interrupted.clone();
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
                    () = stopped(&mut stop) => return Outcome::failure("interrupted"),
                }
            }
            (false, None) => {
                let warning = "Not waiting for response to prompt as stdin is not interactive";
                self.emitter.warn(warning.to_owned());
            }
        }
        let ended = jiff::Zoned::now();
        let whole = clock.elapsed().as_secs();
        let exact = clock.elapsed().as_secs_f64();
        let (lasted, unit) = if in_seconds {
            (exact, "seconds")
        } else {
            (exact / 60.0, "minutes")
        };
        let lasted = Value::from((lasted * 100.0).round() / 100.0);
        let time =
            |time: &jiff::Zoned| Value::data(time.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string());
        Outcome::ok()
            .with("delta", i64::try_from(whole).unwrap_or(i64::MAX))
            .with("echo", question.echo)
            .with("rc", 0)
            .with("stderr", Value::data(""))
            .with("user_input", Value::data(answer))
            .with("start", time(&begun))
            .with("stop", time(&ended))
            .with("stdout", Value::data(format!("Paused for {lasted} {unit}")))
    }

    /// What the user pressed; `None` if nobody is there any more, or the run is to end.
    async fn pressed(&self, text: String, keys: Keys) -> Option<Pressed> {
        let (asker, stop) = (Arc::clone(&self.prompt), self.interrupted.clone());
        let asked =
            tokio::task::spawn_blocking(move || asker.keys(&text, &keys, &|| *stop.borrow()));
        asked.await.ok().flatten()
    }
}
