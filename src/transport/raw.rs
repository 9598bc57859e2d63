//! Commands without an agent: `raw`, and whatever must work before one can run.

use super::TransportError;
use super::counters::Counters;
use super::escalate::{Escalation, escalate, needs_tty};
use super::install::nonce;
use super::link::Link;
use super::process::{Event, Process};
use super::shell::quote;
use super::talk::{Heard, Talk};
use super::target::{Become, Options};
use std::sync::Arc;

/// What a command gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawOutput {
    /// Its exit status; 128 and the signal's number if it was killed by one here, -1 if unknown.
    pub rc: i32,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

const MARK: &str = "RUNBOOK-RAW ";

/// Runs a command line through the login user's shell, or through `executable -c`, as Ansible's
/// `raw` does.
pub(crate) async fn run(
    link: &Link,
    who: Option<&Become>,
    command: &str,
    stdin: &[u8],
    executable: Option<&str>,
    options: &Options,
    counters: &Arc<Counters>,
) -> Result<RawOutput, TransportError> {
    let command = match executable {
        Some(executable) => format!("{} -c {}", quote(executable), quote(command)),
        None => command.to_owned(),
    };
    let Some(who) = who else {
        let process = link.exec(&command, false, counters).await?;
        return collect(process, stdin, RawOutput::default()).await;
    };
    let mut pty = false;
    loop {
        let mark = format!("{MARK}{}", nonce());
        // A terminal has no end of file: what follows gets its input counted, or none.
        let command = match (pty || needs_tty(who), stdin.len()) {
            (false, _) => command.clone(),
            (true, 0) => format!("exec </dev/null; {command}"),
            (true, length) => format!("head -c {length} | {{ {command}\n}}"),
        };
        let script = format!(
            "[ -t 0 ] && stty raw -echo 2>/dev/null; echo; echo {mark}; echo {mark} >&2; {command}",
            mark = quote(&mark)
        );
        let Escalation {
            command,
            pty: terminal,
            prompt,
        } = escalate(who, &["/bin/sh", "-c", &script], &nonce(), pty)?;
        let process = link.exec(&command, terminal, counters).await?;
        let mut talk = Talk::new(process, Some(who), prompt);
        match talk.line(&mark, options.start_timeout).await? {
            Heard::Line(_) => {
                let heard = talk.noise().into_bytes();
                let (stdout, process) = talk.into_rest();
                let begun = RawOutput {
                    rc: -1,
                    stdout,
                    stderr: if terminal { Vec::new() } else { heard },
                };
                let mut output = collect(process, stdin, begun).await?;
                output.stderr = after_mark(output.stderr, &mark);
                if terminal {
                    output.stdout = after_mark(output.stdout, &mark);
                }
                return Ok(output);
            }
            Heard::End(_) if !pty && talk.wants_tty() => pty = true,
            Heard::End(ended) => return Err(talk.early_end(&ended)),
        }
    }
}

fn after_mark(text: Vec<u8>, mark: &str) -> Vec<u8> {
    let mark = mark.as_bytes();
    let Some(at) = text.windows(mark.len()).position(|part| part == mark) else {
        return text;
    };
    let rest = text.get(at + mark.len()..).unwrap_or_default();
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
    rest.strip_prefix(b"\n").unwrap_or(rest).to_vec()
}

async fn collect(
    mut process: Process,
    stdin: &[u8],
    mut output: RawOutput,
) -> Result<RawOutput, TransportError> {
    let Process {
        input,
        output: events,
    } = &mut process;
    let feeding = async {
        for piece in stdin.chunks(32 << 10) {
            if input.write(piece).await.is_err() {
                break;
            }
        }
        input.close().await;
    };
    tokio::pin!(feeding);
    let mut fed = false;
    loop {
        tokio::select! {
            () = &mut feeding, if !fed => fed = true,
            event = events.next() => match event {
                Event::Out(bytes) => output.stdout.extend(bytes),
                Event::Err(bytes) => output.stderr.extend(bytes),
                Event::Exit(ended) => {
                    let Some(code) = ended.code else {
                        return Err(TransportError::lost(format!(
                            "the command ended without a status: {}",
                            ended.describe()
                        )));
                    };
                    output.rc = code;
                    return Ok(output);
                }
            },
        }
    }
}
