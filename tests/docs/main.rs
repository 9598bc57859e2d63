//! The documents stay true: their examples run, their tables are those of the code, their links lead somewhere.

mod console;
mod numbers;
mod seeds;
mod tables;
mod vagrant;

use std::fs;
use std::path::{Path, PathBuf};

/// The package's directory.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file of the package.
///
/// # Panics
/// When it cannot be read.
#[track_caller]
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All documents: those at the top, in `docs/`, and the roles' own.
///
/// # Panics
/// When a directory cannot be read.
pub fn documents() -> Vec<PathBuf> {
    let mut open = vec![root().join("docs"), root().join("roles")];
    let mut found = markdown_in(root());
    while let Some(directory) = open.pop() {
        found.extend(markdown_in(&directory));
        let inner = fs::read_dir(&directory).expect("a directory of documents");
        open.extend(
            inner
                .filter_map(Result::ok)
                .map(|entry| entry.path())
                .filter(|path| path.is_dir()),
        );
    }
    found.sort();
    assert!(found.len() > 10, "the documents were not found");
    found
}

fn markdown_in(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory)
        .expect("a directory of documents")
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// `](target)` of every link that stays in the repository, without its anchor.
fn links(text: &str) -> Vec<&str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
        .filter(|target| !target.contains("://") && !target.contains(char::is_whitespace))
        .map(|target| target.split('#').next().unwrap_or(target))
        .filter(|target| !target.is_empty())
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a document");
        let directory = document.parent().expect("in a directory");
        for target in links(&text) {
            if !directory.join(target).exists() {
                dead.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(dead.is_empty(), "dead links:\n{}", dead.join("\n"));
}
