//! For any two levels that define a name, the higher wins.

use super::value;
use crate::inventory::{Inventory, LoadOptions, SourceSpec, load};
use crate::template::Scope;
use crate::value::{Map, Value};
use crate::vars::{HostScope, Layer, Level, Magic, ScopeParts, StoreOptions, VarStore};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

/// All levels a user can set, lowest first.
const LEVELS: [Level; 24] = [
    Level::RoleDefaults,
    Level::InventoryAll,
    Level::InventoryGroup,
    Level::GroupVarsAll,
    Level::PlaybookGroupVarsAll,
    Level::GroupVars,
    Level::PlaybookGroupVars,
    Level::InventoryHost,
    Level::HostVars,
    Level::PlaybookHostVars,
    Level::Facts,
    Level::PlayVars,
    Level::VarsPrompt,
    Level::VarsFiles,
    Level::RoleVars,
    Level::BlockVars,
    Level::TaskVars,
    Level::IncludeVars,
    Level::SetFact,
    Level::RoleParams,
    Level::IncludeParams,
    Level::ExtraVars,
    Level::Magic,
    Level::Local,
];

/// A scope in which `x` is set at those levels, to the number of the level; magic is left out.
fn scope_of(
    root: &Path,
    levels: &[Level],
    merge: bool,
    of: impl Fn(Level) -> Value,
) -> Arc<HostScope> {
    let has = |level: Level| levels.contains(&level);
    let vars = |level: Level| Map::new().with("x", of(level));
    let file = |level: Level, path: &str| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = std::fs::remove_file(&path);
        if has(level) {
            std::fs::write(path, Value::map(vars(level)).to_json().to_string()).unwrap();
        }
    };
    file(Level::GroupVarsAll, "inv/group_vars/all.json");
    file(Level::PlaybookGroupVarsAll, "play/group_vars/all.json");
    file(Level::GroupVars, "inv/group_vars/g.json");
    file(Level::PlaybookGroupVars, "play/group_vars/g.json");
    file(Level::HostVars, "inv/host_vars/h.json");
    file(Level::PlaybookHostVars, "play/host_vars/h.json");
    std::fs::write(root.join("inv/hosts.ini"), "[g]\nh\n").unwrap();
    let source = SourceSpec::Path(root.join("inv/hosts.ini"));
    let mut inventory: Inventory = load(&[source], &LoadOptions::default()).unwrap();
    for (level, entity) in [
        (Level::InventoryAll, "all"),
        (Level::InventoryGroup, "g"),
        (Level::InventoryHost, "h"),
    ] {
        if has(level) {
            inventory
                .set_variable(entity, &Value::str("x"), of(level))
                .unwrap();
        }
    }
    let extra_vars = if has(Level::ExtraVars) {
        vec![("-e".into(), vars(Level::ExtraVars))]
    } else {
        Vec::new()
    };
    let store = VarStore::new(
        inventory,
        StoreOptions {
            playbook_dir: root.join("play"),
            extra_vars,
            merge_hashes: merge,
            ..StoreOptions::default()
        },
    );
    let origin: Arc<str> = Arc::from("test");
    if has(Level::Facts) {
        store.set_facts("h", vars(Level::Facts));
    }
    if has(Level::IncludeVars) {
        store.include_vars("h", vars(Level::IncludeVars), &origin);
    }
    if has(Level::SetFact) {
        store.set_fact("h", "x", of(Level::SetFact), false, &origin);
    }
    let layer = |level: Level| Layer::new(level, "test", vars(level));
    // in whatever order they are handed over
    let mut parts: Vec<Layer> = LEVELS
        .into_iter()
        .filter(|level| {
            has(*level)
                && matches!(
                    level,
                    Level::RoleDefaults
                        | Level::PlayVars
                        | Level::VarsPrompt
                        | Level::VarsFiles
                        | Level::RoleVars
                        | Level::BlockVars
                        | Level::TaskVars
                        | Level::RoleParams
                        | Level::IncludeParams
                )
        })
        .map(layer)
        .collect();
    parts.reverse();
    let scope_parts = ScopeParts {
        play: &parts,
        task: &[],
        local: has(Level::Local).then(|| layer(Level::Local)),
    };
    store.scope("h", scope_parts, Magic::default()).unwrap()
}

