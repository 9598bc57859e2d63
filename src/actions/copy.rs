//! `copy`: finds the source here; the module there fetches the content only if it needs it.
//!
//! Source: Ansible's documentation of the module of that name.

use super::content::{REMOTE_SRC, of_file, unreadable};
use super::template::set_source;
use super::tree::{Node, tree};
use super::{Content, Error, Input, RemoteCall, Result, Step, shared};
use crate::result::Outcome;
use crate::value::{Map, Value, to_bool};
use std::path::{Path, PathBuf};

pub(super) fn copy(input: &Input<'_>) -> Result<Step> {
    let args = &input.args;
    let given = |name: &str| args.get(name).filter(|value| !value.is_null());
    let given = |name: &str| {
        // an empty path is none
        given(name).filter(|value| name == "content" || !value.to_string().is_empty())
    };
    match (given("src"), given("content"), given("dest")) {
        (Some(_), Some(_), _) => {
            return Err("src and content are mutually exclusive".to_owned().into());
        }
        (None, None, _) => return Err("src (or content) is required".to_owned().into()),
        (_, _, None) => return Err("dest is required".to_owned().into()),
        _ => {}
    }
    if given("remote_src").is_some_and(|v| to_bool(v) == Some(true)) {
        return Ok(Step::Call(RemoteCall::new("copy", args.clone())));
    }
    match given("content") {
        Some(content) => {
            // a mapping or list is written as JSON
            let bytes = match content {
                Value::Map(_) | Value::List(_) => python_json(content).into_bytes(),
                Value::Str(text) => text.octets().unwrap_or_else(|| text.as_bytes().to_vec()),
                other => other.to_string().into_bytes(),
            };
            if given("dest").is_some_and(|dest| dest.to_string().ends_with('/')) {
                return Err("can not use content with a dir as dest".to_owned().into());
            }
            let (sha256, content) = shared(bytes);
            let mut remote = args.clone();
            remote.take("content");
            set_source(&mut remote, &sha256, &content, "content");
            // a text has no name that a directory could give it
            remote.take("_source_name");
            Ok(Step::Call(with_content(remote, sha256, content)))
        }
        None => from_file(
            input,
            &given("src").map(ToString::to_string).unwrap_or_default(),
        ),
    }
}

fn with_content(args: Map, sha256: String, content: Content) -> RemoteCall {
    let mut call = RemoteCall::new("copy", args);
    call.contents.push((sha256, content));
    call
}

/// JSON as Python writes it by default: a blank after commas and colons, ASCII only.
fn python_json(value: &Value) -> String {
    match value {
        Value::List(items) => {
            let parts: Vec<_> = items.iter().map(python_json).collect();
            format!("[{}]", parts.join(", "))
        }
        Value::Map(map) => {
            let parts: Vec<_> = map
                .iter()
                .map(|(k, v)| {
                    format!(
                        "{}: {}",
                        python_json(&Value::data(k.to_string())),
                        python_json(v)
                    )
                })
                .collect();
            format!("{{{}}}", parts.join(", "))
        }
        Value::Str(text) => {
            use std::fmt::Write;
            let json = serde_json::Value::from(text.as_str()).to_string();
            json.chars().fold(String::new(), |mut out, c| {
                if c.is_ascii() {
                    out.push(c);
                } else {
                    let mut units = [0; 2];
                    for unit in c.encode_utf16(&mut units) {
                        let _ = write!(out, "\\u{unit:04x}");
                    }
                }
                out
            })
        }
        other => other.to_json().to_string(),
    }
}

fn from_file(input: &Input<'_>, src: &str) -> Result<Step> {
    let path = input
        .cx
        .files()
        .find("files", src.trim_end_matches('/'))
        .ok_or_else(|| {
            Error::Failed(format!(
                "Could not find or access '{src}' on the Ansible Controller.{REMOTE_SRC}"
            ))
        })?;
    if path.is_dir() {
        return directory(input, src, &path);
    }
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut args = input.args.clone();
    preserve_mode(&mut args, &path);
    let content = of_file(input, &path)?;
    let sha256 = content.sha256().map_err(|e| unreadable(&path, &e))?;
    args.take("src");
    args.set("_source", Value::data(path.display().to_string()));
    set_source(&mut args, &sha256, &content, &name);
    Ok(Step::Call(with_content(args, sha256, content)))
}

