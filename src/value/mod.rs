//! The variable value: what playbooks, facts and results are made of.
//!
//! Values are immutable and cheap to clone (lists and maps are shared). Maps keep insertion order. A string
//! knows whether it may be templated ([`Trust`]), so that data from machines is never evaluated.

mod account;
mod args;
mod convert;
mod crypt;
mod declare;
mod free_form;
mod json;
mod map;
mod octets;
mod omit;
mod pep440;
mod python;
mod refusal;
mod secret;
mod shlex;
mod text;
mod unfit;

pub use account::LocalAccount;
pub use args::{ArgField, ArgKind, ArgProblem, ArgRule, ArgSpec, check_args};
pub use convert::{FromValue, TypeProblem, to_bool};
pub use crypt::{bcrypt, crypt};
pub use declare::{Args, check, field};
pub use free_form::{COMMAND_OPTIONS, split_free_form};
pub use json::JsonStyle;
pub use map::Map;
pub use omit::{OMIT, strip_omitted};
pub use pep440::Pep440;
pub use python::{repr, str_of};
pub use secret::Secret;
pub use shlex::{shell_words, shell_words_before_comment};
pub use text::{Text, TextClass, Trust};
pub use unfit::unfit;

use std::fmt;
use std::sync::Arc;

/// A variable's value, with Python's types as Ansible's users know them.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`, Python's `None`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A string, with its trust.
    Str(Text),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A mapping in insertion order.
    Map(Arc<Map>),
}

impl Value {
    /// A string that templates may expand (it was written by the user).
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Self::Str(Text::template(text))
    }

    /// A string that is never templated (it came from a machine, a file or a lookup).
    pub fn data(text: impl Into<Arc<str>>) -> Self {
        Self::Str(Text::data(text))
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Arc::new(items))
    }

    /// A mapping.
    pub fn map(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }

    /// The string's text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The boolean, if this is exactly a boolean (no coercion; see [`to_bool`]).
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The integer, if this is exactly an integer.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The mapping, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// A member of a mapping by its string key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map().and_then(|map| map.get(key))
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Python's truth of the value: empty and zero are false.
    pub fn truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::Float(f) => *f != 0.0,
            Self::Str(s) => !s.is_empty(),
            Self::List(l) => !l.is_empty(),
            Self::Map(m) => !m.is_empty(),
        }
    }

    /// Python's name of the type, as `type_debug` and error messages say it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::List(_) => "list",
            Self::Map(_) => "dict",
        }
    }

    /// The same value with every string in it marked as data, so that no template ever expands it.
    #[must_use]
    pub fn into_data(self) -> Self {
        match self {
            Self::Str(text) => Self::Str(text.into_data()),
            Self::List(items) => {
                Self::list(unshare(items).into_iter().map(Value::into_data).collect())
            }
            Self::Map(map) => Self::map(
                unshare(map)
                    .into_iter()
                    .map(|(k, v)| (k.into_data(), v.into_data()))
                    .collect(),
            ),
            other => other,
        }
    }

    /// The same value with every string in it of the plain class.
    #[must_use]
    pub fn into_plain(self) -> Self {
        match self {
            Self::Str(text) => Self::Str(text.of_class(TextClass::Plain)),
            Self::List(items) => {
                Self::list(unshare(items).into_iter().map(Value::into_plain).collect())
            }
            Self::Map(map) => Self::map(
                unshare(map)
                    .into_iter()
                    .map(|(k, v)| (k.into_plain(), v.into_plain()))
                    .collect(),
            ),
            other => other,
        }
    }

    /// Whether any string in it is data (not to be templated).
    pub fn holds_data(&self) -> bool {
        match self {
            Self::Str(text) => text.trust() == Trust::Data,
            Self::List(items) => items.iter().any(Value::holds_data),
            Self::Map(map) => map.iter().any(|(k, v)| k.holds_data() || v.holds_data()),
            _ => false,
        }
    }
}

/// Takes the value out of its `Arc`, cloning only if it is shared.
fn unshare<T: Clone>(shared: Arc<T>) -> T {
    Arc::try_unwrap(shared).unwrap_or_else(|shared| (*shared).clone())
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&repr(self))
    }
}

/// Python's `str()` of the value, which is what a template prints.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&str_of(self))
    }
}
