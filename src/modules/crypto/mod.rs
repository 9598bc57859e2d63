//! Keys and certificates: x509_*.

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
