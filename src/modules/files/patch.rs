//! `patch`: a patch file is applied by the program `patch`, or taken back.
//!
//! Source: Ansible's documentation of `ansible.posix.patch`.

use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, Output, Sys};
use crate::value::ArgRule;
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// What becomes of the patch.
    pub enum State {
        /// It is taken back.
        Absent = "absent",
        /// It is applied.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `patch`.
    pub struct Args {
        /// The patch: a file of the controller, or of the machine with `remote_src`.
        src: PathBuf => required, aliases ["patchfile"];
        /// The one file that is patched, whatever name the patch has for it.
        dest: Option<PathBuf> => optional, aliases ["originalfile"];
        /// The directory in which the patch's names are looked for; that of `dest` without it.
        basedir: Option<PathBuf> => optional;
        /// Whether the patch is applied or taken back.
        state: State => default("present");
        /// The patch is on the machine.
        remote_src: bool => default(false);
        /// How many directories are taken off the patch's names.
        strip: i64 => default(0);
        /// Keep what was there, with numbers in the names.
        backup: bool => default(false);
        /// Line ends are taken as they are.
        binary: bool => default(false);
        /// Blanks do not count when the place is looked for.
        ignore_whitespace: bool => default(false);
        _sha256: Option<String> => optional;
    }
}

/// The module.
pub struct Patch;

impl Module for Patch {
    const NAME: &'static str = "patch";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Apply a patch to files with the program `patch`, or take it back.";
    const RULES: &'static [ArgRule] = &[ArgRule::OneOf(&["dest", "basedir"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let expanded = |path: &Option<PathBuf>| path.as_deref().map(|path| sys.expand(path));
        let (dest, basedir) = (expanded(&args.dest), expanded(&args.basedir));
        if let Some(dest) = dest.as_ref().filter(|dest| !sys.exists(dest)) {
            return Err(Failure::new(format!(
                "dest {} doesn't exist or not writable",
                dest.display()
            )));
        }
        if let Some(basedir) = basedir.as_ref().filter(|basedir| !sys.exists(basedir)) {
            return Err(Failure::new(format!(
                "basedir {} doesn't exist",
                basedir.display()
            )));
        }
        if sys.which("patch").is_none() {
            return Err("patch command not found: install the package patch".into());
        }
        let src = match &args._sha256 {
            Some(sha256) => sys.blob(sha256)?,
            None => sys.expand(&args.src),
        };
        if args._sha256.is_none() && !sys.exists(&src) {
            return Err(Failure::new(format!(
                "src {} doesn't exist or not readable",
                src.display()
            )));
        }
        let parent = dest.as_deref().and_then(Path::parent).map(Path::to_owned);
        let basedir = basedir.or(parent).unwrap_or_else(|| PathBuf::from("/"));
        let words = |reverse: bool, real: Option<bool>| {
            let mut words = vec!["patch".to_owned(), "--quiet".into(), "--forward".into()];
            if real.is_some() {
                words.extend(["--batch".to_owned(), "--reject-file=-".into()]);
            }
            words.push(format!("--strip={}", args.strip));
            words.push(format!("--directory={}", basedir.display()));
            for (given, option) in [
                (real != Some(true), "--dry-run"),
                (args.binary, "--binary"),
                (args.ignore_whitespace, "--ignore-whitespace"),
                (args.backup && real.is_some(), "--backup"),
                (args.backup && real.is_some(), "--version-control=numbered"),
                (reverse, "--reverse"),
            ] {
                words.extend(given.then(|| option.to_owned()));
            }
            words.extend(dest.as_ref().map(|dest| dest.display().to_string()));
            words.push(format!("--input={}", src.display()));
            words
        };
        let present = args.state == State::Present;
        let mut plan = Plan::new();
        // what can be undone has been done
        if sys.query(&sys.tool(words(present, None)))?.ok() {
            return Ok(plan);
        }
        judged(&sys.query(&sys.tool(words(!present, Some(false))))?)?;
        let target = dest.as_ref().unwrap_or(&basedir).display().to_string();
        let diff = Diff::new(target, Some("patched: [no]\n"), Some("patched: [yes]\n"));
        let diff = if present {
            diff
        } else {
            Diff::new(diff.target, diff.after, diff.before)
        };
        let command: Command = sys.tool(words(!present, Some(true)));
        plan.act("patch", Some(diff), move |sys, _| {
            judged(&sys.run(&command)?)
        });
        Ok(plan)
    }
}

fn judged(output: &Output) -> ModuleResult<()> {
    if output.ok() {
        Ok(())
    } else {
        Err(Failure::new(output.complaint()))
    }
}
