//! Which configuration file is read.

use crate::diag::{Diagnostic, Source};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file for all users of the machine.
pub(super) const SYSTEM: &str = "/etc/ansible/ansible.cfg";

/// The first file that there is, and warnings about files that were passed over.
pub(super) fn find(
    env: &dyn Fn(&str) -> Option<String>,
    cwd: &Path,
    system: &Path,
) -> Result<(Option<Arc<Source>>, Vec<Diagnostic>), Diagnostic> {
    let mut warnings = Vec::new();
    let home = env("HOME").filter(|home| !home.is_empty());
    if let Some(named) = env("ANSIBLE_CONFIG").filter(|named| !named.is_empty()) {
        let mut path = cwd.join(super::read::expand(&named, env));
        if path.is_dir() {
            path.push("ansible.cfg");
        }
        if let Some(source) = load(&path)? {
            return Ok((Some(source), warnings));
        }
        warnings.push(
            Diagnostic::warning(
                "config::missing",
                format!(
                    "$ANSIBLE_CONFIG names {}, which cannot be read",
                    path.display()
                ),
            )
            .note("the other places of ansible.cfg are searched instead"),
        );
    }
    let local = cwd.join("ansible.cfg");
    let public = std::fs::metadata(cwd).is_ok_and(|meta| meta.permissions().mode() & 0o002 != 0);
    if !public {
        if let Some(source) = load(&local)? {
            return Ok((Some(source), warnings));
        }
    } else if local.exists() {
        warnings.push(
            Diagnostic::warning(
                "config::world-writable",
                format!(
                    "{} is ignored: anyone can write to its directory",
                    local.display()
                ),
            )
            .hint("take the right to write from others (chmod o-w), or name the file in $ANSIBLE_CONFIG"),
        );
    }
    let user = home.map(|home| PathBuf::from(home).join(".ansible.cfg"));
    for path in user.iter().map(PathBuf::as_path).chain([system]) {
        if let Some(source) = load(path)? {
            return Ok((Some(source), warnings));
        }
    }
    Ok((None, warnings))
}

/// The file's text, if it can be read.
fn load(path: &Path) -> Result<Option<Arc<Source>>, Diagnostic> {
    let Ok(bytes) = std::fs::read(path) else {
        return Ok(None);
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(Source::new(path, text))),
        Err(_) => Err(Diagnostic::error(
            "config::syntax",
            format!("{} is not UTF-8 text", path.display()),
        )),
    }
}
