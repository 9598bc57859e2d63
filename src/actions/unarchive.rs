//! `unarchive`: the archive goes to the machine unless it is there already.

use super::content::{REMOTE_SRC, file_to_send};
use super::template::set_source;
use super::{Input, RemoteCall, Result, Step};
use crate::value::{Value, to_bool};

pub(super) fn unarchive(input: &Input<'_>) -> Result<Step> {
    let args = &input.args;
    let given = |name: &str| args.get(name).filter(|value| !value.is_null());
    let (Some(src), Some(_)) = (given("src"), given("dest")) else {
        return Err("src (or content) and dest are required".to_owned().into());
    };
    let src = src.to_string();
    let there = match (given("copy"), given("remote_src")) {
        (Some(_), Some(_)) => {
            let why = "parameters are mutually exclusive: ('copy', 'remote_src')";
            return Err(why.to_owned().into());
        }
        (Some(copy), None) => to_bool(copy) == Some(false),
        (None, flag) => flag.is_some_and(|flag| to_bool(flag) == Some(true)),
    };
    if there {
        return Ok(Step::Call(RemoteCall::new("unarchive", args.clone())));
    }
    let (path, sha256, content) = file_to_send(input, &src, REMOTE_SRC)?;
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut remote = args.clone();
    remote.set("src", Value::data(path.display().to_string()));
    set_source(&mut remote, &sha256, &content, &name);
    let mut call = RemoteCall::new("unarchive", remote);
    call.contents.push((sha256, content));
    Ok(Step::Call(call))
}
