//! Coercion of values to the types that arguments and keywords ask for, as Ansible's argument specs do it.
//!
//! Source: Ansible's documentation, "Ansible module development: argument spec".

use super::{ArgKind, Map, Secret, Value};
use std::path::PathBuf;

/// Why a value does not fit the type that is asked for; reads well after "argument `x`: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeProblem(pub String);

impl TypeProblem {
    /// The usual sentence: what was expected and what came.
    pub fn expected(what: &str, got: &Value) -> Self {
        let text = super::repr(got);
        let shown: String = text.chars().take(60).collect();
        Self(format!(
            "expected {what}, got {} {shown}{}",
            got.type_name(),
            if shown.len() < text.len() { "…" } else { "" }
        ))
    }
}

/// What is said of a secret.
const HIDDEN: &str = "has the wrong type (its value is not shown)";

impl TypeProblem {
    /// Whether it says no more than that the value is of another type.
    pub(super) fn is_general(&self) -> bool {
        self.0.starts_with("expected ")
    }

    /// Whether the value must not be shown.
    pub(super) fn is_hidden(&self) -> bool {
        self.0 == HIDDEN
    }
}

/// A type that an argument can have.
pub trait FromValue: Sized {
    /// What the documentation and the checks say of the type.
    const KIND: ArgKind;
    /// The type of a list's items, if this is a list.
    const ELEMENTS: Option<ArgKind> = None;
    /// Whether absence is a value of the type.
    const OPTIONAL: bool = false;
    /// The words that are allowed, if they are limited.
    const CHOICES: &'static [&'static str] = &[];
    /// Reads the value, coercing it where Ansible does.
    ///
    /// # Errors
    /// When the value is of another type and cannot be read as this one.
    fn from_value(value: &Value) -> Result<Self, TypeProblem>;
}

/// Ansible's idea of a boolean: `yes`, `on`, `1`, `true`, `y`, `t` and their opposites, in any case.
pub fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Int(0) => Some(false),
        Value::Int(1) => Some(true),
        Value::Float(f) if *f == 0.0 => Some(false),
        #[expect(clippy::float_cmp, reason = "1.0 is exact")]
        Value::Float(f) if *f == 1.0 => Some(true),
        Value::Str(text) => match text.trim().to_ascii_lowercase().as_str() {
            "yes" | "on" | "1" | "1.0" | "true" | "y" | "t" => Some(true),
            "no" | "off" | "0" | "0.0" | "false" | "n" | "f" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

impl FromValue for bool {
    const KIND: ArgKind = ArgKind::Bool;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        to_bool(value).ok_or_else(|| TypeProblem::expected("a boolean (yes or no)", value))
    }
}

impl FromValue for i64 {
    const KIND: ArgKind = ArgKind::Int;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        match value {
            Value::Int(i) => Some(*i),
            Value::Bool(b) => Some(i64::from(*b)),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "checked to be whole and small"
            )]
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Some(*f as i64),
            Value::Str(text) => text.trim().parse().ok(),
            _ => None,
        }
        .ok_or_else(|| TypeProblem::expected("a whole number", value))
    }
}

impl FromValue for u64 {
    const KIND: ArgKind = ArgKind::Int;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        let number = i64::from_value(value)?;
        Self::try_from(number)
            .map_err(|_| TypeProblem::expected("a whole number of zero or more", value))
    }
}

impl FromValue for f64 {
    const KIND: ArgKind = ArgKind::Float;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        match value {
            Value::Float(f) => Some(*f),
            #[expect(clippy::cast_precision_loss, reason = "Python's float() does the same")]
            Value::Int(i) => Some(*i as Self),
            Value::Str(text) => text.trim().parse().ok(),
            _ => None,
        }
        .ok_or_else(|| TypeProblem::expected("a number", value))
    }
}

impl FromValue for String {
    const KIND: ArgKind = ArgKind::Str;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        match value {
            Value::Str(text) => Ok(text.to_string()),
            // lists and dicts become their Python text, as Ansible converts them (with its default settings)
            other => Ok(super::str_of(other)),
        }
    }
}

/// A path on the machine, as written; `~` and `$VARS` are expanded by `sys` when it is used.
impl FromValue for PathBuf {
    const KIND: ArgKind = ArgKind::Path;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        String::from_value(value).map(PathBuf::from)
    }
}