fn preserve_mode(args: &mut Map, path: &Path) {
    use std::os::unix::fs::MetadataExt;
    let preserve = args.get("mode").and_then(Value::as_str) == Some("preserve");
    if preserve && let Ok(meta) = std::fs::metadata(path) {
        args.set("mode", Value::data(format!("{:04o}", meta.mode() & 0o7777)));
    }
}

/// A directory: each directory in it is made, each file copied. `src` with a slash at the end means its content.
fn directory(input: &Input<'_>, src: &str, root: &Path) -> Result<Step> {
    let dest = input
        .args
        .get("dest")
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut base = PathBuf::from(dest.trim_end_matches('/'));
    if dest.starts_with('/') && base.as_os_str().is_empty() {
        base = PathBuf::from("/");
    }
    if !src.ends_with('/') {
        base = base.join(root.file_name().unwrap_or_default());
    }
    let mut calls = Vec::new();
    let pick = |names: &[&str]| -> Map {
        input
            .args
            .iter()
            .filter(|(key, _)| key.as_str().is_some_and(|key| names.contains(&key)))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    let owner = [
        "owner",
        "group",
        "seuser",
        "serole",
        "setype",
        "selevel",
        "attributes",
    ];
    let follow = input.args.get("local_follow").and_then(to_bool) != Some(false);
    let nodes = tree(root, follow).map_err(|e| unreadable(root, &e))?;
    for (below, node) in nodes {
        let target = if below.as_os_str().is_empty() {
            base.clone()
        } else {
            base.join(&below)
        };
        let shown = Value::data(target.display().to_string());
        match node {
            Node::Directory => {
                let mut args = pick(&owner);
                args.set("path", shown);
                args.set("state", "directory");
                if let Some(mode) = input.args.get("directory_mode").filter(|m| !m.is_null()) {
                    args.set("mode", mode.clone());
                }
                calls.push(RemoteCall::new("file", args));
            }
            Node::Link(to) => {
                let mut args = pick(&owner);
                args.set("path", shown);
                args.set("state", "link");
                args.set("_parent_made", true);
                args.set("src", Value::data(to.display().to_string()));
                args.set("force", true);
                args.set("follow", false);
                calls.push(RemoteCall::new("file", args));
            }
            Node::File(path) => {
                let mut args = input.args.clone();
                args.take("src");
                args.take("directory_mode");
                preserve_mode(&mut args, &path);
                args.set("dest", shown);
                args.set("_parent_made", true);
                args.set("_source", Value::data(path.display().to_string()));
                let content = of_file(input, &path)?;
                let sha256 = content.sha256().map_err(|e| unreadable(&path, &e))?;
                let name = target.file_name().unwrap_or_default().to_string_lossy();
                set_source(&mut args, &sha256, &content, &name);
                calls.push(with_content(args, sha256, content));
            }
        }
    }
    // told as the task has it: a directory that things go into, and whether the source is its contents
    let dest = format!("{}/", dest.trim_end_matches('/'));
    let contents = if src.ends_with('/') { "/" } else { "" };
    let src = format!("{}{contents}", root.display());
    Ok(Step::Calls(
        calls,
        Box::new(move |outcomes| together(outcomes, &dest, &src)),
    ))
}

/// One outcome of many: changed if any is, failed as the first that failed.
pub(super) fn together(outcomes: Vec<Outcome>, dest: &str, src: &str) -> Outcome {
    if let Some(failed) = outcomes.iter().find(|o| o.failed || o.unreachable) {
        return failed.clone();
    }
    let mut all = Outcome::ok()
        .with("dest", Value::data(dest))
        .with("src", Value::data(src));
    for outcome in outcomes {
        all.changed |= outcome.changed;
        all.diffs.extend(outcome.diffs);
        all.warnings.extend(outcome.warnings);
        all.left_to_do.extend(outcome.left_to_do);
    }
    all
}
