//! Version control: git, and its configuration.

mod git;
mod git_config;
mod subversion;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<git::Git>(),
    Entry::of::<git_config::GitConfig>(),
    Entry::of::<subversion::Subversion>(),
];
