//! Contents that travel between controller and machine.

use std::path::{Path, PathBuf};

/// Why a content could not be had or sent.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BlobError(pub String);

/// The source and sink of contents; the agent implements it over its stream.
pub trait Blobs: Send + Sync {
    /// A private file with that content. It is asked for over the stream if it is not there yet.
    ///
    /// # Errors
    /// When the controller does not have it or the stream ends.
    fn fetch(&self, sha256: &str) -> Result<PathBuf, BlobError>;
    /// Sends a file's content to the controller.
    ///
    /// # Errors
    /// When it cannot be read or the stream ends.
    fn send(&self, path: &Path, sha256: &str) -> Result<(), BlobError>;
    /// A private directory that lasts as long as the source of contents.
    ///
    /// # Errors
    /// When there is no place for it.
    fn home(&self) -> Result<PathBuf, BlobError> {
        Err(BlobError(
            "there is no directory for files of the session".into(),
        ))
    }
}

/// No contents at all.
#[derive(Debug)]
pub struct NoBlobs;

impl Blobs for NoBlobs {
    fn fetch(&self, sha256: &str) -> Result<PathBuf, BlobError> {
        Err(BlobError(format!("no content {sha256} was sent along")))
    }
    fn send(&self, _: &Path, _: &str) -> Result<(), BlobError> {
        Err(BlobError("contents cannot be sent from here".into()))
    }
}

/// Contents that lie in a directory under their SHA-256 (tests, and runs without a stream).
impl Blobs for PathBuf {
    fn fetch(&self, sha256: &str) -> Result<PathBuf, BlobError> {
        let path = self.join(sha256);
        if path.exists() {
            Ok(path)
        } else {
            Err(BlobError(format!("no content {sha256} was sent along")))
        }
    }
    fn send(&self, path: &Path, sha256: &str) -> Result<(), BlobError> {
        std::fs::copy(path, self.join(sha256))
            .map(drop)
            .map_err(|e| BlobError(e.to_string()))
    }
    fn home(&self) -> Result<PathBuf, BlobError> {
        Ok(self.clone())
    }
}
