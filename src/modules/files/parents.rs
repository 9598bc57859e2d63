//! Directories that are missing on the way to a path.

use super::attrs::{Base, FileAttrs, Mode, facts_of, mode_text};
use crate::modules::{Failure, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys};
use std::path::Path;

/// The missing ones among a path and its parents, outermost first.
///
/// # Errors
/// When something on the way is no directory.
pub fn missing_directories(sys: &Sys, path: &Path) -> ModuleResult<Vec<std::path::PathBuf>> {
    let mut missing = Vec::new();
    for dir in path.ancestors() {
        if dir.as_os_str().is_empty() {
            break;
        }
        match sys.stat(dir, true)? {
            Some(meta) if meta.kind == FileKind::Directory => break,
            Some(_) => {
                return Err(Failure::new(format!(
                    "There was an issue creating {} as requested: {} is not a directory",
                    path.display(),
                    dir.display()
                )));
            }
            None => missing.push(dir.components().collect()),
        }
    }
    missing.reverse();
    Ok(missing)
}

/// Plans to make a path and its parents, as far as they are missing, each with these attributes; `mode` takes the
/// place of the mode in them. Return values of the last one are set as it is made.
///
/// # Errors
/// When something on the way is no directory, or an owner is unknown.
pub fn plan_directories(
    sys: &Sys,
    plan: &mut Plan<'_>,
    path: &Path,
    mode: Option<&Mode>,
    attrs: &FileAttrs,
) -> ModuleResult<()> {
    let mut attrs = attrs.clone();
    attrs.mode = mode.cloned();
    let base = Base::new_directory(sys);
    let wanted = attrs.resolve(sys, base)?;
    for dir in missing_directories(sys, path)? {
        let shown = dir.display();
        let diff = Diff::new(
            dir.to_string_lossy(),
            Some(format!("path: {shown}\nstate: absent\n")),
            Some(format!(
                "path: {shown}\nstate: directory\nmode: '{}'\n",
                mode_text(wanted.mode.unwrap_or(base.mode))
            )),
        );
        let last = dir.components().eq(path.components());
        plan.act(
            format!("make the directory {shown}"),
            Some(diff),
            move |sys, returns| {
                sys.make_dir(&dir, 0o777)?;
                wanted.set(sys, &dir, true)?;
                if last {
                    facts_of(sys, &dir, true)?.refresh(returns);
                }
                Ok(())
            },
        );
    }
    Ok(())
}
