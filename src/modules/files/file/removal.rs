//! `state: absent`.

use super::text;
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys};
use crate::value::{Map, Value};
use std::fmt::Write;
use std::path::Path;

/// Names shown of a directory that is removed.
const SHOWN: usize = 50;

pub(super) fn plan(plan: &mut Plan<'_>, sys: &Sys, path: &Path) -> ModuleResult<()> {
    plan.returns("path", text(path));
    plan.returns("state", "absent");
    let Some(meta) = sys.stat(path, false)? else {
        return Ok(());
    };
    let is_directory = meta.kind == FileKind::Directory;
    let mut before = format!(
        "path: {}\nstate: {}\n",
        path.display(),
        match meta.kind {
            FileKind::Directory => "directory",
            FileKind::Link => "link",
            _ => "file",
        }
    );
    if is_directory {
        let names = sys.list(path).unwrap_or_default();
        for name in names.iter().take(SHOWN) {
            let _ = writeln!(before, "content: {}", name.to_string_lossy());
        }
        if names.len() > SHOWN {
            let _ = writeln!(before, "content: and {} more", names.len() - SHOWN);
        }
    }
    let after = format!("path: {}\nstate: absent\n", path.display());
    let diff = Diff::new(path.to_string_lossy(), Some(before), Some(after));
    let owned = path.to_owned();
    plan.step(diff, move |sys| {
        if is_directory {
            sys.remove_tree(&owned)
        } else {
            sys.remove_file(&owned)
        }
    });
    Ok(())
}

/// The paths below a directory, in directories and others; the first thousand.
pub(super) fn content(sys: &Sys, path: &Path) -> Value {
    const MOST: usize = 1000;
    let (mut directories, mut files) = (Vec::new(), Vec::new());
    let mut open = vec![path.to_owned()];
    while let Some(directory) = open.pop() {
        for name in sys.list(&directory).unwrap_or_default() {
            let below = directory.join(name);
            if directories.len() + files.len() >= MOST {
                break;
            }
            let shown = text(&below);
            let is_directory = sys
                .stat(&below, false)
                .is_ok_and(|meta| meta.is_some_and(|meta| meta.kind == FileKind::Directory));
            if is_directory {
                directories.push(shown);
                open.push(below);
            } else {
                files.push(shown);
            }
        }
    }
    Value::map(
        Map::new()
            .with("directories", Value::list(directories))
            .with("files", Value::list(files)),
    )
}
