//! Inventories in `tests/inventory/`, against what the reference implementation printed for them.

use crate::inventory::{LoadOptions, SourceSpec, load};
use crate::vars::{StoreOptions, VarStore};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// JSON as `ansible-inventory` prints it.
fn printed(json: &serde_json::Value) -> String {
    let mut out = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    json.serialize(&mut serde_json::Serializer::with_formatter(
        &mut out, format,
    ))
    .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn inventories_list_as_the_reference_lists_them() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inventory");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(directory)
        .unwrap()
        .flatten()
        .map(|e| e.path())
        .collect();
    cases.sort();
    let mut count = 0;
    let mut wrong = Vec::new();
    for expected in cases
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
    {
        count += 1;
        let case = expected.with_extension("");
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let inventory = match load(&[SourceSpec::Path(case.clone())], &LoadOptions::default()) {
            Ok(inventory) => inventory,
            Err(problem) => {
                wrong.push(format!("{name}: {problem}"));
                continue;
            }
        };
        let store = VarStore::new(
            inventory.clone(),
            StoreOptions {
                playbook_dir: "/nonexistent".into(),
                ..StoreOptions::default()
            },
        );
        let list = printed(
            &inventory
                .to_list_json(|host| store.inventory_vars(host))
                .unwrap(),
        );
        let expected = std::fs::read_to_string(expected).unwrap();
        if list.trim() != expected.trim() {
            let lines = list
                .lines()
                .zip(expected.lines())
                .find(|(got, wanted)| got != wanted);
            wrong.push(format!("{name}: {lines:?}"));
        }
        let graph = std::fs::read_to_string(case.with_file_name(format!("{name}.graph"))).unwrap();
        if inventory.graph("all").unwrap().trim() != graph.trim() {
            wrong.push(format!(
                "{name}: graph is\n{}",
                inventory.graph("all").unwrap()
            ));
        }
    }
    assert!(count > 30, "only {count} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
