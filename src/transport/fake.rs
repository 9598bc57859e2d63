//! A machine in memory, for the tests of whoever uses machines.

use super::counters::Counters;
use super::process::{EVENT_QUEUE, Ended, Event, Process};
use crate::result::Outcome;
use crate::wire::{Call, FrameDecoder, FromAgent, Hello, PROTOCOL, ToAgent, encode};
use std::fmt;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

type Answer = dyn Fn(&Call) -> Outcome + Send + Sync;
type RawAnswer = dyn Fn(&str) -> (i32, String) + Send + Sync;

/// What a machine in memory answers.
pub struct FakeMachine {
    answer: Box<Answer>,
    raw: Box<RawAnswer>,
}

impl fmt::Debug for FakeMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeMachine")
    }
}

impl FakeMachine {
    /// A machine whose agents answer each call with what the function gives.
    pub fn new(answer: impl Fn(&Call) -> Outcome + Send + Sync + 'static) -> Self {
        Self {
            answer: Box::new(answer),
            raw: Box::new(|_| (127, String::new())),
        }
    }

    /// The same with an answer (exit status, standard output) to raw commands.
    #[must_use]
    pub fn with_raw(mut self, raw: impl Fn(&str) -> (i32, String) + Send + Sync + 'static) -> Self {
        self.raw = Box::new(raw);
        self
    }

    /// Starts an agent, or answers a raw command.
    pub(crate) fn exec(self: &Arc<Self>, command: &str, counters: &Arc<Counters>) -> Process {
        let (near, far) = tokio::io::duplex(64 << 10);
        let (events, receiver) = mpsc::channel(EVENT_QUEUE);
        let machine = Arc::clone(self);
        let command = command.to_owned();
        tokio::spawn(async move {
            let code = if command == format!("exec {AGENT} agent") {
                machine.agent(far, &events).await;
                0
            } else {
                let (code, text) = (machine.raw)(&command);
                let _ = events.send(Event::Out(text.into_bytes())).await;
                code
            };
            let ended = Ended {
                code: Some(code),
                why: None,
            };
            let _ = events.send(Event::Exit(ended)).await;
        });
        Process::new(Box::new(near), receiver, counters)
    }

    async fn agent(&self, mut input: tokio::io::DuplexStream, events: &mpsc::Sender<Event>) {
        let hello = FromAgent::Hello(Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: 1,
            uid: 0,
        });
        let mut out = b"RUNBOOK-AGENT-1\n".to_vec();
        out.extend(encode(&hello).unwrap_or_default());
        let mut decoder = FrameDecoder::default();
        let mut buffer = vec![0; 16 << 10];
        loop {
            if events
                .send(Event::Out(std::mem::take(&mut out)))
                .await
                .is_err()
            {
                return;
            }
            let Ok(length @ 1..) = input.read(&mut buffer).await else {
                return;
            };
            decoder.push(buffer.get(..length).unwrap_or_default());
            while let Ok(Some(message)) = decoder.next::<ToAgent>() {
                match message {
                    ToAgent::Run {
                        id,
                        calls,
                        stop_on_failure,
                    } => {
                        for (index, call) in calls.iter().enumerate() {
                            let outcome = Box::new((self.answer)(call));
                            let failed = outcome.failed;
                            let result = FromAgent::Result {
                                id,
                                index,
                                outcome,
                                elapsed_ms: 0,
                            };
                            out.extend(encode(&result).unwrap_or_default());
                            if failed && stop_on_failure {
                                break;
                            }
                        }
                        out.extend(encode(&FromAgent::Done { id }).unwrap_or_default());
                    }
                    ToAgent::Bye => return,
                    ToAgent::Blob(_) | ToAgent::Cancel { .. } => {}
                }
            }
        }
    }
}

/// Where the agent of a machine in memory is.
pub(crate) const AGENT: &str = "agent";
