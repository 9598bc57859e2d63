//! Tests of inventories as a whole.

mod errors;
mod laws;
mod run;

use super::{Inventory, LoadOptions, SourceSpec, load};
use crate::diag::Diagnostic;
use std::path::{Path, PathBuf};

/// The directory of inventories whose results the reference implementation wrote down.
fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventory")
}

/// The inventory in a text that is stored under that file name.
pub(super) fn from_text(name: &str, text: &str) -> Result<Inventory, Diagnostic> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, text).unwrap();
    load(&[SourceSpec::Path(path)], &LoadOptions::default())
}

fn names(hosts: &[std::sync::Arc<str>]) -> Vec<&str> {
    hosts.iter().map(AsRef::as_ref).collect()
}
