//! The texts that targets begin with: those of the tests.

use std::path::{Path, PathBuf};

/// Longer ones would only be slow.
const LONGEST: usize = 20_000;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files under these directories that fit, sorted.
pub fn under(directories: &[&str], fits: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = directories
        .iter()
        .flat_map(|directory| walkdir::WalkDir::new(root().join(directory)))
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .filter(|path| fits(path))
        .collect();
    found.sort();
    found
}

/// Whether the name ends so.
pub fn ends(path: &Path, endings: &[&str]) -> bool {
    path.extension()
        .and_then(|e| e.to_str())
        .is_some_and(|e| endings.contains(&e))
}

/// What these files hold, each text once.
pub fn texts(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = paths
        .iter()
        .filter_map(|path| std::fs::read(path).ok())
        .filter(|text| text.len() <= LONGEST)
        .collect();
    all.sort();
    all.dedup();
    all
}

/// The files of the differential cases whose name fits (`playbook.yml` is the first of each).
pub fn of_cases(fits: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for path in under(&["tests/differential/cases"], |path| ends(path, &["yml"])) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        for (number, part) in text.split("#==> ").enumerate() {
            let (name, content) = match part.split_once('\n') {
                Some((name, content)) if number > 0 => (name.trim(), content),
                _ => ("playbook.yml", part),
            };
            if fits(name) {
                all.push(content.as_bytes().to_vec());
            }
        }
    }
    all
}
