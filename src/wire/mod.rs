//! What controller and agent say to each other: frames and messages, without any IO of its own.

mod frame;
mod message;

pub use frame::{Frame, FrameDecoder, FrameError, MAX_FRAME, encode};
pub use message::{Background, Blob, Call, FromAgent, Hello, PROTOCOL, ToAgent};
