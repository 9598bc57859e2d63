//! Python's methods of strings, lists and dicts.

mod dict;
mod format;
mod list;
mod text;

pub(crate) use dict::{dict, mapping, members_of};
pub(crate) use format::reprs;
pub(crate) use list::list;
pub(crate) use text::{capitalize, lines, pad, split, unknown};
