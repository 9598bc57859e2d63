//! The numbers in `docs/compatibility.md`, counted from what they are about.
//!
//! `RUNBOOK_DOCS=write cargo test --test docs` writes them anew.

use super::{read, root};
use runbook::actions::ActionRegistry;
use runbook::modules::Registry;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

const DOCUMENT: &str = "docs/compatibility.md";
const BEGIN: &str = "<!-- numbers -->\n";
const END: &str = "<!-- end of the numbers -->\n";

fn numbers() -> String {
    let mut text = "| of | counted |\n|---|---|\n".to_owned();
    let mut collections: BTreeMap<&str, usize> = BTreeMap::new();
    let modules = Registry
        .entries()
        .filter(|entry| !entry.name.starts_with('_'));
    for entry in modules {
        *collections.entry(entry.collection).or_default() += 1;
    }
    let only_here = ActionRegistry
        .names()
        .filter(|name| !name.starts_with('_') && Registry.find(name).is_none())
        .count();
    *collections.entry("ansible.builtin").or_default() += only_here;
    let modules: Vec<String> = collections
        .iter()
        .map(|(collection, count)| format!("{collection} {count}"))
        .collect();
    let _ = writeln!(
        text,
        "| modules and actions, by collection | {} |",
        modules.join(", ")
    );

    let files = fs::read_dir(root().join("tests/differential/cases")).expect("the cases");
    let cases: Vec<String> = files
        .filter_map(Result::ok)
        .filter(|entry| entry.path().extension().is_some_and(|end| end == "yml"))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let collections = cases
        .iter()
        .filter(|name| name.starts_with("collections-"))
        .count();
    let known = read("tests/differential/main.rs");
    let known = known
        .split_once("const KNOWN: &[&str] = &[")
        .and_then(|(_, rest)| rest.split_once("];"))
        .map_or(0, |(list, _)| {
            list.lines()
                .filter(|line| line.trim().starts_with('"'))
                .count()
        });
    let _ = writeln!(
        text,
        "| cases compared with ansible-core (`tests/differential`) | {}, {collections} of them on collections; known to differ: {known} |",
        cases.len()
    );

    let lines = |file: &str| {
        let text = read(&format!("tests/conformance/{file}"));
        text.lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .count()
    };
    let targets = lines("language.txt") + lines("modules.txt");
    let (fail, other) = (lines("known.tsv"), lines("recaps.tsv"));
    let _ = writeln!(
        text,
        "| targets of Ansible's own integration tests (`tests/conformance`) | {targets}; known to fail, each with its reason in `known.tsv`: {fail}; with another recap on purpose (`recaps.tsv`): {other} |"
    );
    text
}

#[test]
fn the_numbers_are_counted() {
    let text = read(DOCUMENT);
    let (before, rest) = text.split_once(BEGIN).expect("the mark before the numbers");
    let (written, after) = rest.split_once(END).expect("the mark after the numbers");
    let numbers = numbers();
    if std::env::var("RUNBOOK_DOCS").is_ok_and(|value| value == "write") {
        let whole = format!("{before}{BEGIN}{numbers}{END}{after}");
        fs::write(root().join(DOCUMENT), whole).expect("the document");
    } else {
        assert!(
            written == numbers,
            "{DOCUMENT} is not what is counted; RUNBOOK_DOCS=write cargo test --test docs writes it:\n{numbers}"
        );
    }
}
