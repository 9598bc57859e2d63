//! The formats, found by their first bytes, and how their members are read.

use super::member::{Member, MemberKind};
use crate::modules::files::place::Source;
use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use std::io::{BufReader, Read, Seek};

/// An archive's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::modules::files) enum Format {
    Tar,
    Gzip,
    Bzip2,
    Xz,
    Zstd,
    Zip,
}

/// How much memory an archive may ask for to be unpacked, in KiB.
const XZ_MEMORY: u32 = 1 << 20;

/// What is done with each member: its number, itself, its content.
pub(in crate::modules::files) type Visit<'v> =
    dyn FnMut(usize, &Member, &mut dyn Read) -> ModuleResult<()> + 'v;

impl Format {
    pub(in crate::modules::files) fn detect(
        content: &mut dyn Read,
        shown: &str,
    ) -> ModuleResult<Self> {
        let mut start = Vec::new();
        content
            .take(512)
            .read_to_end(&mut start)
            .map_err(|e| Failure::new(format!("cannot read {shown}: {e}")))?;
        let begins = |magic: &[u8]| start.starts_with(magic);
        Ok(if begins(b"\x1f\x8b") {
            Self::Gzip
        } else if begins(b"BZh") {
            Self::Bzip2
        } else if begins(b"\xfd7zXZ\0") {
            Self::Xz
        } else if begins(b"\x28\xb5\x2f\xfd") {
            Self::Zstd
        } else if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") {
            Self::Zip
        } else if start.get(257..262) == Some(b"ustar") || is_old_tar(&start) {
            Self::Tar
        } else {
            return Err(Failure::new(format!(
                "Failed to find handler for \"{shown}\": it is neither tar (plain, gzip, bzip2, xz, zstd) nor zip"
            )));
        })
    }

    /// The name of Ansible's handler.
    pub(in crate::modules::files) fn handler(self) -> &'static str {
        match self {
            Self::Tar => "TarArchive",
            Self::Gzip => "TgzArchive",
            Self::Bzip2 => "TarBzipArchive",
            Self::Xz => "TarXzArchive",
            Self::Zstd => "TarZstdArchive",
            Self::Zip => "ZipArchive",
        }
    }

    /// Whether its members say whose they are.
    pub(in crate::modules::files) fn has_owners(self) -> bool {
        self != Self::Zip
    }
}

/// A block whose checksum is right, or the empty archive.
fn is_old_tar(start: &[u8]) -> bool {
    let Some(block) = start.get(..512) else {
        return false;
    };
    if block.iter().all(|byte| *byte == 0) {
        return true;
    }
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(i, byte)| u32::from(if (148..156).contains(&i) { b' ' } else { *byte }))
        .sum();
    let text = String::from_utf8_lossy(block.get(148..156).unwrap_or_default()).into_owned();
    let field = text.trim_matches(|c: char| c == '\0' || c == ' ');
    u32::from_str_radix(field, 8).is_ok_and(|written| written == sum)
}

fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("the archive cannot be read: {error}"))
}

/// Visits all members in order.
pub(in crate::modules::files) fn read_members(
    format: Format,
    source: &Source<'_>,
    sys: &Sys,
    visit: &mut Visit<'_>,
) -> ModuleResult<()> {
    let content = source.open(sys)?;
    match format {
        Format::Tar => read_tar(content, visit),
        Format::Gzip => read_tar(flate2::read::MultiGzDecoder::new(content), visit),
        Format::Bzip2 => read_tar(bzip2::read::MultiBzDecoder::new(content), visit),
        Format::Zstd => {
            let decoder =
                ruzstd::decoding::StreamingDecoder::new(BufReader::new(content)).map_err(broken)?;
            read_tar(decoder, visit)
        }
        Format::Xz => read_tar(
            lzma_rust2::XzReader::new_mem_limit(BufReader::new(content), true, XZ_MEMORY),
            visit,
        ),
        Format::Zip => read_zip(&mut { content }, sys, visit),
    }
}

fn read_tar(content: impl Read, visit: &mut Visit<'_>) -> ModuleResult<()> {
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 16, content));
    for (number, entry) in archive.entries().map_err(broken)?.enumerate() {
        let mut entry = entry.map_err(broken)?;
        let member = tar_member(&entry)?;
        visit(number, &member, &mut entry)?;
    }
    Ok(())
}

fn tar_member<R: Read>(entry: &tar::Entry<'_, R>) -> ModuleResult<Member> {
    use tar::EntryType;
    let header = entry.header();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let target = || {
        entry
            .link_name_bytes()
            .map(|name| text(&name))
            .unwrap_or_default()
    };
    let kind = match header.entry_type() {
        EntryType::Directory => MemberKind::Directory,
        EntryType::Symlink => MemberKind::Link(target()),
        EntryType::Link => MemberKind::HardLink(target()),
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => MemberKind::File,
        _ => MemberKind::Other,
    };
    let id = |id: std::io::Result<u64>| id.ok().and_then(|id| u32::try_from(id).ok());
    let name = |name: Option<&[u8]>| name.map(text).unwrap_or_default();
    Ok(Member {
        name: text(&entry.path_bytes()),
        size: entry.size(),
        mtime: header
            .mtime()
            .ok()
            .and_then(|time| i64::try_from(time).ok()),
        mode: Some(header.mode().map_err(broken)? & 0o7777),
        owner: id(header.uid()).map(|uid| (name(header.username_bytes()), uid)),
        group: id(header.gid()).map(|gid| (name(header.groupname_bytes()), gid)),
        crc: None,
        kind,
    })
}

fn read_zip(content: &mut dyn Read, sys: &Sys, visit: &mut Visit<'_>) -> ModuleResult<()> {
    // its directory is at the end: it must be possible to go back and forth
    let mut file = sys.nameless_file()?;
    std::io::copy(content, &mut file).map_err(broken)?;
    file.rewind().map_err(broken)?;
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    for number in 0..archive.len() {
        let mut entry = archive.by_index(number).map_err(broken)?;
        let bits = entry.unix_mode();
        let is_link = bits.is_some_and(|bits| bits & 0o17_0000 == 0o12_0000);
        let kind = if is_link {
            let mut target = String::new();
            entry.read_to_string(&mut target).map_err(broken)?;
            MemberKind::Link(target)
        } else if entry.is_dir() {
            MemberKind::Directory
        } else {
            MemberKind::File
        };
        let member = Member {
            name: entry.name().map_err(broken)?.into_owned(),
            kind,
            size: entry.size(),
            mtime: entry.last_modified().and_then(local_seconds),
            mode: bits.map(|bits| bits & 0o7777).filter(|bits| *bits != 0),
            owner: None,
            group: None,
            crc: Some(entry.crc32()),
        };
        visit(number, &member, &mut entry)?;
    }
    Ok(())
}

/// Zip keeps local time.
fn local_seconds(time: zip::DateTime) -> Option<i64> {
    let part = |n: u8| i8::try_from(n).ok();
    jiff::civil::DateTime::new(
        i16::try_from(time.year()).ok()?,
        part(time.month())?,
        part(time.day())?,
        part(time.hour())?,
        part(time.minute())?,
        part(time.second())?,
        0,
    )
    .ok()?
    .to_zoned(jiff::tz::TimeZone::system())
    .ok()
    .map(|zoned| zoned.timestamp().as_second())
}
