//! `assemble`: a file from the files of a directory.
//!
//! With `remote_src: false` the controller assembles and calls `copy`.
//!
//! Source: Ansible's documentation of `ansible.builtin.assemble`.

use super::attrs::FileAttrs;
use super::place::{Placement, Source, place};
use super::pyregex::{Flags, PyRegex};
use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::{FileKind, Sys};
use crate::value::Value;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

module_args! {
    /// Arguments of `assemble`.
    pub struct Args {
        /// The directory with the pieces, taken in the order of their names.
        src: PathBuf => required;
        /// The file.
        dest: PathBuf => required;
        /// What goes between two pieces; `\n` and the like are understood.
        delimiter: Option<String> => optional;
        /// Only pieces in whose name this is found.
        regexp: Option<String> => optional;
        /// Leave out names that begin with a dot.
        ignore_hidden: bool => default(false);
        /// The directory lies on the machine, not on the controller.
        remote_src: bool => default(true);
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        /// Decrypt pieces that are encrypted with a vault; the controller does it.
        decrypt: bool => default(true);
        /// A command that must accept the new file before it is put in place; `%s` in it is the file.
        validate: Option<String> => optional;
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct Assemble;

impl Module for Assemble {
    const NAME: &'static str = "assemble";
    const DOC: &'static str = "Make a file of the pieces in a directory.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if !args.remote_src {
            return Err(
                "the pieces were not assembled by the controller (remote_src: false)".into(),
            );
        }
        let src = sys.expand(&args.src);
        match sys.stat(&src, true)? {
            None => {
                return Err(Failure::new(format!(
                    "Source ({}) does not exist",
                    src.display()
                )));
            }
            Some(meta) if meta.kind != FileKind::Directory => {
                return Err(Failure::new(format!(
                    "Source ({}) is not a directory",
                    src.display()
                )));
            }
            Some(_) => {}
        }
        let bytes = assembled(args, sys, &src)?;
        let dest = sys.expand(&args.dest);
        let mut plan = Plan::new();
        plan.returns("src", Value::data(src.to_string_lossy().as_ref()));
        plan.returns("dest", Value::data(dest.to_string_lossy().as_ref()));
        plan.returns("msg", "OK");
        place(
            sys,
            &mut plan,
            Source::Bytes(Cow::Owned(bytes)),
            Placement {
                dest,
                attrs: args.attrs.clone(),
                backup: args.backup,
                backup_key: "backup_file",
                validate: args.validate.as_deref(),
                follow: false,
                checksums: true,
                parent_planned: false,
            },
        )?;
        Ok(plan)
    }
}

fn assembled(args: &Args, sys: &Sys, src: &Path) -> ModuleResult<Vec<u8>> {
    let regex = args
        .regexp
        .as_ref()
        .map(|text| PyRegex::new(text, Flags::default(), "regexp"))
        .transpose()?;
    let delimiter = args.delimiter.as_deref().map(unescape);
    let mut out: Vec<u8> = Vec::new();
    let mut is_first = true;
    for name in sys.list(src)? {
        let path = src.join(&name);
        let name = name.to_string_lossy();
        if let Some(regex) = &regex
            && !regex.is_found(&name)?
        {
            continue;
        }
        let is_file = sys
            .stat(&path, true)?
            .is_some_and(|meta| meta.kind == FileKind::File);
        if !is_file || (args.ignore_hidden && name.starts_with('.')) {
            continue;
        }
        let piece = sys.read(&path)?.unwrap_or_default();
        if !is_first {
            end_line(&mut out);
            if let Some(delimiter) = delimiter.as_ref().filter(|text| !text.is_empty()) {
                out.extend_from_slice(delimiter.as_bytes());
                end_line(&mut out);
            }
        }
        out.extend_from_slice(&piece);
        is_first = false;
    }
    Ok(out)
}

/// Pieces never run together on a line.
fn end_line(out: &mut Vec<u8>) {
    if !out.ends_with(b"\n") {
        out.push(b'\n');
    }
}

/// The text with `\n`, `\t`, `\r` and `\\` understood.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('\\') | None => out.push('\\'),
            Some(other) => out.extend(['\\', other]),
        }
    }
    out
}
