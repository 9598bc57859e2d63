//! Inventories: INI, YAML and what a script prints. The first line of an input says which, `#ini`, `#yml` or `#script`.

use crate::files;
use crate::mutate::Mutator;
use runbook::diag::{Diagnostic, RenderOptions, render};
use runbook::inventory::{Dump, Inventory, LoadOptions, SourceSpec, load};
use runbook::value::Map;
use std::os::unix::fs::PermissionsExt;

pub fn corpus() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let with = |kind: &str, text: &[u8]| [kind.as_bytes(), b"\n", text].concat();
    for path in files::under(&["tests/inventory", "inventories", "tests/cli"], |_| true) {
        let name = path.to_string_lossy().into_owned();
        let kind = match path.extension().and_then(|e| e.to_str()) {
            Some("ini") => "#ini",
            Some("yml" | "yaml") => "#yml",
            Some("json") => "#script",
            None if name.ends_with("hosts") => "#ini",
            _ => continue,
        };
        for text in files::texts(&[path]) {
            all.push(with(kind, &text));
        }
    }
    for text in files::of_cases(|name| name.contains("inventory") || name.contains("hosts")) {
        all.push(with("#ini", &text));
    }
    for (name, text) in crate::strange::inventories() {
        if text.len() < 5000 {
            let kind = if name == "ini" { "#ini" } else { "#yml" };
            all.push(with(kind, &text));
        }
    }
    all
}

/// Breaks all but the first line.
pub fn mutate(mutator: &mut Mutator, corpus: &[Vec<u8>]) -> Vec<u8> {
    let Some(input) = corpus.get(mutator.below(corpus.len())) else {
        return Vec::new();
    };
    let (kind, text) = split(input);
    // a script is a process: less often
    if kind == "#script" && mutator.below(10) > 0 {
        return mutate(mutator, corpus);
    }
    [kind.as_bytes(), b"\n", &mutator.bytes(text)].concat()
}

fn split(input: &[u8]) -> (&str, &[u8]) {
    let at = input
        .iter()
        .position(|b| *b == b'\n')
        .unwrap_or(input.len());
    let kind = input
        .get(..at)
        .and_then(|kind| std::str::from_utf8(kind).ok());
    let text = input.get(at + 1..).unwrap_or_default();
    (kind.unwrap_or_default(), text)
}

pub fn run(input: &[u8]) -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let write = |name: &str, text: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).map(|()| path)
    };
    let (kind, text) = split(input);
    let path = match kind {
        "#script" => write("out.json", text)
            .and_then(|out| {
                let script = format!(
                    "#!/bin/sh\n[ \"$1\" = --list ] && exec cat {}\n",
                    out.display()
                );
                write("script", script.as_bytes())
            })
            .and_then(|path| {
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
                Ok(path)
            }),
        "#yml" => write("hosts.yml", text),
        _ => write("hosts", text),
    }
    .map_err(|e| e.to_string())?;
    match load(&[SourceSpec::Path(path)], &LoadOptions::default()) {
        Ok(inventory) => look(&inventory)?,
        Err(error) => {
            render(&error, RenderOptions { colour: false });
        }
    }
    Ok(())
}

fn look(inventory: &Inventory) -> Result<(), String> {
    for warning in &inventory.warnings {
        render(warning, RenderOptions { colour: false });
    }
    if inventory.hosts.len() > 2000 {
        return Ok(());
    }
    for host in inventory.hosts.keys() {
        for group in inventory.groups_of(host) {
            let hosts = inventory.hosts_of_group(&group.name);
            if !hosts.contains(host) {
                return Err(format!("{host} is in {} and is not", group.name));
            }
        }
    }
    let none = |_: &str| -> Result<Map, Diagnostic> { Ok(Map::new()) };
    let dump = Dump {
        host_vars: &none,
        group_vars: &none,
        shows: &|_| true,
    };
    let _ = inventory.to_json_of(&dump);
    // these show a group under each of its parents, so their length may be exponential
    if inventory.groups.len() < 16 {
        let _ = inventory.to_yaml_value(&dump);
        inventory.graph("all");
    }
    if inventory.hosts.contains_key("all") {
        // the name of a host goes before that of a group
        return Ok(());
    }
    let all = inventory.select("all").map_err(|e| e.message)?;
    let in_all = inventory.hosts_of_group("all").len();
    if all.hosts.len() != in_all {
        return Err(format!("all is {} hosts, or {in_all}", all.hosts.len()));
    }
    Ok(())
}
