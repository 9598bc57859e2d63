//! The rules of `docs/architecture.md` that a machine can check: who imports whom, sizes, and what must not occur.
//! Code for tests (`#[cfg(test)]`, `tests.rs`, `tests/`) is left out, except for the size of files.

mod scan;

use scan::{Code, imports, own_code};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Directory under `src/`, and which others its code may name. A star stands for all.
const MAY_IMPORT: &[(&str, &str)] = &[
    ("diag", ""),
    ("value", "diag"),
    ("yaml", "diag value"),
    ("config", "diag value yaml"),
    ("vault", "diag"),
    ("x509", "value"),
    ("playbook", "diag value yaml vault"),
    ("template", "diag value yaml vault x509"),
    ("inventory", "diag value yaml template vault"),
    ("vars", "diag value yaml template inventory vault"),
    ("result", "diag value"),
    ("plan", "diag value playbook inventory vars template result"),
    ("sys", "value"),
    ("modules", "value yaml result sys x509"),
    ("wire", "value result"),
    ("agent", "value result sys modules wire"),
    ("transport", "diag config value result wire"),
    ("actions", "diag value template vars result vault"),
    (
        "exec",
        "diag value yaml config playbook inventory vars template plan actions transport wire result vault",
    ),
    ("report", "diag value yaml result"),
    (
        "lint",
        "diag value yaml config playbook inventory vars template modules",
    ),
    (
        "scenario",
        "diag value yaml config playbook inventory plan exec report result galaxy transport sys",
    ),
    ("galaxy", "diag value yaml config"),
    ("cli", "*"),
];

/// Most lines in a file.
const CEILING: usize = 600;

/// Places where a rule on words does not hold: file, the word, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

fn source_files() -> BTreeMap<PathBuf, String> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut open = vec![top.clone()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("src is readable") {
            let path = entry.expect("src is readable").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("source is text");
                found.insert(
                    path.strip_prefix(&top).expect("inside src").to_owned(),
                    text,
                );
            }
        }
    }
    assert!(found.len() > 10, "the sources were not found");
    found
}

fn directory_of(path: &Path) -> Option<String> {
    let mut parts = path.components();
    let first = parts.next()?.as_os_str().to_string_lossy().into_owned();
    parts.next().map(|_| first)
}

fn forbidden_imports(code: &[Code]) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in code {
        let Some(directory) = directory_of(&file.path) else {
            continue;
        };
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == directory) else {
            wrong.push(format!(
                "src/{directory}/ has no row in the table of imports"
            ));
            continue;
        };
        for (line, name) in imports(file) {
            let known = MAY_IMPORT.iter().any(|(row, _)| *row == name);
            let fine =
                *allowed == "*" || name == directory || allowed.split(' ').any(|row| row == name);
            if known && !fine {
                wrong.push(format!(
                    "src/{}:{line}: {directory} must not import {name}",
                    file.path.display()
                ));
            }
        }
    }
    wrong.dedup();
    wrong
}

fn forbidden_words(code: &[Code], words: &[&str], only_in: Option<&str>) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in code {
        if only_in.is_some_and(|only| directory_of(&file.path).as_deref() != Some(only)) {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                let excepted = EXCEPTIONS
                    .iter()
                    .any(|(path, what, _)| Path::new(path) == file.path && what == word);
                if !excepted {
                    wrong.push(format!(
                        "src/{}:{}: {word}",
                        file.path.display(),
                        number + 1
                    ));
                }
            }
        }
    }
    wrong
}

#[track_caller]
fn none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} violations:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn directories_import_only_what_the_table_allows() {
    none(&forbidden_imports(&own_code(&source_files())));
}

#[test]
fn files_are_not_too_long() {
    let long: Vec<String> = source_files()
        .iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > CEILING)
        .map(|(path, lines)| format!("src/{}: {lines} lines, at most {CEILING}", path.display()))
        .collect();
    none(&long);
}

#[test]
fn no_file_is_named_for_being_useful() {
    let vague = [
        "utils", "util", "helpers", "helper", "common", "manager", "misc",
    ];
    let wrong: Vec<String> = source_files()
        .keys()
        .filter(|path| {
            let names = path.with_extension("");
            names
                .components()
                .any(|part| vague.iter().any(|word| part.as_os_str() == *word))
        })
        .map(|path| format!("src/{}", path.display()))
        .collect();
    none(&wrong);
}

