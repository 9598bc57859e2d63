//! Modules on machines whose files and programs say strange things: crontabs, mount tables, accounts, package lists, units.
//!
//! An input is a fixture of `tests/modules` in which one text of a file or of a command's output is broken. Besides
//! panics, check mode that changes something is a finding.

use crate::files;
use crate::fixture::Fixture;
use crate::mutate::Mutator;
use runbook::diag::Source;
use runbook::value::{Map, Value};
use std::sync::Arc;

/// Modules that wait, ask the network, or make keys.
const LEFT_OUT: &[&str] = &[
    "wait_for",
    "uri",
    "get_url",
    "git",
    "x509_private_key",
    "x509_ca",
    "expect",
    "async_status",
];

pub fn corpus() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for path in files::under(&["tests/modules"], |path| files::ends(path, &["yml"])) {
        let module = path
            .parent()
            .and_then(|p| p.file_name())
            .unwrap_or_default();
        let module = module.to_string_lossy().into_owned();
        if LEFT_OUT.contains(&module.as_str()) {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if let Ok(document) = runbook::yaml::parse(&Source::new(&path, text))
            && let Value::Map(case) = document.node.to_value()
        {
            let mut case = (*case).clone();
            case.set("module", module.as_str());
            all.push(Value::map(case).to_json().to_string().into_bytes());
        }
    }
    all
}

/// Breaks one to three texts of a fixture.
pub fn mutate(mutator: &mut Mutator, corpus: &[Vec<u8>]) -> Vec<u8> {
    let at = mutator.below(corpus.len());
    let seed = corpus.get(at).map_or(&[][..], Vec::as_slice);
    let mut case: serde_json::Value = serde_json::from_slice(seed).unwrap_or_default();
    let mut places = Vec::new();
    for part in ["files", "commands"] {
        if let Some(value) = case.get(part) {
            texts(value, &format!("/{part}"), &mut places);
        }
    }
    for _ in 0..=mutator.below(3) {
        let at = mutator.below(places.len());
        if let Some(text) = places.get(at).and_then(|place| case.pointer_mut(place))
            && let Some(old) = text.as_str()
        {
            *text = mutator.text(old).into();
        }
    }
    case.to_string().into_bytes()
}

/// The places of the texts in a value. Targets of links stay: they may lead out of the machine's root.
fn texts(value: &serde_json::Value, place: &str, places: &mut Vec<String>) {
    match value {
        serde_json::Value::String(_) if !place.ends_with("->") && !place.ends_with("/mode") => {
            places.push(place.to_owned());
        }
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                let name = name.replace('~', "~0").replace('/', "~1");
                texts(value, &format!("{place}/{name}"), places);
            }
        }
        _ => {}
    }
}

pub fn run(input: &[u8]) -> Result<(), String> {
    let json: serde_json::Value = serde_json::from_slice(input).unwrap_or_default();
    let Value::Map(case) = Value::from_json(&json) else {
        return Ok(());
    };
    let mut case: Map = Arc::unwrap_or_clone(case);
    let Some(module) = case.take("module") else {
        return Ok(());
    };
    Fixture::of(&runbook::value::str_of(&module), case).survives()
}
