//! What the steps came to, for people and for programs.

use super::Step;
use super::observed::Place;
use crate::report::xml::{escaped, quoted};
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::Duration;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// All is as it should be.
    Passed,
    /// It is not.
    Failed,
    /// It was not done, for a reason that is said.
    Skipped,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    pub place: Option<Place>,
    /// What.
    pub what: String,
    /// The diff that shows it.
    pub diff: String,
}

impl Finding {
    /// One without a place.
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            ..Self::default()
        }
    }
}

/// What a step came to.
#[derive(Clone, Debug, Serialize)]
pub struct StepEnd {
    /// The scenario's name.
    pub scenario: String,
    /// The step's name.
    #[serde(serialize_with = "name")]
    pub step: Step,
    /// How it ended.
    pub verdict: Verdict,
    /// What it did, in a few words; or why it was skipped.
    pub summary: String,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What its last playbook printed.
    pub log: Option<PathBuf>,
    /// How long it took, in seconds.
    #[serde(rename = "seconds", serialize_with = "seconds")]
    pub took: Duration,
}

fn name<S: serde::Serializer>(step: &Step, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(step.name())
}

fn seconds<S: serde::Serializer>(took: &Duration, out: S) -> Result<S::Ok, S::Error> {
    out.serialize_f64((took.as_secs_f64() * 1000.0).round() / 1000.0)
}

impl StepEnd {
    /// Its findings as people read them, each line indented.
    pub fn details(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            let place = finding.place.as_ref().map(ToString::to_string);
            let line = match (place, finding.what.as_str()) {
                (Some(place), "") => place,
                (Some(place), what) => format!("{place}: {what}"),
                (None, what) => what.to_owned(),
            };
            for (number, line) in line.lines().enumerate() {
                let indent = if number == 0 { "  " } else { "    " };
                let _ = writeln!(text, "{indent}{line}");
            }
            for line in finding.diff.lines() {
                let _ = writeln!(text, "      {line}");
            }
        }
        text
    }
}

/// All steps as a JUnit document: a suite for each scenario, a case for each step.
pub fn junit(ends: &[StepEnd]) -> String {
    let mut suites: indexmap::IndexMap<&str, Vec<&StepEnd>> = indexmap::IndexMap::new();
    for end in ends {
        suites.entry(&end.scenario).or_default().push(end);
    }
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for (scenario, ends) in suites {
        let count = |verdict| ends.iter().filter(|end| end.verdict == verdict).count();
        let time: f64 = ends.iter().map(|end| end.took.as_secs_f64()).sum();
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" skipped=\"{}\" time=\"{time:.3}\">",
            quoted(scenario),
            ends.len(),
            count(Verdict::Failed),
            count(Verdict::Skipped),
        );
        for end in ends {
            let _ = write!(
                text,
                "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\">",
                quoted(scenario),
                end.step,
                end.took.as_secs_f64()
            );
            match end.verdict {
                Verdict::Passed => {
                    let _ = write!(text, "<system-out>{}</system-out>", escaped(&end.summary));
                }
                Verdict::Skipped => {
                    let _ = write!(text, "<skipped message=\"{}\"/>", quoted(&end.summary));
                }
                Verdict::Failed => {
                    let _ = write!(
                        text,
                        "<failure message=\"{}\">{}</failure>",
                        quoted(&end.summary),
                        escaped(&end.details())
                    );
                }
            }
            text.push_str("</testcase>\n");
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(step: Step, verdict: Verdict) -> StepEnd {
        StepEnd {
            scenario: "a<b".to_owned(),
            step,
            verdict,
            summary: "1 \"change\"".to_owned(),
            findings: vec![Finding::new("line one\nline two")],
            log: None,
            took: Duration::from_millis(1500),
        }
    }

    #[test]
    fn junit_counts_and_escapes() {
        let text = junit(&[
            end(Step::Converge, Verdict::Passed),
            end(Step::Idempotence, Verdict::Failed),
        ]);
        assert!(text.contains("<testsuite name=\"a&lt;b\" tests=\"2\" failures=\"1\" skipped=\"0\" time=\"3.000\">"), "{text}");
        assert!(
            text.contains(
                "<failure message=\"1 &quot;change&quot;\">  line one\n    line two\n</failure>"
            ),
            "{text}"
        );
    }

    #[test]
    fn json_has_names_and_seconds() {
        let value =
            serde_json::to_value(end(Step::SideEffect, Verdict::Skipped)).expect("it is data");
        assert_eq!(value["step"], "side_effect");
        assert_eq!(value["verdict"], "skipped");
        assert_eq!(value["seconds"], 1.5);
    }
}
