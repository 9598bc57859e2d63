//! From the engine's values to ours. (The other way is [`super::objects::wrap`].)

use super::objects::{Dict, List, ScopeObject};
use super::render::Render;
use crate::value::{Map, Text, Value};
use minijinja::value::{Value as Val, ValueKind};
use minijinja::{Error, ErrorKind};

/// Our value of an engine's value.
///
/// # Errors
/// When it is or holds an undefined value, or one whose computation failed.
pub(crate) fn from_engine(value: &Val) -> Result<Value, Error> {
    nested(value, 0, None)
}

/// The same, but what is encrypted stays so (`to_yaml`).
///
/// # Errors
/// As [`from_engine`].
pub(crate) fn from_engine_sealed(value: &Val, render: &Render) -> Result<Value, Error> {
    nested(value, 0, Some(render))
}

pub(super) fn nested(value: &Val, depth: usize, sealed: Option<&Render>) -> Result<Value, Error> {
    if depth > 100 {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "the value is nested too deep",
        ));
    }
    if let Some(list) = value.downcast_object_ref::<List>() {
        return list.to_value(sealed, depth);
    }
    if let Some(dict) = value.downcast_object_ref::<Dict>() {
        return dict.to_value(sealed, depth);
    }
    if let Some(scope) = value.downcast_object_ref::<ScopeObject>() {
        return scope.to_value().map_err(super::render::engine_error);
    }
    Ok(match value.kind() {
        ValueKind::Undefined => return Err(Error::undefined(value)),
        ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => match value.as_i64() {
            Some(int) if value.is_integer() => Value::Int(int),
            _ => Value::Float(f64::try_from(value.clone())?),
        },
        ValueKind::String => match sealed.and_then(|render| render.sealed(value)) {
            Some(text) => Value::Str(text),
            None => Value::Str(super::class::text_of(value)),
        },
        ValueKind::Bytes => {
            let bytes = value.as_bytes().unwrap_or_default();
            match std::str::from_utf8(bytes) {
                Ok(text) => Value::str(text),
                Err(_) => Value::Str(Text::binary(bytes)),
            }
        }
        ValueKind::Seq | ValueKind::Iterable => Value::list(
            value
                .try_iter()?
                .map(|item| nested(&item, depth + 1, sealed))
                .collect::<Result<_, _>>()?,
        ),
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter()? {
                let member = value.get_item(&key)?;
                map.insert(
                    nested(&key, depth + 1, sealed)?,
                    nested(&member, depth + 1, sealed)?,
                );
            }
            Value::map(map)
        }
        ValueKind::Invalid => {
            if let Some(text) = sealed.and_then(|render| render.sealed(value)) {
                Value::Str(text)
            } else {
                let why = refusal(value);
                return Err(
                    why.unwrap_or_else(|| Error::new(ErrorKind::InvalidOperation, "invalid value"))
                );
            }
        }
        _ => Value::str(value.to_string()),
    })
}

/// Why a value cannot be used, if it is of that kind.
pub(crate) fn refusal(value: &Val) -> Option<Error> {
    match value.kind() {
        ValueKind::Invalid => value.clone().validate().err(),
        _ => None,
    }
}

/// A key for a lookup in a mapping, if the value can be one.
pub(crate) fn key_of(value: &Val) -> Option<Value> {
    from_engine(value).ok()
}
