use super::*;
use std::sync::Arc;

fn outcome_of(module: &str, kind: &str, shebang: &[&str], args: Map) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("abc"), module).unwrap();
    let mut sys = Sys::real().with_blobs(Arc::new(dir.path().to_owned()));
    let words = shebang.iter().copied().map(Value::data).collect();
    let call = Map::new()
        .with("name", "mine")
        .with("kind", kind)
        .with("sha256", "abc")
        .with("file_name", "mine.sh")
        .with("shebang", Value::list(words))
        .with("args", Value::map(args))
        .with(
            "internal",
            Value::map(Map::new().with("_ansible_check_mode", true)),
        );
    run(&call, &mut sys, RunMode::default())
}

#[test]
fn scripts_get_a_private_file_of_json() {
    let module = r#"#!/bin/sh
# WANT_JSON
mode=$(stat -c %a "$1")
tmp=$(sed 's/.*"_ansible_tmpdir": "\([^"]*\)".*/\1/' "$1")
check=$(grep -c '"_ansible_check_mode": true' "$1")
printf '{"changed": true, "mode": "%s", "self": "%s", "told": %s, "tmp": "%s", "check": %s}' \
    "$mode" "$0" "$(cat "$1")" "$tmp" "$check"
"#;
    let args = Map::new().with("a", "b c").with("n", 3);
    let outcome = outcome_of(module, "want_json", &["/bin/sh"], args);
    assert!(outcome.changed && !outcome.failed, "{outcome:?}");
    assert_eq!(outcome.data.get("mode"), Some(&Value::data("600")));
    let told = outcome.data.get("told").unwrap();
    assert_eq!(told.get("n"), Some(&Value::Int(3)));
    assert_eq!(outcome.data.get("check"), Some(&Value::Int(1)));
    let own = outcome.data.get("self").and_then(Value::as_str).unwrap();
    assert!(own.ends_with("/mine.sh") && !std::path::Path::new(own).exists());
    let tmp = outcome.data.get("tmp").and_then(Value::as_str).unwrap();
    assert!(
        tmp.starts_with('/') && !std::path::Path::new(tmp).exists(),
        "{tmp}"
    );
}

#[test]
fn old_scripts_get_words() {
    let module = ". \"$1\"\nprintf '{\"said\": \"%s\", \"list\": %s}' \"$a\" \"$l\"\n";
    let list = Value::list(vec![Value::Int(1)]);
    let args = Map::new().with("a", "it's b").with("l", list);
    let outcome = outcome_of(module, "old", &[], args);
    assert_eq!(
        outcome.data.get("said"),
        Some(&Value::data("it's b")),
        "{outcome:?}"
    );
    assert!(outcome.data.get("list").unwrap().as_list().is_some());
}

#[test]
fn arguments_are_written_into_scripts_that_ask_for_it() {
    let module = "cat <<'EOT'\n{\"got\": <<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>}\nEOT\n";
    let outcome = outcome_of(
        module,
        "json_args",
        &["/bin/sh"],
        Map::new().with("a", "it's"),
    );
    let got = outcome.data.get("got").expect("an answer");
    assert_eq!(got.get("a"), Some(&Value::data("it's")));
}

#[test]
fn interpreters_that_are_missing_are_named() {
    let outcome = outcome_of("x", "old", &["/nowhere/perl"], Map::new());
    assert_eq!(
        outcome.message(),
        Some("the module `mine` cannot be run with `/nowhere/perl`: No such file or directory")
    );
}
