//! One connection: the frames in, the frames out, the requests that run.

use super::blobs::Spool;
use super::keeper::Keeper;
use super::{MARK, request};
use crate::modules;
use crate::sys::Cancel;
use crate::wire::{FrameDecoder, FrameError, FromAgent, Hello, PROTOCOL, ToAgent, encode};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Finds a module by its name.
pub type Finder = fn(&str) -> Option<&'static modules::Entry>;

/// How long the end waits for workers whose processes were killed.
const LAST_WAIT: Duration = Duration::from_secs(3);

/// A request that runs.
#[derive(Default)]
struct Running {
    stopped: bool,
    call: Option<Arc<Cancel>>,
}

#[derive(Default)]
struct Requests {
    running: HashMap<u64, Running>,
    ended: bool,
}

/// The agent's side of a connection.
pub struct Session {
    output: Mutex<Box<dyn Write + Send>>,
    requests: Mutex<Requests>,
    changed: Condvar,
    pub(super) spool: Spool,
    pub(super) find: Finder,
    pub(super) keeper: Arc<Keeper>,
    /// Set when everything is stopped: what was stopped then has no result, and the controller sees an end.
    mute: AtomicBool,
}

impl Session {
    /// A session that answers into `output` and knows the modules that `find` finds.
    pub fn new(output: impl Write + Send + 'static, find: Finder) -> Arc<Self> {
        Self::kept(output, find, Keeper::default())
    }

    /// A session with a process that cleans up after it.
    pub(super) fn kept(
        output: impl Write + Send + 'static,
        find: Finder,
        keeper: Keeper,
    ) -> Arc<Self> {
        let keeper = Arc::new(keeper);
        Arc::new(Self {
            output: Mutex::new(Box::new(output)),
            requests: Mutex::default(),
            changed: Condvar::new(),
            spool: Spool::new(Arc::clone(&keeper)),
            find,
            keeper,
            mute: AtomicBool::new(false),
        })
    }

    /// Greets, then reads and serves until the stream ends or says goodbye. Whatever runs then is stopped.
    ///
    /// # Errors
    /// When the input is not a stream of frames.
    pub fn serve(self: &Arc<Self>, input: impl Read) -> Result<(), FrameError> {
        self.write(MARK.as_bytes());
        self.send(&FromAgent::Hello(Hello {
            protocol: PROTOCOL,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            uid: nix::unistd::geteuid().as_raw(),
        }));
        let result = self.read(input);
        self.end();
        result
    }

    fn read(self: &Arc<Self>, mut input: impl Read) -> Result<(), FrameError> {
        let mut decoder = FrameDecoder::default();
        let mut buffer = vec![0; 1 << 16];
        loop {
            while let Some(message) = decoder.next::<ToAgent>()? {
                if matches!(message, ToAgent::Bye) {
                    return Ok(());
                }
                self.take(message);
            }
            match input.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(n) => decoder.push(buffer.get(..n).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return Ok(()),
            }
        }
    }

    /// Takes a message; never waits.
    fn take(self: &Arc<Self>, message: ToAgent) {
        match message {
            ToAgent::Run {
                id,
                calls,
                stop_on_failure,
            } => {
                match self.lock().running.entry(id) {
                    Entry::Vacant(place) => place.insert(Running::default()),
                    // ids are the controller's to keep apart: the request that runs goes on
                    Entry::Occupied(_) => return,
                };
                let session = Arc::clone(self);
                std::thread::spawn(move || {
                    request::run(&session, id, calls, stop_on_failure);
                    let mut requests = session.lock();
                    requests.running.remove(&id);
                    if requests.running.is_empty() {
                        // what was sent may be secret, and is not kept for longer than it is needed. No request can
                        // begin while the lock is held.
                        session.spool.forget();
                    }
                    drop(requests);
                    session.changed.notify_all();
                    session.send(&FromAgent::Done { id });
                });
            }
            ToAgent::Blob(blob) => self.spool.take(&blob),
            ToAgent::Cancel { id } => {
                let call = self.lock().running.get_mut(&id).and_then(|running| {
                    running.stopped = true;
                    running.call.clone()
                });
                if let Some(call) = call {
                    // stopping waits a moment for the processes, the reader must not
                    std::thread::spawn(move || call.stop());
                }
            }
            ToAgent::Bye => {}
        }
    }

    /// Says what stops the call that a request is about to run; false if the request is stopped already.
    pub(super) fn begin_call(&self, id: u64, cancel: &Arc<Cancel>) -> bool {
        let mut requests = self.lock();
        let ended = requests.ended;
        let running = requests.running.entry(id).or_default();
        if running.stopped || ended {
            return false;
        }
        running.call = Some(Arc::clone(cancel));
        true
    }

    /// Whether the request was stopped, or everything was.
    pub(super) fn is_stopped(&self, id: u64) -> bool {
        let requests = self.lock();
        requests.ended || requests.running.get(&id).is_some_and(|r| r.stopped)
    }

    /// Stops everything, waits for it a little, removes private files. Can be called more than once.
    pub fn end(&self) {
        let calls: Vec<_> = {
            let mut requests = self.lock();
            requests.ended = true;
            self.mute.store(!requests.running.is_empty(), Relaxed);
            let running = requests.running.values();
            running.filter_map(|r| r.call.clone()).collect()
        };
        self.spool.close();
        std::thread::scope(|scope| {
            for call in &calls {
                scope.spawn(|| call.stop());
            }
        });
        let end = Instant::now() + LAST_WAIT;
        let mut requests = self.lock();
        while !requests.running.is_empty() {
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                break;
            };
            requests = self
                .changed
                .wait_timeout(requests, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        drop(requests);
        self.spool.remove();
    }

    /// Sends a message whole. That the other side is gone is seen by the reader, so failing is silent here.
    pub(super) fn send(&self, message: &FromAgent) {
        match encode(message) {
            Ok(bytes) => self.write(&bytes),
            Err(error) => {
                if let FromAgent::Result {
                    id,
                    index,
                    elapsed_ms,
                    ..
                } = message
                {
                    let outcome = crate::result::Outcome::failure(format!(
                        "the module's result cannot be sent: {error}"
                    ));
                    self.send(&FromAgent::Result {
                        id: *id,
                        index: *index,
                        outcome: Box::new(outcome),
                        elapsed_ms: *elapsed_ms,
                    });
                }
            }
        }
    }

    fn write(&self, bytes: &[u8]) {
        if self.mute.load(Relaxed) {
            return;
        }
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = output.write_all(bytes).and_then(|()| output.flush());
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
