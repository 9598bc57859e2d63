//! The per-host state machine: which task is next. No IO, no clock, no templates.

mod cursor;
mod notified;
mod place;

pub use cursor::{Cursor, Failure, Next};
pub use notified::Notified;
pub use place::Place;
