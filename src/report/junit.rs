//! A run as a JUnit document.

use super::failure::excerpt;
use super::human::full_name;
use super::xml::{quoted, seconds};
use super::{CENSORED, Output, censor, dump};
use crate::result::{Event, EventSink, Outcome, Status};
use crate::value::Value;
use std::fmt::Write as _;

/// Writes one XML document at the end of a run: a suite for the playbook, a case for each task and host.
///
/// Failures are `<failure>`, unreachable machines `<error>`; ignored and rescued failures pass, and say so.
/// If the run ends without a recap, the document is written when the sink is dropped.
pub struct Junit {
    out: Output,
    playbook: String,
    play: String,
    cases: Vec<Case>,
    written: bool,
}

struct Case {
    name: String,
    class: String,
    ms: u64,
    verdict: Verdict,
    output: String,
}

enum Verdict {
    Passed,
    Skipped(String),
    Failed(String),
    Error(String),
}

impl Junit {
    /// Writes to `out`.
    pub fn new(out: Output) -> Self {
        Self {
            out,
            playbook: String::new(),
            play: String::new(),
            cases: Vec::new(),
            written: false,
        }
    }

    fn write(&mut self) {
        if std::mem::replace(&mut self.written, true) {
            return;
        }
        let count = |wanted: fn(&Verdict) -> bool| {
            self.cases
                .iter()
                .filter(|case| wanted(&case.verdict))
                .count()
        };
        let counts = format!(
            "tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\"",
            self.cases.len(),
            count(|verdict| matches!(verdict, Verdict::Failed(_))),
            count(|verdict| matches!(verdict, Verdict::Error(_))),
            count(|verdict| matches!(verdict, Verdict::Skipped(_))),
            seconds(self.cases.iter().map(|case| case.ms).sum()),
        );
        let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        let _ = writeln!(xml, "<testsuites {counts}>");
        let _ = writeln!(
            xml,
            "  <testsuite name=\"{}\" {counts}>",
            quoted(&self.playbook)
        );
        for case in &self.cases {
            case.write(&mut xml);
        }
        xml.push_str("  </testsuite>\n</testsuites>\n");
        let _ = self.out.write_all(xml.as_bytes());
        let _ = self.out.flush();
    }
}

impl Case {
    fn write(&self, xml: &mut String) {
        let _ = writeln!(
            xml,
            "    <testcase name=\"{}\" classname=\"{}\" time=\"{}\">",
            quoted(&self.name),
            quoted(&self.class),
            seconds(self.ms)
        );
        let output = quoted(&self.output);
        let _ = match &self.verdict {
            Verdict::Passed if output.is_empty() => Ok(()),
            Verdict::Passed => writeln!(xml, "      <system-out>{output}</system-out>"),
            Verdict::Skipped(why) => writeln!(xml, "      <skipped message=\"{}\"/>", quoted(why)),
            Verdict::Failed(why) => {
                writeln!(
                    xml,
                    "      <failure message=\"{}\">{output}</failure>",
                    quoted(why)
                )
            }
            Verdict::Error(why) => writeln!(
                xml,
                "      <error message=\"{}\">{output}</error>",
                quoted(why)
            ),
        };
        xml.push_str("    </testcase>\n");
    }
}

impl EventSink for Junit {
    fn event(&mut self, event: &Event) {
        match censor(event).as_ref() {
            Event::PlaybookStart { path, .. } if self.playbook.is_empty() => {
                self.playbook.clone_from(path);
            }
            Event::PlayStart { name, .. } => self.play.clone_from(name),
            Event::TaskDone {
                task,
                host,
                status,
                outcome,
                elapsed_ms,
                quiet: false,
                ..
            } => {
                let mut result = dump(&outcome.to_value(), None);
                let why = excerpt(outcome, false);
                if !why.is_empty() {
                    result = format!("{result}\n{why}");
                }
                let output = match status {
                    Status::Ignored => format!("failed, and was ignored: {result}"),
                    Status::Rescued => format!("failed, and was rescued: {result}"),
                    _ => result,
                };
                self.cases.push(Case {
                    name: format!("[{host}] {}: {}", self.play, full_name(task)),
                    class: task.path.clone(),
                    ms: *elapsed_ms,
                    verdict: verdict(*status, outcome),
                    output,
                });
            }
            Event::Recap { .. } => self.write(),
            _ => {}
        }
    }
}

impl Drop for Junit {
    fn drop(&mut self) {
        self.write();
    }
}

fn verdict(status: Status, outcome: &Outcome) -> Verdict {
    let text = |name: &str| outcome.data.get(name).map(Value::to_string);
    let message = || {
        text("msg")
            .or_else(|| text("censored"))
            .unwrap_or_else(|| "failed".to_owned())
    };
    match status {
        Status::Ok | Status::Changed | Status::Ignored | Status::Rescued => Verdict::Passed,
        Status::Skipped if text("censored").is_some() => Verdict::Skipped(CENSORED.to_owned()),
        Status::Skipped => {
            Verdict::Skipped(text("skip_reason").unwrap_or_else(|| "skipped".to_owned()))
        }
        Status::Failed => Verdict::Failed(message()),
        Status::Unreachable => Verdict::Error(message()),
    }
}
