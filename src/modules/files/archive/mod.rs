//! `archive`: files and trees in an archive, or one file compressed.
//!
//! An archive that has the members it is to have, each with its content, mode, owner and time, is not written again. The
//! archive itself is never one of its members.
//!
//! Source: the documentation of `community.general.archive`.

mod choice;
mod compare;
mod entry;
mod write;

use super::attrs::{FileAttrs, facts_of};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys};
use crate::value::Value;
use crate::{choices, module_args};
use choice::Choice;
use entry::{Content, Entry, entries_of};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use write::Packing;

/// Members that a diff names.
const SHOWN: usize = 200;

choices! {
    /// How it is packed.
    pub enum Format {
        /// bzip2.
        Bzip2 = "bz2",
        /// gzip.
        Gzip = "gz",
        /// tar, not compressed.
        Tar = "tar",
        /// xz.
        Xz = "xz",
        /// zip.
        Zip = "zip",
    }
}

module_args! {
    /// Arguments of `archive`.
    pub struct Args {
        /// What is packed: files, directories with all that is in them, patterns with `*` and `?`.
        path: Vec<PathBuf> => required;
        /// How it is packed: compressed tar, plain tar or zip. A single file is compressed without tar.
        format: Format => default("gz");
        /// The archive. Its directory must be there. Needed when there is more to pack than a single file, which else
        /// becomes a file beside it with the format's ending.
        dest: Option<PathBuf> => optional;
        /// Not these of `path` and of what its patterns find; patterns are allowed.
        exclude_path: Vec<PathBuf> => default(Vec::<String>::new());
        /// Leave out members whose names in the archive fit these patterns (zip: their full paths).
        exclusion_patterns: Vec<String> => default(Vec::<String>::new());
        /// Make an archive of a single file too.
        force_archive: bool => default(false);
        /// Remove what was packed, and the directories with all that is in them.
        remove: bool => default(false);
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct Archive;

impl Module for Archive {
    const NAME: &'static str = "archive";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Pack files and directories into an archive, or compress a file.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut plan = Plan::new();
        let choice = Choice::of(args, sys)?;
        let dest = choice.dest.clone();
        plan.returns("arcroot", Value::data(choice.root.as_str()));
        plan.returns("expanded_paths", texts(&choice.found));
        plan.returns("expanded_exclude_paths", texts(&choice.excluded));
        plan.returns("dest", Value::data(dest.to_string_lossy().as_ref()));
        plan.returns("missing", texts(&choice.missing));
        facts_of(sys, &dest, true)?.plan(&mut plan);
        if choice.targets.is_empty() {
            plan.returns("archived", Value::list(Vec::new()));
            plan.returns("dest_state", state_of_old(sys, &dest));
            args.attrs.plan(sys, &mut plan, &dest, true)?;
            return Ok(plan);
        }
        if let Some(meta) = sys.stat(&dest, true)?
            && meta.kind == FileKind::Directory
        {
            return Err(Failure::new(format!(
                "dest '{}' is a directory; name the archive in it",
                dest.display()
            )));
        }
        let packing = if choice.is_archive || matches!(args.format, Format::Tar | Format::Zip) {
            Packing::Archive(args.format)
        } else {
            Packing::Compressed(args.format)
        };
        let entries = entries_of(sys, &choice, args, &mut plan)?;
        plan.returns(
            "archived",
            Value::list(entries.iter().map(|entry| text(&entry.path)).collect()),
        );
        plan.returns(
            "dest_state",
            match packing {
                Packing::Compressed(_) => "compress",
                Packing::Archive(_) if choice.missing.is_empty() => "archive",
                Packing::Archive(_) => "incomplete",
            },
        );
        let removals = if args.remove {
            choice.removals(sys, &entries)?
        } else {
            Vec::new()
        };
        let old = compare::look(sys, &dest, packing, &entries)?;
        if !old.is_same {
            let diff = Diff::new(dest.to_string_lossy(), old.listing, Some(listing(&entries)));
            let options = args.attrs.write_options(sys, &dest)?;
            let owned = dest.clone();
            plan.act(
                format!("pack {}", dest.display()),
                Some(diff),
                move |sys, returns| {
                    write::write(sys, &owned, &options, packing, &entries)?;
                    facts_of(sys, &owned, true)?.refresh(returns);
                    Ok(())
                },
            );
        }
        args.attrs.plan(sys, &mut plan, &dest, true)?;
        for (path, is_directory) in removals {
            let kind = if is_directory { "directory" } else { "file" };
            let side = |state: &str| format!("path: {}\nstate: {state}\n", path.display());
            let diff = Diff::new(
                path.to_string_lossy(),
                Some(side(kind)),
                Some(side("absent")),
            );
            plan.step(diff, move |sys| {
                if is_directory {
                    sys.remove_tree(&path)
                } else {
                    sys.remove_file(&path)
                }
            });
        }
        Ok(plan)
    }
}

fn text(path: &Path) -> Value {
    Value::data(path.to_string_lossy().as_ref())
}

fn texts(paths: &[PathBuf]) -> Value {
    Value::list(paths.iter().map(|path| text(path)).collect())
}

/// What `dest` is when there is nothing to pack.
fn state_of_old(sys: &Sys, dest: &Path) -> &'static str {
    const ENDINGS: &[&str] = &[
        ".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tbz2", ".zip",
    ];
    if !sys.exists(dest) {
        return "absent";
    }
    let name = dest.to_string_lossy().to_lowercase();
    if ENDINGS.iter().any(|ending| name.ends_with(ending)) {
        "archive"
    } else {
        "compress"
    }
}

/// The members for a diff, a line each.
fn listing(entries: &[Entry]) -> String {
    let mut lines = String::new();
    for entry in entries.iter().take(SHOWN) {
        let _ = match &entry.content {
            Content::File => writeln!(lines, "{} {}", entry.name.display(), entry.meta.size),
            Content::Directory => writeln!(lines, "{}/", entry.name.display()),
            Content::Link(target) => {
                writeln!(lines, "{} -> {}", entry.name.display(), target.display())
            }
            Content::HardLink(name) => {
                writeln!(lines, "{} = {}", entry.name.display(), name.display())
            }
            Content::Special(_) => writeln!(lines, "{} (special)", entry.name.display()),
        };
    }
    if entries.len() > SHOWN {
        let _ = writeln!(lines, "and {} more", entries.len() - SHOWN);
    }
    lines
}
