//! `stat`: what a path is.
//!
//! Source: Ansible's documentation of `ansible.builtin.stat`.

use super::checksum::Algorithm;
use super::mime::mime_of;
use crate::module_args;
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::{FileKind, Meta, Special, Sys};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};

module_args! {
    /// Arguments of `stat`.
    pub struct Args {
        /// The path.
        path: PathBuf => required, aliases ["dest", "name"];
        /// Look through links.
        follow: bool => default(false);
        /// Return a digest of a regular file's content.
        get_checksum: bool => default(true);
        /// Which digest.
        checksum_algorithm: Algorithm => default("sha1"), aliases ["checksum", "checksum_algo"];
        /// Return the type of the content.
        get_mime: bool => default(true), aliases ["mime", "mime_type", "mime-type"];
        /// Return the file attributes, as `lsattr` shows them.
        get_attributes: bool => default(true), aliases ["attr", "attributes"];
    }
}

/// The module.
pub struct Stat;

impl Module for Stat {
    const NAME: &'static str = "stat";
    const DOC: &'static str = "Say what a path is: its type, attributes, times and digest.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        let found = match sys.stat(&path, args.follow)? {
            Some(meta) => describe(args, sys, &path, &meta)?,
            None => Map::new().with("exists", false),
        };
        plan.returns("stat", found);
        Ok(plan)
    }
}

/// The members that say what the file is, without name and content; `find` returns them too.
pub(super) fn basics(sys: &Sys, meta: &Meta) -> Map {
    let is = |kind: FileKind| meta.kind == kind;
    let may = |bit: u32| meta.mode & bit != 0;
    let mut map = Map::new()
        .with("mode", Value::data(format!("{:04o}", meta.mode)))
        .with("isdir", is(FileKind::Directory))
        .with("ischr", is(FileKind::Other(Special::Char)))
        .with("isblk", is(FileKind::Other(Special::Block)))
        .with("isreg", is(FileKind::File))
        .with("isfifo", is(FileKind::Other(Special::Fifo)))
        .with("islnk", is(FileKind::Link))
        .with("issock", is(FileKind::Other(Special::Socket)))
        .with("uid", meta.uid)
        .with("gid", meta.gid)
        .with("size", meta.size)
        .with("inode", meta.inode)
        .with("dev", meta.dev)
        .with("nlink", meta.nlink)
        .with("atime", meta.atime)
        .with("mtime", meta.mtime)
        .with("ctime", meta.ctime);
    for (name, bit) in [
        ("wusr", 0o200),
        ("rusr", 0o400),
        ("xusr", 0o100),
        ("wgrp", 0o020),
        ("rgrp", 0o040),
        ("xgrp", 0o010),
        ("woth", 0o002),
        ("roth", 0o004),
        ("xoth", 0o001),
        ("isuid", 0o4000),
        ("isgid", 0o2000),
    ] {
        map.set(name, may(bit));
    }
    let account = sys.accounts().unwrap_or_default();
    if let Some(owner) = account.iter().find(|a| a.uid == meta.uid) {
        map.set("pw_name", Value::data(owner.name.as_str()));
    }
    let groups = sys.groups().unwrap_or_default();
    if let Some(group) = groups.iter().find(|g| g.gid == meta.gid) {
        map.set("gr_name", Value::data(group.name.as_str()));
    }
    map
}

fn describe(args: &Args, sys: &Sys, path: &Path, meta: &Meta) -> ModuleResult<Map> {
    let mut map = Map::new()
        .with("exists", true)
        .with("path", Value::data(path.to_string_lossy().as_ref()));
    for (key, value) in basics(sys, meta) {
        map.insert(key, value);
    }
    map.set("blocks", meta.blocks);
    map.set("block_size", meta.block_size);
    map.set("device_type", meta.rdev);
    map.set("readable", sys.may(path, libc::R_OK));
    map.set("writeable", sys.may(path, libc::W_OK));
    map.set("executable", sys.may(path, libc::X_OK));
    if meta.kind == FileKind::Link {
        let target = sys.read_link(path)?;
        let absolute = path.parent().unwrap_or(Path::new("/")).join(&target);
        let source = sys.canonical(path).unwrap_or(absolute);
        map.set("lnk_source", Value::data(source.to_string_lossy().as_ref()));
        map.set("lnk_target", Value::data(target.to_string_lossy().as_ref()));
    }
    let is_file = meta.kind == FileKind::File;
    let is_readable = sys.may(path, libc::R_OK);
    if args.get_checksum && is_file && is_readable {
        let sum = args.checksum_algorithm.digest(sys, path)?;
        map.set("checksum", sum.map_or(Value::Null, Value::data));
    }
    if args.get_mime {
        let (mimetype, charset) = mime_of(sys, path, meta)?;
        map.set("mimetype", Value::data(mimetype));
        map.set("charset", Value::data(charset));
    }
    if args.get_attributes {
        // opening a device or a pipe may do something
        let has_flags = matches!(meta.kind, FileKind::File | FileKind::Directory);
        let path = Some(path).filter(|_| has_flags);
        let flags = path.and_then(|path| sys.inode_flags(path));
        let names = flags.map(crate::sys::InodeFlags::names).unwrap_or_default();
        let letters = flags.map(crate::sys::InodeFlags::letters);
        let version = path
            .and_then(|path| sys.inode_version(path))
            .map(|v| v.to_string());
        map.set("version", version.map_or(Value::Null, Value::data));
        map.set(
            "attributes",
            Value::list(names.into_iter().map(Value::data).collect()),
        );
        map.set("attr_flags", Value::data(letters.unwrap_or_default()));
    }
    Ok(map)
}
