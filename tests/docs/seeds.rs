//! The table of what the cluster was to have: roles and scenarios that it names are there.

use super::{read, root};

const DOCUMENT: &str = "docs/kubernetes-seeds.md";
const LEVELS: &[&str] = &["runs", "accepted", "rendered", "not built"];

/// `name`s between backquotes.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// What is wrong with one row.
fn wrong(row: &str) -> Option<String> {
    let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
    let [_, roles, scenarios, level] = cells.as_slice() else {
        return Some("not four cells".to_owned());
    };
    let level = level.split(':').next().unwrap_or_default();
    if !LEVELS.contains(&level) {
        return Some(format!("`{level}` is no level"));
    }
    if level != "not built" && (names(scenarios).is_empty() && level != "rendered") {
        return Some(format!("`{level}` without a scenario"));
    }
    let missing = |names: Vec<&str>, directory: &str, file: &str| {
        names
            .into_iter()
            .find(|name| !root().join(directory).join(name).join(file).exists())
            .map(|name| format!("there is no {directory}/{name}/{file}"))
    };
    missing(names(roles), "roles", "meta/main.yml")
        .or_else(|| missing(names(scenarios), "molecule-like-tests", "scenario.yml"))
}

#[test]
fn the_seeds_name_what_there_is() {
    let text = read(DOCUMENT);
    let (_, tables) = text.split_once("\n## ").expect("tables");
    let rows: Vec<&str> = tables
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| item |"))
        .collect();
    assert!(rows.len() > 70, "{} rows", rows.len());
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| wrong(row).map(|why| format!("{row}\n    {why}")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rows_that_are_wrong() {
    assert_eq!(wrong("| a | `etcd` | `etcd-ha` | runs: in CI |"), None);
    assert_eq!(wrong("| a | - | - | not built: it is dead |"), None);
    for row in [
        "| a | `nothing` | `etcd-ha` | runs |",
        "| a | `etcd` | `nothing` | runs |",
        "| a | `etcd` | - | runs |",
        "| a | `etcd` | `etcd-ha` | works |",
        "| a | `etcd` | `etcd-ha` |",
    ] {
        assert!(wrong(row).is_some(), "{row}");
    }
}
