//! `slurp`: a file's content in base64.
//!
//! Source: Ansible's documentation of `ansible.builtin.slurp`.

use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::{FileKind, Sys};
use crate::value::Value;
use base64::Engine;
use std::path::PathBuf;

module_args! {
    /// Arguments of `slurp`.
    pub struct Args {
        /// The file.
        src: PathBuf => required, aliases ["path"];
    }
}

/// The module.
pub struct Slurp;

impl Module for Slurp {
    const NAME: &'static str = "slurp";
    const DOC: &'static str = "Return a file's content, in base64.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.src);
        match sys.stat(&path, true)? {
            None => return Err(Failure::new(format!("file not found: {}", path.display()))),
            Some(meta) if meta.kind == FileKind::Directory => {
                return Err(Failure::new(format!(
                    "source is a directory and must be a file: {}",
                    path.display()
                )));
            }
            Some(_) => {}
        }
        if !sys.may(&path, libc::R_OK) {
            return Err(Failure::new(format!(
                "file is not readable: {}",
                path.display()
            )));
        }
        let bytes = sys.read(&path)?.unwrap_or_default();
        let mut plan = Plan::new();
        let content = base64::engine::general_purpose::STANDARD.encode(bytes);
        plan.returns("content", Value::data(content));
        plan.returns("encoding", "base64");
        plan.returns("source", Value::data(path.to_string_lossy().as_ref()));
        Ok(plan)
    }
}
