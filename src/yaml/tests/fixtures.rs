//! `tests/yaml/*.yml` against what PyYAML makes of them (`*.json` beside them): `json.loads` or else
//! `yaml.load(text, CSafeLoader)` with timestamps kept as strings and sets as lists.
//!
//! In the JSON, mappings with keys that are no strings are `{"!map": [[key, value], …]}` and floats that JSON cannot
//! write are `{"!float": "inf"}`.

use crate::diag::Source;
use crate::value::Value;
use crate::yaml::parse;
use serde_json::{Value as Json, json};
use std::path::{Path, PathBuf};

/// All fixtures, sorted.
pub(super) fn files() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/yaml");
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(dir)
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|e| e == "yml"))
        .collect();
    files.sort();
    files
}

fn encode(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => json!(b),
        Value::Int(i) => json!(i),
        Value::Float(f) if f.is_nan() => json!({"!float": "nan"}),
        Value::Float(f) if f.is_infinite() => {
            json!({"!float": if *f > 0.0 { "inf" } else { "-inf" }})
        }
        Value::Float(f) => json!(f),
        Value::Str(text) => json!(text.as_str()),
        Value::List(items) => items.iter().map(encode).collect(),
        Value::Map(map) if map.keys().all(|key| matches!(key, Value::Str(_))) => Json::Object(
            map.iter()
                .map(|(key, value)| (key.to_string(), encode(value)))
                .collect(),
        ),
        Value::Map(map) => {
            let pairs: Vec<Json> = map
                .iter()
                .map(|(key, value)| json!([encode(key), encode(value)]))
                .collect();
            json!({ "!map": pairs })
        }
    }
}

#[test]
fn fixtures_read_as_pyyaml_reads_them() {
    let files = files();
    assert!(files.len() > 30, "the fixtures are missing");
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let expected = std::fs::read_to_string(file.with_extension("json")).unwrap();
        let expected = serde_json::from_str::<Json>(&expected).unwrap().to_string();
        let found = match parse(&Source::new(&file, text)) {
            Ok(document) => encode(&document.node.to_value()).to_string(),
            Err(error) => error.to_string(),
        };
        if found != expected {
            wrong.push(format!(
                "{}\n found {found}\n  want {expected}",
                file.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
