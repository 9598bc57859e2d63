//! File attributes of Linux file systems, which `chattr` and `lsattr` show as letters.

use super::{Error, Result, Sys};
use std::os::fd::AsRawFd;
use std::path::Path;

nix::ioctl_read!(get_flags, b'f', 1, libc::c_long);
nix::ioctl_write_ptr!(set_flags, b'f', 2, libc::c_long);
nix::ioctl_read!(get_version, b'v', 1, libc::c_long);

/// Letters in `lsattr`'s order, with their bits and names.
const LETTERS: &[(char, i64, &str)] = &[
    ('s', 0x1, "secure-deletion"),
    ('u', 0x2, "undelete"),
    ('S', 0x8, "synchronous"),
    ('D', 0x1_0000, "synchronous-directory"),
    ('i', 0x10, "immutable"),
    ('a', 0x20, "append-only"),
    ('d', 0x40, "nodump"),
    ('A', 0x80, "noatime"),
    ('c', 0x4, "compressed"),
    ('E', 0x800, "encrypted"),
    ('j', 0x4000, "journaled-data"),
    ('I', 0x1000, "indexed"),
    ('t', 0x8000, "no-tailmerging"),
    ('T', 0x2_0000, "top-of-directory-hierarchies"),
    ('e', 0x8_0000, "extents"),
    ('C', 0x80_0000, "nocow"),
    ('x', 0x200_0000, "dax"),
    ('F', 0x4000_0000, "casefold"),
    ('N', 0x1000_0000, "inline-data"),
    ('P', 0x2000_0000, "project-hierarchy"),
    ('V', 0x10_0000, "verity"),
];

/// The attributes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InodeFlags(i64);

impl InodeFlags {
    /// The letters, as `lsattr` orders them.
    pub fn letters(self) -> String {
        self.set().map(|(letter, ..)| letter).collect()
    }

    /// The names of those that are set.
    pub fn names(self) -> Vec<&'static str> {
        self.set().map(|(.., name)| *name).collect()
    }

    fn set(self) -> impl Iterator<Item = &'static (char, i64, &'static str)> {
        LETTERS.iter().filter(move |(_, bit, _)| self.0 & bit != 0)
    }

    /// The attributes after `+i`, `-i`, `=i` or `i` (the same as `=`).
    ///
    /// # Errors
    /// A sentence when a letter is unknown.
    pub fn changed(now: Self, text: &str) -> std::result::Result<Self, String> {
        let (operator, letters) = match text.chars().next() {
            Some(c @ ('+' | '-' | '=')) => (c, text.get(1..).unwrap_or_default()),
            _ => ('=', text),
        };
        let mut bits = 0;
        for letter in letters.chars() {
            let known = LETTERS.iter().find(|(l, ..)| *l == letter);
            bits |= known
                .map(|(_, bit, _)| *bit)
                .ok_or_else(|| format!("attributes: `{letter}` is not a file attribute"))?;
        }
        // extents, indexes and the like are the file system's affair and stay whatever is wished
        let kept = now.0 & (0x8_0000 | 0x1000 | 0x1000_0000 | 0x10_0000 | 0x800);
        Ok(Self(match operator {
            '+' => now.0 | bits,
            '-' => now.0 & !bits,
            _ => bits | kept,
        }))
    }
}

impl Sys {
    /// The file's attributes; `None` where the file system has none or it cannot be opened.
    pub fn inode_flags(&self, path: &Path) -> Option<InodeFlags> {
        let file = self.open(path).ok()?;
        let mut flags: libc::c_long = 0;
        // SAFETY: the descriptor is open and the kernel writes one int into the long
        unsafe { get_flags(file.as_raw_fd(), &raw mut flags) }.ok()?;
        Some(InodeFlags(flags & 0xffff_ffff))
    }

    /// The inode's generation (`lsattr -v`); `None` where there is none.
    pub fn inode_version(&self, path: &Path) -> Option<u32> {
        let file = self.open(path).ok()?;
        let mut version: libc::c_long = 0;
        // SAFETY: as above
        unsafe { get_version(file.as_raw_fd(), &raw mut version) }.ok()?;
        u32::try_from(version & 0xffff_ffff).ok()
    }

    /// Sets the file's attributes.
    ///
    /// # Errors
    /// When it is not allowed.
    pub fn set_inode_flags(&mut self, path: &Path, flags: InodeFlags) -> Result<()> {
        let file = self.open(path)?;
        let bits: libc::c_long = flags.0;
        // SAFETY: the descriptor is open and the kernel reads one int
        unsafe { set_flags(file.as_raw_fd(), &raw const bits) }
            .map(drop)
            .map_err(|e| Error::File {
                what: "cannot set the file attributes of",
                path: path.to_owned(),
                source: e.into(),
            })
    }
}
