//! Scopes, `hostvars`, facts and magic variables.

use super::value;
use crate::inventory::{LoadOptions, SourceSpec, load};
use crate::template::{Scope, ScopeMap, Variable};
use crate::value::{Map, OMIT, Trust, Value};
use crate::vars::{
    HostScope, Layer, Level, Magic, PlayMagic, RunMagic, ScopeParts, StoreOptions, TaskMagic,
    VarStore,
};
use crate::vault::{Identity, Password, Vault, encrypt};
use std::path::Path;
use std::sync::Arc;

fn store_of(ini: &str) -> Arc<VarStore> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hosts.ini");
    std::fs::write(&path, ini).unwrap();
    let inventory = load(&[SourceSpec::Path(path)], &LoadOptions::default()).unwrap();
    VarStore::new(
        inventory,
        StoreOptions {
            playbook_dir: directory.path().join("nowhere"),
            ..StoreOptions::default()
        },
    )
}

fn scope(store: &Arc<VarStore>, host: &str) -> Arc<HostScope> {
    let play = [Layer::new(
        Level::PlayVars,
        "play",
        Map::new().with("of_play", 1),
    )];
    let magic = Magic {
        run: Arc::new(RunMagic {
            playbook_dir: "/p".into(),
            limit: Some("web".into()),
            ..RunMagic::default()
        }),
        play: Some(Arc::new(PlayMagic {
            dir: "/p".into(),
            name: "a play".into(),
            hosts_all: ["h1", "h2"].map(Arc::from).into(),
            hosts: ["h2"].map(Arc::from).into(),
            batch: ["h2"].map(Arc::from).into(),
            role_names: vec!["a".into()],
            dependent_role_names: vec!["b".into()],
        })),
        task: Some(Arc::new(TaskMagic {
            role_name: Some("ns.col.a".into()),
            check_mode: Some(true),
            environment: Some(Value::list(Vec::new())),
            ..TaskMagic::default()
        })),
    };
    let parts = ScopeParts {
        play: &play,
        ..ScopeParts::default()
    };
    store.scope(host, parts, magic).unwrap()
}

fn hostvars(scope: &HostScope) -> Arc<dyn ScopeMap> {
    match scope.get("hostvars") {
        Some(Variable::Scopes(map)) => map,
        other => panic!("{other:?}"),
    }
}

#[test]
fn magic_variables() {
    let scope = scope(
        &store_of("[web]\nh1.example.com\n[db]\nh1.example.com\nh2\n"),
        "h1.example.com",
    );
    let text = |name: &str| {
        value(&*scope, name)
            .map(|v| v.to_string())
            .unwrap_or_default()
    };
    for (name, expected) in [
        ("inventory_hostname", "h1.example.com"),
        ("inventory_hostname_short", "h1"),
        ("group_names", "['db', 'web']"),
        (
            "groups",
            "{'all': ['h1.example.com', 'h2'], 'ungrouped': [], 'web': ['h1.example.com'], 'db': ['h1.example.com', 'h2']}",
        ),
        ("omit", OMIT),
        ("playbook_dir", "/p"),
        ("ansible_play_hosts_all", "['h1', 'h2']"),
        ("ansible_play_hosts", "['h2']"),
        ("play_hosts", "['h2']"),
        ("ansible_play_batch", "['h2']"),
        ("ansible_check_mode", "True"),
        ("ansible_diff_mode", "False"),
        (
            "ansible_version",
            "{'string': '2.18.19', 'full': '2.18.19', 'major': 2, 'minor': 18, 'revision': 19}",
        ),
        ("ansible_run_tags", "['all']"),
        ("ansible_skip_tags", "[]"),
        ("ansible_forks", "5"),
        ("ansible_limit", "web"),
        ("ansible_verbosity", "0"),
        ("ansible_config_file", "None"),
        ("ansible_playbook_python", "/usr/bin/python3"),
        ("role_name", "a"),
        ("ansible_role_name", "ns.col.a"),
        ("ansible_role_names", "['b', 'a']"),
        ("ansible_play_role_names", "['a']"),
        ("ansible_play_name", "a play"),
        ("environment", "[]"),
        ("ansible_facts", "{}"),
        ("role_path", ""),
        ("ansible_search_path", ""),
        ("nosuch", ""),
    ] {
        assert_eq!(text(name), expected, "{name}");
    }
    assert!(text("inventory_file").ends_with("/hosts.ini"));
    assert_eq!(
        Path::new(&text("inventory_file")).parent(),
        Some(Path::new(&text("inventory_dir")))
    );
    // names and get agree
    for name in scope.names() {
        assert!(scope.get(&name).is_some(), "{name}");
    }
    assert!(Magic::is_reserved("hostvars") && !Magic::is_reserved("item"));
}

