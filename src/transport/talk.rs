//! Listening to a command that was just started, before its output belongs to somebody.

use super::TransportError;
use super::error::last_words;
use super::escalate::{Prompt, explain, refused, wants_tty};
use super::process::{Ended, Event, Process};
use super::target::Become;
use std::time::Duration;
use tokio::time::Instant;

/// How long a line that looks like a prompt must stand still before it counts as one.
const QUIET: Duration = Duration::from_millis(150);
/// How much noise before a mark is kept for messages.
const NOISE: usize = 64 << 10;

/// What the other side did.
pub(crate) enum Heard {
    /// A line of its standard output, without the line's end.
    Line(String),
    /// It ended.
    End(Ended),
}

/// A command, what it has said, and the password that it may ask for once.
pub(crate) struct Talk<'a> {
    pub process: Process,
    who: Option<&'a Become>,
    prompt: Option<Prompt>,
    answered: bool,
    out: Vec<u8>,
    /// Output that was passed over, for messages.
    noise: Vec<u8>,
    ended: Option<Ended>,
}

impl<'a> Talk<'a> {
    pub(crate) fn new(process: Process, who: Option<&'a Become>, prompt: Option<Prompt>) -> Self {
        Self {
            process,
            who,
            prompt,
            answered: false,
            out: Vec::new(),
            noise: Vec::new(),
            ended: None,
        }
    }

    /// The next line that contains `mark`, from the mark on, or the end. Everything else is noise:
    /// banners, messages of the day, `sudo`'s lecture. A password prompt on the way is answered.
    pub(crate) async fn line(
        &mut self,
        mark: &str,
        within: Duration,
    ) -> Result<Heard, TransportError> {
        let deadline = Instant::now() + within;
        loop {
            while let Some(line) = self.take_line() {
                let text = String::from_utf8_lossy(&line).into_owned();
                if let Some(at) = text.find(mark) {
                    // What was asked for arrived: prompts are over.
                    self.prompt = None;
                    let line = text.get(at..).unwrap_or_default().trim_end_matches('\r');
                    return Ok(Heard::Line(line.to_owned()));
                }
                self.note(&line);
            }
            if let Some(ended) = &self.ended {
                return Ok(Heard::End(ended.clone()));
            }
            let asked = self.prompted();
            let wait = match (&asked, &self.prompt) {
                (true, Some(Prompt::Exactly(_))) => {
                    self.answer().await?;
                    continue;
                }
                (true, _) => (Instant::now() + QUIET).min(deadline),
                _ => deadline,
            };
            match tokio::time::timeout_at(wait, self.process.output.next()).await {
                Ok(event) => self.take(event),
                Err(_) if asked && Instant::now() < deadline => self.answer().await?,
                Err(_) => return Err(self.silent(within)),
            }
        }
    }

    /// Takes in an event without judging it.
    pub(crate) fn take(&mut self, event: Event) {
        match event {
            Event::Out(bytes) => self.out.extend_from_slice(&bytes),
            Event::Err(bytes) => self.note(&bytes),
            Event::Exit(ended) => self.ended = Some(ended),
        }
    }

    /// The bytes after the last line that was given, and the process.
    pub(crate) fn into_rest(self) -> (Vec<u8>, Process) {
        (self.out, self.process)
    }

    /// The noise as text.
    pub(crate) fn noise(&self) -> String {
        let mut all = self.noise.clone();
        all.extend_from_slice(&self.out);
        String::from_utf8_lossy(&all).into_owned()
    }

    /// The last of the noise, for a message.
    pub(crate) fn last_words(&self) -> String {
        last_words(self.noise().as_bytes())
    }

    /// The error for a command that ended before its mark.
    pub(crate) fn early_end(&self, ended: &Ended) -> TransportError {
        let ended = ended.describe();
        if let Some(who) = self.who {
            return refused(who, explain(who, &self.noise(), &ended));
        }
        let said = self.last_words();
        TransportError::upload(if said.is_empty() {
            format!("the machine's shell ended with {ended} and said nothing")
        } else {
            format!("the machine's shell ended with {ended}: {said}")
        })
    }

    /// Whether another attempt on a terminal could go better.
    pub(crate) fn wants_tty(&self) -> bool {
        self.who.is_some() && wants_tty(&self.noise())
    }

    fn silent(&self, within: Duration) -> TransportError {
        let said = self.last_words();
        let said = if said.is_empty() {
            String::new()
        } else {
            format!("; it last said: {said}")
        };
        let reason = format!("no answer within {} s{said}", within.as_secs().max(1));
        match self.who {
            Some(who) => refused(who, reason),
            None => TransportError::lost(reason),
        }
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        let end = self.out.iter().position(|&byte| byte == b'\n')?;
        let mut line: Vec<u8> = self.out.drain(..=end).collect();
        line.pop();
        Some(line)
    }

    fn note(&mut self, bytes: &[u8]) {
        if self.noise.len() > NOISE {
            self.noise.drain(..NOISE / 2);
        }
        self.noise.extend_from_slice(bytes);
        if !bytes.ends_with(b"\n") && self.prompt.is_none() {
            self.noise.push(b'\n');
        }
    }

    fn prompted(&self) -> bool {
        let Some(prompt) = &self.prompt else {
            return false;
        };
        prompt.is_at_end_of(&self.out) || prompt.is_at_end_of(&self.noise)
    }

    /// Writes the password, or says why not. A second prompt means that the first answer was wrong.
    async fn answer(&mut self) -> Result<(), TransportError> {
        let Some(who) = self.who else {
            return Ok(());
        };
        if self.answered {
            return Err(refused(who, "the password was refused"));
        }
        let Some(password) = &who.password else {
            let reason =
                "a password is needed; give one with --ask-become-pass or ansible_become_password";
            return Err(refused(who, reason));
        };
        // The prompt is consumed, so that it is not seen twice.
        self.out.clear();
        self.noise.clear();
        self.answered = true;
        let line = format!("{}\n", password.reveal());
        let written = self.process.input.write(line.as_bytes()).await;
        written.map_err(|error| refused(who, format!("it does not take the password: {error}")))
    }
}
