//! A setting and its origin.

use crate::diag::Span;
use std::fmt;
use std::ops::Deref;

/// A value with the place that set it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Who set it.
    pub origin: Origin,
}

impl<T> Setting<T> {
    /// The built-in value.
    pub fn default_of(value: T) -> Self {
        Self {
            value,
            origin: Origin::Default,
        }
    }

    /// Whether a file or the environment set it.
    pub fn is_set(&self) -> bool {
        self.origin != Origin::Default
    }
}

impl<T> Deref for Setting<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}

/// Where a setting's value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// A line of the configuration file.
    File(Span),
    /// The environment variable of this name.
    Environment(&'static str),
}

/// `built in`, `ansible.cfg:2:1` or `$ANSIBLE_FORKS`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("built in"),
            Self::File(span) => span.fmt(f),
            Self::Environment(name) => write!(f, "${name}"),
        }
    }
}

/// A line of the configuration file that changes nothing.
#[derive(Clone, Debug)]
pub struct Ignored {
    /// Its section.
    pub section: String,
    /// Its key.
    pub key: String,
    /// Where it is.
    pub span: Span,
    /// Ansible has this setting, but it means nothing here (`pipelining`, plugin paths, …).
    pub known: bool,
    /// "did you mean", for a key that nobody knows.
    pub hint: Option<String>,
}

/// `[defaults] pipelining`
impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}", self.section, self.key)
    }
}
