//! Files: copy, file, lineinfile and the like.

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
