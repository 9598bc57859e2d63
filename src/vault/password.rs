//! Passwords and the ids they go by.

use std::fmt;
use zeroize::Zeroizing;

/// The id of passwords and texts that have no other.
pub const DEFAULT_ID: &str = "default";

/// A password. It is wiped when it is dropped, and nothing prints it.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// A password of these bytes; nothing if there are none.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Option<Self> {
        let bytes = Zeroizing::new(bytes.into());
        (!bytes.is_empty()).then_some(Self(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Password {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Password {}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("********")
    }
}

/// A password with its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id: the label of texts that are meant for it.
    pub id: String,
    /// The password.
    pub password: Password,
    /// Where it came from, for messages.
    pub origin: String,
}

/// `id (origin)`.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.id, self.origin)
    }
}
