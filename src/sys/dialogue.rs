//! Commands that are talked to on a terminal of their own.

use super::{Cancel, Command, Error, Result, Sys};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// How often a process that says nothing is looked after.
const LOOK: Duration = Duration::from_millis(50);

/// Silence after the end of a process that means that others hold its terminal.
const SILENCE: Duration = Duration::from_secs(1);

/// How long a process that was asked to end may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is answered to what a command has printed since the last answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing yet.
    Wait,
    /// These bytes; what was printed up to there is answered.
    Say {
        /// The answer, with its line end.
        text: Vec<u8>,
        /// How many of the bytes it answers.
        upto: usize,
    },
    /// No answer is left: the command is ended.
    Stop,
}

/// How a dialogue ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogueEnd {
    /// The command ended with this code; the negative signal number if a signal ended it.
    Exit(i32),
    /// It said nothing that is answered for too long, and was ended.
    Timeout,
    /// No answer was left, and it was ended.
    Stopped,
}

/// A dialogue that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    /// Everything on the terminal; lines end in `\r\n`.
    pub output: Vec<u8>,
    /// How it ended.
    pub end: DialogueEnd,
}

/// How to talk.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Whether the terminal shows answers.
    pub echo: bool,
    /// How long to wait for something to answer; `None`: for ever.
    pub timeout: Option<Duration>,
}

impl Sys {
    /// Runs a command on a terminal and answers what it prints.
    ///
    /// # Errors
    /// When it cannot be started or is stopped.
    pub fn dialogue(
        &mut self,
        command: &Command,
        manner: Manner,
        answer: &mut dyn FnMut(&[u8]) -> Answer,
    ) -> Result<Dialogue> {
        self.runner
            .dialogue(command, &self.environment, &self.cancel, manner, answer)
    }
}

/// A dialogue with a real process.
pub(super) fn talk(
    command: &Command,
    environment: &[(String, String)],
    cancel: &Cancel,
    manner: Manner,
    answer: &mut dyn FnMut(&[u8]) -> Answer,
) -> Result<Dialogue> {
    if cancel.is_stopped() {
        return Err(Error::Cancelled);
    }
    let other = |what: &str, error: nix::Error| Error::Other(format!("{what}: {}", error.desc()));
    let pty = nix::pty::openpty(None, None).map_err(|e| other("there is no terminal", e))?;
    if !manner.echo {
        let mut settings = tcgetattr(&pty.slave).map_err(|e| other("a terminal", e))?;
        settings.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&pty.slave, SetArg::TCSANOW, &settings).map_err(|e| other("a terminal", e))?;
    }
    let mut child = start(command, environment, pty.slave)?;
    let group = i32::try_from(child.id()).unwrap_or(i32::MAX);
    cancel.began(group);
    let mut terminal = File::from(pty.master);
    let (output, early) = converse(&mut terminal, &mut child, cancel, manner, answer);
    drop(terminal);
    let ended = finish(&mut child, group);
    cancel.ended(group);
    if cancel.is_stopped() {
        return Err(Error::Cancelled);
    }
    Ok(Dialogue {
        output,
        end: early.unwrap_or(DialogueEnd::Exit(ended)),
    })
}

fn start(command: &Command, environment: &[(String, String)], slave: OwnedFd) -> Result<Child> {
    let (program, args) = command
        .argv
        .split_first()
        .ok_or_else(|| Error::Other("an empty command".into()))?;
    let started = |source| Error::Start {
        program: program.to_string_lossy().into_owned(),
        source,
    };
    let again = || slave.try_clone().map(Stdio::from).map_err(started);
    let mut process = std::process::Command::new(program);
    process
        .args(args)
        .envs(environment.iter().map(|(k, v)| (k, v)))
        .envs(command.env.iter().map(|(k, v)| (k, v)))
        .stdin(again()?)
        .stdout(again()?)
        .stderr(again()?);
    if let Some(dir) = &command.cwd {
        process.current_dir(dir);
    }
    // SAFETY: prctl, setsid and ioctl are async-signal-safe and touch nothing but the child
    unsafe {
        process.pre_exec(|| {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        });
    }
    process.spawn().map_err(started)
}

/// Listens and answers until the terminal is closed, the time is over, or no answer is left.
fn converse(
    terminal: &mut File,
    child: &mut Child,
    cancel: &Cancel,
    manner: Manner,
    answer: &mut dyn FnMut(&[u8]) -> Answer,
) -> (Vec<u8>, Option<DialogueEnd>) {
    let mut output = Vec::new();
    let mut answered = 0;
    let mut since = Instant::now();
    let mut last_word = Instant::now();
    let mut buffer = vec![0; 16 << 10];
    loop {
        if cancel.is_stopped() {
            return (output, None);
        }
        let mut fds = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
        let limit = PollTimeout::try_from(LOOK).unwrap_or(PollTimeout::ZERO);
        if poll(&mut fds, limit).is_ok_and(|count| count > 0) {
            match terminal.read(&mut buffer) {
                Ok(0) => return (output, None),
                Ok(count) => output.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // so ends a terminal whose other side is closed
                Err(_) => return (output, None),
            }
            last_word = Instant::now();
            loop {
                match answer(output.get(answered..).unwrap_or_default()) {
                    Answer::Wait => break,
                    Answer::Stop => return (output, Some(DialogueEnd::Stopped)),
                    Answer::Say { text, upto } => {
                        answered += upto.max(1);
                        since = Instant::now();
                        // a process that does not listen any more ends the dialogue itself
                        let _ = terminal.write_all(&text);
                    }
                }
            }
        } else if last_word.elapsed() >= SILENCE && !matches!(child.try_wait(), Ok(None)) {
            return (output, None);
        }
        if manner.timeout.is_some_and(|limit| since.elapsed() >= limit) {
            return (output, Some(DialogueEnd::Timeout));
        }
    }
}

/// Waits for the process, and ends it if it does not end.
fn finish(child: &mut Child, group: i32) -> i32 {
    for signal in [None, Some(Signal::SIGHUP), Some(Signal::SIGKILL)] {
        if let Some(signal) = signal {
            let _ = killpg(Pid::from_raw(group), signal);
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Ok(Some(status)) => {
                    return status
                        .code()
                        .or_else(|| status.signal().map(|signal| -signal))
                        .unwrap_or(-1);
                }
                Err(_) => return -1,
            }
        }
    }
    -1
}