impl FromValue for Value {
    const KIND: ArgKind = ArgKind::Raw;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        Ok(value.clone())
    }
}

/// `k=v, k2=v2` and JSON text are read as mappings too.
impl FromValue for Map {
    const KIND: ArgKind = ArgKind::Dict;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        match value {
            Value::Map(map) => Ok((**map).clone()),
            Value::Str(text) if text.trim_start().starts_with('{') => {
                let json: serde_json::Value = serde_json::from_str(text)
                    .map_err(|_| TypeProblem::expected("a mapping", value))?;
                match Value::from_json(&json) {
                    Value::Map(map) => Ok((*map).clone()),
                    _ => Err(TypeProblem::expected("a mapping", value)),
                }
            }
            Value::Str(text) if text.contains('=') => text
                .split([',', ' '])
                .map(str::trim)
                .filter(|pair| !pair.is_empty())
                .map(|pair| {
                    let (k, v) = pair
                        .split_once('=')
                        .ok_or_else(|| TypeProblem::expected("a mapping", value))?;
                    Ok((Value::str(k.trim()), Value::str(v.trim())))
                })
                .collect(),
            _ => Err(TypeProblem::expected("a mapping", value)),
        }
    }
}

/// A string with commas is a list of its parts; a single number or boolean a list of one.
impl<T: FromValue> FromValue for Vec<T> {
    const KIND: ArgKind = ArgKind::List;
    const ELEMENTS: Option<ArgKind> = Some(T::KIND);
    const CHOICES: &'static [&'static str] = T::CHOICES;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        match value {
            Value::List(items) => items.iter().map(T::from_value).collect(),
            Value::Str(text) if text.is_empty() => Ok(Self::new()),
            Value::Str(text) => text
                .split(',')
                .map(|part| T::from_value(&Value::str(part.trim())))
                .collect(),
            Value::Int(_) | Value::Float(_) | Value::Bool(_) => Ok(vec![T::from_value(value)?]),
            _ => Err(TypeProblem::expected("a list", value)),
        }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const KIND: ArgKind = T::KIND;
    const ELEMENTS: Option<ArgKind> = T::ELEMENTS;
    const OPTIONAL: bool = true;
    const CHOICES: &'static [&'static str] = T::CHOICES;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

impl<T: FromValue> FromValue for Secret<T> {
    const KIND: ArgKind = T::KIND;
    const CHOICES: &'static [&'static str] = T::CHOICES;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        T::from_value(value)
            .map(Self::new)
            .map_err(|_| TypeProblem(HIDDEN.into()))
    }
}

impl Value {
    /// The value of a JSON document; its strings are templates unless [`Value::into_data`] follows.
    pub fn from_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(b) => Self::Bool(*b),
            serde_json::Value::Number(n) => n.as_i64().map_or_else(
                || Self::Float(n.as_f64().unwrap_or(f64::INFINITY)),
                Self::Int,
            ),
            serde_json::Value::String(s) => Self::str(s.as_str()),
            serde_json::Value::Array(items) => {
                Self::list(items.iter().map(Self::from_json).collect())
            }
            serde_json::Value::Object(members) => Self::map(
                members
                    .iter()
                    .map(|(k, v)| (Self::str(k.as_str()), Self::from_json(v)))
                    .collect(),
            ),
        }
    }

    /// The value as JSON: keys as text, non-finite floats as `null`.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(b) => (*b).into(),
            Self::Int(i) => (*i).into(),
            Self::Float(f) => serde_json::Number::from_f64(*f)
                .map_or(serde_json::Value::Null, serde_json::Value::Number),
            Self::Str(text) => text.as_str().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(map) => serde_json::Value::Object(
                map.iter()
                    .map(|(k, v)| (super::str_of(k), v.to_json()))
                    .collect(),
            ),
        }
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// Read from the wire: strings are data, never templates.
impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(|json| Self::from_json(&json).into_data())
    }
}

impl serde::Serialize for Map {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(k, v)| (super::str_of(k), v)))
    }
}

impl<'de> serde::Deserialize<'de> for Map {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Map(map) => Ok((*map).clone()),
            Value::Null => Ok(Self::new()),
            _ => Err(serde::de::Error::custom("expected a mapping")),
        }
    }
}
