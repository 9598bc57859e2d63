//! The controller's side of an agent: requests out, results and contents back.

use super::TransportError;
use super::blob::{BlobContent, BlobSink, BlobSource};
use super::error::last_words;
use super::install::Started;
use super::process::{Event, Input, Output};
use crate::result::Outcome;
use crate::wire::{Blob, Call, FrameDecoder, FromAgent, Hello, ToAgent, encode};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::sync::{RwLock, mpsc};
use tokio::task::JoinHandle;

/// Bytes of content in one frame.
const PIECE: usize = 128 << 10;
/// Frames that may wait to be written; with the channel's window this is the flow control.
const OUTBOX: usize = 4;
/// Messages that may wait for their request: a file that comes faster than it is kept holds the machine back.
const INBOX: usize = 16;

/// A running agent. Requests may overlap; each future gets what belongs to it.
pub(crate) struct Agent {
    outbox: mpsc::Sender<Vec<u8>>,
    routes: Arc<Mutex<Routes>>,
    /// Files from the machine carry no request id: whoever takes some has the agent for itself.
    fetching: RwLock<()>,
    /// The pieces of one file are not mixed with another's.
    sending: tokio::sync::Mutex<()>,
    next_id: AtomicU64,
    tasks: [JoinHandle<()>; 2],
    pub hello: Hello,
    pub path: String,
}

#[derive(Default)]
struct Routes {
    open: HashMap<u64, mpsc::Sender<FromAgent>>,
    /// Why there will be no more messages.
    over: Option<TransportError>,
}

