//! Accounts: user and group.

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
