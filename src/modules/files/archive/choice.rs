//! What is to be packed, as the arguments say it.

use super::entry::Entry;
use super::{Args, Format};
use crate::modules::{Failure, ModuleResult};
use crate::sys::{FileKind, Sys};
use std::path::{Path, PathBuf};

/// The paths that were chosen.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    /// What `path` stands for.
    pub found: Vec<PathBuf>,
    /// What `exclude_path` stands for.
    pub excluded: Vec<PathBuf>,
    /// What is packed.
    pub targets: Vec<PathBuf>,
    /// What was to be packed and is not there.
    pub missing: Vec<PathBuf>,
    /// The directory that they have in common, with a slash at its end; names in the archive begin after it.
    pub root: String,
    /// The archive.
    pub dest: PathBuf,
    /// Whether it is more than one compressed file.
    pub is_archive: bool,
}

impl Choice {
    pub(super) fn of(args: &Args, sys: &Sys) -> ModuleResult<Self> {
        let (found, has_patterns) = expand(sys, &args.path);
        let (excluded, _) = expand(sys, &args.exclude_path);
        let mut paths: Vec<PathBuf> = found
            .iter()
            .filter(|path| !excluded.contains(path))
            .cloned()
            .collect();
        paths.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
        // as written: a slash at the end makes a difference
        paths.dedup_by(|a, b| a.as_os_str() == b.as_os_str());
        let Some(first) = paths.first() else {
            return Err(Failure::new("Error, no source paths were found")
                .with("expanded_paths", joined(&found))
                .with("expanded_exclude_paths", joined(&excluded))
                .with("path", joined(&args.path)));
        };
        let is_directory = sys
            .stat(first, true)?
            .is_some_and(|meta| meta.kind == FileKind::Directory);
        let is_archive = args.force_archive || has_patterns || is_directory || paths.len() > 1;
        let dest = match &args.dest {
            Some(dest) => sys.expand(dest),
            None if is_archive => {
                return Err(Failure::new(
                    "Error, must specify \"dest\" when archiving multiple files or trees",
                )
                .with("path", joined(&args.path)));
            }
            None => beside(first, args.format),
        };
        let root = common_directory(&paths);
        if args.remove {
            for path in &paths {
                let is_directory = sys
                    .stat(path, true)?
                    .is_some_and(|meta| meta.kind == FileKind::Directory);
                if is_directory && dest.starts_with(path) {
                    return Err(Failure::new(
                        "Error, created archive can not be contained in source paths when remove=true",
                    )
                    .with("path", joined(&paths)));
                }
            }
        }
        let (targets, missing) = paths.into_iter().partition(|path| sys.exists(path));
        Ok(Self {
            found,
            excluded,
            targets,
            missing,
            root,
            dest,
            is_archive,
        })
    }

    /// What `remove` removes, and whether it is a directory: each target of which something was packed, and trees.
    pub(super) fn removals(
        &self,
        sys: &Sys,
        entries: &[Entry],
    ) -> ModuleResult<Vec<(PathBuf, bool)>> {
        let mut removals = Vec::new();
        for path in &self.targets {
            let is_directory = sys
                .stat(path, false)?
                .is_some_and(|meta| meta.kind == FileKind::Directory);
            if is_directory || entries.iter().any(|entry| entry.path.starts_with(path)) {
                removals.push((path.clone(), is_directory));
            }
        }
        Ok(removals)
    }
}

fn joined(paths: &[PathBuf]) -> String {
    let texts: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    texts.join(", ")
}

/// The paths with patterns replaced by what fits them, and whether there were patterns.
fn expand(sys: &Sys, paths: &[PathBuf]) -> (Vec<PathBuf>, bool) {
    let mut found = Vec::new();
    let mut has_patterns = false;
    for path in paths {
        let path = sys.expand(path);
        if path.to_string_lossy().contains(['*', '?']) {
            has_patterns = true;
            found.extend(sys.glob(&path));
        } else {
            found.push(path);
        }
    }
    (found, has_patterns)
}

fn beside(path: &Path, format: Format) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(format.word());
    PathBuf::from(name)
}

/// What is before the last slash, with a slash at its end; nothing if there is no slash.
fn directory_of(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((before, _)) => format!("{}/", before.trim_end_matches('/')),
        None => String::new(),
    }
}

/// The longest directory that all are below, with a slash at its end.
fn common_directory(paths: &[PathBuf]) -> String {
    let directories: Vec<String> = paths
        .iter()
        .map(|path| directory_of(&path.to_string_lossy()))
        .collect();
    let Some(first) = directories.first() else {
        return String::new();
    };
    let mut common = first.as_str();
    for directory in &directories {
        let length = common
            .char_indices()
            .zip(directory.chars())
            .find(|((_, a), b)| a != b)
            .map_or(common.len().min(directory.len()), |((at, _), _)| at);
        common = common.get(..length).unwrap_or_default();
    }
    directory_of(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_a_whole_directory() {
        for (paths, root) in [
            (vec!["/path/to/foo"], "/path/to/"),
            (vec!["/path/to/foo/"], "/path/to/foo/"),
            (vec!["/path/to/foo", "/path/two/foo"], "/path/"),
            (vec!["/etc", "/var"], "/"),
            (vec!["/etc/", "/etc/x/y"], "/etc/"),
            (vec!["a", "b/c"], ""),
        ] {
            let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
            assert_eq!(common_directory(&paths), root, "{paths:?}");
        }
    }
}
