//! Writing the archive: beside its place, and then into it.

use super::Format;
use super::entry::{Content, Entry};
use crate::modules::ModuleResult;
use crate::sys::{Special, Sys, WriteOptions};
use std::collections::HashMap;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// What is made of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// An archive of them.
    Archive(Format),
    /// The one file, compressed.
    Compressed(Format),
}

/// Writes it.
pub(super) fn write(
    sys: &mut Sys,
    dest: &Path,
    options: &WriteOptions,
    packing: Packing,
    entries: &[Entry],
) -> ModuleResult<()> {
    let reader = sys.reader();
    let owners = Owners {
        users: sys
            .accounts()?
            .into_iter()
            .map(|a| (a.uid, a.name))
            .collect(),
        groups: sys.groups()?.into_iter().map(|g| (g.gid, g.name)).collect(),
    };
    sys.write_with(dest, options, &mut |file| {
        let mut out = io::BufWriter::with_capacity(1 << 16, file);
        match packing {
            Packing::Archive(Format::Zip) => zip(&reader, &mut out, entries)?,
            Packing::Archive(format) => compress(format, &mut out, &mut |out| {
                let mut archive = tar::Builder::new(out);
                for entry in entries {
                    tar(&reader, &mut archive, &owners, entry)
                        .map_err(|e| about(&entry.path, &e))?;
                }
                archive.into_inner().map(drop)
            })?,
            Packing::Compressed(format) => compress(format, &mut out, &mut |out| {
                entries.iter().try_for_each(|entry| {
                    let mut file = open(&reader, &entry.path)?;
                    io::copy(&mut Watched(&reader, &mut file), out)
                        .map(drop)
                        .map_err(|e| about(&entry.path, &e))
                })
            })?,
        }
        out.flush()
    })?;
    Ok(())
}

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

fn open(sys: &Sys, path: &Path) -> io::Result<impl Read> {
    sys.open(path).map_err(io::Error::other)
}

/// A file that is not read to its end when the task was stopped.
struct Watched<'w>(&'w Sys, &'w mut dyn Read);

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.cancel().is_stopped() {
            return Err(io::Error::other("stopped"));
        }
        self.1.read(buffer)
    }
}

/// Calls the writer with what compresses.
fn compress(
    format: Format,
    out: &mut dyn Write,
    write: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    match format {
        Format::Gzip => {
            let mut packer = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            write(&mut packer)?;
            packer.finish().map(drop)
        }
        Format::Bzip2 => {
            let mut packer = bzip2::write::BzEncoder::new(out, bzip2::Compression::best());
            write(&mut packer)?;
            packer.finish().map(drop)
        }
        Format::Xz => {
            let options = lzma_rust2::XzOptions::with_preset(6);
            let mut packer = lzma_rust2::XzWriter::new(out, options)?;
            write(&mut packer)?;
            packer.finish().map(drop)
        }
        Format::Tar | Format::Zip => write(out),
    }
}

/// Names of users and groups.
struct Owners {
    users: HashMap<u32, String>,
    groups: HashMap<u32, String>,
}

fn tar<W: Write>(
    sys: &Sys,
    archive: &mut tar::Builder<W>,
    owners: &Owners,
    entry: &Entry,
) -> io::Result<()> {
    let meta = &entry.meta;
    let mut header = tar::Header::new_gnu();
    header.set_mode(meta.mode);
    header.set_uid(meta.uid.into());
    header.set_gid(meta.gid.into());
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "seconds fit, and are not before 1970 here"
    )]
    header.set_mtime(meta.mtime.max(0.0).floor() as u64);
    header.set_size(0);
    // names that are too long are left out: the numbers are there
    if let Some(name) = owners.users.get(&meta.uid) {
        let _ = header.set_username(name);
    }
    if let Some(name) = owners.groups.get(&meta.gid) {
        let _ = header.set_groupname(name);
    }
    match &entry.content {
        Content::File => {
            header.set_entry_type(tar::EntryType::Regular);
            header.set_size(meta.size);
            let mut file = open(sys, &entry.path)?.take(meta.size);
            archive.append_data(&mut header, &entry.name, &mut Watched(sys, &mut file))?;
            if file.limit() > 0 {
                return Err(io::Error::other("became shorter while it was read"));
            }
            Ok(())
        }
        Content::Directory => {
            header.set_entry_type(tar::EntryType::Directory);
            // as other programs write them
            let mut name = entry.name.clone().into_os_string();
            name.push("/");
            archive.append_data(&mut header, name, io::empty())
        }
        Content::Link(target) => {
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_mode(0o777);
            archive.append_link(&mut header, &entry.name, target)
        }
        Content::HardLink(first) => {
            header.set_entry_type(tar::EntryType::Link);
            archive.append_link(&mut header, &entry.name, first)
        }
        Content::Special(special) => {
            header.set_entry_type(match special {
                Special::Block => tar::EntryType::Block,
                Special::Char => tar::EntryType::Char,
                Special::Fifo | Special::Socket => tar::EntryType::Fifo,
            });
            header.set_device_major(nix::libc::major(meta.rdev))?;
            header.set_device_minor(nix::libc::minor(meta.rdev))?;
            archive.append_data(&mut header, &entry.name, io::empty())
        }
    }
}

fn zip<W: Write + Seek>(sys: &Sys, out: W, entries: &[Entry]) -> io::Result<()> {
    let mut archive = zip::ZipWriter::new(out);
    for entry in entries {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .unix_permissions(entry.meta.mode)
            .large_file(entry.meta.size >= u64::from(u32::MAX))
            .last_modified_time(local_time(entry.meta.mtime).unwrap_or_default());
        let name = entry.name.to_string_lossy();
        let written = if matches!(entry.content, Content::Directory) {
            archive
                .add_directory(name, options)
                .map_err(io::Error::from)
        } else {
            archive
                .start_file(name, options)
                .map_err(io::Error::from)
                .and_then(|()| {
                    let mut file = open(sys, &entry.path)?;
                    io::copy(&mut Watched(sys, &mut file), &mut archive).map(drop)
                })
        };
        written.map_err(|e| about(&entry.path, &e))?;
    }
    archive.finish()?;
    Ok(())
}

/// Zip keeps local time.
fn local_time(seconds: f64) -> Option<zip::DateTime> {
    #[expect(clippy::cast_possible_truncation, reason = "seconds fit")]
    let time = jiff::Timestamp::from_second(seconds.floor() as i64)
        .ok()?
        .to_zoned(jiff::tz::TimeZone::system())
        .datetime();
    let part = |n: i8| u8::try_from(n).ok();
    zip::DateTime::from_date_and_time(
        u16::try_from(time.year()).ok()?,
        part(time.month())?,
        part(time.day())?,
        part(time.hour())?,
        part(time.minute())?,
        part(time.second())?,
    )
    .ok()
}
