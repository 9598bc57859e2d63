//! Packages: apt, package.

mod apt;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[Entry::of::<apt::Apt>()];
