//! runbook's own `ansible.module_utils`, as files.

use crate::sys::{Result, Sys};
use std::path::PathBuf;

include!("python/files.rs");

/// The directory with it; it is made when it is first needed, and kept while the agent is there: what Python compiles
/// is then compiled once.
pub(super) fn place(sys: &Sys) -> Result<PathBuf> {
    sys.session_files("module-code", FILES)
}
