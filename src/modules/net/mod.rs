//! Network: get_url, uri, wait_for.

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
