//! Where a content comes from.

use super::preview::{self, MAX_DIFF_SIZE, preview};
use crate::modules::{Failure, ModuleResult};
use crate::sys::{Meta, Sys, hex};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A content that is to be written. A blob's bytes are asked for only when they are needed.
#[derive(Clone, Debug)]
pub enum Source<'a> {
    /// In memory.
    Bytes(Cow<'a, [u8]>),
    /// With the controller.
    Blob {
        /// Its SHA-256 in hexadecimal.
        sha256: &'a str,
        /// Its size in bytes, if it was said.
        size: Option<u64>,
        /// Its SHA-1 in hexadecimal, if it was said.
        sha1: Option<&'a str>,
    },
    /// A file on the machine.
    File(PathBuf),
}

/// A digest of what a reader gives, in hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub fn digest_of<D: Digest>(content: &mut dyn Read) -> io::Result<String> {
    let mut digest = D::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match content.read(&mut buffer) {
            Ok(0) => return Ok(hex(&digest.finalize())),
            Ok(n) => digest.update(buffer.get(..n).unwrap_or_default()),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

impl Source<'_> {
    /// Opens it for reading.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn open(&self, sys: &Sys) -> ModuleResult<Box<dyn Read + '_>> {
        Ok(match self {
            Self::Bytes(bytes) => Box::new(&**bytes),
            Self::Blob { sha256, .. } => Box::new(sys.open_blob(sha256)?),
            Self::File(path) => Box::new(sys.open(path)?),
        })
    }

    /// Its size in bytes.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn size(&self, sys: &Sys) -> ModuleResult<u64> {
        Ok(match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Blob {
                size: Some(size), ..
            } => *size,
            Self::Blob { sha256, .. } => sys.open_blob(sha256)?.metadata().map_or(0, |m| m.len()),
            Self::File(path) => sys.stat(path, true)?.map_or(0, |meta| meta.size),
        })
    }

    /// Whether the file has this content.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn is_same(&self, sys: &Sys, path: &Path, meta: &Meta) -> ModuleResult<bool> {
        let size = match self {
            Self::Blob { size, .. } => *size,
            other => Some(other.size(sys)?),
        };
        if size.is_some_and(|size| size != meta.size) {
            return Ok(false);
        }
        Ok(match self {
            Self::Bytes(bytes) => sys.read(path)?.is_some_and(|now| now == **bytes),
            Self::Blob { sha256, .. } => sys.sha256(path)?.as_deref() == Some(*sha256),
            Self::File(source) => sys.sha256(path)? == sys.sha256(source)?,
        })
    }

    /// Its SHA-1 where that costs no transfer.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn known_sha1(&self, sys: &Sys) -> ModuleResult<Option<String>> {
        match self {
            Self::Bytes(bytes) => Ok(Some(hex(&Sha1::digest(&**bytes)))),
            Self::Blob { sha1, .. } => Ok(sha1.map(str::to_owned)),
            Self::File(path) => Ok(sys.sha1(path)?),
        }
    }

    /// Its SHA-1.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn sha1(&self, sys: &Sys) -> ModuleResult<String> {
        match self.known_sha1(sys)? {
            Some(sum) => Ok(sum),
            None => self.digest::<Sha1>(sys),
        }
    }

    /// Its SHA-256.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn sha256(&self, sys: &Sys) -> ModuleResult<String> {
        match self {
            Self::Blob { sha256, .. } => Ok((*sha256).to_owned()),
            _ => self.digest::<Sha256>(sys),
        }
    }

    fn digest<D: Digest>(&self, sys: &Sys) -> ModuleResult<String> {
        digest_of::<D>(&mut *self.open(sys)?)
            .map_err(|e| Failure::new(format!("cannot read the content: {e}")))
    }

    /// It as text for a diff.
    pub(in crate::modules::files) fn preview(&self, sys: &Sys) -> ModuleResult<String> {
        let size = self.size(sys)?;
        if size > MAX_DIFF_SIZE {
            return Ok(preview::too_large(size));
        }
        let mut bytes = Vec::new();
        self.open(sys)?
            .take(MAX_DIFF_SIZE + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| Failure::new(format!("cannot read the content: {e}")))?;
        Ok(preview(&bytes))
    }
}
