//! Putting a content in its place: compare, show, back up, validate, write atomically, set attributes.
//!
//! Everything that writes whole files goes through [`place`]: copy, assemble, lineinfile, blockinfile, replace.

mod preview;
mod source;
mod validate;

pub use preview::{MAX_DIFF_SIZE, content_diff, preview};
pub use source::{Source, digest_of};
pub use validate::check_validate;

use super::attrs::{Attrs, Base, Facts, FileAttrs, facts_of};
use crate::modules::{Failure, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys, WriteOptions};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};

/// Where a content goes and how.
#[derive(Clone, Debug)]
pub struct Placement<'a> {
    /// The path, expanded.
    pub dest: PathBuf,
    /// The attributes that it is to have.
    pub attrs: FileAttrs,
    /// Keep the old file under a name with the time in it.
    pub backup: bool,
    /// The return value that names the kept file.
    pub backup_key: &'static str,
    /// A command that must accept the new file before it is put in place; `%s` in it is the file.
    pub validate: Option<&'a str>,
    /// Write through a symbolic link (else the link is replaced by a file).
    pub follow: bool,
    /// Whether the return values `checksum` and `md5sum` are wanted.
    pub checksums: bool,
    /// A step before makes the directory that it goes to.
    pub parent_planned: bool,
}

/// Plans the writing of `source` to the placement's path, where it differs, and the attributes. Returns whether
/// the content differs. Return values: `uid`, `gid`, `owner`, `group`, `mode`, `size`, `state`, the name of the backup,
/// and `checksum` and `md5sum` if asked for.
///
/// # Errors
/// When the directory is missing, a validator's command is wrong, or something cannot be looked at.
pub fn place<'a>(
    sys: &Sys,
    plan: &mut Plan<'a>,
    source: Source<'a>,
    placement: Placement<'a>,
) -> ModuleResult<bool> {
    if let Some(command) = placement.validate {
        check_validate(command)?;
    }
    let dest = placement.dest.clone();
    let own = sys.stat(&dest, false)?;
    let target = sys.stat(&dest, true)?;
    let replaced_link = !placement.follow && own.as_ref().is_some_and(|m| m.kind == FileKind::Link);
    if let Some(meta) = target.as_ref().filter(|_| !replaced_link)
        && meta.kind != FileKind::File
    {
        return Err(Failure::new(format!(
            "{} is there and is not a regular file; it is not replaced",
            dest.display()
        )));
    }
    let current = target.filter(|_| !replaced_link);
    if let Some(meta) = &current
        && source.is_same(sys, &dest, meta)?
    {
        Facts::of(sys, meta).plan(plan);
        if placement.checksums
            && let Some(sum) = sys.sha1(&dest)?
        {
            plan.returns("checksum", Value::data(sum));
        }
        placement.attrs.plan(sys, plan, &dest, true)?;
        return Ok(false);
    }
    if !placement.parent_planned {
        check_parent(sys, &dest)?;
    }
    let options = if replaced_link {
        new_file_options(sys, &placement.attrs)?
    } else {
        placement.attrs.write_options(sys, &dest)?
    };
    let diff = diff_of(sys, &dest, &source, replaced_link)?;
    predict(sys, plan, &source, &options, current.as_ref())?;
    if placement.checksums {
        match source.known_sha1(sys)? {
            Some(sum) => plan.returns("checksum", Value::data(sum)),
            None => plan.returns("checksum", Value::Null),
        }
    }
    let attrs = placement.attrs.clone();
    plan.act(
        format!("write {}", dest.display()),
        Some(diff),
        move |sys, returns| write(sys, returns, &source, &placement, &options, replaced_link),
    );
    if current.is_some() {
        attrs.plan(sys, plan, &dest, true)?;
    }
    Ok(true)
}

fn check_parent(sys: &Sys, dest: &Path) -> ModuleResult<()> {
    let parent = match dest.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(Failure::new(format!("{} is a directory", dest.display()))),
    };
    match sys.stat(parent, true)? {
        Some(meta) if meta.kind == FileKind::Directory => Ok(()),
        Some(_) => Err(Failure::new(format!(
            "{} is not a directory",
            parent.display()
        ))),
        None => Err(Failure::new(format!(
            "Destination directory {} does not exist",
            parent.display()
        ))),
    }
}

fn new_file_options(sys: &Sys, attrs: &FileAttrs) -> ModuleResult<WriteOptions> {
    let wanted = attrs.resolve(sys, Base::new_file(sys))?;
    Ok(WriteOptions {
        mode: wanted.mode,
        uid: wanted.uid,
        gid: wanted.gid,
        unsafe_writes: attrs.writes_unsafely(sys),
        synced_later: false,
    })
}

fn diff_of(sys: &Sys, dest: &Path, source: &Source<'_>, replaced_link: bool) -> ModuleResult<Diff> {
    let before = if replaced_link {
        let target = sys.read_link(dest)?;
        Some(format!("[link to {}]\n", target.display()))
    } else {
        preview::of_file(sys, dest)?
    };
    Ok(Diff::new(
        dest.to_string_lossy(),
        before,
        Some(source.preview(sys)?),
    ))
}

/// The return values as far as they are known before: check mode shows them.
fn predict(
    sys: &Sys,
    plan: &mut Plan<'_>,
    source: &Source<'_>,
    options: &WriteOptions,
    current: Option<&crate::sys::Meta>,
) -> ModuleResult<()> {
    let me = sys.me()?;
    let attrs = Attrs {
        mode: options
            .mode
            .or(current.map(|m| m.mode))
            .or(Some(Base::new_file(sys).mode)),
        uid: options.uid.or(current.map(|m| m.uid)).or(Some(me.uid)),
        gid: options.gid.or(current.map(|m| m.gid)).or(Some(me.gid)),
    };
    Facts::predicted(sys, attrs, source.size(sys)?, "file").plan(plan);
    Ok(())
}

fn write(
    sys: &mut Sys,
    returns: &mut Map,
    source: &Source<'_>,
    placement: &Placement<'_>,
    options: &WriteOptions,
    replaced_link: bool,
) -> ModuleResult<()> {
    let dest = &placement.dest;
    if let Some(command) = placement.validate {
        validate::validate(sys, command, dest, &mut *source.open(sys)?)?;
    }
    if placement.backup && sys.stat(dest, true)?.is_some() {
        let backup = sys.backup(dest)?;
        returns.set(
            placement.backup_key,
            Value::data(backup.to_string_lossy().as_ref()),
        );
    }
    let mut content = source.open(sys)?;
    if replaced_link {
        sys.write_over_link(dest, &mut *content, options)?;
    } else {
        sys.write_from(dest, &mut *content, options)?;
    }
    facts_of(sys, dest, true)?.refresh(returns);
    if placement.checksums {
        let sum = |text: Option<String>| text.map_or(Value::Null, Value::data);
        returns.set("checksum", sum(sys.sha1(dest)?));
        returns.set("md5sum", sum(sys.digest::<md5::Md5>(dest)?));
    }
    Ok(())
}
