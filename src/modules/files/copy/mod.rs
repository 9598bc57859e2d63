//! `copy`: a content goes to a file, or a directory of the machine to another place on it.
//!
//! The controller's half turns `src` into contents: it sends `_sha256` (and `_size`, `_source_name`), and the
//! content itself travels only if the file differs. `_parent_made` says that an earlier call of the same task makes the
//! directory, which is missing in check mode.
//!
//! Source: Ansible's documentation of `ansible.builtin.copy`.

mod tree;

use super::attrs::{FileAttrs, Mode};
use super::parents::plan_directories;
use super::place::{Placement, Source, place};
use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys};
use crate::value::{ArgRule, Value};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

module_args! {
    /// Arguments of `copy`.
    pub struct Args {
        /// What to copy: a file or directory on the controller, or on the machine itself with `remote_src`. A directory
        /// with a trailing slash means its contents.
        src: Option<PathBuf> => optional;
        /// The content itself, instead of `src`.
        content: Option<Value> => optional;
        /// Where it goes. A directory, or a path that ends with a slash, gets the source's name.
        dest: PathBuf => required;
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        /// Replace a file that differs; otherwise a file is only written where there is none.
        force: bool => default(true);
        /// A command that must accept the new file before it is put in place; `%s` in it is the file.
        validate: Option<String> => optional;
        /// The mode of directories that are newly made.
        directory_mode: Option<Mode> => optional;
        /// `src` lies on the machine, not on the controller.
        remote_src: bool => default(false);
        /// Follow links of the source tree.
        local_follow: Option<bool> => optional;
        /// Write through a link at the destination, instead of replacing it.
        follow: bool => default(false);
        /// SHA-1 that the source must have.
        checksum: Option<String> => optional;
        /// Decrypt a source that is encrypted with a vault; the controller does it.
        decrypt: bool => default(true);
        attrs: FileAttrs => flatten;
        _sha256: Option<String> => optional;
        _sha1: Option<String> => optional;
        _size: Option<u64> => optional;
        _source_name: Option<String> => optional;
        _source: Option<String> => optional;
        _source_mode: Option<Mode> => optional;
        _parent_made: bool => default(false);
    }
}

/// The module.
pub struct Copy;

impl Module for Copy {
    const NAME: &'static str = "copy";
    const DOC: &'static str = "Copy a file, a directory or a text to the machine.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&["src", "content"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let source = source_of(args, sys)?;
        let mut plan = Plan::new();
        if let Source::File(path) = &source {
            let meta = sys
                .stat(path, true)?
                .ok_or_else(|| Failure::new(format!("Source {} not found", path.display())))?;
            if meta.kind == FileKind::Directory {
                tree::plan(args, sys, &mut plan, path)?;
                return Ok(plan);
            }
            // a pipe would be waited for, a device read without an end
            if meta.kind != FileKind::File {
                let message = format!(
                    "Cannot copy invalid source '{}': not a file",
                    path.display()
                );
                return Err(Failure::new(message));
            }
        }
        match plan_file(args, sys, &mut plan, source) {
            Ok(()) => Ok(plan),
            Err(failure) => foretold(args, sys, failure),
        }
    }
}

/// What the controller sends and is not there yet: check mode, which may run before what makes the directory or the owner,
/// predicts it, and doing it fails.
fn foretold<'a>(args: &'a Args, sys: &Sys, failure: Failure) -> ModuleResult<Plan<'a>> {
    if args._sha256.is_none() {
        return Err(failure);
    }
    let source = source_of(args, sys)?;
    let Ok(dest) = destination(args, sys, &sys.expand(&args.dest), &source) else {
        return Err(failure);
    };
    if differing(sys, &source, &dest)? == Some(false) {
        return Err(failure);
    }
    let diff = Diff::new(
        dest.to_string_lossy(),
        None::<String>,
        Some(source.preview(sys)?),
    );
    let warning = failure.message.clone();
    let mut plan = Plan::fails(format!("write {}", dest.display()), Some(diff), failure);
    plan.warn_in_check(warning);
    Ok(plan)
}

/// Whether the file that is there has another content; `None` if none is there.
fn differing(sys: &Sys, source: &Source<'_>, dest: &Path) -> ModuleResult<Option<bool>> {
    match sys.stat(dest, true)? {
        Some(meta) if meta.kind == FileKind::File => Ok(Some(!source.is_same(sys, dest, &meta)?)),
        _ => Ok(None),
    }
}

fn source_of<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Source<'a>> {
    if let Some(sha256) = &args._sha256 {
        return Ok(Source::Blob {
            sha256,
            size: args._size,
            sha1: args._sha1.as_deref(),
        });
    }
    if let Some(content) = &args.content {
        return Ok(Source::Bytes(Cow::Owned(
            content_text(content).into_bytes(),
        )));
    }
    match &args.src {
        Some(src) if args.remote_src => Ok(Source::File(sys.expand(src))),
        Some(src) => Err(Failure::new(format!(
            "the content of {} was not sent along: without `remote_src`, copy takes it from the controller",
            src.display()
        ))),
        None => Err("src (or content) is required".into()),
    }
}

