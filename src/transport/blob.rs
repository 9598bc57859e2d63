//! Contents of files on their way to and from a machine.

use std::path::PathBuf;
use std::sync::Arc;

/// Where the content of a file is.
#[derive(Clone, Debug)]
pub enum BlobContent {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file of the controller; it is read as it is sent.
    File(PathBuf),
}

/// Gives the contents that agents ask for by their hash.
pub trait BlobSource: Send + Sync {
    /// The content with this SHA-256 (in hexadecimal).
    fn open(&self, sha256: &str) -> Option<BlobContent>;
}

/// Has nothing, for requests that name no content.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBlobs;

impl BlobSource for NoBlobs {
    fn open(&self, _: &str) -> Option<BlobContent> {
        None
    }
}

impl<S: std::hash::BuildHasher + Send + Sync> BlobSource
    for std::collections::HashMap<String, BlobContent, S>
{
    fn open(&self, sha256: &str) -> Option<BlobContent> {
        self.get(sha256).cloned()
    }
}

/// Takes the pieces of files that come from a machine (`fetch`), in order, each file before the
/// result of its call.
pub trait BlobSink: Send {
    /// A piece; `last` ends the file.
    ///
    /// # Errors
    /// When it cannot be kept: the request is given up with this reason.
    fn piece(&mut self, sha256: &str, bytes: &[u8], last: bool) -> std::io::Result<()>;
}

/// Keeps whole files in memory, by hash.
#[derive(Clone, Debug, Default)]
pub struct MemorySink {
    /// What came so far.
    pub files: std::collections::HashMap<String, Vec<u8>>,
}

impl BlobSink for MemorySink {
    fn piece(&mut self, sha256: &str, bytes: &[u8], _: bool) -> std::io::Result<()> {
        self.files
            .entry(sha256.to_owned())
            .or_default()
            .extend_from_slice(bytes);
        Ok(())
    }
}
