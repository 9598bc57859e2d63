//! A command that runs on a machine: what it is fed, and what it says.

use super::counters::Counters;
use std::sync::Arc;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

/// Something that a command said or did.
#[derive(Debug)]
pub(crate) enum Event {
    /// Bytes on its standard output.
    Out(Vec<u8>),
    /// Bytes on its standard error.
    Err(Vec<u8>),
    /// It ended; nothing follows.
    Exit(Ended),
}

/// How a command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its exit status, if it had one.
    pub code: Option<i32>,
    /// Without a status: why (a signal's name, or what happened to the connection).
    pub why: Option<String>,
}

impl Ended {
    /// "exit status 3", "killed by SIGKILL", "the connection was closed".
    pub(crate) fn describe(&self) -> String {
        match (self.code, &self.why) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(why)) => why.clone(),
            (None, None) => "the connection was closed".to_owned(),
        }
    }
}

/// The side that is fed.
pub(crate) struct Input {
    writer: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    counters: Arc<Counters>,
}

impl Input {
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let Some(writer) = &mut self.writer else {
            return Err(std::io::ErrorKind::BrokenPipe.into());
        };
        writer.write_all(bytes).await?;
        writer.flush().await?;
        self.counters.sent(bytes.len());
        Ok(())
    }

    /// End of file for the command.
    pub(crate) async fn close(&mut self) {
        if let Some(mut writer) = self.writer.take() {
            let _ = writer.shutdown().await;
        }
    }
}

/// The side that speaks. Dropping it ends the command: its channel is closed or its process group
/// killed.
pub(crate) struct Output {
    events: mpsc::Receiver<Event>,
    counters: Arc<Counters>,
}

impl Output {
    /// The next event; after [`Event::Exit`] always that one.
    pub(crate) async fn next(&mut self) -> Event {
        let event = self.events.recv().await;
        if let Some(Event::Out(bytes) | Event::Err(bytes)) = &event {
            self.counters.received(bytes.len());
        }
        event.unwrap_or_else(|| Event::Exit(Ended::default()))
    }
}

/// A command that runs.
pub(crate) struct Process {
    pub input: Input,
    pub output: Output,
}

impl Process {
    pub(crate) fn new(
        writer: Box<dyn AsyncWrite + Send + Unpin>,
        events: mpsc::Receiver<Event>,
        counters: &Arc<Counters>,
    ) -> Self {
        Self {
            input: Input {
                writer: Some(writer),
                counters: Arc::clone(counters),
            },
            output: Output {
                events,
                counters: Arc::clone(counters),
            },
        }
    }
}

/// How many events may wait before the command is held back.
pub(crate) const EVENT_QUEUE: usize = 64;
