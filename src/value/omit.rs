//! The `omit` placeholder.

use super::{Map, Value, unshare};

/// What the variable `omit` holds. An argument equal to it is left out before a module sees it.
pub const OMIT: &str = "__omit_place_holder__runbook_6f1c2d0e9a";

/// The value without the members of mappings that are the `omit` placeholder, as far down as there are mappings (in
/// lists too); `None` if it is the placeholder itself. Items of lists that are the placeholder stay, as in Ansible.
pub fn strip_omitted(value: Value) -> Option<Value> {
    match value {
        Value::Str(ref text) if text.as_str() == OMIT => None,
        Value::List(items) if items.iter().any(|item| item.as_map().is_some()) => {
            Some(Value::list(
                unshare(items)
                    .into_iter()
                    .filter_map(|item| match item {
                        Value::Map(_) => strip_omitted(item),
                        other => Some(other),
                    })
                    .collect(),
            ))
        }
        Value::Map(map) => {
            let kept: Map = unshare(map)
                .into_iter()
                .filter_map(|(k, v)| Some((k, strip_omitted(v)?)))
                .collect();
            Some(Value::map(kept))
        }
        other => Some(other),
    }
}
