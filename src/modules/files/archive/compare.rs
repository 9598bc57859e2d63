//! Whether the archive has what it is to have already.

use super::SHOWN;
use super::entry::{Content, Entry};
use super::write::Packing;
use crate::modules::files::place::Source;
use crate::modules::files::unarchive::format::{Format as Found, read_members};
use crate::modules::files::unarchive::member::{Member, MemberKind};
use crate::modules::{Failure, ModuleResult};
use crate::sys::{FileKind, Meta, Sys};
use std::fmt::Write;
use std::io::{BufReader, Read};
use std::path::Path;

/// The archive as it was found.
#[derive(Debug)]
pub(super) struct Old {
    pub is_same: bool,
    /// Its members for a diff, `None` if there is no archive.
    pub listing: Option<String>,
}

/// Looks at the archive. One that cannot be read is not the same.
///
/// # Errors
/// When a source cannot be read.
pub(super) fn look(
    sys: &Sys,
    dest: &Path,
    packing: Packing,
    entries: &[Entry],
) -> ModuleResult<Old> {
    let is_file = sys
        .stat(dest, true)?
        .is_some_and(|meta| meta.kind == FileKind::File);
    if !is_file {
        return Ok(Old {
            is_same: false,
            listing: None,
        });
    }
    match packing {
        Packing::Archive(format) => members(sys, dest, format, entries),
        Packing::Compressed(format) => {
            let unpacked: Box<dyn Read> = match format {
                super::Format::Gzip => Box::new(flate2::read::MultiGzDecoder::new(sys.open(dest)?)),
                super::Format::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(sys.open(dest)?)),
                _ => Box::new(lzma_rust2::XzReader::new(
                    BufReader::new(sys.open(dest)?),
                    true,
                )),
            };
            let is_same = match entries.first() {
                Some(entry) => same_bytes(&mut { unpacked }, &mut sys.open(&entry.path)?)
                    .map_err(|e| cannot_read(&entry.path, &e))?,
                None => false,
            };
            Ok(Old {
                is_same,
                listing: Some("(compressed file with other content)\n".to_owned()),
            })
        }
    }
}

fn cannot_read(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot read {}: {error}", path.display()))
}

fn members(sys: &Sys, dest: &Path, format: super::Format, entries: &[Entry]) -> ModuleResult<Old> {
    let source = Source::File(dest.to_owned());
    let shown = dest.to_string_lossy();
    let wanted = match format {
        super::Format::Bzip2 => Found::Bzip2,
        super::Format::Gzip => Found::Gzip,
        super::Format::Tar => Found::Tar,
        super::Format::Xz => Found::Xz,
        super::Format::Zip => Found::Zip,
    };
    let Ok(found) = Found::detect(&mut *source.open(sys)?, &shown) else {
        return Ok(Old {
            is_same: false,
            listing: Some("(no archive)\n".to_owned()),
        });
    };
    let mut is_same = found == wanted;
    let mut listing = String::new();
    let mut count = 0_usize;
    let mut unreadable = None;
    let read = read_members(found, &source, sys, &mut |number, member, content| {
        count = number + 1;
        if number < SHOWN {
            line(&mut listing, member);
        }
        is_same = is_same
            && match entries.get(number) {
                Some(entry) if is_alike(entry, member, format) => {
                    !matches!(entry.content, Content::File)
                        || match sys.open(&entry.path) {
                            Ok(mut file) => same_bytes(content, &mut file)
                                .map_err(|e| cannot_read(&entry.path, &e))?,
                            Err(error) => {
                                unreadable = Some(error);
                                false
                            }
                        }
                }
                _ => false,
            };
        Ok(())
    });
    if let Some(error) = unreadable {
        return Err(error.into());
    }
    if count > SHOWN {
        let _ = writeln!(listing, "and {} more", count - SHOWN);
    }
    if read.is_err() {
        listing.push_str("(the rest cannot be read)\n");
    }
    Ok(Old {
        is_same: is_same && read.is_ok() && count == entries.len(),
        listing: Some(listing),
    })
}

fn line(listing: &mut String, member: &Member) {
    let name = member.name.trim_end_matches('/');
    let _ = match &member.kind {
        MemberKind::File => writeln!(listing, "{name} {}", member.size),
        MemberKind::Directory => writeln!(listing, "{name}/"),
        MemberKind::Link(target) => writeln!(listing, "{name} -> {target}"),
        MemberKind::HardLink(target) => writeln!(listing, "{name} = {target}"),
        MemberKind::Other => writeln!(listing, "{name} (special)"),
    };
}

/// Whether a member is what it is to be, but for its content.
fn is_alike(entry: &Entry, member: &Member, format: super::Format) -> bool {
    let is_zip = format == super::Format::Zip;
    let is_kind = match (&entry.content, &member.kind) {
        (Content::File, MemberKind::File) => entry.meta.size == member.size,
        (Content::Directory, MemberKind::Directory) => true,
        (Content::Link(target), MemberKind::Link(now)) => target.to_string_lossy() == *now,
        (Content::HardLink(name), MemberKind::HardLink(now)) => name.to_string_lossy() == *now,
        (Content::Special(_), MemberKind::Other) => true,
        _ => false,
    };
    // a link has no mode of its own
    let is_link = matches!(entry.content, Content::Link(_));
    let id = |owner: &Option<(String, u32)>| owner.as_ref().map(|(_, id)| *id);
    is_kind
        && entry.name.to_string_lossy() == member.name.trim_end_matches('/')
        && (is_link || member.mode == Some(entry.meta.mode))
        && (is_zip
            || (id(&member.owner) == Some(entry.meta.uid)
                && id(&member.group) == Some(entry.meta.gid)
                && is_time(entry, member.mtime)))
}

/// The time of a directory changes with whatever is made in it, be it a temporary file; others count. Programs write
/// whole seconds, rounded in one way or the other.
fn is_time(entry: &Entry, written: Option<i64>) -> bool {
    let Meta { mtime, .. } = entry.meta;
    #[expect(clippy::cast_possible_truncation, reason = "seconds fit")]
    let (floor, rounded) = (mtime.floor() as i64, mtime.round() as i64);
    matches!(entry.content, Content::Directory)
        || written.is_some_and(|time| time == floor || time == rounded)
}

/// Whether both give the same; one of the archive that cannot be read gives something else.
fn same_bytes(packed: &mut dyn Read, file: &mut dyn Read) -> std::io::Result<bool> {
    let mut now = vec![0; 1 << 16];
    let mut wanted = vec![0; 1 << 16];
    loop {
        let n = read_full(file, &mut wanted)?;
        let Ok(m) = read_full(packed, &mut now) else {
            return Ok(false);
        };
        if now.get(..m) != wanted.get(..n) {
            return Ok(false);
        }
        if n == 0 {
            return Ok(true);
        }
    }
}

/// As much as fits, or all that is left.
fn read_full(content: &mut dyn Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match content.read(rest) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}
