//! `hash_behaviour = merge`.

use crate::value::{Map, Value};

/// The two mappings in one: members of `high` win, mappings in both are merged in turn, lists are replaced.
pub fn merge_maps(low: &Map, high: &Map) -> Map {
    let mut merged = low.clone();
    for (key, value) in high {
        let value = match (merged.get(key), value) {
            (Some(Value::Map(below)), Value::Map(above)) => Value::map(merge_maps(below, above)),
            _ => value.clone(),
        };
        merged.insert(key.clone(), value);
    }
    merged
}
