//! Starting the agent: one command that finds it, or takes it from us and keeps it for the next run.

use super::TransportError;
use super::binaries::AgentBinaries;
use super::counters::Counters;
use super::error::last_words;
use super::escalate::{Escalation, escalate};
use super::link::Link;
use super::process::{Event, Process};
use super::shell::quote;
use super::talk::{Heard, Talk};
use super::target::{Become, Options};
use crate::wire::{FrameDecoder, FromAgent, Hello, PROTOCOL};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

const SCRIPT: &str = include_str!("bootstrap.sh");
/// Begins each line of the script.
const BOOT: &str = "RUNBOOK-BOOT ";
/// The agent's line before its frames.
const MARK: &str = "RUNBOOK-AGENT-1";
/// Directories that may turn out unusable before we give up.
const ATTEMPTS: usize = 8;
/// Bytes written at once while uploading.
const PIECE: usize = 64 << 10;

/// An agent that said hello.
pub(crate) struct Started {
    pub process: Process,
    /// Holds what came after the hello.
    pub decoder: FrameDecoder,
    pub hello: Hello,
    /// Where its executable is on the machine.
    pub path: String,
}

/// What the script is to be told.
pub(crate) struct Installer<'a> {
    pub link: &'a Link,
    pub who: Option<&'a Become>,
    pub binaries: &'a AgentBinaries,
    pub options: &'a Options,
    pub remote_tmp: Option<&'a str>,
    /// A file on the machine that may be the agent's executable.
    pub hint: Option<&'a str>,
    pub counters: &'a Arc<Counters>,
}

/// The script as it travels: without comments, on one line.
pub(crate) fn script() -> String {
    let lines = SCRIPT.lines().map(str::trim);
    let lines: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    lines.join(" ")
}

enum Attempt {
    Started(Box<Started>),
    /// This directory is full or loses what is written.
    Skip(String, String),
    /// The agent there does not start.
    Reinstall(String),
    Terminal,
}

