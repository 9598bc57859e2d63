//! Commands: command, shell, raw's remote half, script.

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
