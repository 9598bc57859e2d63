//! Tables in the documents that repeat what the code says.
//!
//! `RUNBOOK_DOCS=write cargo test --test docs` writes the table of modules anew.

use super::{read, root};
use runbook::actions::ActionRegistry;
use runbook::modules::Registry;
use std::collections::BTreeSet;
use std::fmt::Write;

const MODULES: &str = "docs/modules.md";
const BEGIN: &str = "<!-- table of the registry -->\n";
const END: &str = "<!-- end of the table -->\n";

/// The table of modules, from the registry.
fn table() -> String {
    let mut entries: Vec<_> = Registry
        .entries()
        .filter(|entry| !entry.name.starts_with('_'))
        .collect();
    entries.sort_by_key(|entry| entry.name);
    let mut table = "| module | collection | does |\n|---|---|---|\n".to_owned();
    for entry in entries {
        let names: Vec<String> = std::iter::once(&entry.name)
            .chain(entry.aliases)
            .map(|name| format!("`{name}`"))
            .collect();
        let spec = (entry.spec)();
        let summary = spec.doc.lines().next().unwrap_or_default();
        let _ = writeln!(
            table,
            "| {} | {} | {summary} |",
            names.join(", "),
            entry.collection
        );
    }
    table
}

#[test]
fn the_table_of_modules_is_the_registry() {
    let text = read(MODULES);
    let (before, rest) = text.split_once(BEGIN).expect("the mark before the table");
    let (written, after) = rest.split_once(END).expect("the mark after the table");
    let table = table();
    if std::env::var("RUNBOOK_DOCS").is_ok_and(|value| value == "write") {
        let whole = format!("{before}{BEGIN}{table}{END}{after}");
        std::fs::write(root().join(MODULES), whole).expect("the document");
    } else {
        assert!(
            written == table,
            "{MODULES} is not what the registry says; RUNBOOK_DOCS=write cargo test --test docs writes it:\n{table}"
        );
    }
}

#[test]
fn every_action_of_the_controller_has_a_row() {
    let text = read(MODULES);
    let rows: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once(" | "))
        .flat_map(|(names, _)| names.split('`').step_by(2))
        .filter(|name| !name.is_empty())
        .collect();
    let missing: Vec<&str> = ActionRegistry
        .names()
        .filter(|name| !rows.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "without a row in {MODULES}: {missing:?}"
    );
    let unknown: Vec<&&str> = rows
        .iter()
        .filter(|name| {
            Registry.find(name).is_none() && !ActionRegistry.names().any(|known| known == **name)
        })
        .collect();
    assert!(
        unknown.is_empty(),
        "in {MODULES}, but not in the code: {unknown:?}"
    );
}

#[test]
fn what_is_said_to_be_missing_is_missing() {
    let text = read("docs/compatibility.md");
    // there is no such row as long as all of them are built
    let Some(row) = text
        .lines()
        .find(|line| line.starts_with("| Not built, of ansible.builtin |"))
    else {
        return;
    };
    let built: Vec<&str> = row
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| Registry.find(name).is_some() || ActionRegistry.find(name).is_some())
        .collect();
    assert!(
        built.is_empty(),
        "in docs/compatibility.md as missing, but built: {built:?}"
    );
}

/// `("name", "a b")` pairs of the test's table.
fn enforced() -> Vec<(String, String)> {
    let source = read("tests/architecture/main.rs");
    let (_, rest) = source
        .split_once("const MAY_IMPORT")
        .expect("the table in the test");
    let (table, _) = rest.split_once("\n];").expect("the end of the table");
    let strings: Vec<&str> = table.split('"').skip(1).step_by(2).collect();
    strings
        .chunks_exact(2)
        .map(|pair| (pair[0].to_owned(), pair[1].to_owned()))
        .collect()
}

#[test]
fn the_table_of_imports_is_the_one_that_is_enforced() {
    let text = read("docs/architecture.md");
    let (_, rest) = text
        .split_once("| directory | may import |\n|---|---|\n")
        .expect("the table in docs/architecture.md");
    let written: Vec<(String, String)> = rest
        .lines()
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            let mut cell = || {
                cells
                    .next()
                    .unwrap_or_default()
                    .trim_matches('`')
                    .to_owned()
            };
            let (name, allowed) = (cell(), cell());
            let allowed = match allowed.as_str() {
                "nothing" => String::new(),
                "everything" => "*".to_owned(),
                _ => allowed,
            };
            (name, allowed)
        })
        .collect();
    assert_eq!(written, enforced());
}
