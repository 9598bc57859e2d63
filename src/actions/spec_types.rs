//! Types of argument specifications: what a value becomes, or why it cannot.
//!
//! Source: Ansible's documentation, "Ansible module architecture", section "Argument spec".

use crate::template::human_to_bytes;
use crate::value::{ArgKind, FromValue, Map, TextClass, Value, to_bool, unfit};

/// The value's class as Python names it.
pub(super) fn class_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "<class 'NoneType'>",
        Value::Bool(_) => "<class 'bool'>",
        Value::Int(_) => "<class 'int'>",
        Value::Float(_) => "<class 'float'>",
        Value::Str(text) if text.class() == TextClass::Bytes => "<class 'bytes'>",
        Value::Str(_) => "<class 'str'>",
        Value::List(_) => "<class 'list'>",
        Value::Map(_) => "<class 'dict'>",
    }
}

fn unfitted(kind: ArgKind, value: &Value) -> Result<Value, String> {
    Err(unfit(kind, value).unwrap_or_default())
}

/// The value as a type has it.
pub(super) fn converted(kind: &str, value: &Value) -> Result<Value, String> {
    let class = class_of(value);
    match (kind, value) {
        ("raw", _)
        | ("str" | "path", Value::Str(_))
        | ("list", Value::List(_))
        | ("dict", Value::Map(_))
        | ("bool", Value::Bool(_))
        | ("int", Value::Int(_) | Value::Bool(_))
        | ("float", Value::Float(_)) => Ok(value.clone()),
        ("str" | "path", Value::Null) => {
            Err("'None' is not a string and conversion is not allowed".into())
        }
        ("str" | "path", other) => Ok(Value::data(other.to_string())),
        ("list", Value::Str(text)) => Ok(Value::list(text.split(',').map(Value::data).collect())),
        ("list", Value::Int(_) | Value::Float(_) | Value::Bool(_)) => {
            Ok(Value::list(vec![Value::data(value.to_string())]))
        }
        ("list", _) => unfitted(ArgKind::List, value),
        ("dict", _) => Map::from_value(value)
            .map(Value::map)
            .or_else(|_| unfitted(ArgKind::Dict, value)),
        ("bool", _) => {
            let flag = to_bool(value).map(Value::Bool);
            flag.map_or_else(|| unfitted(ArgKind::Bool, value), Ok)
        }
        ("int", _) => i64::from_value(value)
            .map(Value::Int)
            .or_else(|_| unfitted(ArgKind::Int, value)),
        ("float", _) => f64::from_value(value)
            .map(Value::Float)
            .or_else(|_| unfitted(ArgKind::Float, value)),
        ("jsonarg" | "json", Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_)) => {
            Err(format!("{class} cannot be converted to a json string"))
        }
        ("bytes" | "bits", _) => {
            let what = if kind == "bits" { "Bit" } else { "Byte" };
            human_to_bytes(&value.to_string(), None, kind == "bits")
                .map(Value::Int)
                .map_err(|_| format!("{class} cannot be converted to a {what} value"))
        }
        _ => Ok(value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::converted;
    use crate::value::{Text, Value};

    #[test]
    fn values_become_what_their_type_says() {
        assert_eq!(converted("int", &"7".into()), Ok(Value::Int(7)));
        assert_eq!(
            converted("list", &"a,b".into()),
            Ok(Value::list(vec!["a".into(), "b".into()]))
        );
        assert_eq!(
            converted("bool", &7.into()).map_err(|e| e.starts_with("The value '7'")),
            Err(true)
        );
        assert_eq!(converted("bytes", &"2K".into()), Ok(Value::Int(2048)));
        assert_eq!(converted("bits", &"1Mb".into()), Ok(Value::Int(1 << 20)));
        assert_eq!(
            converted("bytes", &Value::Str(Text::binary(b"\xff"))),
            Err("<class 'bytes'> cannot be converted to a Byte value".into())
        );
        assert_eq!(
            converted("bits", &"foo".into()),
            Err("<class 'str'> cannot be converted to a Bit value".into())
        );
        assert_eq!(
            converted("dict", &Value::Null),
            Err("<class 'NoneType'> cannot be converted to a dict".into())
        );
    }
}
