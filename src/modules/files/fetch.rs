//! `_fetch`: the machine's half of `fetch`. The controller writes the file.
//!
//! Source: Ansible's documentation of `ansible.builtin.fetch`.

use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::{Error, FileKind, Sys};
use crate::value::Value;
use std::path::PathBuf;

module_args! {
    /// Arguments of `_fetch`.
    pub struct Args {
        /// The file.
        src: PathBuf => required;
        /// Fail if there is none.
        fail_on_missing: bool => default(true);
        _have_sha256: Option<String> => optional;
        _check: bool => default(false);
    }
}

/// The module.
pub struct Fetch;

impl Module for Fetch {
    const NAME: &'static str = "_fetch";
    const DOC: &'static str = "Send a file's content to the controller, unless it has it already.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.src);
        let mut plan = Plan::new();
        plan.returns("file", Value::data(path.to_string_lossy().as_ref()));
        let found = match sys.stat(&path, true) {
            Err(error) if is_denied(&error) => {
                let problem = format!(
                    "file is not readable: {}: Permission denied",
                    path.display()
                );
                if args.fail_on_missing {
                    return Err(Failure::new(problem));
                }
                plan.returns("msg", format!("{problem}, ignored"));
                plan.returns("_missing", true);
                return Ok(plan);
            }
            found => found?,
        };
        let problem = match found {
            None => Some("the remote file does not exist"),
            Some(meta) if meta.kind == FileKind::Directory => {
                Some("remote file is a directory, fetch cannot work on directories")
            }
            Some(meta) if meta.kind != FileKind::File => {
                Some("the remote file is not a regular file")
            }
            Some(_) if !sys.may(&path, libc::R_OK) => {
                if args.fail_on_missing {
                    let problem = format!("file is not readable: {}", path.display());
                    return Err(Failure::new(problem));
                }
                Some("remote permissions do not allow to read the file")
            }
            Some(meta) => {
                plan.returns("size", meta.size);
                plan.returns("_mode", Value::data(super::attrs::mode_text(meta.mode)));
                None
            }
        };
        if let Some(problem) = problem {
            if args.fail_on_missing {
                return Err(Failure::new(problem)
                    .with("file", Value::data(path.to_string_lossy().as_ref())));
            }
            plan.returns("msg", format!("{problem}, not transferring, ignored"));
            plan.returns("_missing", true);
            return Ok(plan);
        }
        let sha256 = sys.sha256(&path)?.unwrap_or_default();
        let sum = |text: Option<String>| text.map_or(Value::Null, Value::data);
        plan.returns("checksum", sum(sys.sha1(&path)?));
        plan.returns("md5sum", sum(sys.digest::<md5::Md5>(&path)?));
        plan.returns("_sha256", Value::data(sha256.as_str()));
        let is_known = args
            ._have_sha256
            .as_deref()
            .is_some_and(|have| have.eq_ignore_ascii_case(&sha256));
        // nothing changes on the machine: sending is part of looking
        if !is_known && !args._check {
            sys.send_blob(&path, &sha256)?;
        }
        plan.returns("_sent", !is_known && !args._check);
        Ok(plan)
    }
}

/// Whether it is the error of a file in a directory that may not be entered.
fn is_denied(error: &Error) -> bool {
    matches!(error, Error::File { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied)
}