impl Installer<'_> {
    /// Starts the agent, whatever it takes.
    pub(crate) async fn start(&self) -> Result<Started, TransportError> {
        let begun = Instant::now();
        let table = self.binaries.table().await?;
        let (mut skip, mut fresh, mut pty) = (String::new(), false, false);
        let mut why = String::new();
        for _ in 0..ATTEMPTS {
            match self.attempt(&table, &skip, fresh, pty).await? {
                Attempt::Started(started) => {
                    self.counters.agent_started(begun.elapsed());
                    return Ok(*started);
                }
                Attempt::Skip(directory, reason) => {
                    skip = format!("{skip}:{directory}");
                    why = reason;
                }
                Attempt::Reinstall(reason) if !fresh => {
                    fresh = true;
                    why = reason;
                }
                Attempt::Reinstall(reason) => return Err(TransportError::upload(reason)),
                Attempt::Terminal => pty = true,
            }
        }
        Err(TransportError::upload(why))
    }

    fn command(
        &self,
        table: &str,
        skip: &str,
        fresh: bool,
        pty: bool,
    ) -> Result<Escalation, TransportError> {
        let script = script();
        let argv = [
            "/bin/sh",
            "-c",
            &script,
            "runbook",
            table,
            self.remote_tmp.unwrap_or_default(),
            self.hint.unwrap_or_default(),
            skip,
            if fresh { "fresh" } else { "" },
        ];
        if let Some(who) = self.who {
            escalate(who, &argv, &nonce(), pty)
        } else {
            let words: Vec<String> = argv.iter().map(|word| quote(word)).collect();
            Ok(Escalation {
                command: format!("exec {}", words.join(" ")),
                pty,
                prompt: None,
            })
        }
    }

    async fn attempt(
        &self,
        table: &str,
        skip: &str,
        fresh: bool,
        pty: bool,
    ) -> Result<Attempt, TransportError> {
        let step = self.command(table, skip, fresh, pty)?;
        let process = self
            .link
            .exec(&step.command, step.pty, self.counters)
            .await?;
        let mut talk = Talk::new(process, self.who, step.prompt);
        let (mut machine, mut began) = (String::new(), false);
        loop {
            let line = match talk.line(BOOT, self.options.start_timeout).await? {
                Heard::Line(line) => line,
                Heard::End(_) if !began && !pty && talk.wants_tty() => {
                    return Ok(Attempt::Terminal);
                }
                Heard::End(ended) if began => {
                    let reason = format!(
                        "the bootstrap script ended with {}: {}",
                        ended.describe(),
                        talk.last_words()
                    );
                    return Err(TransportError::upload(reason));
                }
                Heard::End(ended) => return Err(talk.early_end(&ended)),
            };
            let rest = line.get(BOOT.len()..).unwrap_or_default();
            let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            match word {
                "start" => {
                    began = true;
                    machine = rest.split(' ').next().unwrap_or_default().to_owned();
                }
                "arch" => return Err(self.binaries.missing(rest)),
                "need" => {
                    let (form, directory) = rest.split_once(' ').unwrap_or((rest, ""));
                    let content = self.binaries.content(&machine, form == "gzip").await?;
                    self.upload(&mut talk, &content, directory).await?;
                }
                "short" => {
                    let mut words = rest.rsplitn(3, ' ');
                    let (size, got) = (words.next().unwrap_or("?"), words.next().unwrap_or("?"));
                    let directory = words.next().unwrap_or_default().to_owned();
                    let said = talk.last_words();
                    let reason = if got == "corrupt" {
                        format!("what arrived in {directory} is not what was sent")
                    } else {
                        format!(
                            "only {got} of {size} bytes arrived in {directory}: is its disk full? {said}"
                        )
                    };
                    return Ok(Attempt::Skip(directory, reason.trim_end().to_owned()));
                }
                "bad" => {
                    let reason = format!(
                        "it was copied, but does not start in any directory: are they mounted noexec? Set ansible_remote_tmp to a \
                         directory where programs may run ({})",
                        last_words(rest.as_bytes())
                    );
                    return Err(TransportError::upload(reason));
                }
                "nodir" => return Err(self.no_directory(skip)),
                "run" => return self.hello(talk, rest, fresh).await,
                _ => {}
            }
        }
    }

    fn no_directory(&self, skip: &str) -> TransportError {
        let full = if skip.is_empty() {
            String::new()
        } else {
            format!(
                " ({} did not take it: disk full?)",
                skip.trim_start_matches(':').replace(':', ", ")
            )
        };
        TransportError::upload(format!(
            "no directory for it: tried ansible_remote_tmp, ~/.cache/runbook, /var/tmp, /tmp, /run/user and \
             /dev/shm; each must be writable, and an existing runbook directory in it must be the user's own \
             with mode 0700{full}"
        ))
    }

    /// Sends the count and the bytes, while listening: a script that gives up says so at once.
    async fn upload(
        &self,
        talk: &mut Talk<'_>,
        content: &[u8],
        directory: &str,
    ) -> Result<(), TransportError> {
        let stall = self.options.stall_timeout;
        let head = format!("{}\n", content.len());
        let mut heard = Vec::new();
        let sent = {
            let Process { input, output } = &mut talk.process;
            let sending = async {
                for piece in std::iter::once(head.as_bytes()).chain(content.chunks(PIECE)) {
                    match tokio::time::timeout(stall, input.write(piece)).await {
                        Ok(Ok(())) => self.counters.uploaded(piece.len()),
                        Ok(Err(_)) => return Ok(false),
                        Err(_) => return Err(()),
                    }
                }
                Ok(true)
            };
            tokio::pin!(sending);
            loop {
                tokio::select! {
                    biased;
                    sent = &mut sending => break sent,
                    event = output.next() => {
                        let over = matches!(event, Event::Exit(_));
                        heard.push(event);
                        if over {
                            break Ok(false);
                        }
                    }
                }
            }
        };
        for event in heard {
            talk.take(event);
        }
        match sent {
            // What the script says about an end of the transfer follows as a line.
            Ok(_) => Ok(()),
            Err(()) => Err(TransportError::lost(format!(
                "the transfer of the agent to {directory} stood still for {} s",
                stall.as_secs()
            ))),
        }
    }

    async fn hello(
        &self,
        mut talk: Talk<'_>,
        path: &str,
        fresh: bool,
    ) -> Result<Attempt, TransportError> {
        match talk.line(MARK, self.options.start_timeout).await? {
            Heard::Line(_) => {}
            Heard::End(ended) => {
                let reason = format!(
                    "{path} does not start: {}: {}",
                    ended.describe(),
                    talk.last_words()
                );
                return if fresh {
                    Err(TransportError::upload(reason))
                } else {
                    Ok(Attempt::Reinstall(reason))
                };
            }
        }
        let (rest, process) = talk.into_rest();
        let started = greet(process, &rest, path.to_owned(), self.options.start_timeout).await?;
        Ok(Attempt::Started(Box::new(started)))
    }
}

