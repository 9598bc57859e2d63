//! `slurp`: a file's content in base64.
//!
//! Source: Ansible's documentation of `ansible.builtin.slurp`.

use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::Value;
use base64::Engine;
use std::path::{Path, PathBuf};

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
        let bytes = read(sys, &path).map_err(|error| refusal(&error, &path))?;
        let mut plan = Plan::new();
        let content = base64::engine::general_purpose::STANDARD.encode(bytes);
        plan.returns("content", Value::data(content));
        plan.returns("encoding", "base64");
        plan.returns("source", Value::data(path.to_string_lossy().as_ref()));
        Ok(plan)
    }
}

fn read(sys: &Sys, path: &Path) -> Result<Vec<u8>, crate::sys::Error> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    sys.open(path)?
        .read_to_end(&mut bytes)
        .map_err(|source| crate::sys::Error::File {
            what: "unable to slurp file",
            path: path.to_owned(),
            source,
        })?;
    Ok(bytes)
}

/// Why a file cannot be had, in words that playbooks look for.
fn refusal(error: &crate::sys::Error, path: &Path) -> Failure {
    use std::io::ErrorKind;
    let shown = path.display();
    let kind = match error {
        crate::sys::Error::File { source, .. } => source.kind(),
        _ => return Failure::new(error.to_string()),
    };
    Failure::new(match kind {
        ErrorKind::NotFound => format!("file not found: {shown}"),
        ErrorKind::PermissionDenied => format!("file is not readable: {shown}"),
        ErrorKind::IsADirectory => format!("source is a directory and must be a file: {shown}"),
        _ => format!("unable to slurp file: {error}"),
    })
}
