//! YAML: what was read and written again is the same when it is read again.

use crate::files;
use runbook::diag::{RenderOptions, Source, render};
use runbook::value::repr;
use runbook::yaml::{EmitOptions, emit, parse, parse_all};
use std::path::Path;

pub fn corpus() -> Vec<Vec<u8>> {
    let mut paths = files::under(&["tests/yaml"], |path| files::ends(path, &["yml", "json"]));
    paths.extend(files::under(
        &[
            "roles",
            "playbooks",
            "inventories",
            "tests/modules",
            "tests/cli",
        ],
        |path| files::ends(path, &["yml", "yaml"]),
    ));
    let mut all = files::texts(&paths);
    all.extend(files::of_cases(|name| {
        files::ends(Path::new(name), &["yml"])
    }));
    all
}

pub fn run(input: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(input).into_owned();
    let source = Source::new("f.yml", text.as_str());
    let shown = RenderOptions { colour: false };
    match parse(&source) {
        Ok(document) => document.warnings.iter().for_each(|warning| {
            render(warning, shown);
        }),
        Err(error) => {
            render(&error, shown);
        }
    }
    let Ok(documents) = parse_all(&source) else {
        return Ok(());
    };
    for document in documents {
        let value = document.node.to_value();
        for options in [EmitOptions::to_yaml(), EmitOptions::to_nice_yaml()] {
            let written = emit(&value, &options);
            // many references to one node make a text that is much longer than what it came of
            if written.len() > 200_000 {
                continue;
            }
            // not `parse`, which takes what is JSON as JSON
            let again = parse_all(&Source::new("g.yml", written.as_str()))
                .map_err(|e| format!("what was written is not read: {}\n{written}", e.message))?;
            let again = match again.as_slice() {
                [one] => one.node.to_value(),
                other => return Err(format!("{} documents were written\n{written}", other.len())),
            };
            let (mine, theirs) = (sorted(&value.to_json()), sorted(&again.to_json()));
            if mine != theirs {
                return Err(format!(
                    "written and read again it differs: {}\n{written}\n{}",
                    repr(&value),
                    repr(&again)
                ));
            }
        }
    }
    Ok(())
}

/// The same with the members of mappings in the order of their names.
fn sorted(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let mut members: Vec<_> = map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            serde_json::Value::Object(members.into_iter().collect())
        }
        serde_json::Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}
