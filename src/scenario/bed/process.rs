//! Commands that end: each one is bounded in time, and processes are known by number and start time.

use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A process that can be told from a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    pub start: u64,
}

impl Process {
    /// The running process of that number.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let mut fields = fields.split_whitespace();
        let state = fields.next()?;
        let start = fields.nth(18)?.parse().ok()?;
        (state != "Z").then_some(Self { pid, start })
    }

    /// Whether it still runs.
    pub fn alive(self) -> bool {
        Self::of(self.pid) == Some(self)
    }

    /// Whether its program has this name.
    pub fn is_called(self, name: &str) -> bool {
        let comm = fs::read_to_string(format!("/proc/{}/comm", self.pid)).unwrap_or_default();
        // the kernel keeps the first 15 bytes
        self.alive() && !comm.is_empty() && name.get(..15).unwrap_or(name) == comm.trim_end()
    }

    /// Ends it at once.
    pub fn kill(self) {
        if self.alive() {
            kill(self.pid);
        }
    }

    /// The processes that it started itself.
    pub fn children(self) -> Vec<Self> {
        if !self.alive() {
            return Vec::new();
        }
        let list = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.pid))
            .unwrap_or_default();
        list.split_whitespace()
            .filter_map(|pid| Self::of(pid.parse().ok()?))
            .collect()
    }

    /// Waits until it is gone; whether it is.
    pub fn wait_gone(self, limit: Duration) -> bool {
        let end = Instant::now() + limit;
        while self.alive() {
            if Instant::now() > end {
                return false;
            }
            // If it is a child of this process, somebody has to take its exit status.
            reap(self.pid);
            thread::sleep(Duration::from_millis(20));
        }
        true
    }
}

fn kill(pid: u32) {
    if let Ok(pid) = i32::try_from(pid) {
        let _ = nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(pid),
            nix::sys::signal::Signal::SIGKILL,
        );
    }
}

fn reap(pid: u32) {
    if let Ok(pid) = i32::try_from(pid) {
        let _ = nix::sys::wait::waitpid(
            nix::unistd::Pid::from_raw(pid),
            Some(nix::sys::wait::WaitPidFlag::WNOHANG),
        );
    }
}

/// Runs a command without input to its end, or kills its process group when the time is over.
///
/// # Errors
/// It could not be started, or it took too long.
pub fn run(command: &mut Command, limit: Duration) -> Result<Output, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{name}: {error}"))?;
    let stdout = child.stdout.take().map(reader);
    let stderr = child.stderr.take().map(reader);
    let end = Instant::now() + limit;
    let status = loop {
        match child
            .try_wait()
            .map_err(|error| format!("{name}: {error}"))?
        {
            Some(status) => break status,
            None if Instant::now() > end => {
                if let Ok(group) = i32::try_from(child.id()) {
                    let group = nix::unistd::Pid::from_raw(group);
                    let _ = nix::sys::signal::killpg(group, nix::sys::signal::Signal::SIGKILL);
                }
                let _ = child.wait();
                let said = |pipe: Option<thread::JoinHandle<Vec<u8>>>| collect(pipe);
                return Err(format!(
                    "{name}: not done after {} s\nstdout:\n{}\nstderr:\n{}",
                    limit.as_secs(),
                    text(&said(stdout)),
                    text(&said(stderr)),
                ));
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    Ok(Output {
        status,
        stdout: collect(stdout),
        stderr: collect(stderr),
    })
}

fn reader(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

fn collect(pipe: Option<thread::JoinHandle<Vec<u8>>>) -> Vec<u8> {
    pipe.and_then(|pipe| pipe.join().ok()).unwrap_or_default()
}

/// Runs a command that has to succeed quickly.
///
/// # Errors
/// It did not; with what it wrote to stderr.
pub fn must(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output = run(
        Command::new(program).args(arguments),
        Duration::from_secs(30),
    )?;
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(format!(
            "{program} {}: {}",
            arguments.join(" "),
            text(&output.stderr).trim()
        ))
    }
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
