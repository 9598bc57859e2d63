//! `patch`: the patch goes to the machine unless it is there already.

use super::content::{of_file, unreadable};
use super::{Error, Input, RemoteCall, Result, Step};
use crate::value::{Value, to_bool};

pub(super) fn patch(input: &Input<'_>) -> Result<Step> {
    let mut args = input.args.clone();
    let there = args
        .get("remote_src")
        .is_some_and(|flag| to_bool(flag) == Some(true));
    let src = ["src", "patchfile"]
        .iter()
        .find_map(|name| args.get(*name).filter(|path| !path.is_null()));
    let Some(src) = src.map(ToString::to_string) else {
        return Err("src is required".to_owned().into());
    };
    if there {
        return Ok(Step::Call(RemoteCall::new("patch", args)));
    }
    let path = input
        .cx
        .files()
        .find("files", &src)
        .filter(|path| path.is_file())
        .ok_or_else(|| {
            Error::Failed(format!(
                "Could not find or access '{src}' on the Ansible Controller; with `remote_src: true` it is looked for on \
                 the machine"
            ))
        })?;
    let content = of_file(input, &path)?;
    let sha256 = content.sha256().map_err(|e| unreadable(&path, &e))?;
    args.set("_sha256", Value::data(sha256.as_str()));
    let mut call = RemoteCall::new("patch", args);
    call.contents.push((sha256, content));
    Ok(Step::Call(call))
}
