//! Files: copy, file, lineinfile and the like.

pub mod attrs;
pub mod checksum;
mod copy;
mod fetch;
mod file;
mod mime;
pub mod parents;
pub mod place;
mod slurp;
mod stat;
mod tempfile;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<copy::Copy>(),
    Entry::of::<fetch::Fetch>(),
    Entry::of::<file::File>(),
    Entry::of::<slurp::Slurp>(),
    Entry::of::<stat::Stat>(),
    Entry::of::<tempfile::Tempfile>(),
];