#[test]
fn vars_is_the_scope_itself_without_itself() {
    let scope = scope(&store_of("h1 a=1\n"), "h1");
    let Some(Variable::Scope(vars)) = scope.get("vars") else {
        panic!("no vars")
    };
    assert_eq!(value(&*vars, "a"), Some(1.into()));
    assert_eq!(value(&*vars, "of_play"), Some(1.into()));
    assert!(vars.get("vars").is_none());
    assert!(!vars.names().iter().any(|name| &**name == "vars"));
}

#[test]
fn hostvars_have_what_belongs_to_the_host() {
    let store = store_of("h1 a=1\nh2 a=2\n[all:vars]\nb=all\n");
    store.set_facts("h2", Map::new().with("ansible_os_family", "Debian"));
    store.register(
        "h2",
        "result",
        Value::map(Map::new().with("rc", 0)),
        &Arc::from("task"),
    );
    let scope = scope(&store, "h1");
    let hostvars = hostvars(&scope);
    // the implicit localhost is in it, as in Ansible's
    assert_eq!(hostvars.keys(), ["h1", "h2", "localhost"].map(Arc::from));
    let other = hostvars.scope("h2").unwrap();
    assert_eq!(value(&*other, "a"), Some(2.into()));
    assert_eq!(value(&*other, "b"), Some("all".into()));
    assert_eq!(value(&*other, "inventory_hostname"), Some("h2".into()));
    assert_eq!(value(&*other, "ansible_os_family"), Some("Debian".into()));
    assert_eq!(value(&*other, "result").unwrap().get("rc"), Some(&0.into()));
    assert!(other.get("of_play").is_none());
    assert!(other.get("ansible_play_hosts").is_none());
    assert!(hostvars.scope("nosuch").is_none());
    let local = hostvars.scope("localhost").unwrap();
    assert_eq!(value(&*local, "ansible_connection"), Some("local".into()));
    assert_eq!(value(&*local, "b"), Some("all".into()));
    assert_eq!(value(&*local, "group_names"), Some(Value::list(Vec::new())));
}

#[test]
fn facts_are_data_and_replace_each_other() {
    let store = store_of("h1\n");
    store.set_facts(
        "h1",
        Map::new().with("ansible_a", "{{ x }}").with("ansible_b", 1),
    );
    store.set_facts(
        "h1",
        Map::new().with("ansible_b", 2).with("ansible_user", "evil"),
    );
    let before = scope(&store, "h1");
    let Some(Variable::Final(Value::Str(text))) = before.get("ansible_a") else {
        panic!("not final")
    };
    assert_eq!(text.trust(), Trust::Data);
    assert_eq!(value(&*before, "ansible_b"), Some(2.into()));
    assert_eq!(value(&*before, "ansible_user"), None);
    let facts = value(&*before, "ansible_facts").unwrap();
    assert_eq!(facts.get("a"), Some(&"{{ x }}".into()));
    assert_eq!(facts.get("user"), Some(&"evil".into()));

    store.set_fact("h1", "kept", 1.into(), true, &Arc::from("task"));
    store.clear_facts("h1");
    let after = scope(&store, "h1");
    assert_eq!(value(&*after, "ansible_b"), None);
    assert_eq!(
        value(&*after, "ansible_facts"),
        Some(Value::map(Map::new()))
    );
    assert_eq!(value(&*after, "kept"), Some(1.into()));
    // a scope is a moment
    assert_eq!(value(&*before, "ansible_b"), Some(2.into()));
}

