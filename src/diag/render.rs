//! Diagnostics as text: `file:line:col`, the line, a caret, notes and the hint.

use super::{Diagnostic, Severity, Source, Span};
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use std::sync::Arc;

/// How to render.
#[derive(Clone, Copy, Debug, Default)]
pub struct RenderOptions {
    /// With ANSI colours.
    pub colour: bool,
}

/// Longer lines are shown in part, around the caret.
const WIDTH: usize = 140;

/// The diagnostic as lines for a terminal, without a line break at the end.
pub fn render(diagnostic: &Diagnostic, options: RenderOptions) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Deprecation => Level::WARNING.with_name("deprecated"),
    };
    let title = level.primary_title(diagnostic.message.as_str());
    lines(Group::with_title(title), diagnostic, options)
}

/// The same without the message: the excerpts, notes and the hint, for where the message was told already.
pub fn render_body(diagnostic: &Diagnostic, options: RenderOptions) -> String {
    lines(Group::with_level(Level::ERROR), diagnostic, options)
}

fn lines<'a>(mut group: Group<'a>, diagnostic: &'a Diagnostic, options: RenderOptions) -> String {
    let marks = marks(diagnostic);
    let mut rest = marks.as_slice();
    while let Some(first) = rest.first() {
        // marks of one file make one excerpt
        let same = rest
            .iter()
            .position(|mark| !Arc::ptr_eq(mark.span.source(), first.span.source()))
            .unwrap_or(rest.len());
        let (these, others) = rest.split_at(same);
        let source = first.span.source();
        if source.hidden {
            for mark in these {
                let place = Origin::path(source.path.display().to_string())
                    .line(mark.span.line)
                    .char_column(mark.span.column);
                group = group.element(place);
            }
            group = group
                .element(Level::NOTE.message("the file is encrypted: its lines are not shown"));
        } else {
            group = group.element(excerpt(source, these));
        }
        rest = others;
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
    renderer.term_width(WIDTH).render(&[group])
}

/// A place to be marked.
struct Mark<'a> {
    span: &'a Span,
    label: Option<&'a str>,
    primary: bool,
}

fn marks(diagnostic: &Diagnostic) -> Vec<Mark<'_>> {
    let primary = diagnostic.span.iter().map(|span| Mark {
        span,
        label: diagnostic.label.as_deref(),
        primary: true,
    });
    let related = diagnostic.related.iter().map(|(span, what)| Mark {
        span,
        label: Some(what),
        primary: false,
    });
    primary.chain(related).collect()
}

/// The lines from the first to the last mark; those between are left out where they are many.
fn excerpt<'a>(source: &'a Source, marks: &[Mark<'a>]) -> Snippet<'a, Annotation<'a>> {
    let text = source.text.as_str();
    let places: Vec<(usize, usize)> = marks
        .iter()
        .map(|mark| first_line(text, mark.span))
        .collect();
    let first = places.iter().map(|(start, _)| *start).min().unwrap_or(0);
    let last = places.iter().map(|(_, end)| *end).max().unwrap_or(0);
    let start = before(text, first).rfind('\n').map_or(0, |i| i + 1);
    let end = text
        .get(last..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |i| last + i);
    let window = text.get(start..end).unwrap_or_default();
    let annotations = marks.iter().zip(&places).map(|(mark, (from, to))| {
        let kind = if mark.primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let annotation = kind.span(from - start..(*to).max(*from) - start);
        match mark.label {
            Some(label) => annotation.label(label),
            None => annotation,
        }
    });
    Snippet::source(window.strip_suffix('\r').unwrap_or(window))
        .line_start(before(text, start).matches('\n').count() + 1)
        .path(source.path.display().to_string())
        .annotations(annotations)
}

fn before(text: &str, at: usize) -> &str {
    text.get(..at).unwrap_or(text)
}

/// The span's bytes on its first line, on boundaries of characters: a caret over a whole block hides what matters.
fn first_line(text: &str, span: &Span) -> (usize, usize) {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    // a line break is not a place to point at: the end of its line is
    if text.get(..start).is_some_and(|t| t.ends_with('\r'))
        && text.get(start..).is_some_and(|t| t.starts_with('\n'))
    {
        start -= 1;
    }
    let line = text.get(start..).unwrap_or_default();
    let line = line.split('\n').next().unwrap_or_default();
    let line = line.strip_suffix('\r').unwrap_or(line);
    let mut end = span.end.clamp(start, start + line.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    (start, end)
}
