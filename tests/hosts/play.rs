//! Running playbooks on a bed, and reading what came of it.

use super::bed::Must;
use super::bed::{Bed, Machine, text};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

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
        let mut task = String::new();
        let mut found = Vec::new();
        for line in self.stdout.lines() {
            if line.starts_with("TASK [") || line.starts_with("RUNNING HANDLER [") {
                // a prediction and what came of it are compared
                task = line
                    .trim_end_matches('*')
                    .trim_end()
                    .replace(" [CHECK MODE]", "");
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

/// Processes of the program and of its tasks on a machine. The brackets keep the pattern from matching itself.
pub const OURS: &str = "ps -eo pid,user,args | grep -E '[r]unbook|[s]leep 23[0-9]' || true";

/// Waits for something that must come.
#[track_caller]
pub fn until(what: &str, limit: Duration, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !done() {
        assert!(
            Instant::now() < end,
            "not within {} s: {what}",
            limit.as_secs()
        );
        sleep(Duration::from_millis(100));
    }
}

/// A run that goes on while the test does something.
pub struct Running(Child);

impl Running {
    pub fn start(bed: &Bed, playbook: &std::path::Path, more: &[&str]) -> Self {
        let arguments = arguments(bed, playbook, more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut command = bed.command(&arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self(command.spawn().expect("runbook starts"))
    }

    pub fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = i32::try_from(self.0.id()).expect("a process number");
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).expect("still running");
    }

    /// Its largest memory so far, in KiB.
    pub fn peak(&self) -> u64 {
        let path = format!("/proc/{}/status", self.0.id());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or(0)
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    #[track_caller]
    pub fn end(mut self, limit: Duration) -> Run {
        until("runbook ends", limit, || {
            self.0.try_wait().expect("a child").is_some()
        });
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let status = self.0.wait().expect("ended");
        self.0
            .stdout
            .take()
            .expect("piped")
            .read_to_string(&mut stdout)
            .expect("UTF-8");
        self.0
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut stderr)
            .expect("UTF-8");
        Run {
            code: status.code().unwrap_or(-1),
            stdout,
            stderr,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// Whether nothing of the program and its tasks runs there.
pub fn nothing_runs(machine: &Machine) -> bool {
    machine.must(OURS).is_empty()
}