#[test]
fn cacheable_facts_are_facts_too() {
    let store = store_of("h1\n");
    store.set_fact("h1", "one", 1.into(), true, &Arc::from("task"));
    store.set_fact("h1", "two", 2.into(), false, &Arc::from("task"));
    let facts = value(&*scope(&store, "h1"), "ansible_facts").unwrap();
    assert_eq!(facts, Value::map(Map::new().with("one", 1)));
}

#[test]
fn registered_results_are_data_and_set_facts_keep_their_trust() {
    let store = store_of("h1\n");
    let result = Value::map(Map::new().with("stdout", "{{ x }}"));
    store.register("h1", "r", result, &Arc::from("task"));
    store.set_fact("h1", "s", Value::str("{{ x }}"), false, &Arc::from("task"));
    let scope = scope(&store, "h1");
    assert!(value(&*scope, "r").unwrap().holds_data());
    assert!(!value(&*scope, "s").unwrap().holds_data());
}

#[test]
fn added_hosts_show_in_new_scopes() {
    let store = store_of("h1\n");
    let before = scope(&store, "h1");
    let vars = Map::new().with("n", 7);
    store
        .update_inventory(|inventory| inventory.add_host("h9", &["late"], &vars))
        .unwrap();
    assert!(hostvars(&before).scope("h9").is_none());
    let after = hostvars(&scope(&store, "h1")).scope("h9").unwrap();
    assert_eq!(value(&*after, "n"), Some(7.into()));
    assert_eq!(value(&*after, "inventory_file"), Some(Value::Null));
    let groups = value(&*after, "groups").unwrap();
    assert_eq!(groups.get("late"), Some(&Value::list(vec!["h9".into()])));
}

#[test]
fn a_bad_file_stops_its_host_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    std::fs::create_dir_all(root.join("host_vars")).unwrap();
    std::fs::write(root.join("hosts.ini"), "good\nbad\n").unwrap();
    std::fs::write(root.join("host_vars/bad.json"), "[1]").unwrap();
    let inventory = load(
        &[SourceSpec::Path(root.join("hosts.ini"))],
        &LoadOptions::default(),
    )
    .unwrap();
    let store = VarStore::new(
        inventory,
        StoreOptions {
            playbook_dir: root.to_path_buf(),
            ..StoreOptions::default()
        },
    );
    let problem = store.host_layers("bad").unwrap_err();
    assert!(problem.message.contains("must be a mapping"), "{problem}");
    let good = scope(&store, "good");
    assert!(store.take_problems().is_empty());
    assert!(hostvars(&good).scope("bad").is_none());
    assert_eq!(store.take_problems().len(), 1);
}

#[test]
fn vaulted_files_are_opened() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    std::fs::create_dir_all(root.join("group_vars/all")).unwrap();
    let password = Password::new("pw").unwrap();
    let sealed = encrypt(b"{\"secret\": \"x\"}", &password, None, None).unwrap();
    std::fs::write(root.join("group_vars/all/vault.yml"), sealed).unwrap();
    let inventory = load(&[SourceSpec::List("h,".into())], &LoadOptions::default()).unwrap();
    let mut options = StoreOptions {
        playbook_dir: root.to_path_buf(),
        ..StoreOptions::default()
    };
    let locked = VarStore::new(inventory.clone(), options.clone());
    assert!(
        locked
            .host_layers("h")
            .unwrap_err()
            .message
            .contains("encrypted")
    );
    let identity = Identity {
        id: "default".into(),
        password,
        origin: "a test".into(),
    };
    options.vault = Arc::new(Vault::new(vec![identity], false));
    let open = VarStore::new(inventory, options);
    assert_eq!(
        open.inventory_vars("h").unwrap(),
        Map::new().with("secret", "x")
    );
}
