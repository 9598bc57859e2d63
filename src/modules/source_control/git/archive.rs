//! Archives of a checkout.

use super::Args;
use super::tool::Tool;
use crate::modules::ModuleResult;
use crate::sys::{Sys, WriteOptions};
use std::path::Path;

fn format_of(path: &Path) -> ModuleResult<&'static str> {
    let name = path.to_string_lossy();
    [
        (".zip", "zip"),
        (".tar.gz", "tar.gz"),
        (".tar", "tar"),
        (".tgz", "tgz"),
    ]
    .into_iter()
    .find(|(end, _)| name.ends_with(end))
    .map(|(_, format)| format)
    .ok_or_else(|| format!("Unable to get file extension from archive file name : {name}").into())
}

/// Makes the archive; whether it is another one than that which was there.
pub(super) fn make(args: &Args, tool: &Tool, path: &Path, sys: &mut Sys) -> ModuleResult<bool> {
    let format = format_of(path)?;
    let scratch = sys.scratch()?;
    let shown = scratch
        .path()
        .join("archive")
        .to_string_lossy()
        .into_owned();
    let made = Path::new("/tmp")
        .join(scratch.path().file_name().unwrap_or_default())
        .join("archive");
    let format = format!("--format={format}");
    let prefix = args
        .archive_prefix
        .as_ref()
        .map(|prefix| format!("--prefix={prefix}"));
    let mut words = vec!["archive", &format, "-o", &shown];
    words.extend(prefix.as_deref());
    words.push(&args.version);
    tool.run_for(&words, "Failed to perform archive operation", sys)?;
    let new = sys
        .read(&made)?
        .ok_or("git made no archive, though it said so")?;
    if sys.read(path)?.as_deref() == Some(&new) {
        return Ok(false);
    }
    sys.write(path, &new, &WriteOptions::default())?;
    Ok(true)
}
