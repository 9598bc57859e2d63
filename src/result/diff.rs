//! A change to one thing, as before and after.

use crate::value::{Map, Value};
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

    /// As results have it: texts and headers.
    pub fn to_value(&self) -> Value {
        let side = |text: &Option<String>| Value::data(text.clone().unwrap_or_default());
        Value::map(
            Map::new()
                .with("before_header", Value::data(self.target.as_str()))
                .with("after_header", Value::data(self.target.as_str()))
                .with("before", side(&self.before))
                .with("after", side(&self.after)),
        )
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
