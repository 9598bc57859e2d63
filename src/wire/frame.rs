//! Frames: a length, the length of the JSON part, the JSON, and raw bytes after it.
//!
//! `[u32 total][u32 json][json bytes][tail bytes]`, big endian; `total` counts what follows it.

use super::{FromAgent, ToAgent};
use serde::{Serialize, de::DeserializeOwned};

/// A frame larger than this is refused: it is a broken stream, not a message.
pub const MAX_FRAME: usize = 256 << 20;

/// What is wrong with a stream.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The stream is not ours, or it was corrupted.
    #[error("a frame of {0} bytes was announced, which is not possible")]
    Size(usize),
    /// A message could not be read.
    #[error("a message could not be read: {0}")]
    Message(String),
}

/// Messages that travel in frames: their raw tail goes beside the JSON.
pub trait Frame: Serialize + DeserializeOwned {
    /// The bytes that travel raw.
    fn tail(&self) -> &[u8] {
        &[]
    }
    /// Puts the raw bytes back.
    fn set_tail(&mut self, tail: &[u8]);
}

impl Frame for ToAgent {
    fn tail(&self) -> &[u8] {
        match self {
            Self::Blob(blob) => &blob.bytes,
            _ => &[],
        }
    }
    fn set_tail(&mut self, tail: &[u8]) {
        if let Self::Blob(blob) = self {
            blob.bytes = tail.to_vec();
        }
    }
}

impl Frame for FromAgent {
    fn tail(&self) -> &[u8] {
        match self {
            Self::Blob(blob) => &blob.bytes,
            _ => &[],
        }
    }
    fn set_tail(&mut self, tail: &[u8]) {
        if let Self::Blob(blob) = self {
            blob.bytes = tail.to_vec();
        }
    }
}

/// The bytes of a message.
///
/// # Errors
/// When it is larger than [`MAX_FRAME`].
pub fn encode<M: Frame>(message: &M) -> Result<Vec<u8>, FrameError> {
    let json = serde_json::to_vec(message).map_err(|e| FrameError::Message(e.to_string()))?;
    let tail = message.tail();
    let total = 4 + json.len() + tail.len();
    if total > MAX_FRAME {
        return Err(FrameError::Size(total));
    }
    let mut out = Vec::with_capacity(4 + total);
    for number in [total, json.len()] {
        let number = u32::try_from(number).map_err(|_| FrameError::Size(total))?;
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.extend_from_slice(&json);
    out.extend_from_slice(tail);
    Ok(out)
}

/// Collects bytes as they come and gives messages as they are complete.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buffer: Vec<u8>,
    read: usize,
}

impl FrameDecoder {
    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.read > 0 && self.read == self.buffer.len() {
            self.buffer.clear();
            self.read = 0;
        } else if self.read > 1 << 20 {
            self.buffer.drain(..self.read);
            self.read = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message, if there is one.
    ///
    /// # Errors
    /// When the stream is not one of frames; nothing sensible can follow.
    pub fn next<M: Frame>(&mut self) -> Result<Option<M>, FrameError> {
        let pending = self.buffer.get(self.read..).unwrap_or_default();
        let Some(total) = number(pending, 0) else {
            return Ok(None);
        };
        if !(4..=MAX_FRAME).contains(&total) {
            return Err(FrameError::Size(total));
        }
        let Some(body) = pending.get(4..4 + total) else {
            return Ok(None);
        };
        let json_len = number(body, 0).unwrap_or_default();
        let rest = body.get(4..).unwrap_or_default();
        let (Some(json), Some(tail)) = (rest.get(..json_len), rest.get(json_len..)) else {
            return Err(FrameError::Size(json_len));
        };
        let mut message: M =
            serde_json::from_slice(json).map_err(|e| FrameError::Message(e.to_string()))?;
        message.set_tail(tail);
        self.read += 4 + total;
        Ok(Some(message))
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let four: [u8; 4] = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four) as usize)
}
