//! Directories of inventories.

use super::LoadOptions;
use crate::diag::{Diagnostic, io_reason};
use std::path::{Path, PathBuf};

/// File name endings that a directory of inventories may hold and that are not inventories.
/// (The last three lie beside a Terraform state.)
const IGNORED_ENDINGS: [&str; 16] = [
    "~", ".orig", ".ini", ".cfg", ".retry", ".bak", ".swp", ".rpm", ".md", ".txt", ".rst", ".pyc",
    ".pyo", ".tf", ".tfvars", ".backup",
];

/// Names that a directory of inventories may hold and that are not inventories.
const IGNORED_NAMES: [&str; 4] = ["host_vars", "group_vars", "vars_plugins", "Vagrantfile"];

/// The inventories of a directory, in the order of their names. As in Ansible, `.ini` files are not among them;
/// but where there is nothing else, they are what was meant.
pub(super) fn entries(directory: &Path, options: &LoadOptions) -> Result<Vec<PathBuf>, Diagnostic> {
    let unreadable = |error: std::io::Error| {
        Diagnostic::error(
            "inventory::unreadable",
            format!("cannot read {}: {}", directory.display(), io_reason(&error)),
        )
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        names.push(
            entry
                .map_err(unreadable)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    names.retain(|name| !name.starts_with('.') && !IGNORED_NAMES.contains(&name.as_str()));
    for pattern in &options.ignored_patterns {
        let regex = fancy_regex::Regex::new(pattern).map_err(|error| {
            Diagnostic::error(
                "inventory::ignore-pattern",
                format!("`{pattern}` is not a regular expression: {error}"),
            )
        })?;
        names.retain(|name| !regex.is_match(name).unwrap_or(false));
    }
    let ignored: Vec<&str> = match &options.ignored_endings {
        Some(endings) => endings.iter().map(String::as_str).collect(),
        None => IGNORED_ENDINGS.to_vec(),
    };
    let kept = |ignored: &[&str]| -> Vec<PathBuf> {
        names
            .iter()
            .filter(|name| !ignored.iter().any(|ending| name.ends_with(ending)))
            .map(|name| directory.join(name))
            .collect()
    };
    let found = kept(&ignored);
    if !found.is_empty() || options.ignored_endings.is_some() {
        return Ok(found);
    }
    let without_ini: Vec<&str> = ignored
        .into_iter()
        .filter(|ending| *ending != ".ini")
        .collect();
    Ok(kept(&without_ini))
}
