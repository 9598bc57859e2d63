//! The engine's values as Python prints them.

use super::objects::{Dict, List};
use crate::value::{Text, Value, repr as repr_of};
use minijinja::value::{Value as Val, ValueKind};

/// Python's `str()`.
pub(crate) fn str_of(value: &Val) -> String {
    match value.as_str() {
        Some(text) if value.kind() == ValueKind::String => text.to_owned(),
        _ => repr(value),
    }
}

/// Python's `repr()`.
pub(crate) fn repr(value: &Val) -> String {
    if let Some(list) = value.downcast_object_ref::<List>() {
        return match list.to_value(None, 0) {
            Ok(plain) if !holds_tuple(value) => repr_of(&plain),
            _ => self::list(&list.items()),
        };
    }
    if let Some(dict) = value.downcast_object_ref::<Dict>() {
        return match dict.to_value(None, 0) {
            Ok(plain) if !holds_tuple(value) => repr_of(&plain),
            _ => self::dict(&dict.pairs()),
        };
    }
    match value.kind() {
        ValueKind::None => "None".into(),
        ValueKind::Bool => if value.is_true() { "True" } else { "False" }.into(),
        ValueKind::Number if !value.is_integer() => f64::try_from(value.clone())
            .map_or_else(|_| value.to_string(), |f| repr_of(&Value::Float(f))),
        ValueKind::String => repr_of(&Value::str(value.to_str().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Vec<Val> = value.try_iter().map(Iterator::collect).unwrap_or_default();
            if is_tuple(value) {
                tuple(&items)
            } else {
                list(&items)
            }
        }
        ValueKind::Bytes => Text::binary(value.as_bytes().unwrap_or_default()).to_string(),
        ValueKind::Undefined => "Undefined".into(),
        _ => value.to_string(),
    }
}

/// Whether Python prints it in parentheses.
fn is_tuple(value: &Val) -> bool {
    value.is_tuple()
        || value
            .downcast_object_ref::<super::filters::Group>()
            .is_some()
}

fn holds_tuple(value: &Val) -> bool {
    if is_tuple(value) {
        return true;
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()
            .is_ok_and(|mut items| items.any(|item| holds_tuple(&item))),
        ValueKind::Map => value.downcast_object_ref::<Dict>().is_some_and(|dict| {
            dict.pairs()
                .iter()
                .any(|(key, member)| holds_tuple(key) || holds_tuple(member))
        }),
        _ => false,
    }
}

fn joined(items: &[Val]) -> String {
    items.iter().map(repr).collect::<Vec<_>>().join(", ")
}

pub(crate) fn list(items: &[Val]) -> String {
    format!("[{}]", joined(items))
}

fn tuple(items: &[Val]) -> String {
    match items {
        [only] => format!("({},)", repr(only)),
        _ => format!("({})", joined(items)),
    }
}

pub(crate) fn dict(pairs: &[(Val, Val)]) -> String {
    let members: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}: {}", repr(key), repr(value)))
        .collect();
    format!("{{{}}}", members.join(", "))
}
