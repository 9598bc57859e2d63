//! Facts: setup, and what is read natively.

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
