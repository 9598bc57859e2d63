//! The values of a release, as helm puts them together.

use super::access::document;
use super::set_values::SetValue;
use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use crate::value::{Map, Value};
use std::path::Path;

/// Lays mappings over each other; lists and scalars are replaced.
pub(super) fn merge(into: &mut Map, over: &Map) {
    for (name, value) in over.str_iter() {
        let merged = match (into.get(name).and_then(Value::as_map), value.as_map()) {
            (Some(below), Some(above)) => {
                let mut below = below.clone();
                merge(&mut below, above);
                Value::map(below)
            }
            _ => value.clone(),
        };
        into.set(name, merged);
    }
}

/// What the task declares: files, then `release_values`, then `set_values`. `None` where only helm can tell.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn declared(
    sys: &Sys,
    files: &[String],
    values: &Map,
    set: &[SetValue],
) -> ModuleResult<Option<Map>> {
    let mut all = Map::new();
    for file in files {
        if file.contains("://") {
            return Ok(None);
        }
        let path = sys.expand(Path::new(file));
        let text = sys.read_text(&path)?.ok_or_else(|| {
            Failure::new(format!("the values file {file} is not on this machine"))
        })?;
        if let Some(content) = document(file, &text)?.as_map() {
            merge(&mut all, content);
        }
    }
    merge(&mut all, values);
    for one in set {
        if one.put(&mut all, sys).is_none() {
            return Ok(None);
        }
    }
    Ok(Some(all))
}

/// Whether both say the same; the order of members does not count.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => {
            let same = |(name, value): (&str, &Value)| b.get(name).is_some_and(|b| same(value, b));
            a.len() == b.len() && a.str_iter().all(same)
        }
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b))
        }
        (a, b) => a.to_json() == b.to_json(),
    }
}
