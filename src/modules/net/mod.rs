//! Network: get_url, uri, wait_for.

mod connections;
mod wait_for;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[Entry::of::<wait_for::WaitFor>()];
