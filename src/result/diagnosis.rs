//! Why a task failed before (or after) its module ran: a diagnostic with its place, for reports only.

use crate::diag::{Diagnostic, RenderOptions, Span, render_body};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// A diagnostic that belongs to an outcome. It is no part of what `register` stores, nor of what a machine sends.
#[derive(Clone)]
pub struct Diagnosis(Arc<Diagnostic>);

impl Diagnosis {
    /// Of this diagnostic.
    pub fn new(diagnostic: Diagnostic) -> Self {
        Self(Arc::new(diagnostic))
    }

    /// Its stable name.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The message for readers, if the result's `msg` has other words.
    pub fn message(&self) -> Option<&str> {
        self.0.told.is_some().then_some(self.0.message.as_str())
    }

    /// Where, if it has a place.
    pub fn span(&self) -> Option<&Span> {
        self.0.span.as_ref()
    }

    /// The excerpt with its caret, the notes and the hint, but not the message: lines without a break at the end.
    pub fn body(&self, colour: bool) -> String {
        render_body(&self.0, RenderOptions { colour })
    }
}

impl fmt::Debug for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Diagnosis({})", self.0)
    }
}

/// By what they say.
impl PartialEq for Diagnosis {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

struct Place<'a>(&'a Span);

impl Serialize for Place<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("file", &self.0.path().to_string_lossy())?;
        map.serialize_entry("line", &self.0.line)?;
        map.serialize_entry("column", &self.0.column)?;
        map.end()
    }
}

/// `code`, `message`, `place` (`file`, `line`, `column`), `related` (other places with what they are), `notes` and
/// `hint`. `null` stands for what is not there.
impl Serialize for Diagnosis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Related<'a> {
            place: Place<'a>,
            what: &'a str,
        }
        let related: Vec<Related<'_>> = self
            .0
            .related
            .iter()
            .map(|(span, what)| Related {
                place: Place(span),
                what,
            })
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", self.0.code)?;
        map.serialize_entry("message", &self.0.message)?;
        map.serialize_entry("place", &self.0.span.as_ref().map(Place))?;
        map.serialize_entry("related", &related)?;
        map.serialize_entry("notes", &self.0.notes)?;
        map.serialize_entry("hint", &self.0.hint)?;
        map.end()
    }
}
