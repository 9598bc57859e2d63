//! `tempfile`: a new file or directory that nobody else has.
//!
//! Source: Ansible's documentation of `ansible.builtin.tempfile`.

use super::attrs::facts_of;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys};
use crate::value::Value;
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// What to make.
    pub enum State {
        /// A file.
        File = "file",
        /// A directory.
        Directory = "directory",
    }
}

module_args! {
    /// Arguments of `tempfile`.
    pub struct Args {
        /// The directory that it lies in; without it, that of the system (`TMPDIR`, else `/tmp`).
        path: Option<PathBuf> => optional;
        /// How its name begins.
        prefix: String => default("ansible.");
        /// How its name ends.
        suffix: String => default("");
        /// What to make.
        state: State => default("file");
    }
}

/// The module.
pub struct Tempfile;

impl Module for Tempfile {
    const NAME: &'static str = "tempfile";
    const DOC: &'static str = "Make a temporary file or directory.";
    const CHECK: crate::modules::CheckSupport = crate::modules::CheckSupport::None;
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let directory = match &args.path {
            Some(path) => sys.expand(path),
            None => sys
                .env("TMPDIR")
                .filter(|dir| !dir.is_empty())
                .map_or_else(|| "/tmp".into(), PathBuf::from),
        };
        let is_directory = sys
            .stat(&directory, true)?
            .is_some_and(|meta| meta.kind == FileKind::Directory);
        if !is_directory {
            return Err(Failure::new(format!(
                "{} is not a directory",
                directory.display()
            )));
        }
        if args.prefix.contains('/') || args.suffix.contains('/') {
            return Err(
                "prefix and suffix are parts of a name: they cannot contain a slash".into(),
            );
        }
        let mut plan = Plan::new();
        let shown = format!("{}/{}*{}", directory.display(), args.prefix, args.suffix);
        let diff = Diff::new(
            shown.as_str(),
            None::<String>,
            Some(format!("state: {}\n", args.state.word())),
        );
        plan.act(format!("make {shown}"), Some(diff), move |sys, returns| {
            let path = sys.make_temporary(
                &directory,
                &args.prefix,
                &args.suffix,
                args.state == State::Directory,
            )?;
            facts_of(sys, &path, false)?.refresh(returns);
            returns.set("path", Value::data(path.to_string_lossy().as_ref()));
            Ok(())
        });
        Ok(plan)
    }
}
