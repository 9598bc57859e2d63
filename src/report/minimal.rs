//! One block per host, for commands that run one module: the look of Ansible's `minimal` callback.

use super::dump::visible;
use super::failure::excerpt;
use super::{Label, Output, Palette, censor, dump, unified};
use crate::result::{Event, EventSink, Status};
use crate::value::{Map, Value};

/// Writes each host's result as it comes.
pub struct Minimal {
    out: Output,
    palette: Palette,
    diff: bool,
}

impl Minimal {
    /// To this writer.
    pub fn new(out: Output, palette: Palette, diff: bool) -> Self {
        Self { out, palette, diff }
    }

    fn line(&mut self, text: &str) {
        // a closed pipe does not stop the run
        let _ = writeln!(self.out, "{text}");
    }
}

fn word(status: Status) -> (&'static str, Label) {
    match status {
        Status::Ok => ("SUCCESS", Label::Ok),
        Status::Changed => ("CHANGED", Label::Changed),
        Status::Skipped => ("SKIPPED", Label::Skipped),
        Status::Unreachable => ("UNREACHABLE!", Label::Unreachable),
        Status::Failed | Status::Ignored | Status::Rescued => ("FAILED!", Label::Failed),
    }
}

impl EventSink for Minimal {
    fn event(&mut self, event: &Event) {
        let event = censor(event);
        match &*event {
            Event::TaskDone {
                host,
                status,
                outcome,
                quiet: false,
                ..
            } => {
                let (word, label) = word(*status);
                if self.diff {
                    for diff in &outcome.diffs {
                        let text = unified(diff);
                        self.line(text.trim_end());
                    }
                }
                let text = |name: &str| {
                    outcome
                        .data
                        .get(name)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                };
                let head = match outcome.data.get("rc") {
                    // a command: what it printed, as it printed it
                    Some(rc) if outcome.data.get("stdout").is_some() => {
                        let said: Vec<&str> = [text("stdout"), text("stderr")]
                            .into_iter()
                            .filter(|part| !part.is_empty())
                            .collect();
                        // escape sequences of a machine do not reach the terminal
                        let said: Vec<_> = said.join("\n").lines().map(visible).collect();
                        format!("{host} | {word} | rc={rc} >>\n{}", said.join("\n"))
                    }
                    _ => {
                        let shown: Map = match outcome.to_value() {
                            Value::Map(map) => map
                                .iter()
                                .filter(|(key, _)| {
                                    !key.as_str().is_some_and(|k| k.starts_with('_'))
                                })
                                .map(|(k, v)| (k.clone(), v.clone()))
                                .collect(),
                            _ => Map::new(),
                        };
                        format!("{host} | {word} => {}", dump(&Value::map(shown), Some(4)))
                    }
                };
                let painted = self.palette.paint(label, &head);
                self.line(&painted);
                let why = excerpt(outcome, self.palette.color);
                if !why.is_empty() {
                    self.line(why.trim_end());
                }
            }
            Event::Warning { message } => {
                let painted = self
                    .palette
                    .paint(Label::Warning, &format!("[WARNING]: {message}"));
                self.line(&painted);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Minimal;
    use crate::report::Palette;
    use crate::result::{Event, EventSink, Outcome, Status, TaskInfo};
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Text(Arc<Mutex<Vec<u8>>>);

    impl Write for Text {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("one thread").extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn shown(status: Status, outcome: Outcome) -> String {
        let text = Text::default();
        let task = Arc::new(TaskInfo {
            id: 1,
            name: "x".into(),
            action: "x".into(),
            path: "x:1:1".into(),
            role: None,
            handler: false,
            check: false,
            args: String::new(),
        });
        Minimal::new(Box::new(text.clone()), Palette::default(), false).event(&Event::TaskDone {
            task,
            host: "web1".into(),
            status,
            outcome: Arc::new(outcome),
            delegated_to: None,
            elapsed_ms: 1,
            looped: false,
            quiet: false,
        });
        let bytes = text.0.lock().expect("one thread").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_command_shows_what_it_printed() {
        let outcome = Outcome::ok()
            .with("rc", 0)
            .with("stdout", "one\ntwo")
            .with("stderr", "");
        assert_eq!(
            shown(Status::Changed, outcome),
            "web1 | CHANGED | rc=0 >>\none\ntwo\n"
        );
    }

    #[test]
    fn anything_else_shows_its_result() {
        let text = shown(Status::Ok, Outcome::ok().with("ping", "pong"));
        assert!(text.starts_with("web1 | SUCCESS => {"), "{text}");
        assert!(text.contains("\"ping\": \"pong\""), "{text}");
    }
}
