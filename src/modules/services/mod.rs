//! Services: systemd and service.

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
