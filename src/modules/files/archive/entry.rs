//! What becomes the members: the targets and what is below them.

use super::choice::Choice;
use super::{Args, Format};
use crate::modules::{Failure, ModuleResult, Plan};
use crate::sys::{FileKind, Meta, Special, Sys, fnmatch};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A member that the archive is to have.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in the archive.
    pub name: PathBuf,
    /// What it is.
    pub content: Content,
    /// What it has.
    pub meta: Meta,
}

/// What a member consists of.
#[derive(Clone, Debug)]
pub(super) enum Content {
    File,
    Directory,
    /// A symbolic link and what it points to.
    Link(PathBuf),
    /// Another name of the member before it of that name.
    HardLink(PathBuf),
    /// A device or pipe.
    Special(Special),
}

/// All that is to be in the archive, in its order: directories and then files of a directory, by name, and then what
/// is in these directories. The top directories are no members.
pub(super) fn entries_of(
    sys: &Sys,
    choice: &Choice,
    args: &Args,
    plan: &mut Plan<'_>,
) -> ModuleResult<Vec<Entry>> {
    let mut walk = Walk {
        sys,
        choice,
        args,
        archive: sys.stat(&choice.dest, true)?,
        inodes: HashMap::new(),
        entries: Vec::new(),
        left_out: Vec::new(),
    };
    for target in &choice.targets {
        let is_directory = sys
            .stat(target, true)?
            .is_some_and(|meta| meta.kind == FileKind::Directory);
        if is_directory && choice.is_archive {
            walk.below(target)?;
        } else {
            walk.add(target)?;
        }
    }
    for path in walk.left_out {
        plan.warn(format!(
            "{} is left out: it cannot be in such an archive",
            path.display()
        ));
    }
    Ok(walk.entries)
}

struct Walk<'w> {
    sys: &'w Sys,
    choice: &'w Choice,
    args: &'w Args,
    /// The archive as it is now.
    archive: Option<Meta>,
    /// Names of what has more than one.
    inodes: HashMap<(u64, u64), PathBuf>,
    entries: Vec<Entry>,
    left_out: Vec<PathBuf>,
}

impl Walk<'_> {
    fn below(&mut self, directory: &Path) -> ModuleResult<()> {
        let mut directories = Vec::new();
        let mut files = Vec::new();
        for name in self.sys.list(directory)? {
            let path = directory.join(name);
            match self.sys.stat(&path, false)? {
                Some(meta) if meta.kind == FileKind::Directory => directories.push(path),
                Some(_) => files.push(path),
                // gone in the meantime
                None => {}
            }
        }
        for path in directories.iter().chain(&files) {
            self.add(path)?;
        }
        for path in &directories {
            self.below(path)?;
        }
        Ok(())
    }

    fn add(&mut self, path: &Path) -> ModuleResult<()> {
        let is_zip = self.args.format == Format::Zip;
        // zip keeps what links point to, and a compressed file is no link
        let follow = is_zip || !(self.choice.is_archive || self.args.format == Format::Tar);
        let Some(meta) = self.sys.stat(path, follow)? else {
            return Err(Failure::new(format!(
                "{} is a link to what is not there",
                path.display()
            )));
        };
        let inode = (meta.dev, meta.inode);
        if let Some(archive) = &self.archive
            && (archive.dev, archive.inode) == inode
        {
            return Ok(());
        }
        let name = self.name_of(path);
        let matched = if is_zip { path } else { name.as_path() };
        let matched = matched.to_string_lossy();
        if self
            .args
            .exclusion_patterns
            .iter()
            .any(|pattern| fnmatch(pattern, &matched))
        {
            return Ok(());
        }
        let content = match meta.kind {
            FileKind::File if meta.nlink > 1 && !is_zip => {
                if let Some(first) = self.inodes.get(&inode) {
                    Content::HardLink(first.clone())
                } else {
                    self.inodes.insert(inode, name.clone());
                    Content::File
                }
            }
            FileKind::File => Content::File,
            FileKind::Directory => Content::Directory,
            FileKind::Link => Content::Link(self.sys.read_link(path)?),
            FileKind::Other(special) if is_zip || special == Special::Socket => {
                self.left_out.push(path.to_owned());
                return Ok(());
            }
            FileKind::Other(special) => Content::Special(special),
        };
        self.entries.push(Entry {
            path: path.to_owned(),
            name,
            content,
            meta,
        });
        Ok(())
    }

    /// The path without the root, and never from the top.
    fn name_of(&self, path: &Path) -> PathBuf {
        let name = path.strip_prefix(&self.choice.root).unwrap_or(path);
        name.strip_prefix("/").unwrap_or(name).to_owned()
    }
}