fn number(level: Level) -> Value {
    Value::Int(level as i64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_highest_level_wins_and_explains_itself(chosen in proptest::sample::subsequence(&LEVELS[..], 0..LEVELS.len())) {
        let chosen: Vec<Level> = chosen.into_iter().filter(|l| *l != Level::Magic).collect();
        let directory = tempfile::tempdir().unwrap();
        let scope = scope_of(directory.path(), &chosen, false, number);
        prop_assert_eq!(value(&*scope, "x"), chosen.last().map(|l| number(*l)));
        prop_assert_eq!(scope.names().iter().any(|n| &**n == "x"), !chosen.is_empty());
        let explained: Vec<Level> = scope.explain("x").into_iter().map(|p| p.level).collect();
        let mut expected = chosen;
        expected.reverse();
        prop_assert_eq!(explained, expected);
    }

    #[test]
    fn merged_mappings_have_the_members_of_all_levels(chosen in proptest::sample::subsequence(&LEVELS[..], 1..LEVELS.len())) {
        let chosen: Vec<Level> =
            chosen.into_iter().filter(|l| !matches!(l, Level::Magic | Level::Local)).collect();
        let directory = tempfile::tempdir().unwrap();
        let scope = scope_of(directory.path(), &chosen, true, |level| {
            Value::map(Map::new().with("top", number(level)).with(level.title(), true))
        });
        let mut expected = Map::new();
        for level in &chosen {
            expected.set(level.title(), true);
            expected.set("top", number(*level));
        }
        prop_assert_eq!(value(&*scope, "x"), (!chosen.is_empty()).then(|| Value::map(expected)));
    }
}

#[test]
fn magic_wins_over_extra_vars_and_locals_over_magic() {
    let store = VarStore::new(
        Inventory::new(),
        StoreOptions {
            extra_vars: vec![(
                "-e".into(),
                Map::new()
                    .with("inventory_hostname", "mine")
                    .with("ansible_forks", "evil")
                    .with("y", 1),
            )],
            ..StoreOptions::default()
        },
    );
    let scope = store
        .scope("h", ScopeParts::default(), Magic::default())
        .unwrap();
    assert_eq!(value(&*scope, "ansible_forks"), Some(5.into()));
    let levels =
        |name: &str| -> Vec<_> { scope.explain(name).into_iter().map(|p| p.level).collect() };
    assert_eq!(levels("ansible_forks"), [Level::Magic, Level::ExtraVars]);
    // what Ansible has as a variable of the inventory gives way
    assert_eq!(value(&*scope, "inventory_hostname"), Some("mine".into()));
    assert_eq!(
        levels("inventory_hostname"),
        [Level::ExtraVars, Level::Magic]
    );
    let local = Layer::new(
        Level::Local,
        "loop",
        Map::new().with("ansible_forks", "item").with("item", 5),
    );
    let inner = scope.with_local(local);
    assert_eq!(value(&*inner, "ansible_forks"), Some("item".into()));
    assert_eq!(value(&*inner, "item"), Some(5.into()));
    assert_eq!(value(&*scope, "item"), None);
}

#[test]
fn register_and_set_fact_overwrite_each_other() {
    let store = VarStore::new(Inventory::new(), StoreOptions::default());
    let origin: Arc<str> = Arc::from("task");
    let now = || {
        let scope = store
            .scope("h", ScopeParts::default(), Magic::default())
            .unwrap();
        let explained = scope.explain("x").remove(0);
        (value(&*scope, "x").unwrap(), explained.level)
    };
    store.register("h", "x", 1.into(), &origin);
    store.set_fact("h", "x", 2.into(), false, &origin);
    assert_eq!(now(), (2.into(), Level::SetFact));
    store.register("h", "x", 3.into(), &origin);
    assert_eq!(now(), (3.into(), Level::Registered));
}
