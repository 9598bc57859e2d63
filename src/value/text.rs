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

/// Which of Ansible's kinds of text a string is. The filter `type_debug` names it, and a native one is not read as a
/// literal again. It is passed on with the string; what is made of strings is plain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TextClass {
    /// A result of an expression, or of a source that is not YAML: `str`.
    #[default]
    Plain,
    /// A scalar of a YAML file: `AnsibleUnicode`.
    Written,
    /// The result of a filter that stands for text, whatever that looks like: `NativeJinjaText`.
    Native,
    /// The result of a filter of Jinja2's for HTML: `Markup`.
    Markup,
    /// What Python shows of bytes that are no text ([`Text::octets`]): `bytes`.
    Bytes,
    /// What Python shows of a class, where it stands for that class: `type`.
    Type,
}

/// A shared, immutable string, its trust and class. Equality and hash look at the text alone.
#[derive(Clone, Default)]
pub struct Text {
    shared: Arc<str>,
    trust: Trust,
    class: TextClass,
}

impl Text {
    /// A string that templates may expand.
    pub fn template(text: impl Into<Arc<str>>) -> Self {
        Self {
            shared: text.into(),
            trust: Trust::Template,
            class: TextClass::Plain,
        }
    }

    /// A scalar of a YAML file, which templates may expand.
    pub fn written(text: impl Into<Arc<str>>) -> Self {
        Self::template(text).of_class(TextClass::Written)
    }

    /// A string that is never templated.
    pub fn data(text: impl Into<Arc<str>>) -> Self {
        Self {
            shared: text.into(),
            trust: Trust::Data,
            class: TextClass::Plain,
        }
    }

    /// An inline `!vault` value: its text is the ciphertext with its header.
    pub fn vault(text: impl Into<Arc<str>>) -> Self {
        Self {
            shared: text.into(),
            trust: Trust::Vault,
            class: TextClass::Plain,
        }
    }

    /// The string itself.
    pub fn as_str(&self) -> &str {
        &self.shared
    }

    /// The shared text.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.shared)
    }

    /// Where it came from.
    pub fn trust(&self) -> Trust {
        self.trust
    }

    /// Which kind of text it is.
    pub fn class(&self) -> TextClass {
        self.class
    }

    /// The same text as one of that class.
    #[must_use]
    pub fn of_class(mut self, class: TextClass) -> Self {
        self.class = class;
        self
    }

    /// The name of Ansible's class for such a text.
    pub fn class_name(&self) -> &'static str {
        match (self.trust, self.class) {
            (Trust::Vault, _) => "AnsibleVaultEncryptedUnicode",
            (_, TextClass::Type) => "type",
            (_, TextClass::Bytes) => "bytes",
            (Trust::Data, TextClass::Native) => "NativeJinjaUnsafeText",
            (Trust::Data, _) => "AnsibleUnsafeText",
            (Trust::Template, TextClass::Plain) => "str",
            (Trust::Template, TextClass::Written) => "AnsibleUnicode",
            (Trust::Template, TextClass::Native) => "NativeJinjaText",
            (Trust::Template, TextClass::Markup) => "Markup",
        }
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
        &self.shared
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.shared == other.shared
    }
}

impl Eq for Text {}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.shared, f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shared)
    }
}
