//! Images of containers: `image_import`.

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[];
