//! `state: absent`.

use super::text;
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys};
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
