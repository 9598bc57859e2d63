//! Steps that many modules have: a tool that is run, a file of text that is rewritten.

use super::streams::command_failed;
use super::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Output, Sys, WriteOptions};
use std::path::Path;

/// Runs one of the system's tools, which must end well.
///
/// # Errors
/// With the tool's complaint, `rc` and streams.
pub(crate) fn run_tool(sys: &mut Sys, words: &[&str]) -> ModuleResult<Output> {
    let command = sys.tool(words.iter().copied());
    let output = sys.run(&command)?;
    if output.ok() {
        Ok(output)
    } else {
        let what = words.first().copied().unwrap_or_default();
        Err(command_failed(what, &command, &output))
    }
}

/// What a tool prints that only looks.
///
/// # Errors
/// With the tool's complaint, `rc` and streams.
pub(crate) fn ask_tool(sys: &Sys, words: &[&str]) -> ModuleResult<String> {
    let command = sys.tool(words.iter().copied());
    let output = sys.query(&command)?;
    if output.ok() {
        Ok(output.text())
    } else {
        let what = words.first().copied().unwrap_or_default();
        Err(command_failed(what, &command, &output))
    }
}

/// Plans a text file's new content, where it differs; with `backup`, the old file is kept and named `backup_file`.
pub(crate) fn rewrite(
    sys: &Sys,
    plan: &mut Plan<'_>,
    path: &Path,
    new: String,
    backup: bool,
) -> ModuleResult<()> {
    let old = sys.read_text(path)?;
    if old.as_deref() == Some(new.as_str()) {
        return Ok(());
    }
    let is_there = old.is_some();
    let diff = Diff::new(path.to_string_lossy(), old, Some(new.clone()));
    let path = path.to_owned();
    plan.act(
        format!("write {}", path.display()),
        Some(diff),
        move |sys, data| {
            if backup && is_there {
                let kept = sys.backup(&path)?;
                data.set(
                    "backup_file",
                    crate::value::Value::data(kept.to_string_lossy().as_ref()),
                );
            }
            Ok(sys.write(&path, new.as_bytes(), &WriteOptions::default())?)
        },
    );
    Ok(())
}
