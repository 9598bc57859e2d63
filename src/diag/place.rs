//! The place of an error, in the words that Ansible has for it.

use super::Span;
use std::fmt::Write as _;

/// What follows the message: the file, the line and the column.
pub fn place(span: &Span) -> String {
    let file = std::path::absolute(span.path()).unwrap_or_else(|_| span.path().to_owned());
    format!(
        "\n\nThe error appears to be in '{}': line {}, column {}, but may\nbe elsewhere in the file depending on \
         the exact syntax problem.\n",
        file.display(),
        span.line,
        span.column
    )
}

/// What follows that: the line, and the one before it. There is no break at its end.
pub fn excerpt(span: &Span) -> String {
    if span.source().hidden {
        return String::new();
    }
    let line = |number: usize| span.source().line(number).unwrap_or_default();
    let mut text = String::from("\nThe offending line appears to be:\n\n");
    if span.line > 1 {
        let _ = writeln!(text, "{}", line(span.line - 1));
    }
    let _ = write!(
        text,
        "{}\n{}^ here",
        line(span.line),
        " ".repeat(span.column.saturating_sub(1))
    );
    text
}
