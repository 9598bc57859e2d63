//! `template`: rendered here, written by `copy` there.
//!
//! Source: Ansible's documentation of the module of that name.

use super::content::bytes_of;
use super::{Content, Error, Input, RemoteCall, Result, Step, shared};
use crate::module_args;
use crate::template::{FileOptions, file_variables};
use crate::value::{FromValue, Map, Value};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

module_args! {
    /// Arguments of `template` besides those of `copy`.
    pub struct TemplateArgs {
        /// The template on the controller, looked for in `templates/` of the role and beside the playbook.
        src: String => required;
        /// What a line break is written as.
        newline_sequence: Option<String> => optional;
        /// What begins a statement.
        block_start_string: String => default("{%");
        /// What ends a statement.
        block_end_string: String => default("%}");
        /// What begins an expression.
        variable_start_string: String => default("{{");
        /// What ends an expression.
        variable_end_string: String => default("}}");
        /// What begins a comment.
        comment_start_string: Option<String> => optional;
        /// What ends a comment.
        comment_end_string: Option<String> => optional;
        /// Whether the line break after a statement is removed.
        trim_blocks: bool => default(true);
        /// Whether blanks before a statement are removed.
        lstrip_blocks: bool => default(false);
        /// The encoding of the file.
        output_encoding: String => default("utf-8");
    }
}

/// Arguments that the rendering uses; the others go on to `copy`.
const OWN: &[&str] = &[
    "src",
    "newline_sequence",
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "trim_blocks",
    "lstrip_blocks",
    "output_encoding",
];

fn text(args: &Map, name: &str) -> Option<String> {
    args.get(name)
        .filter(|v| !v.is_null())
        .map(ToString::to_string)
}

fn flag(args: &Map, name: &str, default: bool) -> Result<bool> {
    match args.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => bool::from_value(value).map_err(|problem| {
            Error::Failed(format!("template: argument `{name}`: {}", problem.0))
        }),
    }
}

pub(super) fn template(input: &Input<'_>) -> Result<Step> {
    let args = &input.args;
    let (Some(src), Some(dest)) = (text(args, "src"), text(args, "dest")) else {
        return Err("src and dest are required".to_owned().into());
    };
    let (path, rendered) = rendered(input, args, &src, &dest)?;
    let bytes = match text(args, "output_encoding").filter(|name| !name.is_empty()) {
        Some(encoding) => crate::template::encode(&rendered, &encoding)
            .map_err(|why| format!("template: output_encoding: {why}"))?,
        None => rendered.into_bytes(),
    };
    let (sha256, content) = shared(bytes);
    let mut remote: Map = args
        .iter()
        .filter(|(key, _)| !key.as_str().is_some_and(|key| OWN.contains(&key)))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    if text(args, "mode").as_deref() == Some("preserve")
        && let Ok(meta) = std::fs::metadata(&path)
    {
        remote.set("mode", Value::data(format!("{:04o}", meta.mode() & 0o7777)));
    }
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    set_source(&mut remote, &sha256, &content, &name);
    let mut call = RemoteCall::new("copy", remote);
    call.contents.push((sha256, content));
    Ok(Step::Call(call))
}

/// Where a template is, and what it renders to; `args` has the options of rendering.
pub(super) fn rendered(
    input: &Input<'_>,
    args: &Map,
    src: &str,
    dest: &str,
) -> Result<(PathBuf, String)> {
    let path = input
        .cx
        .files()
        .find("templates", src)
        .ok_or_else(|| Error::Failed(format!("Could not find or access '{src}'")))?;
    let bytes = bytes_of(input, &path)?;
    let source = String::from_utf8(bytes)
        .map_err(|_| format!("the template {} is not UTF-8 text", path.display()))?;
    let newline = match text(args, "newline_sequence").as_deref() {
        None | Some("\n" | "\\n") => "\n",
        Some("\r\n" | "\\r\\n") => "\r\n",
        Some("\r" | "\\r") => "\r",
        Some(other) => {
            return Err(format!("template: `newline_sequence` cannot be {other:?}").into());
        }
    };
    let defaults = FileOptions::default();
    let pair = |first: &str, second: &str, default: &(String, String)| {
        (
            text(args, first).unwrap_or_else(|| default.0.clone()),
            text(args, second).unwrap_or_else(|| default.1.clone()),
        )
    };
    let options = FileOptions {
        trim_blocks: flag(args, "trim_blocks", true)?,
        lstrip_blocks: flag(args, "lstrip_blocks", false)?,
        newline_sequence: newline.to_owned(),
        block_delimiters: pair(
            "block_start_string",
            "block_end_string",
            &defaults.block_delimiters,
        ),
        variable_delimiters: pair(
            "variable_start_string",
            "variable_end_string",
            &defaults.variable_delimiters,
        ),
        comment_delimiters: pair(
            "comment_start_string",
            "comment_end_string",
            &defaults.comment_delimiters,
        ),
        path: Some(path.clone()),
        ..defaults
    };
    let cx = input
        .cx
        .with_vars(file_variables(&path, src, Value::data(dest), input.managed));
    let rendered = input.templar.render_file(&source, &options, &cx)?;
    Ok((path, rendered))
}

/// Tells `copy` what content it gets.
pub(super) fn set_source(args: &mut Map, sha256: &str, content: &Content, name: &str) {
    args.set("_sha256", Value::data(sha256));
    if let Ok(sha1) = content.sha1() {
        args.set("_sha1", Value::data(sha1));
    }
    args.set("_size", content.size().unwrap_or_default());
    args.set("_source_name", Value::data(name));
}
