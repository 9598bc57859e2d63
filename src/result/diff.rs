//! A change to one thing, as before and after.

use serde::{Deserialize, Serialize};

/// What a step changes. `None` for a side means that the thing does not exist there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// What is changed: a path, a unit, a package.
    pub target: String,
    /// Its text before.
    pub before: Option<String>,
    /// Its text after.
    pub after: Option<String>,
}

impl Diff {
    /// A diff of one thing.
    pub fn new(
        target: impl Into<String>,
        before: Option<impl Into<String>>,
        after: Option<impl Into<String>>,
    ) -> Self {
        Self {
            target: target.into(),
            before: before.map(Into::into),
            after: after.map(Into::into),
        }
    }

    /// The same without its texts, for what must not be shown.
    #[must_use]
    pub fn redacted(self) -> Self {
        let hide = |side: Option<String>| side.map(|_| "[hidden]\n".to_owned());
        Self {
            target: self.target,
            before: hide(self.before),
            after: hide(self.after),
        }
    }
}
