//! Images of containers: `image_import`.

mod archive;
mod image_import;
mod runtime;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[Entry::of::<image_import::ImageImport>()];
