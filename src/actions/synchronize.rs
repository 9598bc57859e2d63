//! `synchronize`: where its paths are on the controller. Which end of the transfer they belong to is only known with the
//! connection, so `exec` chooses.
//!
//! Source: Ansible's documentation of `ansible.posix.synchronize`.

use super::{Input, RemoteCall, Result, Step};
use crate::value::Value;

pub(super) fn synchronize(input: &Input<'_>) -> Result<Step> {
    let mut args = input.args.clone();
    for (name, here) in [("src", "_src_here"), ("dest", "_dest_here")] {
        let Some(path) = args.get(name).filter(|path| !path.is_null()) else {
            return Err("synchronize requires both src and dest parameters are set"
                .to_owned()
                .into());
        };
        let path = place(input, &path.to_string());
        args.set(here, Value::data(path));
    }
    let variable = Value::str("{{ ansible_rsync_path | default('rsync', true) }}");
    let program = input.templar.render(&variable, input.cx)?.to_string();
    args.set("_program", Value::data(program));
    args.set("_check", input.check);
    Ok(Step::Call(RemoteCall::new("synchronize", args)))
}

/// A path of the controller. Those of other machines (`host:path`, `rsync://`) and absolute ones are what they are. The
/// slash at its end means something to rsync and is kept.
fn place(input: &Input<'_>, path: &str) -> String {
    if path.contains(':') || path.starts_with('/') {
        return path.to_owned();
    }
    let files = input.cx.files();
    let found = files.find("files", path);
    let home = path
        .starts_with('~')
        .then(|| files.candidates("files", path));
    let found = found
        .or_else(|| home?.into_iter().next())
        .unwrap_or_else(|| files.basedir.join(path));
    let mut found = found.to_string_lossy().into_owned();
    if path.ends_with('/') && !found.ends_with('/') {
        found.push('/');
    }
    found
}