#[test]
fn modules_reach_the_system_only_through_sys() {
    let words = [
        "std::fs",
        "std::process",
        "std::env",
        "TcpStream::connect",
        "UdpSocket",
    ];
    none(&forbidden_words(
        &own_code(&source_files()),
        &words,
        Some("modules"),
    ));
}

#[test]
fn nothing_is_left_open_and_nothing_panics_on_purpose() {
    let words = [
        "todo!(",
        "unimplemented!(",
        "dbg!(",
        ".unwrap()",
        ".unwrap_err()",
    ];
    none(&forbidden_words(&own_code(&source_files()), &words, None));
}

#[test]
fn every_directory_says_what_it_is_for() {
    let files = source_files();
    let mut wrong = Vec::new();
    for directory in files.keys().filter_map(|path| directory_of(path)) {
        let documented = files
            .get(&Path::new(&directory).join("mod.rs"))
            .is_some_and(|text| text.trim_start().starts_with("//!"));
        if !documented {
            wrong.push(format!(
                "src/{directory}/mod.rs does not begin with its documentation"
            ));
        }
    }
    wrong.dedup();
    none(&wrong);
}

mod the_checks_can_fail {
    use super::*;

    fn file(path: &str, text: &str) -> Vec<Code> {
        own_code(&BTreeMap::from([(PathBuf::from(path), text.to_owned())]))
    }

    #[test]
    fn imports_in_every_form() {
        for text in [
            "use crate::exec::Run;",
            "use crate::{diag::Span, exec};",
            "use crate::{\n    value::{Map, Value},\n    exec::{self, Run},\n};",
            "fn f() { crate::exec::run() }",
            "use super::super::exec::Run;",
        ] {
            let wrong = forbidden_imports(&file("report/human.rs", text));
            assert_eq!(wrong.len(), 1, "{text}: {wrong:?}");
            assert!(
                wrong[0].contains("report must not import exec"),
                "{wrong:?}"
            );
        }
        assert_eq!(
            forbidden_imports(&file("report/mod.rs", "use super::exec::Run;")).len(),
            1
        );
        assert_eq!(forbidden_imports(&file("newdir/mod.rs", "")).len(), 1);
    }

    #[test]
    fn what_is_allowed_passes() {
        let text = "use crate::{diag::Span, value::Value};\nuse super::super::result::Event;\nuse super::exec;\n\
                    // use crate::exec::Run;\nconst S: &str = \"crate::exec::x\";\n\
                    #[cfg(test)]\nmod tests { use crate::exec::Run; }\n";
        assert_eq!(
            forbidden_imports(&file("report/human.rs", text)),
            Vec::<String>::new()
        );
        assert_eq!(
            forbidden_imports(&file("cli/mod.rs", "use crate::exec::Run;")),
            Vec::<String>::new()
        );
        assert_eq!(
            forbidden_imports(&file("main.rs", "use crate::exec::Run;")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn words_outside_of_tests_only() {
        let words = [".unwrap()"];
        let text = "fn f() { g().unwrap() }\n/* .unwrap() */ // .unwrap()\nconst A: char = '\"';\n\
                    #[cfg(test)]\nmod tests { fn t() { g().unwrap() } }\n";
        assert_eq!(
            forbidden_words(&file("exec/mod.rs", text), &words, None),
            ["src/exec/mod.rs:1: .unwrap()"]
        );
        assert!(forbidden_words(&file("exec/mod.rs", text), &words, Some("modules")).is_empty());
        assert!(forbidden_words(&file("exec/tests/a.rs", text), &words, None).is_empty());
        let whole = BTreeMap::from([
            (
                PathBuf::from("exec/mod.rs"),
                "#[cfg(test)]\nmod fake;\n".to_owned(),
            ),
            (
                PathBuf::from("exec/fake.rs"),
                "fn f() { g().unwrap() }".to_owned(),
            ),
        ]);
        assert!(forbidden_words(&own_code(&whole), &words, None).is_empty());
    }
}
