//! Reading inventory sources.

use super::document::read_source;
use super::script::{Ran, is_script};
use super::{Inventory, SourceSpec, ini, list, script, yaml};
use crate::diag::{Diagnostic, did_you_mean, io_reason};
use crate::vault::Vault;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// File name endings that a directory of inventories may hold and that are not inventories.
const IGNORED_ENDINGS: [&str; 13] = [
    "~", ".orig", ".ini", ".cfg", ".retry", ".bak", ".swp", ".rpm", ".md", ".txt", ".rst", ".pyc",
    ".pyo",
];

/// Names that a directory of inventories may hold and that are not inventories.
const IGNORED_NAMES: [&str; 4] = ["host_vars", "group_vars", "vars_plugins", "Vagrantfile"];

/// How to read inventories.
#[derive(Clone, Default)]
pub struct LoadOptions {
    /// Opens encrypted inventory files.
    pub vault: Arc<Vault>,
    /// File name endings to pass over in directories (`inventory_ignore_extensions`); none for Ansible's.
    pub ignored_endings: Option<Vec<String>>,
    /// Go on with a warning when a source cannot be read, as Ansible does by default.
    pub tolerate_unparsed: bool,
    /// `hash_behaviour = merge`: a variable that is a mapping is merged with what sources before gave.
    pub merge_hashes: bool,
}

/// Reads all sources, in order, into one inventory. No source at all gives an inventory without hosts.
///
/// # Errors
/// If a source cannot be read, unless the options tolerate that.
pub fn load(sources: &[SourceSpec], options: &LoadOptions) -> Result<Inventory, Diagnostic> {
    let mut inventory = Inventory::new();
    inventory.merge_hashes = options.merge_hashes;
    for source in sources {
        // a source that fails halfway leaves nothing behind
        let before = options.tolerate_unparsed.then(|| inventory.clone());
        let outcome = match source {
            SourceSpec::List(hosts) => list::parse(&mut inventory, hosts),
            SourceSpec::Path(path) => any_path(&mut inventory, path, options, 0),
        };
        match (outcome, before) {
            (Ok(()), _) => {}
            (Err(problem), Some(before)) => {
                inventory = before;
                inventory.warnings.push(Diagnostic {
                    severity: crate::diag::Severity::Warning,
                    ..problem
                });
                inventory.warnings.push(Diagnostic::warning(
                    "inventory::unparsed",
                    format!("Unable to parse {source} as an inventory source"),
                ));
            }
            (Err(problem), None) => return Err(problem),
        }
        inventory.sources.push(source.clone());
    }
    inventory.reconcile();
    inventory.warn_of_conflicts();
    Ok(inventory)
}

fn any_path(
    inventory: &mut Inventory,
    path: &Path,
    options: &LoadOptions,
    depth: usize,
) -> Result<(), Diagnostic> {
    if depth > 40 {
        return Err(Diagnostic::error(
            "inventory::too-deep",
            format!(
                "{} is a directory nested too deep (a link loop?)",
                path.display()
            ),
        ));
    }
    if path.is_dir() {
        for entry in entries(path, options)? {
            any_path(inventory, &entry, options, depth + 1)?;
        }
        return Ok(());
    }
    if !path.exists() {
        return Err(missing(path));
    }
    file(inventory, path, options)
}

fn missing(path: &Path) -> Diagnostic {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut near: Vec<String> = Vec::new();
    for folder in [folder.to_path_buf(), folder.join("inventories")] {
        for entry in std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .take(1000)
        {
            near.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Diagnostic::error(
        "inventory::missing",
        format!("there is no inventory {}", path.display()),
    )
    .maybe_hint(
        did_you_mean(&name, near.iter().map(String::as_str))
            .or_else(|| Some(format!("a list of hosts needs a comma: `-i {name},`"))),
    )
}

/// The inventories of a directory, in the order of their names. As in Ansible, `.ini` files are not among them;
/// but where there is nothing else, they are what was meant.
fn entries(directory: &Path, options: &LoadOptions) -> Result<Vec<PathBuf>, Diagnostic> {
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

fn file(inventory: &mut Inventory, path: &Path, options: &LoadOptions) -> Result<(), Diagnostic> {
    let head = head(path).map_err(|error| {
        Diagnostic::error(
            "inventory::unreadable",
            format!("cannot read {}: {error}", path.display()),
        )
    })?;
    if is_script(path, &head) {
        match script::parse(inventory, path)? {
            Ran::Parsed => return Ok(()),
            Ran::NotAProgram(error) if head.starts_with(b"#!") => {
                return Err(Diagnostic::error(
                    "inventory::script",
                    format!(
                        "cannot run the inventory script {}: {error}",
                        path.display()
                    ),
                )
                .hint(format!("make it executable: chmod +x {}", path.display())));
            }
            // the executable bit on a plain file, as on shared folders
            Ran::NotAProgram(_) => {}
        }
    }
    let extension = path.extension().and_then(|e| e.to_str());
    if extension == Some("toml") {
        return Err(Diagnostic::error(
            "inventory::toml",
            format!(
                "{}: TOML inventories are not built into runbook yet",
                path.display()
            ),
        ));
    }
    let source = read_source(path, &options.vault)?;
    let is_yaml = match extension {
        Some("yml" | "yaml" | "json") => !source.text.trim().is_empty(),
        None => looks_like_yaml(&source.text),
        Some(_) => false,
    };
    if is_yaml {
        let document = crate::yaml::parse(&source)?;
        inventory.warnings.extend(document.warnings);
        yaml::parse(inventory, &document.node, path)
    } else {
        ini::parse(inventory, &source)
    }
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut head = Vec::new();
    std::fs::File::open(path)?.take(2).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether a file without an extension is YAML: its first line that says something is `---`, a brace, or a key.
fn looks_like_yaml(text: &str) -> bool {
    let line = text
        .lines()
        .map(str::trim_end)
        .find(|line| !line.trim().is_empty() && !line.trim_start().starts_with(['#', ';']));
    line.is_some_and(|line| {
        line == "---"
            || line.starts_with("--- ")
            || line.starts_with(['{', '%'])
            || line.split_once(':').is_some_and(|(key, rest)| {
                !key.is_empty()
                    && !key.contains([' ', '=', '[', ']'])
                    && (rest.is_empty() || rest.starts_with(' '))
                    && !rest.contains('=')
            })
    })
}
