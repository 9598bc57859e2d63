//! The insertion-ordered mapping, with Python's equality of keys.

use super::{Text, Value};
use indexmap::{Equivalent, IndexMap};
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};

/// A mapping in insertion order. Keys are values, nearly always strings; `get` takes a `&str` as well.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Map(IndexMap<Value, Value>);

impl Map {
    /// An empty mapping.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a member under a string key, keeping its place if it is there already.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(Value::str(key), value.into())
    }

    /// The same, to build a mapping in one expression.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.set(key, value);
        self
    }

    /// Members whose keys are strings.
    pub fn str_iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().filter_map(|(k, v)| Some((k.as_str()?, v)))
    }

    /// Removes a member, keeping the order of the others.
    pub fn take(&mut self, key: &str) -> Option<Value> {
        self.0.shift_remove(key)
    }
}

impl Deref for Map {
    type Target = IndexMap<Value, Value>;
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Map {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl FromIterator<(Value, Value)> for Map {
    fn from_iter<T: IntoIterator<Item = (Value, Value)>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl IntoIterator for Map {
    type Item = (Value, Value);
    type IntoIter = indexmap::map::IntoIter<Value, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Value, &'a Value);
    type IntoIter = indexmap::map::Iter<'a, Value, Value>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Python's equality: `1 == 1.0 == True`, strings by text whatever their trust, mappings in any order.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            _ => match (number(self), number(other)) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            },
        }
    }
}

impl Eq for Value {}

#[expect(
    clippy::cast_precision_loss,
    reason = "Python compares through the number's value too"
)]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Int(i) => Some(*i as f64),
        Value::Float(f) => Some(*f),
        _ => None,
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            // exactly as `str` hashes, so that a `&str` finds it
            Self::Str(text) => text.as_str().hash(state),
            Self::Null => 0u8.hash(state),
            Self::List(items) => items.len().hash(state),
            Self::Map(map) => map.len().hash(state),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => {
                let n = number(self).unwrap_or_default();
                (if n == 0.0 { 0.0 } else { n }).to_bits().hash(state);
            }
        }
    }
}

impl Equivalent<Value> for str {
    fn equivalent(&self, key: &Value) -> bool {
        key.as_str() == Some(self)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::str(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::str(text)
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Str(text)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Self::Int(i)
    }
}

impl From<i32> for Value {
    fn from(i: i32) -> Self {
        Self::Int(i.into())
    }
}

impl From<u32> for Value {
    fn from(i: u32) -> Self {
        Self::Int(i.into())
    }
}

impl From<u64> for Value {
    #[expect(clippy::cast_precision_loss, reason = "beyond i64 nothing is exact")]
    fn from(i: u64) -> Self {
        i64::try_from(i).map_or_else(|_| Self::Float(i as f64), Self::Int)
    }
}

impl From<usize> for Value {
    fn from(i: usize) -> Self {
        Self::from(i as u64)
    }
}

impl From<f64> for Value {
    fn from(f: f64) -> Self {
        Self::Float(f)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::map(map)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::list(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl std::fmt::Debug for Map {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.0.iter()).finish()
    }
}
