//! From bytes to spans, fast: events come in the order of the text, so lines and columns are counted on.

use crate::diag::{Source, Span};
use std::sync::Arc;

/// The byte order mark that some editors put before a text.
const BOM: &str = "\u{feff}";

/// Counts lines and columns along a source.
pub(super) struct Places<'a> {
    source: &'a Arc<Source>,
    base: usize,
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> Places<'a> {
    /// Places of the text after a byte order mark, which is not part of it.
    pub fn new(source: &'a Arc<Source>) -> Self {
        let base = if source.text.starts_with(BOM) {
            BOM.len()
        } else {
            0
        };
        Self {
            source,
            base,
            offset: base,
            line: 1,
            column: 1,
        }
    }

    /// The text that offsets count in.
    pub fn text(&self) -> &'a str {
        self.source.text.get(self.base..).unwrap_or_default()
    }

    /// The byte of the source that a byte of [`Places::text`] is.
    pub fn absolute(&self, offset: usize) -> usize {
        offset.saturating_add(self.base).min(self.source.text.len())
    }

    /// The span of these bytes of [`Places::text`].
    pub fn span(&mut self, start: usize, end: usize) -> Span {
        let text = self.source.text.as_str();
        let mut start = start.saturating_add(self.base).min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = end.saturating_add(self.base).clamp(start, text.len());
        while !text.is_char_boundary(end) {
            end += 1;
        }
        if start < self.offset {
            // only anchors' and errors' places lie before what was seen last
            (self.offset, self.line, self.column) = (self.base, 1, 1);
        }
        for c in text.get(self.offset..start).unwrap_or_default().chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.offset = start;
        Span::new(self.source, start, end, self.line, self.column)
    }
}
