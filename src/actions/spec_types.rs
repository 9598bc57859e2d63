//! Types of argument specifications: what a value becomes, or why it cannot.
//!
//! Source: Ansible's documentation, "Ansible module architecture", section "Argument spec".

use crate::template::human_to_bytes;
use crate::value::{FromValue, Map, TextClass, Value, repr, to_bool};

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
        ("list", _) => Err(format!("{class} cannot be converted to a list")),
        ("dict", Value::Str(text)) => match Map::from_value(value) {
            Ok(map) => Ok(Value::map(map)),
            Err(_) if text.starts_with('{') => {
                Err("unable to evaluate string as dictionary".into())
            }
            Err(_) if text.contains('=') => {
                Err("unable to evaluate string in the \"key=value\" format as dictionary".into())
            }
            Err(_) => Err("dictionary requested, could not parse JSON or key=value".into()),
        },
        ("dict", _) => Err(format!("{class} cannot be converted to a dict")),
        ("bool", Value::Str(_) | Value::Int(_) | Value::Float(_)) => {
            let flag = to_bool(value).map(Value::Bool);
            flag.ok_or_else(|| {
                format!(
                    "The value '{value}' is not a valid boolean.  Valid booleans include: 0, 1, '0', '1', 'f', \
                     'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'"
                )
            })
        }
        ("bool", _) => Err(format!("{class} cannot be converted to a bool")),
        ("int", _) => i64::from_value(value)
            .map(Value::Int)
            .map_err(|_| format!("\"{}\" cannot be converted to an int", repr(value))),
        ("float", _) => f64::from_value(value)
            .map(Value::Float)
            .map_err(|_| format!("{class} cannot be converted to a float")),
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
