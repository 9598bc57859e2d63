//! Packages: apt and package.

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
