//! `assemble` with `remote_src: false`: the fragments lie here; the result is copied.

use super::content::{of_file, unreadable};
use super::template::set_source;
use super::{Content, Error, Input, RemoteCall, Result, Step, shared};
use crate::value::{Map, Value, to_bool};

pub(super) fn assemble(input: &Input<'_>) -> Result<Step> {
    let args = &input.args;
    if args
        .get("remote_src")
        .is_none_or(|v| to_bool(v) != Some(false))
    {
        return Ok(Step::Call(RemoteCall::new("assemble", args.clone())));
    }
    let text = |name: &str| {
        args.get(name)
            .filter(|v| !v.is_null())
            .map(ToString::to_string)
    };
    let (Some(src), Some(_)) = (text("src"), text("dest")) else {
        return Err("src and dest are required".to_owned().into());
    };
    let dir = input
        .cx
        .files()
        .candidates("files", &src)
        .into_iter()
        .find(|path| path.is_dir())
        .ok_or_else(|| Error::Failed(format!("there is no directory `{src}` on the controller")))?;
    let regexp = text("regexp")
        .map(|pattern| {
            fancy_regex::Regex::new(&pattern)
                .map_err(|e| Error::Failed(format!("assemble: bad pattern `{pattern}`: {e}")))
        })
        .transpose()?;
    let ignore_hidden = args
        .get("ignore_hidden")
        .is_some_and(|v| to_bool(v) == Some(true));
    let delimiter = text("delimiter");
    let mut names: Vec<_> = std::fs::read_dir(&dir)
        .map_err(|e| unreadable(&dir, &e))?
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut all = Vec::new();
    for name in names {
        if regexp
            .as_ref()
            .is_some_and(|r| !r.is_match(&name).unwrap_or(false))
            || (ignore_hidden && name.starts_with('.'))
        {
            continue;
        }
        let path = dir.join(&name);
        let bytes = match of_file(input, &path)? {
            Content::Bytes(bytes) => bytes.to_vec(),
            Content::File(path) => std::fs::read(&path).map_err(|e| unreadable(&path, &e))?,
        };
        if !all.is_empty() && !all.ends_with(b"\n") {
            all.push(b'\n');
        }
        if let Some(delimiter) = delimiter.as_deref().filter(|_| !all.is_empty()) {
            all.extend_from_slice(delimiter.replace("\\n", "\n").as_bytes());
            if !delimiter.ends_with('\n') && !delimiter.ends_with("\\n") {
                all.push(b'\n');
            }
        }
        all.extend_from_slice(&bytes);
    }
    let (sha256, content) = shared(all);
    let own = ["src", "remote_src", "regexp", "delimiter", "ignore_hidden"];
    let mut remote: Map = args
        .iter()
        .filter(|(key, _)| !key.as_str().is_some_and(|key| own.contains(&key)))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    set_source(
        &mut remote,
        &sha256,
        &content,
        &Value::data(src).to_string(),
    );
    let mut call = RemoteCall::new("copy", remote);
    call.contents.push((sha256, content));
    // of this one the result's `diff` is a single one
    call.finish = Some(Box::new(|mut outcome| {
        if let Some(diff) = outcome.diffs.first() {
            let diff = diff.to_value();
            outcome.data.set("diff", diff);
        }
        outcome
    }));
    Ok(Step::Call(call))
}
