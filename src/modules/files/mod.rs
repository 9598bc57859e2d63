//! Files: copy, file, lineinfile and the like.

pub mod attrs;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
