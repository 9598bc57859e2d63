//! Diagnostics as text: file:line:col, the line, a caret, notes and the hint.

use super::{Diagnostic, Severity};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How to render.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderOptions {
    /// With ANSI colours.
    pub colour: bool,
}

/// The diagnostic as lines for a terminal, without a line break at the end.
pub fn render(diagnostic: &Diagnostic, options: RenderOptions) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Deprecation => Level::WARNING.with_name("deprecated"),
    };
    let mut group = Group::with_title(level.primary_title(diagnostic.message.as_str()));
    if let Some(span) = &diagnostic.span {
        let source = span.source();
        let path = source.path.display().to_string();
        let len = source.text.len();
        // one line of the file is enough: a caret over a whole block hides what matters
        let line_end = source.text[span.start.min(len)..]
            .find('\n')
            .map_or(len, |i| span.start + i);
        let end = span.end.min(line_end).max(span.start).min(len);
        let mut snippet = Snippet::source(source.text.as_str())
            .line_start(1)
            .path(path);
        let annotation = AnnotationKind::Primary.span(span.start.min(len)..end);
        snippet = snippet.annotation(match &diagnostic.label {
            Some(label) => annotation.label(label.as_str()),
            None => annotation,
        });
        group = group.element(snippet);
    }
    for (span, what) in &diagnostic.related {
        group = group.element(Level::NOTE.message(format!("{span}: {what}")));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note.as_str()));
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    let renderer = if options.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    renderer.render(&[group])
}
