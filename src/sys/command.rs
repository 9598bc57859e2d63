//! Commands.

use super::converse::converse;
use super::dialogue::{Answer, Dialogue, Manner, talk};
use super::{Cancel, Error, Result};
use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A command to run. It gets no shell and no terminal; its input is empty unless given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// What it reads.
    pub stdin: Vec<u8>,
    /// Where it runs.
    pub cwd: Option<PathBuf>,
    /// Variables on top of the task's environment.
    pub env: Vec<(String, String)>,
    /// File mode creation mask.
    pub umask: Option<u32>,
}

impl Command {
    /// A command of these words.
    pub fn new<S: Into<OsString>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// The same in the C locale, for output that is parsed.
    #[must_use]
    pub fn c_locale(mut self) -> Self {
        for name in ["LANG", "LC_ALL", "LC_MESSAGES"] {
            self.env.push((name.into(), "C".into()));
        }
        self
    }

    /// The same with a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The same in that directory.
    #[must_use]
    pub fn cwd(mut self, dir: impl Into<PathBuf>) -> Self {
        self.cwd = Some(dir.into());
        self
    }

    /// The same with that input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = bytes.into();
        self
    }

    /// The words, for messages.
    pub fn words(&self) -> Vec<String> {
        self.argv
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// Its exit code; the negative signal number if a signal ended it.
    pub rc: i32,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Whether it ended well.
    pub fn ok(&self) -> bool {
        self.rc == 0
    }

    /// Its output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Its complaints as text, or its output if there are none: for messages.
    pub fn complaint(&self) -> String {
        let stderr = String::from_utf8_lossy(&self.stderr);
        let text = if stderr.trim().is_empty() {
            String::from_utf8_lossy(&self.stdout)
        } else {
            stderr
        };
        text.trim().to_owned()
    }
}

/// Who runs commands.
pub trait Runner: Send + Sync {
    /// Runs one to its end.
    ///
    /// # Errors
    /// When it cannot be started, or was stopped.
    fn run(
        &self,
        command: &Command,
        environment: &[(String, String)],
        cancel: &Cancel,
    ) -> Result<Output>;

    /// Runs one on a terminal of its own, and answers what it prints.
    ///
    /// # Errors
    /// When it cannot be started, or was stopped.
    fn dialogue(
        &self,
        command: &Command,
        environment: &[(String, String)],
        cancel: &Cancel,
        manner: Manner,
        answer: &mut dyn FnMut(&[u8]) -> Answer,
    ) -> Result<Dialogue>;

    /// Whether it answers for a program that no file stands for (fakes).
    fn has_program(&self, _path: &Path) -> bool {
        false
    }
}

/// Real processes, each in a process group of its own, so that all of it can be stopped.
#[derive(Debug)]
pub struct RealRunner;

impl Runner for RealRunner {
    fn run(
        &self,
        command: &Command,
        environment: &[(String, String)],
        cancel: &Cancel,
    ) -> Result<Output> {
        let (program, args) = command
            .argv
            .split_first()
            .ok_or_else(|| Error::Other("an empty command".into()))?;
        if cancel.is_stopped() {
            return Err(Error::Cancelled);
        }
        let mut process = std::process::Command::new(program);
        process
            .args(args)
            .envs(environment.iter().map(|(k, v)| (k, v)))
            .envs(command.env.iter().map(|(k, v)| (k, v)))
            .stdin(if command.stdin.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if let Some(dir) = &command.cwd {
            process.current_dir(dir);
        }
        // SAFETY: prctl is async-signal-safe and touches nothing but the child
        unsafe {
            process.pre_exec(|| {
                // whoever waits for it is the thread that starts it: if that dies, nobody does
                libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                Ok(())
            });
        }
        if let Some(mask) = command.umask {
            // SAFETY: umask is async-signal-safe and touches nothing but the child
            unsafe {
                process.pre_exec(move || {
                    libc::umask(mask as libc::mode_t);
                    Ok(())
                });
            }
        }
        let started = |source| Error::Start {
            program: program.to_string_lossy().into_owned(),
            source,
        };
        let mut child = process.spawn().map_err(started)?;
        let group = i32::try_from(child.id()).unwrap_or(i32::MAX);
        cancel.began(group);
        let (out, err) = converse(&mut child, &command.stdin);
        let status = child.wait();
        cancel.ended(group);
        if cancel.is_stopped() {
            return Err(Error::Cancelled);
        }
        let status = status.map_err(started)?;
        let rc = status
            .code()
            .or_else(|| status.signal().map(|signal| -signal))
            .unwrap_or(-1);
        Ok(Output {
            rc,
            stdout: out,
            stderr: err,
        })
    }

    fn dialogue(
        &self,
        command: &Command,
        environment: &[(String, String)],
        cancel: &Cancel,
        manner: Manner,
        answer: &mut dyn FnMut(&[u8]) -> Answer,
    ) -> Result<Dialogue> {
        talk(command, environment, cancel, manner, answer)
    }
}
