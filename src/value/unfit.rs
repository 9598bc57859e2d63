//! Why a value is none of a type: playbooks compare these sentences, so they are Ansible's.
//!
//! Source: observed results of ansible-core 2.18.

use super::{ArgKind, FromValue, Map, Value, repr, to_bool};

/// Why the value cannot become one of this type; `None` if it can, or if the type is not one of those that Ansible
/// converts to.
pub fn unfit(kind: ArgKind, value: &Value) -> Option<String> {
    let cannot = |what: &str| {
        let class = value.type_name();
        format!("<class '{class}'> cannot be converted to a {what}")
    };
    match (kind, value) {
        (ArgKind::Bool, Value::Str(_) | Value::Int(_) | Value::Float(_)) => {
            to_bool(value).is_none().then(|| {
                format!(
                    "The value '{value}' is not a valid boolean.  Valid booleans include: 0, 1, '0', '1', 'f', \
                     'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'"
                )
            })
        }
        (ArgKind::Bool, Value::Null | Value::List(_) | Value::Map(_)) => Some(cannot("bool")),
        (ArgKind::Int, _) => (i64::from_value(value).is_err())
            .then(|| format!("\"{}\" cannot be converted to an int", repr(value))),
        (ArgKind::Float, _) => f64::from_value(value).is_err().then(|| cannot("float")),
        (ArgKind::Dict, Value::Str(text)) => Map::from_value(value).is_err().then(|| {
            let why = if text.starts_with('{') {
                "unable to evaluate string as dictionary"
            } else if text.contains('=') {
                "unable to evaluate string in the \"key=value\" format as dictionary"
            } else {
                "dictionary requested, could not parse JSON or key=value"
            };
            why.to_owned()
        }),
        (ArgKind::Dict, Value::Map(_)) => None,
        (ArgKind::Dict, _) => Some(cannot("dict")),
        (ArgKind::List, Value::Null | Value::Map(_)) => Some(cannot("list")),
        _ => None,
    }
}

/// Which item of what becomes a list is none of this type, and why.
pub(super) fn unfit_item(elements: ArgKind, value: &Value) -> Option<(Value, String)> {
    let items: Vec<Value> = match value {
        Value::List(items) => items.to_vec(),
        Value::Str(text) => text
            .split(',')
            .map(|part| Value::str(part.trim()))
            .collect(),
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => vec![value.clone()],
        Value::Null | Value::Map(_) => return None,
    };
    items
        .into_iter()
        .find_map(|item| unfit(elements, &item).map(|why| (item, why)))
}