fn lock(routes: &Mutex<Routes>) -> MutexGuard<'_, Routes> {
    routes.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Agent {
    pub(crate) fn new(started: Started) -> Self {
        let routes = Arc::new(Mutex::new(Routes::default()));
        let (outbox, frames) = mpsc::channel(OUTBOX);
        let reader = listen(started.process.output, started.decoder, Arc::clone(&routes));
        let writer = write(started.process.input, frames);
        Self {
            outbox,
            routes,
            fetching: RwLock::new(()),
            sending: tokio::sync::Mutex::new(()),
            next_id: AtomicU64::new(1),
            tasks: [tokio::spawn(reader), tokio::spawn(writer)],
            hello: started.hello,
            path: started.path,
        }
    }

    /// Whether it still runs, as far as we have heard.
    pub(crate) fn is_alive(&self) -> bool {
        lock(&self.routes).over.is_none()
    }

    /// Runs calls in order. Dropping the future cancels them on the machine.
    pub(crate) async fn run(
        &self,
        calls: Vec<Call>,
        stop_on_failure: bool,
        blobs: &dyn BlobSource,
        mut sink: Option<&mut dyn BlobSink>,
    ) -> Result<Vec<Outcome>, TransportError> {
        let (shared, alone);
        if sink.is_some() {
            alone = Some(self.fetching.write().await);
            shared = None;
        } else {
            alone = None;
            shared = Some(self.fetching.read().await);
        }
        let count = calls.len();
        let (mut request, mut inbox) = self.open()?;
        let id = request.id;
        self.send(&ToAgent::Run {
            id,
            calls,
            stop_on_failure,
        })
        .await?;
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(count);
        loop {
            let Some(message) = inbox.recv().await else {
                request.done = true;
                return Err(self.over());
            };
            match message {
                FromAgent::Result { index, outcome, .. } => {
                    if index != outcomes.len() || index >= count {
                        return Err(protocol(format!(
                            "a result for call {index} came out of order"
                        )));
                    }
                    outcomes.push(*outcome);
                }
                FromAgent::NeedBlob { sha256, .. } => self.send_blob(&sha256, blobs).await?,
                FromAgent::Blob(blob) => {
                    let Some(sink) = sink.as_deref_mut() else {
                        return Err(protocol("a file came that nobody asked for".to_owned()));
                    };
                    sink.piece(&blob.sha256, &blob.bytes, blob.last)
                        .map_err(|error| {
                            TransportError::lost(format!(
                                "a file from it cannot be kept here: {error}"
                            ))
                        })?;
                }
                FromAgent::Done { .. } => break,
                FromAgent::Hello(_) => return Err(protocol("a second hello".to_owned())),
            }
        }
        request.done = true;
        drop((shared, alone));
        let stopped = stop_on_failure && outcomes.last().is_some_and(|outcome| outcome.failed);
        if outcomes.len() < count && !stopped {
            return Err(protocol(format!(
                "{} of {count} results came",
                outcomes.len()
            )));
        }
        Ok(outcomes)
    }

    /// Asks for the end of everything that runs, and waits for it no longer than `within`.
    pub(crate) async fn cancel(&self, within: Duration) {
        let ids: Vec<u64> = lock(&self.routes).open.keys().copied().collect();
        let asking = async {
            for id in ids {
                let _ = self.send(&ToAgent::Cancel { id }).await;
            }
            while !lock(&self.routes).open.is_empty() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let _ = tokio::time::timeout(within, asking).await;
    }

    /// Says good-bye and waits for the agent's end no longer than `within`.
    pub(crate) async fn close(&self, within: Duration) {
        let leaving = async {
            let _ = self.send(&ToAgent::Bye).await;
            while self.is_alive() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let _ = tokio::time::timeout(within, leaving).await;
    }

    fn open(&self) -> Result<(Request<'_>, mpsc::Receiver<FromAgent>), TransportError> {
        let id = self.next_id.fetch_add(1, Relaxed);
        let (sender, inbox) = mpsc::channel(INBOX);
        let mut routes = lock(&self.routes);
        if let Some(error) = &routes.over {
            return Err(error.clone());
        }
        routes.open.insert(id, sender);
        let request = Request {
            agent: self,
            id,
            done: false,
        };
        Ok((request, inbox))
    }

    fn over(&self) -> TransportError {
        let over = lock(&self.routes).over.clone();
        over.unwrap_or_else(|| TransportError::lost("the agent ended"))
    }

    async fn send(&self, message: &ToAgent) -> Result<(), TransportError> {
        let frame = encode(message).map_err(|error| protocol(error.to_string()))?;
        if self.outbox.send(frame).await.is_err() {
            // The reader hears why a moment after the writer's pipe broke.
            for _ in 0..100 {
                if !self.is_alive() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            return Err(self.over());
        }
        Ok(())
    }

    /// Streams a content. One that is not at hand goes as an empty one: its hash is wrong, so the
    /// agent fails the call that wants it.
    async fn send_blob(&self, sha256: &str, blobs: &dyn BlobSource) -> Result<(), TransportError> {
        let _alone = self.sending.lock().await;
        let piece = |bytes: Vec<u8>, last| {
            ToAgent::Blob(Blob {
                sha256: sha256.to_owned(),
                last,
                bytes,
            })
        };
        match blobs.open(sha256) {
            Some(BlobContent::Bytes(bytes)) => {
                let mut pieces = bytes.chunks(PIECE).peekable();
                while let Some(bytes) = pieces.next() {
                    let last = pieces.peek().is_none();
                    self.send(&piece(bytes.to_vec(), last)).await?;
                }
                if bytes.is_empty() {
                    self.send(&piece(Vec::new(), true)).await?;
                }
                Ok(())
            }
            Some(BlobContent::File(path)) => {
                let broken = |error: std::io::Error| {
                    TransportError::lost(format!("{} cannot be read here: {error}", path.display()))
                };
                let opened = tokio::fs::File::open(&path).await;
                let result = async {
                    let mut file = opened.map_err(broken)?;
                    loop {
                        let mut bytes = Vec::with_capacity(PIECE);
                        let mut part = (&mut file).take(PIECE as u64);
                        part.read_to_end(&mut bytes).await.map_err(broken)?;
                        let last = bytes.len() < PIECE;
                        self.send(&piece(bytes, last)).await?;
                        if last {
                            return Ok(());
                        }
                    }
                }
                .await;
                if result.is_err() {
                    // The agent must not wait for the rest.
                    let _ = self.send(&piece(Vec::new(), true)).await;
                }
                result
            }
            None => self.send(&piece(Vec::new(), true)).await,
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// A request that is under way; dropped before its end, it is cancelled on the machine.
struct Request<'a> {
    agent: &'a Agent,
    id: u64,
    done: bool,
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        lock(&self.agent.routes).open.remove(&self.id);
        if self.done {
            return;
        }
        let Ok(frame) = encode(&ToAgent::Cancel { id: self.id }) else {
            return;
        };
        if let Err(mpsc::error::TrySendError::Full(frame)) = self.agent.outbox.try_send(frame) {
            let outbox = self.agent.outbox.clone();
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move { outbox.send(frame).await });
            }
        }
    }
}

fn protocol(reason: String) -> TransportError {
    TransportError::Protocol { reason }
}

async fn write(mut input: Input, mut frames: mpsc::Receiver<Vec<u8>>) {
    while let Some(frame) = frames.recv().await {
        if input.write(&frame).await.is_err() {
            return;
        }
    }
    input.close().await;
}

/// Gives each message to its request until the stream ends, then says why to all of them.
async fn listen(mut output: Output, mut decoder: FrameDecoder, routes: Arc<Mutex<Routes>>) {
    let mut said = Vec::new();
    let why = 'stream: loop {
        loop {
            match decoder.next::<FromAgent>() {
                Ok(Some(message)) => route(&routes, message).await,
                Ok(None) => break,
                Err(error) => break 'stream protocol(error.to_string()),
            }
        }
        match output.next().await {
            Event::Out(bytes) => decoder.push(&bytes),
            Event::Err(bytes) => {
                if said.len() > 8 << 10 {
                    said.drain(..4 << 10);
                }
                said.extend_from_slice(&bytes);
            }
            Event::Exit(ended) => {
                let words = last_words(&said);
                let words = if words.is_empty() {
                    String::new()
                } else {
                    format!("; it last said: {words}")
                };
                let how = match ended.code {
                    // what the agent ends with when it is told to: 128 and SIGHUP or SIGTERM
                    Some(129 | 143) => "it was told to: is the machine going down?".to_owned(),
                    _ => ended.describe(),
                };
                break TransportError::lost(format!(
                    "the agent or its connection ended in the middle of the work ({how}){words}"
                ));
            }
        }
    };
    let mut routes = lock(&routes);
    routes.over = Some(why);
    routes.open.clear();
}

async fn route(routes: &Mutex<Routes>, message: FromAgent) {
    let request = {
        let routes = lock(routes);
        match &message {
            FromAgent::Result { id, .. }
            | FromAgent::NeedBlob { id, .. }
            | FromAgent::Done { id } => routes.open.get(id).cloned(),
            // Only one request can be open while files come.
            FromAgent::Blob(_) => routes.open.values().next().cloned(),
            FromAgent::Hello(_) => None,
        }
    };
    if let Some(request) = request {
        // One that was dropped wants nothing any more.
        let _ = request.send(message).await;
    }
}
