//! Files: copy, file, lineinfile and the like.

pub mod attrs;
mod copy;
pub mod parents;
pub mod place;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[Entry::of::<copy::Copy>()];
