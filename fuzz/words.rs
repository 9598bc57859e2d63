//! What is one line: host patterns and limits, arguments of the form `k=v`, extra variables, shell words, literals.

use crate::files;
use runbook::inventory::{
    Inventory, LoadOptions, SourceSpec, load, parse_address, python_literal, split_pattern,
};
use runbook::value::{COMMAND_OPTIONS, repr, shell_words, split_free_form};
use runbook::vars::parse_extra_vars;
use runbook::vault::Vault;
use std::path::Path;
use std::sync::LazyLock;

static INVENTORY: LazyLock<Inventory> = LazyLock::new(|| {
    let path = files::root().join("tests/inventory/ini_ranges.ini");
    load(&[SourceSpec::Path(path)], &LoadOptions::default()).unwrap_or_default()
});

pub fn patterns() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = crate::strange::PATTERNS
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .collect();
    for path in files::under(&["tests/inventory"], |path| {
        files::ends(path, &["patterns"])
    }) {
        let text = std::fs::read(path).unwrap_or_default();
        all.extend(text.split(|b| *b == b'\n').map(<[u8]>::to_vec));
    }
    for text in [
        "numbers:&letters:!n1",
        "~(n|l)[1-3]",
        "numbers[0:2],letters[-1]",
        "n[1:3]",
        "*.example.com:1",
        "[::1]:22",
        "q1:2022",
    ] {
        all.push(text.as_bytes().to_vec());
    }
    all
}

pub fn run_pattern(input: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(input);
    split_pattern(&text);
    parse_address(&text);
    if let Ok(selection) = INVENTORY.select(&text) {
        let mut seen = std::collections::HashSet::new();
        if let Some(host) = selection.hosts.iter().find(|host| !seen.insert(*host)) {
            return Err(format!("{host} is selected twice"));
        }
    }
    if !text.contains('@') {
        let _ = INVENTORY.limit(&text, Path::new("/nonexistent"));
    }
    let _ = load(
        &[SourceSpec::List(text.into_owned())],
        &LoadOptions::default(),
    );
    Ok(())
}

pub fn arguments() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "src=a dest=/b mode=0644 owner=\"a b\"",
        "echo hi chdir=/tmp creates=\"/a b\" # x",
        "msg='{{ a | default(\"x=y\") }}' other=\"{% if a %}b{% endif %}\"",
        "a=1 b='two words' c=\"{{ d }}\" e=",
        "{\"a\": [1, {\"b\": null}], \"c\": \"d\"}",
        "[1, 'two', {'three': (4, 5.0, None)}, True, -0x1f, 1_000, b'x', 'a' 'b']",
        "-(1 + 2j) * [3]",
        "'it''s' \"a\\\"b\" c\\ d \\\n e",
        "name=x state=present line=\"a = b\\nc\" regexp='^a\\s*=' backrefs=yes",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    for text in files::of_cases(|name| name == "playbook.yml") {
        all.extend(
            text.split(|b| *b == b'\n')
                .filter(|line| line.contains(&b'='))
                .map(<[u8]>::to_vec),
        );
    }
    all
}

pub fn run_argument(input: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(input);
    let _ = split_free_form(&text, None);
    let _ = split_free_form(&text, Some(COMMAND_OPTIONS));
    let _ = shell_words(&text);
    let _ = parse_extra_vars(&text, Path::new("/nonexistent"), &Vault::default());
    if let Some(value) = python_literal(&text) {
        // what Python shows of a literal is a literal, of the same value
        let shown = repr(&value);
        let again = python_literal(&shown).map(|value| repr(&value));
        if again.as_deref() != Some(shown.as_str())
            && !shown.contains("inf")
            && !shown.contains("nan")
        {
            return Err(format!(
                "a literal that is not read again: {shown} became {again:?}"
            ));
        }
    }
    Ok(())
}
