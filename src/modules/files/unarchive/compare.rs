//! Whether a member is unpacked already.

use super::member::{Member, MemberKind};
use super::options::Options;
use crate::modules::files::attrs::{Attrs, Base, FileAttrs};
use crate::modules::{Failure, ModuleResult};
use crate::sys::{FileKind, Meta, Sys};
use std::io::Read;
use std::path::{Path, PathBuf};

/// A member that is to be written.
#[derive(Clone, Debug)]
pub(super) struct Job {
    /// Its number in the archive.
    pub number: usize,
    /// Where it goes.
    pub path: PathBuf,
    /// What it is to have.
    pub attrs: Attrs,
    /// What it is.
    pub kind: MemberKind,
    /// Seconds since 1970.
    pub mtime: Option<i64>,
    /// What a hard link is another name of.
    pub original: Option<PathBuf>,
    /// Only the attributes differ.
    pub attrs_only: bool,
    /// Whether something is there already.
    pub is_there: bool,
}

/// What members are compared with.
pub(super) struct Comparison<'c> {
    pub sys: &'c Sys,
    pub dest: &'c Path,
    pub attrs: &'c FileAttrs,
    pub options: &'c Options,
    /// Owners are taken from the archive.
    pub has_owners: bool,
    /// All bits of modes are taken from the archive.
    pub is_root: bool,
}

impl Comparison<'_> {
    /// What is to be done for a member, if anything.
    pub(super) fn job(
        &self,
        number: usize,
        member: &Member,
        place: PathBuf,
    ) -> ModuleResult<Option<Job>> {
        let path = self.dest.join(&place);
        self.stays_within(&path)?;
        let attrs = self.attrs_of(member)?;
        let now = self.sys.stat(&path, false)?;
        let mut job = Job {
            number,
            attrs,
            kind: member.kind.clone(),
            mtime: member.mtime,
            original: None,
            attrs_only: false,
            is_there: now.is_some(),
            path,
        };
        match (&member.kind, &now) {
            (MemberKind::Other, _) => return Ok(None),
            (MemberKind::Directory, Some(meta)) if meta.kind == FileKind::Directory => {
                job.attrs = attrs.differing(meta);
                job.attrs_only = true;
                return Ok((!job.attrs.is_empty()).then_some(job));
            }
            // a link to a directory is as good as one
            (MemberKind::Directory, Some(meta)) if meta.kind == FileKind::Link => {
                let target = self.sys.stat(&job.path, true)?;
                if target.is_some_and(|meta| meta.kind == FileKind::Directory) {
                    return Ok(None);
                }
            }
            (MemberKind::Link(target), Some(meta))
                if meta.kind == FileKind::Link
                    && self.sys.read_link(&job.path)? == Path::new(target) =>
            {
                let owners = Attrs {
                    mode: None,
                    ..attrs
                };
                job.attrs = owners.differing(meta);
                job.attrs_only = true;
                return Ok((!job.attrs.is_empty()).then_some(job));
            }
            (MemberKind::HardLink(name), _) => {
                let original = self.dest.join(self.options.link_target(name)?);
                self.stays_within(&original)?;
                let other = self.sys.stat(&original, false)?;
                let is_same = matches!((&now, &other), (Some(a), Some(b))
                    if (a.dev, a.inode) == (b.dev, b.inode));
                if is_same {
                    return Ok(None);
                }
                job.original = Some(original);
            }
            (MemberKind::File, Some(meta)) if meta.kind == FileKind::File => {
                #[expect(clippy::cast_precision_loss, reason = "seconds fit")]
                let is_newer = member.mtime.is_some_and(|time| meta.mtime > time as f64);
                if self.options.keep_newer && is_newer {
                    return Ok(None);
                }
                if self.has_content(member, meta, &job.path)? {
                    job.attrs = attrs.differing(meta);
                    job.attrs_only = true;
                    return Ok((!job.attrs.is_empty()).then_some(job));
                }
            }
            _ => {}
        }
        self.may_replace(&job, now.as_ref())?;
        Ok(Some(job))
    }

    /// A directory is not replaced by a file, unless it is empty; a file makes way for anything.
    fn may_replace(&self, job: &Job, now: Option<&Meta>) -> ModuleResult<()> {
        let is_directory = now.is_some_and(|meta| meta.kind == FileKind::Directory);
        if is_directory && job.kind != MemberKind::Directory {
            return Err(Failure::new(format!(
                "{} is a directory, but no directory in the archive; it is not replaced",
                job.path.display()
            )));
        }
        Ok(())
    }

    /// Size, time and (where the archive has it) checksum are the same.
    fn has_content(&self, member: &Member, meta: &Meta, path: &Path) -> ModuleResult<bool> {
        if meta.size != member.size {
            return Ok(false);
        }
        if let Some(crc) = member.crc {
            return Ok(crc_of(self.sys, path)? == crc);
        }
        #[expect(clippy::cast_possible_truncation, reason = "seconds fit")]
        let now = meta.mtime.floor() as i64;
        Ok(member.mtime.is_none_or(|time| time == now))
    }

    fn attrs_of(&self, member: &Member) -> ModuleResult<Attrs> {
        let umask = self.sys.umask();
        let directory = member.kind == MemberKind::Directory;
        let mode = match member.mode {
            Some(mode) if self.is_root => mode,
            Some(mode) => mode & 0o777 & !umask,
            None if directory => 0o777 & !umask,
            None => 0o666 & !umask,
        };
        let wished = self.attrs.resolve(self.sys, Base { mode, directory })?;
        let (mut uid, mut gid) = (wished.uid, wished.gid);
        if self.has_owners {
            if let (None, Some((name, id))) = (uid, &member.owner) {
                uid = Some(self.sys.account_named(name)?.unwrap_or(*id));
            }
            if let (None, Some((name, id))) = (gid, &member.group) {
                gid = Some(self.sys.group_named(name)?.unwrap_or(*id));
            }
        }
        Ok(Attrs {
            mode: wished.mode.or(Some(mode)),
            uid,
            gid,
        })
    }

    /// Nothing is written through a link that leads out of the directory.
    fn stays_within(&self, path: &Path) -> ModuleResult<()> {
        check_within(self.sys, self.dest, path)
    }
}

/// Checks that the directories on the way to a path, as far as they are there, lie in `dest`.
pub(super) fn check_within(sys: &Sys, dest: &Path, path: &Path) -> ModuleResult<()> {
    let root = sys.canonical(dest).unwrap_or_else(|| dest.to_owned());
    let nearest = path
        .ancestors()
        .skip(1)
        .take_while(|dir| dir.starts_with(dest))
        .find_map(|dir| sys.canonical(dir));
    match nearest {
        Some(dir) if !dir.starts_with(&root) => Err(Failure::new(format!(
            "{} would be unpacked outside of dest, through a link to {}",
            path.display(),
            dir.display()
        ))),
        _ => Ok(()),
    }
}

fn crc_of(sys: &Sys, path: &Path) -> ModuleResult<u32> {
    let mut file = sys.open(path)?;
    let mut crc = flate2::Crc::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = file
            .read(&mut buffer)
            .map_err(|e| Failure::new(format!("cannot read {}: {e}", path.display())))?;
        if n == 0 {
            return Ok(crc.sum());
        }
        crc.update(buffer.get(..n).unwrap_or_default());
    }
}
