//! Feeding a process and listening to it until it is over.

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

/// How often a process that says nothing is asked whether it is over.
const LOOK: Duration = Duration::from_millis(20);

/// Silence after the end of a process that means that the rest of its output belongs to others: it left something
/// running in the background that keeps the pipes open. As Ansible's `run_command` has it.
const SILENCE: Duration = Duration::from_secs(1);

/// Gives a process its input and takes what it prints, until both outputs end, or until it has ended and nothing
/// more comes. What it left in the background goes on, and prints to nobody.
pub(super) fn converse(child: &mut Child, input: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut stdin = child.stdin.take();
    let mut stdout = child.stdout.take();
    let mut stderr = child.stderr.take();
    for fd in [
        stdin.as_ref().map(AsFd::as_fd),
        stdout.as_ref().map(AsFd::as_fd),
        stderr.as_ref().map(AsFd::as_fd),
    ] {
        unblock(fd);
    }
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut written = 0;
    let mut last_word = Instant::now();
    let mut over = false;
    while stdout.is_some() || stderr.is_some() {
        let ready = wait(
            stdin.as_ref(),
            stdout.as_ref(),
            stderr.as_ref(),
            if over { SILENCE } else { LOOK },
        );
        if ready {
            last_word = Instant::now();
            let rest = input.get(written..).unwrap_or_default();
            match feed(&mut stdin, rest) {
                Some(count) => written += count,
                None => stdin = None,
            }
            take(&mut stdout, &mut out);
            take(&mut stderr, &mut err);
        } else if over && last_word.elapsed() >= SILENCE {
            break;
        }
        if !over {
            // an error here is said by the wait that follows
            over = !matches!(child.try_wait(), Ok(None));
            if over {
                last_word = Instant::now();
            }
        }
    }
    (out, err)
}

fn unblock(fd: Option<BorrowedFd<'_>>) {
    if let Some(fd) = fd
        && let Ok(flags) = fcntl(fd, FcntlArg::F_GETFL)
    {
        let flags = OFlag::from_bits_truncate(flags) | OFlag::O_NONBLOCK;
        let _ = fcntl(fd, FcntlArg::F_SETFL(flags));
    }
}

/// Whether there is something to do before the time is over.
fn wait(
    stdin: Option<&ChildStdin>,
    stdout: Option<&ChildStdout>,
    stderr: Option<&ChildStderr>,
    limit: Duration,
) -> bool {
    let mut fds = Vec::with_capacity(3);
    fds.extend(stdin.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLOUT)));
    fds.extend(stdout.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
    fds.extend(stderr.map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)));
    let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::ZERO);
    poll(&mut fds, limit).is_ok_and(|count| count > 0)
}

/// Writes what the pipe takes. `None`: no more is to be written, because that was all or nobody reads it.
fn feed(pipe: &mut Option<ChildStdin>, input: &[u8]) -> Option<usize> {
    let pipe = pipe.as_mut()?;
    match pipe.write(input) {
        Ok(count) if count < input.len() => Some(count),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Some(0)
        }
        // a child that does not read its input is its own affair
        _ => None,
    }
}

/// Reads what is there, and forgets the pipe at its end.
fn take<R: Read>(pipe: &mut Option<R>, to: &mut Vec<u8>) {
    let mut buffer = vec![0; 64 << 10];
    while let Some(reader) = pipe {
        match reader.read(&mut buffer) {
            Ok(count) if count > 0 => to.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => *pipe = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::sys::{Command, Sys};
    use std::time::{Duration, Instant};

    fn run(command: &Command) -> crate::sys::Output {
        Sys::real().run(command).expect("runs")
    }

    #[test]
    fn what_stays_in_the_background_is_not_waited_for() {
        let begun = Instant::now();
        let output = run(&Command::new(["sh", "-c", "sleep 30 & echo $!"]));
        assert!(begun.elapsed() < Duration::from_secs(10), "it waited");
        let pid = output.text().trim().parse().expect("a process number");
        let pid = nix::unistd::Pid::from_raw(pid);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("it goes on");
    }

    #[test]
    fn a_process_that_closes_its_output_is_waited_for() {
        let output = run(&Command::new([
            "sh",
            "-c",
            "echo x; exec >&- 2>&-; sleep 0.3; exit 7",
        ]));
        assert_eq!((output.rc, output.text().as_str()), (7, "x\n"));
    }

    #[test]
    fn much_goes_in_and_out_at_once() {
        let input = vec![b'x'; 3 << 20];
        let output = run(&Command::new(["tee", "/dev/stderr"]).stdin(input.clone()));
        assert!(output.stdout == input && output.stderr == input);
    }

    #[test]
    fn input_that_nobody_reads_is_no_failure() {
        let output = run(&Command::new(["true"]).stdin(vec![b'x'; 1 << 20]));
        assert_eq!(output.rc, 0);
    }

    #[test]
    fn quick_commands_are_quick() {
        let begun = Instant::now();
        for _ in 0..20 {
            run(&Command::new(["true"]));
        }
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    }
}
