//! The callbacks `minimal` and `oneline`, which `ansible` uses.

use super::diff::diff_text;
use super::result::{Shown, written};
use super::{AnsibleOptions, Colour, Screen, base_name};
use crate::report::censor::censor_for_terminal;
use crate::report::dump;
use crate::result::{Event, EventSink, Status};
use crate::value::Value;

/// How much room a host's result takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// As much as it needs (`minimal`).
    Many,
    /// One (`oneline`, `-o`).
    One,
}

/// Shows each host's result, and nothing else.
pub struct AnsibleMinimal {
    screen: Screen,
    options: AnsibleOptions,
    lines: Lines,
}

impl AnsibleMinimal {
    /// On this screen.
    pub fn new(screen: Screen, options: AnsibleOptions, lines: Lines) -> Self {
        Self {
            screen,
            options,
            lines,
        }
    }

    fn done(&mut self, shown: &Shown<'_>, status: Status) {
        if let Some(crash) = shown
            .crash(self.options.verbosity)
            .filter(|_| shown.outcome.failed)
        {
            self.screen.say(&crash, Some(Colour::Error));
        }
        for warning in &shown.outcome.warnings {
            // a warning stays in a result of one line
            if self.lines == Lines::Many {
                self.screen.warning(warning);
            }
        }
        if self.lines == Lines::Many && self.options.diff {
            let action = base_name(&shown.task.action);
            for diff in &shown.outcome.diffs {
                let text = diff_text(diff, action, self.options.diff_context, &self.screen);
                if !text.is_empty() {
                    self.screen.say(&text, None);
                }
            }
        }
        let host = shown.host;
        let (word, colour) = match status {
            _ if shown.outcome.is_unreachable() => ("UNREACHABLE!", Colour::Unreachable),
            Status::Ok => ("SUCCESS", Colour::Ok),
            Status::Changed => ("CHANGED", Colour::Changed),
            Status::Skipped => {
                self.screen
                    .say(&format!("{host} | SKIPPED"), Some(Colour::Skip));
                return;
            }
            _ => ("FAILED!", Colour::Error),
        };
        let text = match self.lines {
            Lines::Many if shown.is_command() && !shown.outcome.is_unreachable() => {
                generic(shown, word.trim_end_matches('!'))
            }
            Lines::Many => {
                let options = AnsibleOptions {
                    pretty: Some(true),
                    ..self.options.clone()
                };
                format!("{host} | {word} => {}", written(&options, shown))
            }
            Lines::One if shown.outcome.is_unreachable() => {
                let message = shown.outcome.message().unwrap_or_default();
                format!("{host} | {word}: {message}")
            }
            Lines::One if shown.is_command() && word != "FAILED!" => in_one_line(shown, word),
            Lines::One => format!("{host} | {word} => {}", self.compact(shown)),
        };
        self.screen.say(&text, Some(colour));
    }

    /// JSON with the line breaks taken out.
    fn compact(&self, shown: &Shown<'_>) -> String {
        let mut map = shown.members(self.options.verbosity);
        if !shown.outcome.warnings.is_empty() {
            let texts = shown
                .outcome
                .warnings
                .iter()
                .map(|w| Value::data(w.as_str()));
            map.set("warnings", Value::list(texts.collect()));
        }
        let indent = if shown.flag("_ansible_verbose_always") {
            4
        } else {
            0
        };
        dump(&Value::map(map), Some(indent)).replace('\n', "")
    }
}

fn text<'a>(shown: &'a Shown<'_>, name: &str) -> &'a str {
    shown
        .outcome
        .data
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn rc(shown: &Shown<'_>) -> String {
    shown
        .outcome
        .data
        .get("rc")
        .map_or_else(|| "-1".to_owned(), ToString::to_string)
}

/// What a command printed, one after the other without anything between.
fn generic(shown: &Shown<'_>, word: &str) -> String {
    format!(
        "{} | {word} | rc={} >>\n{}{}{}\n",
        shown.host,
        rc(shown),
        text(shown, "stdout"),
        text(shown, "stderr"),
        text(shown, "msg")
    )
}

fn in_one_line(shown: &Shown<'_>, word: &str) -> String {
    let flat = |name: &str| text(shown, name).replace('\n', "\\n").replace('\r', "\\r");
    let mut line = format!(
        "{} | {word} | rc={} | (stdout) {}",
        shown.host,
        rc(shown),
        flat("stdout")
    );
    let stderr = flat("stderr");
    if !stderr.is_empty() {
        line.push_str(" (stderr) ");
        line.push_str(&stderr);
    }
    line
}

impl EventSink for AnsibleMinimal {
    fn event(&mut self, event: &Event) {
        let event = censor_for_terminal(event);
        match event.as_ref() {
            Event::TaskDone {
                task,
                host,
                status,
                outcome,
                delegated_to,
                quiet: false,
                ..
            } => {
                let shown = Shown {
                    task,
                    host,
                    item: None,
                    outcome,
                    delegated_to: delegated_to.as_deref(),
                };
                self.done(&shown, *status);
            }
            Event::Warning { message } => self.screen.warning(message),
            Event::Deprecation { message } => self.screen.deprecation(message),
            _ => {}
        }
    }
}
