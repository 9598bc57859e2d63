//! Commands as child processes of this one.

use super::counters::Counters;
use super::process::{EVENT_QUEUE, Ended, Event, Process};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

/// Time that output may still come after the process itself has ended: a grandchild can hold a pipe
/// open for ever.
const AFTER_EXIT: Duration = Duration::from_millis(300);

/// Starts the command in a process group of its own. With `pty`, its standard streams are a new
/// terminal, which is its controlling one.
pub(crate) fn spawn(
    mut command: Command,
    pty: bool,
    counters: &Arc<Counters>,
) -> std::io::Result<Process> {
    if pty {
        return spawn_on_pty(command, counters);
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let broken = || std::io::Error::from(std::io::ErrorKind::BrokenPipe);
    let input = child.stdin.take().ok_or_else(broken)?;
    let output = child.stdout.take().ok_or_else(broken)?;
    let errors = child.stderr.take().ok_or_else(broken)?;
    Ok(watch(child, input, output, errors, counters))
}

fn spawn_on_pty(mut command: Command, counters: &Arc<Counters>) -> std::io::Result<Process> {
    let pty = nix::pty::openpty(None, None)?;
    let copies = (pty.slave.try_clone()?, pty.slave.try_clone()?);
    command
        .stdin(Stdio::from(pty.slave))
        .stdout(Stdio::from(copies.0))
        .stderr(Stdio::from(copies.1))
        .kill_on_drop(true);
    // SAFETY: between fork and exec only two system calls that are async-signal-safe are made.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(|| {
            nix::unistd::setsid()?;
            if libc::ioctl(0, libc::TIOCSCTTY as _, 0) < 0 {
                return Err(std::io::Error::last_os_error());
            }
            Ok(())
        });
    }
    let child = command.spawn()?;
    // The command holds copies of the terminal's inner end: without them gone, no end of file.
    drop(command);
    let input = tokio::fs::File::from_std(std::fs::File::from(pty.master.try_clone()?));
    let output = tokio::fs::File::from_std(std::fs::File::from(pty.master));
    Ok(watch(child, input, output, tokio::io::empty(), counters))
}

fn watch<I, O, E>(
    mut child: Child,
    input: I,
    mut output: O,
    mut errors: E,
    counters: &Arc<Counters>,
) -> Process
where
    I: AsyncWrite + Send + Unpin + 'static,
    O: AsyncRead + Send + Unpin + 'static,
    E: AsyncRead + Send + Unpin + 'static,
{
    let (events, receiver) = mpsc::channel(EVENT_QUEUE);
    let group = child.id().and_then(|id| i32::try_from(id).ok());
    tokio::spawn(async move {
        let mut status: Option<ExitStatus> = None;
        let (mut out_open, mut err_open) = (true, true);
        let (mut out, mut err) = (vec![0; 64 << 10], vec![0; 8 << 10]);
        let grace = tokio::time::sleep(Duration::from_secs(0));
        tokio::pin!(grace);
        while status.is_none() || out_open || err_open {
            let event = tokio::select! {
                biased;
                () = events.closed() => {
                    end(&mut child, group, status.is_some()).await;
                    return;
                }
                read = output.read(&mut out), if out_open => if let Some(bytes) = piece(read, &out) { Event::Out(bytes) } else { out_open = false; continue; },
                read = errors.read(&mut err), if err_open => if let Some(bytes) = piece(read, &err) { Event::Err(bytes) } else { err_open = false; continue; },
                ended = child.wait(), if status.is_none() => {
                    status = Some(ended.unwrap_or_default());
                    grace.as_mut().reset(tokio::time::Instant::now() + AFTER_EXIT);
                    continue;
                }
                () = &mut grace, if status.is_some() => break,
            };
            if events.send(event).await.is_err() {
                end(&mut child, group, status.is_some()).await;
                return;
            }
            if status.is_some() {
                grace
                    .as_mut()
                    .reset(tokio::time::Instant::now() + AFTER_EXIT);
            }
        }
        let status = status.unwrap_or_default();
        let ended = Ended {
            code: status.code(),
            why: status
                .signal()
                .map(|number| format!("killed by {}", signal_name(number))),
        };
        let _ = events.send(Event::Exit(ended)).await;
    });
    Process::new(Box::new(input), receiver, counters)
}

fn piece(read: std::io::Result<usize>, buffer: &[u8]) -> Option<Vec<u8>> {
    match read {
        Ok(0) | Err(_) => None,
        Ok(length) => buffer.get(..length).map(<[u8]>::to_vec),
    }
}

fn signal_name(number: i32) -> String {
    Signal::try_from(number).map_or_else(|_| format!("signal {number}"), |name| name.to_string())
}

/// Hangs up on the process group, waits shortly, then kills it.
async fn end(child: &mut Child, group: Option<i32>, ended: bool) {
    if ended {
        return;
    }
    if let Some(group) = group {
        let _ = killpg(Pid::from_raw(group), Signal::SIGHUP);
        if tokio::time::timeout(Duration::from_secs(1), child.wait())
            .await
            .is_err()
        {
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
    }
    let _ = child.kill().await;
}
