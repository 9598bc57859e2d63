//! Running playbooks on a bed, and reading what came of it.

use super::bed::{Bed, text};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A run that has ended.
#[derive(Debug)]
pub struct Run {
    /// Exit code; -1 if it died by a signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Run {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// A count of a host in the recap.
    #[track_caller]
    pub fn count(&self, host: &str, what: &str) -> u32 {
        let recap = self.recap();
        let counts = recap
            .get(host)
            .unwrap_or_else(|| panic!("no recap of {host}: {self}"));
        *counts
            .get(what)
            .unwrap_or_else(|| panic!("no count {what}: {self}"))
    }

    fn recap(&self) -> BTreeMap<String, BTreeMap<String, u32>> {
        let Some((_, lines)) = self.stdout.rsplit_once("PLAY RECAP") else {
            return BTreeMap::new();
        };
        let hosts = lines.lines().filter_map(|line| line.split_once(" : "));
        let count = |field: &str| {
            let (name, number) = field.split_once('=')?;
            Some((name.to_owned(), number.parse().ok()?))
        };
        hosts
            .map(|(host, counts)| {
                (
                    host.trim().to_owned(),
                    counts.split_whitespace().filter_map(count).collect(),
                )
            })
            .collect()
    }

    /// The lines of changed hosts and items, each after the name of its task, in no order.
    pub fn changes(&self) -> Vec<String> {
        let mut task = "";
        let mut found = Vec::new();
        for line in self.stdout.lines() {
            if line.starts_with("TASK [") || line.starts_with("RUNNING HANDLER [") {
                task = line.trim_end_matches('*').trim_end();
            } else if line.starts_with("changed: ") {
                found.push(format!("{task} {line}"));
            }
        }
        found.sort();
        found
    }

    /// The lines that diffs remove or add, in no order.
    pub fn diff_lines(&self) -> Vec<String> {
        let is_header =
            |line: &str| line.starts_with("--- before") || line.starts_with("+++ after");
        let mut lines: Vec<String> = self
            .stdout
            .lines()
            .filter(|line| line.starts_with(['+', '-']) && !is_header(line))
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    }

    /// Both outputs, for looking for a message.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code of: {self}");
        self
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "code {}\n--- stdout\n{}\n--- stderr\n{}",
            self.code, self.stdout, self.stderr
        )
    }
}

/// `runbook play` with the bed's inventory.
pub fn play(bed: &Bed, playbook: &Path, more: &[&str]) -> Run {
    Run::of(
        &bed.runbook(
            &arguments(bed, playbook, more)
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        ),
    )
}

/// The arguments of [`play`].
pub fn arguments(bed: &Bed, playbook: &Path, more: &[&str]) -> Vec<String> {
    let mut all = vec![
        "play".to_owned(),
        "-i".to_owned(),
        bed.inventory().display().to_string(),
    ];
    all.extend(more.iter().map(|argument| (*argument).to_owned()));
    all.push(playbook.display().to_string());
    all
}

/// A file of the project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
