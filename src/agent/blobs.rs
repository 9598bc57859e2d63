//! Contents on their way: private files that the controller fills, and files that it asks for.

use super::Session;
use super::keeper::Keeper;
use crate::sys::{BlobError, Blobs, Cancel, Keeper as _, hex};
use crate::wire::{Blob, FromAgent};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Size of the pieces that go to the controller, in bytes.
const PIECE: usize = 256 << 10;

enum Content {
    /// A module waits for it, no piece came yet.
    Asked,
    /// Pieces come.
    Partial { file: File, digest: Sha256 },
    /// All there.
    Ready,
    /// It could not be kept, and why; `whole` after its last piece.
    Broken { why: String, whole: bool },
}

#[derive(Default)]
struct State {
    dir: Option<tempfile::TempDir>,
    contents: HashMap<String, Content>,
    closed: bool,
}

/// The contents that came over the stream, in a private directory that goes with the session.
#[derive(Default)]
pub(super) struct Spool {
    state: Mutex<State>,
    changed: Condvar,
    keeper: Arc<Keeper>,
}

impl Spool {
    /// An empty one, whose directory the keeper knows.
    pub(super) fn new(keeper: Arc<Keeper>) -> Self {
        Self {
            keeper,
            ..Self::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a piece.
    pub(super) fn take(&self, blob: &Blob) {
        if !is_digest(&blob.sha256) {
            return;
        }
        let mut state = self.lock();
        if let Err(error) = state.add(blob, &self.keeper) {
            let place = state.dir.as_ref().map_or_else(
                || "no directory for it".to_owned(),
                |dir| dir.path().display().to_string(),
            );
            if let Some(dir) = &state.dir {
                // what is half there only takes room
                let _ = std::fs::remove_file(dir.path().join(&blob.sha256));
            }
            let whole = blob.last;
            let why = format!(
                "the content that was sent could not be kept on the machine ({place}): {}",
                crate::sys::reason(&error)
            );
            state
                .contents
                .insert(blob.sha256.clone(), Content::Broken { why, whole });
        }
        drop(state);
        self.changed.notify_all();
    }

    /// No more content comes: whoever waits gives up.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn home(&self) -> Result<PathBuf, BlobError> {
        let made = self.lock().home(&self.keeper).map(Path::to_owned);
        made.map_err(|e| {
            let why = crate::sys::reason(&e);
            BlobError(format!("there is no place for private files: {why}"))
        })
    }

    /// Removes the contents that are there whole: whoever needs one again asks for it again.
    pub(super) fn forget(&self) {
        let mut state = self.lock();
        let State { dir, contents, .. } = &mut *state;
        contents.retain(|sha256, content| {
            let ready = matches!(content, Content::Ready);
            if let (true, Some(dir)) = (ready, &dir) {
                let _ = std::fs::remove_file(dir.path().join(sha256));
            }
            !ready
        });
    }

    /// Removes all files.
    pub(super) fn remove(&self) {
        let mut state = self.lock();
        state.contents.clear();
        state.dir = None;
    }

    /// The file, asked for with `ask` if it is not there and was not asked for by another call.
    fn fetch(&self, sha256: &str, cancel: &Cancel, ask: impl Fn()) -> Result<PathBuf, BlobError> {
        if !is_digest(sha256) {
            return Err(BlobError(format!("`{sha256}` is not a SHA-256 checksum")));
        }
        let mut state = self.lock();
        loop {
            match state.contents.get(sha256) {
                Some(Content::Ready) => return state.path(sha256),
                Some(Content::Broken { why, whole: true }) => {
                    let why = why.clone();
                    // another try may go better
                    state.contents.remove(sha256);
                    return Err(BlobError(why));
                }
                Some(Content::Asked | Content::Partial { .. } | Content::Broken { .. }) => {}
                None => {
                    state.contents.insert(sha256.to_owned(), Content::Asked);
                    drop(state);
                    ask();
                    state = self.lock();
                }
            }
            if state.closed {
                return Err(BlobError("the connection to the controller ended".into()));
            }
            if cancel.is_stopped() {
                return Err(BlobError("it was stopped while waiting for a file".into()));
            }
            if !matches!(
                state.contents.get(sha256),
                Some(Content::Ready | Content::Broken { whole: true, .. })
            ) {
                state = self
                    .changed
                    .wait_timeout(state, Duration::from_millis(100))
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        }
    }
}

impl State {
    fn path(&self, sha256: &str) -> Result<PathBuf, BlobError> {
        match &self.dir {
            Some(dir) => Ok(dir.path().join(sha256)),
            None => Err(BlobError("the agent is ending".into())),
        }
    }

    /// The directory, made if it is not there.
    fn home(&mut self, keeper: &Keeper) -> std::io::Result<&Path> {
        Ok(match &mut self.dir {
            Some(dir) => dir.path(),
            none => {
                let dir = private_directory()?;
                keeper.made(dir.path());
                none.insert(dir).path()
            }
        })
    }

    fn add(&mut self, blob: &Blob, keeper: &Keeper) -> std::io::Result<()> {
        if self.closed || matches!(self.contents.get(&blob.sha256), Some(Content::Ready)) {
            return Ok(());
        }
        if let Some(Content::Broken { whole, .. }) = self.contents.get_mut(&blob.sha256) {
            // the rest of one that is lost
            *whole = blob.last;
            return Ok(());
        }
        let path = self.home(keeper)?.join(&blob.sha256);
        let (mut file, mut digest) = match self.contents.remove(&blob.sha256) {
            Some(Content::Partial { file, digest }) => (file, digest),
            _ => (
                OpenOptions::new()
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .mode(0o600)
                    .open(&path)?,
                Sha256::new(),
            ),
        };
        file.write_all(&blob.bytes)?;
        digest.update(&blob.bytes);
        let content = if !blob.last {
            Content::Partial { file, digest }
        } else if hex(&digest.finalize()) == blob.sha256 {
            Content::Ready
        } else {
            let _ = std::fs::remove_file(&path);
            let why = format!(
                "the content that came is not the one with SHA-256 {}: the file changed meanwhile, or \
                 the controller no longer has it",
                blob.sha256
            );
            Content::Broken { why, whole: true }
        };
        self.contents.insert(blob.sha256.clone(), content);
        Ok(())
    }
}

/// Where contents wait: beside the agent's program, which is on a disk with room for it, else where temporary files
/// are kept (often memory).
fn private_directory() -> std::io::Result<tempfile::TempDir> {
    let program = std::env::current_exe().ok();
    let own = program.as_deref().filter(|program| {
        let name = program.file_name().unwrap_or_default();
        name.as_encoded_bytes().starts_with(b"agent-")
    });
    let temporary = std::env::temp_dir();
    let places = [own.and_then(Path::parent), Some(Path::new("/var/tmp"))];
    let make = |place: &Path| {
        tempfile::Builder::new()
            .prefix("runbook-agent-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(place)
    };
    let first = places
        .into_iter()
        .flatten()
        .find_map(|place| make(place).ok());
    first.map_or_else(|| make(&temporary), Ok)
}

fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The contents as one call sees them.
pub(super) struct CallBlobs {
    pub(super) session: Arc<Session>,
    pub(super) request: u64,
    pub(super) cancel: Arc<Cancel>,
}

impl Blobs for CallBlobs {
    fn fetch(&self, sha256: &str) -> Result<PathBuf, BlobError> {
        self.session.spool.fetch(sha256, &self.cancel, || {
            self.session.send(&FromAgent::NeedBlob {
                id: self.request,
                sha256: sha256.to_owned(),
            });
        })
    }

    fn home(&self) -> Result<PathBuf, BlobError> {
        self.session.spool.home()
    }

    fn send(&self, path: &Path, sha256: &str) -> Result<(), BlobError> {
        let failed = |e: std::io::Error| BlobError(format!("cannot read {}: {e}", path.display()));
        let mut file = File::open(path).map_err(failed)?;
        loop {
            let mut bytes = Vec::with_capacity(PIECE);
            let n = (&mut file)
                .take(PIECE as u64)
                .read_to_end(&mut bytes)
                .map_err(failed)?;
            if self.cancel.is_stopped() {
                return Err(BlobError("it was stopped while sending a file".into()));
            }
            self.session.send(&FromAgent::Blob(Blob {
                sha256: sha256.to_owned(),
                last: n < PIECE,
                bytes,
            }));
            if n < PIECE {
                return Ok(());
            }
        }
    }
}
