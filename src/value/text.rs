//! Strings that know whether they may be templated.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Where a string came from, as far as templating cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Trust {
    /// Written by the user: `{{ }}` in it is a template.
    #[default]
    Template,
    /// Came from a machine, a lookup or `!unsafe`: text, whatever it looks like.
    Data,
    /// An inline `!vault` value, still encrypted.
    Vault,
}

/// A shared, immutable string and its trust. Equality and hash look at the text alone.
#[derive(Clone, Default)]
pub struct Text {
    text: Arc<str>,
    trust: Trust,
}

impl Text {
    /// A string that templates may expand.
    pub fn template(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            trust: Trust::Template,
        }
    }

    /// A string that is never templated.
    pub fn data(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            trust: Trust::Data,
        }
    }

    /// An inline `!vault` value: its text is the ciphertext with its header.
    pub fn vault(text: impl Into<Arc<str>>) -> Self {
        Self {
            text: text.into(),
            trust: Trust::Vault,
        }
    }

    /// The string itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The shared text.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.text)
    }

    /// Where it came from.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// The same text, never templated again.
    #[must_use]
    pub fn into_data(mut self) -> Self {
        if self.trust == Trust::Template {
            self.trust = Trust::Data;
        }
        self
    }
}

impl Deref for Text {
    type Target = str;
    fn deref(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.text, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
