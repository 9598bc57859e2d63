//! What a module is run with.

use super::{Args, failed};
use crate::modules::ModuleResult;
use crate::sys::{Command, Error, Output, Sys};
use std::ffi::OsString;
use std::path::Path;

/// Where Python 3 is looked for, in this order.
const PYTHONS: &[&str] = &[
    "/usr/bin/python3",
    "python3",
    "/usr/libexec/platform-python",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.9",
    "python3.8",
    "python3.7",
    "python3.6",
    "/usr/bin/python",
];

/// The Python for a module that is written in it.
pub(super) fn python(args: &Args, sys: &Sys) -> ModuleResult<String> {
    if let Some(python) = &args.python {
        let path = sys.expand(Path::new(python.trim()));
        return Ok(path.to_string_lossy().into_owned());
    }
    // a `#!` line that names another program than plain `python` is meant
    if let Some(first) = args.shebang.first() {
        let name = Path::new(first).file_name().unwrap_or_default();
        if !name.to_string_lossy().starts_with("python") && name != "env" {
            return Ok(first.clone());
        }
    }
    any_python(sys).ok_or_else(|| no_python(args))
}

fn any_python(sys: &Sys) -> Option<String> {
    PYTHONS
        .iter()
        .find_map(|name| sys.which(name))
        .map(|path| path.to_string_lossy().into_owned())
}

fn no_python(args: &Args) -> crate::modules::Failure {
    failed(
        args,
        "is written in Python, and there is no Python 3 on this machine. Install it, or say with \
         `ansible_python_interpreter` where it is; runbook's own modules do not need it",
    )
}

/// The words before the path of a script: its interpreter, if its `#!` line names one.
pub(super) fn of_script(args: &Args, sys: &Sys) -> ModuleResult<Vec<OsString>> {
    let Some((first, rest)) = args.shebang.split_first() else {
        return Ok(match args.kind.as_str() {
            "binary" => Vec::new(),
            // as a shell does with what it cannot execute
            _ => vec!["/bin/sh".into()],
        });
    };
    let name = Path::new(first).file_name().unwrap_or_default();
    let name = name.to_string_lossy();
    let by_env = name == "env" && rest.first().is_some_and(|word| word.starts_with("python"));
    let there = sys.which(first).is_some();
    let python = if name == "python" {
        Some(python(args, sys)?)
    } else if (name.starts_with("python") && !there)
        || (by_env && rest.first().is_some_and(|word| sys.which(word).is_none()))
    {
        let known = args.python.clone().or_else(|| any_python(sys));
        Some(known.ok_or_else(|| no_python(args))?)
    } else {
        None
    };
    let skip = usize::from(by_env && python.is_some());
    Ok(std::iter::once(python.unwrap_or_else(|| first.clone()))
        .chain(rest.iter().skip(skip).cloned())
        .map(OsString::from)
        .collect())
}

/// Runs a module; what cannot be started is named.
pub(super) fn run(args: &Args, sys: &mut Sys, command: &Command) -> ModuleResult<Output> {
    match sys.run(command) {
        Err(Error::Start { program, source }) => {
            let why = crate::sys::reason(&source);
            let which = if args.python.as_deref() == Some(&program) {
                " (ansible_python_interpreter)"
            } else {
                ""
            };
            Err(failed(
                args,
                &format!("cannot be run with `{program}`{which}: {why}"),
            ))
        }
        other => Ok(other?),
    }
}
