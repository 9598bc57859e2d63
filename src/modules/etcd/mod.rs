//! etcd: keys, users, roles.

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