/// Starts a given executable directly, without script or copy: for this machine itself.
pub(crate) async fn start_in_place(
    link: &Link,
    path: &str,
    options: &Options,
    counters: &Arc<Counters>,
) -> Result<Started, TransportError> {
    let begun = Instant::now();
    let process = link
        .exec(&format!("exec {} agent", quote(path)), false, counters)
        .await?;
    let mut talk = Talk::new(process, None, None);
    if let Heard::End(ended) = talk.line(MARK, options.start_timeout).await? {
        let reason = format!(
            "{path} does not start: {}: {}",
            ended.describe(),
            talk.last_words()
        );
        return Err(TransportError::upload(reason));
    }
    let (rest, process) = talk.into_rest();
    let started = greet(process, &rest, path.to_owned(), options.start_timeout).await?;
    counters.agent_started(begun.elapsed());
    Ok(started)
}

/// Waits for the agent's first frame.
async fn greet(
    mut process: Process,
    rest: &[u8],
    path: String,
    within: Duration,
) -> Result<Started, TransportError> {
    let deadline = Instant::now() + within;
    let mut decoder = FrameDecoder::default();
    decoder.push(rest);
    let mut said = Vec::new();
    let protocol = |reason: String| TransportError::Protocol { reason };
    loop {
        match decoder.next::<FromAgent>() {
            Ok(Some(FromAgent::Hello(hello))) if hello.protocol == PROTOCOL => {
                return Ok(Started {
                    process,
                    decoder,
                    hello,
                    path,
                });
            }
            Ok(Some(FromAgent::Hello(hello))) => {
                return Err(protocol(format!(
                    "it speaks protocol {} and this is {PROTOCOL}; remove {path} on the machine",
                    hello.protocol
                )));
            }
            Ok(Some(_)) => return Err(protocol("its first message is no hello".to_owned())),
            Err(error) => return Err(protocol(error.to_string())),
            Ok(None) => {}
        }
        match tokio::time::timeout_at(deadline, process.output.next()).await {
            Ok(Event::Out(bytes)) => decoder.push(&bytes),
            Ok(Event::Err(bytes)) => said.extend_from_slice(&bytes),
            Ok(Event::Exit(ended)) => {
                return Err(TransportError::lost(format!(
                    "the agent ended as it started: {}: {}",
                    ended.describe(),
                    last_words(&said)
                )));
            }
            Err(_) => {
                let seconds = within.as_secs();
                return Err(TransportError::lost(format!(
                    "the agent started, but said nothing within {seconds} s"
                )));
            }
        }
    }
}

/// A word that nobody else says.
pub(crate) fn nonce() -> String {
    let mut bytes = [0; 8];
    if getrandom::fill(&mut bytes).is_err() {
        bytes = std::process::id()
            .to_be_bytes()
            .repeat(2)
            .try_into()
            .unwrap_or([7; 8]);
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
