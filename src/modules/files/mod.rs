//! Files: copy, file, lineinfile and the like.

mod acl;
mod archive;
mod assemble;
pub mod attrs;
mod blockinfile;
pub mod checksum;
mod copy;
mod edit;
mod fetch;
mod file;
mod find;
mod ini_file;
mod lineinfile;
mod lossless;
mod mime;
pub mod parents;
mod patch;
pub mod place;
pub mod pyregex;
mod replace;
mod slurp;
mod stat;
mod synchronize;
mod tempfile;
mod unarchive;
pub mod wildcard;
mod xml;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<acl::Acl>(),
    Entry::of::<archive::Archive>(),
    Entry::of::<assemble::Assemble>(),
    Entry::of::<blockinfile::Blockinfile>(),
    Entry::of::<copy::Copy>(),
    Entry::of::<fetch::Fetch>(),
    Entry::of::<file::File>(),
    Entry::of::<find::Find>(),
    Entry::of::<ini_file::IniFile>(),
    Entry::of::<lineinfile::Lineinfile>(),
    Entry::of::<patch::Patch>(),
    Entry::of::<replace::Replace>(),
    Entry::of::<slurp::Slurp>(),
    Entry::of::<stat::Stat>(),
    Entry::of::<synchronize::Synchronize>(),
    Entry::of::<tempfile::Tempfile>(),
    Entry::of::<unarchive::Unarchive>(),
    Entry::of::<xml::Xml>(),
];
