//! Every module over its fixtures, and the laws that hold for all of them.
//!
//! A fixture is `tests/modules/<module>/<case>.yml`: a world before, arguments, what comes out, the world after.
//! Each is run in check mode (which must change nothing and foretell everything), applied, and applied again (which
//! must have nothing left to do). `FIXTURES=copy cargo test --test modules` runs those whose path contains `copy`.

#[path = "modules/fixture.rs"]
mod fixture;
#[path = "modules/world.rs"]
mod world;

use fixture::Fixture;
use runbook::modules::{Registry, RunMode};
use runbook::value::{ArgProblem, Map, check_args};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// All fixtures, sorted by path.
fn fixtures() -> Vec<PathBuf> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modules");
    let only = std::env::var("FIXTURES").unwrap_or_default();
    let mut found: Vec<PathBuf> = walkdir::WalkDir::new(root)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|e| e == "yml"))
        .filter(|path| path.to_string_lossy().contains(&only))
        .collect();
    found.sort();
    found
}

#[test]
fn fixtures_hold() {
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    let mut problems = Vec::new();
    let paths = fixtures();
    assert!(!paths.is_empty(), "no fixtures found");
    for path in &paths {
        let found = match Fixture::read(path) {
            Ok(fixture) => fixture.run(),
            Err(problem) => vec![problem],
        };
        for problem in found {
            problems.push(format!("{}: {problem}", path.display()));
        }
    }
    assert!(
        problems.is_empty(),
        "{} problems in {} fixtures:\n{}",
        problems.len(),
        paths.len(),
        problems.join("\n")
    );
}

/// Arguments are checked before anything is done: an unknown one is named.
#[test]
fn an_unknown_argument_is_named() {
    let modules: BTreeSet<String> = fixtures()
        .iter()
        .filter_map(|path| Some(path.parent()?.file_name()?.to_str()?.to_owned()))
        .collect();
    for name in modules {
        let entry = Registry
            .find(&name)
            .unwrap_or_else(|| panic!("no module `{name}`"));
        let dir = tempfile::tempdir().expect("a directory");
        let mut sys = runbook::sys::Sys::rooted(
            dir.path(),
            std::sync::Arc::new(runbook::sys::FakeRunner::new()),
        );
        let args = Map::new().with("no_such_argument", "x");
        let outcome = (entry.run)(&args, &mut sys, RunMode::default());
        assert!(outcome.failed, "{name} took an unknown argument");
        // what is missing is told first, as Ansible does; the check itself knows all of it
        let problems = check_args(&(entry.spec)(), &args.as_args());
        let is_named = problems.iter().any(
            |problem| matches!(problem, ArgProblem::Unknown { name, .. } if name == "no_such_argument"),
        );
        assert!(is_named, "{name} takes it");
    }
}

/// What the documentation and completion read of every module is whole.
#[test]
fn every_argument_is_documented() {
    for entry in Registry.entries() {
        let spec = (entry.spec)();
        assert!(!spec.doc.is_empty(), "{} has no summary", entry.name);
        let mut seen = BTreeSet::new();
        for field in &spec.fields {
            for name in std::iter::once(&field.name).chain(field.aliases) {
                assert!(seen.insert(*name), "{}: `{name}` twice", entry.name);
            }
            if !field.name.starts_with('_') {
                assert!(
                    !field.doc.is_empty(),
                    "{}: `{}` has no description",
                    entry.name,
                    field.name
                );
            }
        }
    }
}