/// A content that is not a text becomes JSON, as Ansible makes it.
fn content_text(content: &Value) -> String {
    match content {
        Value::Map(_) | Value::List(_) => content.to_json().to_string(),
        other => crate::value::str_of(other),
    }
}

fn plan_file<'a>(
    args: &'a Args,
    sys: &Sys,
    plan: &mut Plan<'a>,
    source: Source<'a>,
) -> ModuleResult<()> {
    let wanted = sys.expand(&args.dest);
    let dest = destination(args, sys, &wanted, &source)?;
    plan.returns("dest", Value::data(dest.to_string_lossy().as_ref()));
    let src = args
        .src
        .as_ref()
        .map(|src| src.to_string_lossy().into_owned());
    let src = src
        .or_else(|| args._source.clone())
        .or_else(|| args._source_name.clone());
    if !args.force && sys.exists(&dest) {
        if let Some(src) = src {
            plan.returns("src", Value::data(src));
        }
        return Ok(());
    }
    check_sum(args, sys, &source)?;
    let mut parent_planned = args._parent_made;
    if dest != wanted
        && let Some(parent) = dest.parent()
        && sys.stat(parent, true)?.is_none()
    {
        plan_directories(sys, plan, parent, args.directory_mode.as_ref(), &args.attrs)?;
        parent_planned = true;
    }
    let mut attrs = attrs_for(args, sys, &source)?;
    if args.remote_src && differing(sys, &source, &dest)? == Some(true) {
        replaced_by(sys, &source, &mut attrs)?;
    }
    let path = dest.clone();
    let differs = place(
        sys,
        plan,
        source,
        Placement {
            dest,
            attrs,
            backup: args.backup,
            backup_key: "backup_file",
            validate: args.validate.as_deref(),
            follow: args.follow,
            checksums: true,
            parent_planned,
        },
    )?;
    // what the controller sent is there under a name of its own until it is in its place; where nothing has to be
    // sent, Ansible's result is that of `file`
    if differs || args.remote_src {
        let src = src.unwrap_or_else(|| arrived(&path));
        plan.returns("src", Value::data(src));
    }
    if !args.remote_src {
        let diff = if differs {
            Value::list(Vec::new())
        } else {
            plan.returns("path", Value::data(path.to_string_lossy().as_ref()));
            super::file::described(plan, sys, &path)
        };
        plan.returns("diff", diff);
    }
    Ok(())
}

/// A file of the machine takes another's place with its own mode, and belongs to who copies it.
fn replaced_by(sys: &Sys, source: &Source<'_>, attrs: &mut FileAttrs) -> ModuleResult<()> {
    let Source::File(path) = source else {
        return Ok(());
    };
    if attrs.mode.is_none() {
        attrs.mode = sys.stat(path, true)?.map(|meta| Mode::Bits(meta.mode));
    }
    let me = sys.me()?;
    attrs.owner.get_or_insert_with(|| me.uid.to_string());
    attrs.group.get_or_insert_with(|| me.gid.to_string());
    Ok(())
}

/// What a content is called before it is in its place: a file beside that, of the same kind.
fn arrived(path: &Path) -> String {
    let mut name = path.with_file_name(".source");
    if let Some(extension) = path.extension() {
        name.set_extension(extension);
    }
    name.to_string_lossy().into_owned()
}

/// The file's path: a directory gets the source's name.
fn destination(
    args: &Args,
    sys: &Sys,
    wanted: &Path,
    source: &Source<'_>,
) -> ModuleResult<PathBuf> {
    let is_directory = sys
        .stat(wanted, true)?
        .is_some_and(|meta| meta.kind == FileKind::Directory);
    if !is_directory && !wanted.to_string_lossy().ends_with('/') {
        return Ok(wanted.to_owned());
    }
    let name = match (&args._source_name, source) {
        (Some(name), _) => Some(PathBuf::from(name)),
        (None, Source::File(path)) => path.file_name().map(PathBuf::from),
        (None, _) if args.content.is_none() => args
            .src
            .as_deref()
            .and_then(Path::file_name)
            .map(PathBuf::from),
        (None, _) => None,
    };
    match name {
        Some(name) => Ok(wanted.join(name)),
        None => Err("can not use content with a dir as dest".into()),
    }
}

fn check_sum(args: &Args, sys: &Sys, source: &Source<'_>) -> ModuleResult<()> {
    let Some(expected) = &args.checksum else {
        return Ok(());
    };
    let found = source.sha1(sys)?;
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(
        Failure::new("Copied file does not match the expected checksum. Transfer failed.")
            .with("checksum", Value::data(found))
            .with("expected_checksum", Value::data(expected.as_str())),
    )
}

/// The attributes, with `preserve` turned into the source's mode.
fn attrs_for(args: &Args, sys: &Sys, source: &Source<'_>) -> ModuleResult<FileAttrs> {
    let mut attrs = args.attrs.clone();
    if attrs.mode == Some(Mode::Preserve) {
        attrs.mode = match (&args._source_mode, source) {
            (Some(mode), _) => Some(mode.clone()),
            (None, Source::File(path)) => sys.stat(path, true)?.map(|meta| Mode::Bits(meta.mode)),
            _ => return Err("mode: preserve needs a source that has a mode".into()),
        };
    }
    Ok(attrs)
}
