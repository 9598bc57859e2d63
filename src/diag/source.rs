//! Files as they were read, and places in them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A text that messages can point into.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, as the user would name it.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
    /// Messages name places in it, but do not show its lines: it was encrypted.
    pub hidden: bool,
}

impl Source {
    /// A source of this text.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: text.into(),
            hidden: false,
        })
    }

    /// A source whose lines are never shown.
    pub fn hidden(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: text.into(),
            hidden: true,
        })
    }

    /// The line of that number (from 1), without its line break.
    pub fn line(&self, number: usize) -> Option<&str> {
        self.text.lines().nth(number.checked_sub(1)?)
    }
}

/// A place in a source. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    source: Arc<Source>,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Line of the first byte, from 1.
    pub line: usize,
    /// Column of the first byte in characters, from 1.
    pub column: usize,
}

impl Span {
    /// A span whose line and column are already known (from 1).
    pub fn new(source: &Arc<Source>, start: usize, end: usize, line: usize, column: usize) -> Self {
        Self {
            source: Arc::clone(source),
            start,
            end,
            line,
            column,
        }
    }

    /// A span of these bytes; its line and column are counted.
    pub fn of_bytes(source: &Arc<Source>, start: usize, end: usize) -> Self {
        let mut start = start.min(source.text.len());
        while !source.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &source.text[..start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        Self {
            source: Arc::clone(source),
            start,
            end: end.clamp(start, source.text.len()),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    /// The text that it is in.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// The file that it is in.
    pub fn path(&self) -> &Path {
        &self.source.path
    }
}

/// `file:line:col`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}",
            self.source.path.display(),
            self.line,
            self.column
        )
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Span({self})")
    }
}
