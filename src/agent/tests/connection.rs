//! The controller's end, for tests.

use crate::agent::{MARK, Session};
use crate::result::Outcome;
use crate::wire::{Blob, FrameDecoder, FrameError, FromAgent, ToAgent, encode};
use std::collections::HashMap;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::thread::JoinHandle;

pub struct Connection {
    input: PipeReader,
    output: Option<PipeWriter>,
    decoder: FrameDecoder,
    agent: Option<JoinHandle<Result<(), FrameError>>>,
    results: HashMap<u64, Vec<Outcome>>,
    done: Vec<u64>,
    pub blobs: HashMap<String, Vec<u8>>,
}

impl Connection {
    /// Starts an agent and reads its greeting.
    pub fn open() -> Self {
        let (theirs, output) = std::io::pipe().expect("a pipe");
        let (mut input, answers) = std::io::pipe().expect("a pipe");
        let agent =
            std::thread::spawn(move || Session::new(answers, super::modules::find).serve(theirs));
        let mut mark = vec![0; MARK.len()];
        input.read_exact(&mut mark).expect("the mark");
        assert_eq!(mark, MARK.as_bytes());
        let mut connection = Self {
            input,
            output: Some(output),
            decoder: FrameDecoder::default(),
            agent: Some(agent),
            results: HashMap::new(),
            done: Vec::new(),
            blobs: HashMap::new(),
        };
        let FromAgent::Hello(hello) = connection.next() else {
            panic!("no greeting");
        };
        assert_eq!(hello.protocol, crate::wire::PROTOCOL);
        assert_eq!(hello.pid, std::process::id());
        connection
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        let output = self.output.as_mut().expect("open");
        output.write_all(bytes).expect("written");
    }

    pub fn send(&mut self, message: &ToAgent) {
        let bytes = encode(message).expect("a frame");
        self.raw(&bytes);
    }

    pub fn blob(&mut self, sha256: &str, bytes: &[u8], last: bool) {
        self.send(&ToAgent::Blob(Blob {
            sha256: sha256.into(),
            last,
            bytes: bytes.into(),
        }));
    }

    /// The next message.
    pub fn next(&mut self) -> FromAgent {
        loop {
            if let Some(message) = self.decoder.next().expect("frames") {
                return message;
            }
            let mut buffer = [0; 4096];
            let n = self.input.read(&mut buffer).expect("readable");
            assert!(n > 0, "the agent hung up");
            self.decoder.push(&buffer[..n]);
        }
    }

    /// The outcomes of a request, when it is done.
    pub fn outcomes(&mut self, wanted: u64) -> Vec<Outcome> {
        while !self.done.contains(&wanted) {
            match self.next() {
                FromAgent::Result {
                    id, index, outcome, ..
                } => {
                    let results = self.results.entry(id).or_default();
                    assert_eq!(index, results.len(), "in order");
                    results.push(*outcome);
                }
                FromAgent::Done { id } => self.done.push(id),
                FromAgent::Blob(blob) => {
                    let all = self.blobs.entry(blob.sha256).or_default();
                    if blob.last {
                        // the same content may be sent again by another call
                        all.clear();
                    }
                    all.extend(blob.bytes);
                }
                other => panic!("unexpected {other:?}"),
            }
        }
        self.results.remove(&wanted).unwrap_or_default()
    }

    /// Waits for the agent's end.
    pub fn ends(&mut self) -> Result<(), FrameError> {
        self.agent
            .take()
            .expect("running")
            .join()
            .expect("no crash")
    }

    /// Closes the stream and waits for the agent's end.
    pub fn hang_up(&mut self) -> Result<(), FrameError> {
        self.output = None;
        self.ends()
    }
}
