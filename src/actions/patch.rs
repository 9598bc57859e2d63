//! `patch`: the patch goes to the machine unless it is there already.

use super::content::file_to_send;
use super::{Input, RemoteCall, Result, Step};
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
    let (_, sha256, content) = file_to_send(
        input,
        &src,
        "\nWith `remote_src: true` it is looked for on the machine.",
    )?;
    args.set("_sha256", Value::data(sha256.as_str()));
    let mut call = RemoteCall::new("patch", args);
    call.contents.push((sha256, content));
    Ok(Step::Call(call))
}
