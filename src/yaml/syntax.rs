//! What is wrong with a text that is not YAML, in words that help.
//!
//! libyaml says where it gave up; people want to know what they wrote. The usual mistakes are recognised by the lines
//! around that place.

use super::libyaml::Failure;
use super::node::Node;
use super::places::Places;
use crate::diag::Diagnostic;

const CODE: &str = "yaml::syntax";

/// A line of the text.
#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Line<'a> {
    /// The line that holds this byte.
    fn at(text: &'a str, offset: usize) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let (before, after) = text.split_at(offset);
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        let end = after.find('\n').map_or(text.len(), |i| offset + i);
        Self {
            text: text.get(start..end).unwrap_or_default().trim_end(),
            start,
        }
    }

    /// The nearest line before this one that has content.
    fn before(self, text: &'a str) -> Option<Self> {
        let mut line = self;
        while line.start > 0 {
            line = Self::at(text, line.start - 1);
            let content = line.text.trim();
            if !content.is_empty() && !content.starts_with('#') {
                return Some(line);
            }
        }
        None
    }

    fn indent(self) -> usize {
        self.text.len() - self.text.trim_start_matches(' ').len()
    }

    /// The line's content without its `- ` marks, and its offset in the line.
    fn content(self) -> (&'a str, usize) {
        let mut rest = self.text.trim_start();
        while let Some(inner) = rest.strip_prefix("- ") {
            rest = inner.trim_start();
        }
        (rest, self.text.len() - rest.len())
    }

    /// Whether the line is text of a `|` or `>` block: some line above that it is indented under ends with the mark.
    fn in_block(self, text: &str) -> bool {
        let mut indent = self.indent();
        let mut line = self;
        while let Some(above) = line.before(text).filter(|_| indent > 0) {
            line = above;
            if line.indent() < indent {
                indent = line.indent();
                let marks = line.text.rsplit(' ').next().unwrap_or_default();
                let rest = marks.trim_start_matches(['|', '>']);
                if rest.len() < marks.len()
                    && rest.chars().all(|c| matches!(c, '+' | '-' | '0'..='9'))
                {
                    return true;
                }
            }
        }
        false
    }

    /// The key and the value of a `key: value` line, and the offset of the value in the line.
    fn pair(self) -> Option<(&'a str, &'a str, usize)> {
        let (content, _) = self.content();
        let (key, value) = content.split_once(": ")?;
        let value = value.trim_start();
        (!value.is_empty()).then(|| (key, value, self.text.len() - value.len()))
    }

    /// The value of a `key: value` or `- value` line, and its offset in the line.
    fn value(self) -> (&'a str, usize) {
        self.pair()
            .map_or_else(|| self.content(), |(_, value, at)| (value, at))
    }
}

/// The diagnostic for libyaml's failure.
pub(super) fn explain(failure: &Failure, places: &mut Places<'_>) -> Diagnostic {
    let text = places.text();
    let line = Line::at(text, failure.at);
    let context = Line::at(text, failure.context_at);
    usual_mistake(failure, places, line, context)
        .or_else(|| by_problem(failure, places, line))
        .unwrap_or_else(|| {
            let at = failure.at;
            let diagnostic =
                Diagnostic::error(CODE, format!("this is not YAML: {}", failure.problem))
                    .at(&places.span(at, at + 1));
            with_context(diagnostic, failure, places)
        })
}

/// Adds where the thing began that libyaml was reading.
fn with_context(diagnostic: Diagnostic, failure: &Failure, places: &mut Places<'_>) -> Diagnostic {
    match &failure.context {
        Some(context) if !context.is_empty() => {
            let span = places.span(failure.context_at, failure.context_at + 1);
            diagnostic.related(&span, format!("{context} that began here"))
        }
        _ => diagnostic,
    }
}

/// A mapping or list as a key: nearly always an unquoted template.
pub(super) fn bad_key(node: &Node) -> Diagnostic {
    let source = node.span.source();
    let line = Line::at(&source.text, node.span.start);
    let before = source.text.get(..node.span.start).unwrap_or_default();
    if before.ends_with('{') {
        let diagnostic = Diagnostic::error(
            CODE,
            "a value that begins with `{{` must be quoted: YAML reads the brace as a mapping",
        )
        .at(&node.span)
        .label("a template, but not in quotes");
        return diagnostic.hint(quoted(line));
    }
    Diagnostic::error(
        "yaml::bad-key",
        format!(
            "the key of a mapping must be a scalar, not {}",
            node.describe()
        ),
    )
    .at(&node.span)
}

/// The line with its value in quotes, as a suggestion.
fn quoted(line: Line<'_>) -> String {
    let (value, at) = line.value();
    let head = line.text.get(..at).unwrap_or_default().trim_start();
    let value = strip_comment(value);
    let quoted = if value.contains('"') && !value.contains('\'') {
        format!("'{value}'")
    } else {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    };
    format!("quote the whole value: {head}{quoted}")
}

fn strip_comment(value: &str) -> &str {
    value
        .find(" #")
        .map_or(value, |at| value.get(..at).unwrap_or(value))
        .trim_end()
}

/// The mistakes that everybody makes.
fn usual_mistake(
    failure: &Failure,
    places: &mut Places<'_>,
    line: Line<'_>,
    context: Line<'_>,
) -> Option<Diagnostic> {
    if let Some(diagnostic) = tab(places, line, failure.at) {
        return Some(diagnostic);
    }
    let text = places.text();
    // `key: {{ x }}/y`: libyaml notices at the text behind the braces, or at the next line
    let near = [Some(line), line.before(text), Some(context)]
        .map(|line| line.filter(|line| !line.in_block(text)));
    for line in near.into_iter().flatten() {
        let (value, at) = line.value();
        if value.starts_with("{{") || value.starts_with("{%") {
            let start = line.start + at;
            let open = value.get(..2).unwrap_or_default();
            return Some(
                Diagnostic::error(
                    CODE,
                    format!("a value that begins with `{open}` must be quoted: YAML reads the brace as a mapping"),
                )
                .at(&places.span(start, start + strip_comment(value).len()))
                .hint(quoted(line)),
            );
        }
    }
    for line in near.into_iter().flatten() {
        let (value, at) = line.value();
        if let Some(after) = after_quote(value) {
            let start = line.start + at + after;
            let end = line.start + at + strip_comment(value).len();
            return Some(
                Diagnostic::error(CODE, "there is text after the closing quote")
                    .at(&places.span(start, end))
                    .label("not part of the quoted text")
                    .hint(
                        "put quotes around the whole value, or use none if it does not begin with one",
                    ),
            );
        }
    }
    None
}

/// A tab where indentation is expected.
fn tab(places: &mut Places<'_>, line: Line<'_>, at: usize) -> Option<Diagnostic> {
    let lead = line.text.len() - line.text.trim_start().len();
    let tab = line.text.get(..lead)?.find('\t')?;
    let column = at.saturating_sub(line.start);
    // a tab further left than where reading stopped, or at that very place
    (tab <= column).then(|| {
        Diagnostic::error(
            CODE,
            "a tab is used for indentation, where YAML allows only spaces",
        )
        .at(&places.span(line.start + tab, line.start + tab + 1))
        .label("a tab")
        .hint("indent with spaces")
    })
}

/// Where text follows the closing quote of a quoted value, from the value's start.
fn after_quote(value: &str) -> Option<usize> {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut chars = value.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '\\' && quote == '"' {
            chars.next();
        } else if c == quote {
            if quote == '\'' && chars.peek().is_some_and(|(_, next)| *next == '\'') {
                chars.next();
                continue;
            }
            let rest = value.get(at + 1..)?;
            let content = rest.trim_start();
            if content.is_empty() || content.starts_with(['#', ':', ',', ']', '}']) {
                return None;
            }
            return Some(at + 1 + (rest.len() - content.len()));
        }
    }
    None
}

/// By what libyaml says.
fn by_problem(failure: &Failure, places: &mut Places<'_>, line: Line<'_>) -> Option<Diagnostic> {
    let text = places.text();
    let context = failure.context.as_deref().unwrap_or_default();
    let at = failure.at;
    let here = places.span(at, at + 1);
    let c = text.get(at..).and_then(|rest| rest.chars().next());
    Some(match failure.problem.as_str() {
        "did not find expected key"
        | "did not find expected '-' indicator"
        | "did not find expected node content"
        | "did not find expected <document start>"
            if matches!(c, Some(']' | '}')) =>
        {
            let c = c.unwrap_or(']');
            Diagnostic::error(CODE, format!("this `{c}` closes nothing"))
                .at(&here)
                .hint("remove it, or quote the value if it is text")
        }
        "could not find expected directive name" | "found unknown directive name" => {
            Diagnostic::error(CODE, "a line cannot begin with `%` unless it is quoted")
                .at(&places.span(failure.context_at, failure.context_at + 1))
                .hint("quote the value, or indent the line if it goes on from the line above")
        }
        "mapping values are not allowed in this context" => second_colon(places, line, at),
        "could not find expected ':'" => missing_colon(places, failure),
        "found unexpected end of stream" | "found unexpected document indicator" => {
            let span = places.span(failure.context_at, failure.context_at + 1);
            Diagnostic::error(CODE, "this quote is never closed")
                .at(&span)
                .label("opened here")
                .hint("add the closing quote; in single quotes, write a quote as `''`")
        }
        "found character that cannot start any token" => cannot_start(places, line, at),
        "did not find expected '-' indicator" => {
            let list = places.span(failure.context_at, failure.context_at + 1);
            Diagnostic::error(CODE, "expected the next `- ` item of the list here")
                .at(&here)
                .label("not an item of the list")
                .related(&list, "the list begins here")
                .hint(alignment(text, failure, line, "item"))
        }
        "did not find expected key" if context.contains("block mapping") => {
            let mapping = places.span(failure.context_at, failure.context_at + 1);
            let (message, label) = if line.text.trim_start().starts_with("- ") {
                ("a list item stands where a key of the mapping is expected", "a list item")
            } else {
                ("expected a key of the mapping here", "does not fit the mapping")
            };
            Diagnostic::error(CODE, message)
                .at(&here)
                .label(label)
                .related(&mapping, "the mapping begins here")
                .hint(alignment(text, failure, line, "key"))
        }
        "did not find expected ',' or ']'" => unclosed(failure, places, '[', ']'),
        "did not find expected ',' or '}'" => unclosed(failure, places, '{', '}'),
        "block sequence entries are not allowed in this context" => {
            Diagnostic::error(CODE, "a list cannot begin on the line of its key")
                .at(&here)
                .hint("begin the list on the next line, or write it with brackets: [a, b]; text that begins with `- ` must be quoted")
        }
        "control characters are not allowed" => {
            let code = text.get(at..).and_then(|rest| rest.chars().next());
            let message = code.map_or_else(
                || "a control character is not allowed in YAML".to_owned(),
                |c| format!("the control character U+{:04X} is not allowed in YAML", c as u32),
            );
            Diagnostic::error(CODE, message)
                .at(&here)
                .hint("remove it, or write it as an escape in double quotes")
        }
        "found unknown escape character" => {
            Diagnostic::error(CODE, "this backslash begins no escape that YAML knows in double quotes")
                .at(&here)
                .hint("use single quotes, where backslashes are just text, or double the backslash")
        }
        "did not find expected alphabetic or numeric character" => {
            let span = places.span(failure.context_at, at + 1);
            let (mark, what) = if context.contains("alias") {
                ('*', "alias")
            } else {
                ('&', "anchor")
            };
            Diagnostic::error(
                CODE,
                format!("a value that begins with `{mark}` must be quoted: YAML reads it as an {what}"),
            )
            .at(&span)
            .hint(quoted(Line::at(text, failure.context_at)))
        }
        "did not find expected comment or line break" if context.contains("block scalar") => {
            Diagnostic::error(CODE, "text cannot follow `|` or `>` on the same line")
                .at(&here)
                .hint("begin the text on the next line, indented; to have a value that begins with `|` or `>`, quote it")
        }
        "did not find expected <document start>" => {
            Diagnostic::error(CODE, "the document has ended before this line")
                .at(&here)
                .label("not part of the document above")
                .hint("indent it as the lines above, or begin another document with `---`")
        }
        "did not find expected node content" => with_context(
            Diagnostic::error(CODE, "a value is missing here").at(&here),
            failure,
            places,
        ),
        "found undefined tag handle" => {
            Diagnostic::error(CODE, "the tag's prefix is not declared")
                .at(&here)
                .hint("quote the value if its `!` is text")
        }
        "mapping keys are not allowed in this context" => {
            Diagnostic::error(CODE, "`? ` begins a key, and none can stand here")
                .at(&here)
                .hint("quote the value if its `?` is text")
        }
        _ => return None,
    })
}

/// `key: value: more`, or a key below a line that already has a value.
fn second_colon(places: &mut Places<'_>, line: Line<'_>, at: usize) -> Diagnostic {
    let text = places.text();
    let here = places.span(at, at + 1);
    if let Some((key, value, value_at)) = line.pair()
        && line.start + value_at <= at
    {
        return Diagnostic::error(
            CODE,
            format!("the value of `{key}` holds `: `, which would begin another mapping"),
        )
        .at(&here)
        .label("a second colon")
        .hint(quoted_value(line, value));
    }
    if let Some(above) = line.before(text) {
        let (above_content, above_at) = above.content();
        let (content, content_at) = line.content();
        let name = content.split(':').next().unwrap_or_default().trim();
        if let Some((key, ..)) = above.pair().filter(|_| content_at > above_at) {
            let start = line.start + content_at;
            return Diagnostic::error(
                    CODE,
                    format!("`{name}` is indented below `{key}`, which already has a value"),
                )
                .at(&places.span(start, start + name.len()))
                .label(format!("column {}", content_at + 1))
                .hint(format!(
                    "align `{name}` with `{key}` (column {}), or quote the value of `{key}` if it goes on here",
                    above_at + 1
                ));
        }
        if above.pair().is_none() && !above_content.ends_with(':') {
            let start = above.start + above_at;
            let hint = missing_space(above_content).unwrap_or_else(|| {
                "a key needs a colon and a space after it: `key: value`".to_owned()
            });
            return Diagnostic::error(CODE, "this line is no `key: value`, but the next one is")
                .at(&places.span(start, start + above_content.len()))
                .hint(hint);
        }
    }
    Diagnostic::error(CODE, "a `key: value` pair cannot stand here")
        .at(&here)
        .hint("check the indentation of this line and the one above, or quote the text if its colon is no key's")
}

fn quoted_value(line: Line<'_>, value: &str) -> String {
    if value.starts_with(['"', '\'']) {
        "put quotes around the whole value".to_owned()
    } else {
        quoted(line)
    }
}

/// For `key:value`, what it should be.
fn missing_space(content: &str) -> Option<String> {
    if let Some(item) = content
        .strip_prefix('-')
        .filter(|item| !item.starts_with('-'))
    {
        return Some(format!("add a space after the dash: `- {item}`"));
    }
    let (key, value) = content.split_once(':')?;
    let simple = !key.is_empty()
        && key
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | '\''));
    (simple && !value.is_empty() && !value.starts_with([' ', '/', ':', '-']))
        .then(|| format!("add a space after the colon: `{key}: {value}`"))
}

/// A line without a colon among lines with one.
fn missing_colon(places: &mut Places<'_>, failure: &Failure) -> Diagnostic {
    let line = Line::at(places.text(), failure.context_at);
    let (content, at) = line.content();
    let start = line.start + at;
    let span = places.span(start, start + content.len().max(1));
    let hint = missing_space(content).unwrap_or_else(|| {
        if content.starts_with(['"', '\'']) {
            "check that the quote is closed on this line".to_owned()
        } else {
            "a key needs a colon and a space after it; text that goes on from the line above must be indented deeper".to_owned()
        }
    });
    Diagnostic::error(CODE, "expected `key: value` here, but there is no colon")
        .at(&span)
        .hint(hint)
}

fn cannot_start(places: &mut Places<'_>, line: Line<'_>, at: usize) -> Diagnostic {
    let text = places.text();
    let here = places.span(at, at + 1);
    let c = text.get(at..).and_then(|rest| rest.chars().next());
    match c {
        Some('\t') => Diagnostic::error(CODE, "a tab stands where YAML allows only spaces")
            .at(&here)
            .label("a tab")
            .hint("use spaces"),
        Some(c @ ('@' | '`' | '%')) => Diagnostic::error(
            CODE,
            format!("a value cannot begin with `{c}` unless it is quoted"),
        )
        .at(&here)
        .hint(quoted(line)),
        Some(c) => Diagnostic::error(CODE, format!("nothing in YAML begins with `{c}`"))
            .at(&here)
            .hint("quote the value"),
        None => Diagnostic::error(CODE, "the text ends unexpectedly").at(&here),
    }
}

fn unclosed(failure: &Failure, places: &mut Places<'_>, open: char, close: char) -> Diagnostic {
    let start = places.span(failure.context_at, failure.context_at + 1);
    let at = failure.at;
    let here = places.span(at, at + 1);
    let at_end = places
        .text()
        .get(at..)
        .is_none_or(|rest| rest.trim().is_empty());
    if at_end {
        return Diagnostic::error(CODE, format!("this `{open}` is never closed"))
            .at(&start)
            .label("opened here")
            .hint(format!("add `{close}`"));
    }
    Diagnostic::error(
        CODE,
        format!("expected `,` or `{close}` here: the `{open}` above is still open"),
    )
    .at(&here)
    .related(&start, format!("the `{open}` that is open"))
    .hint(format!(
        "close it with `{close}`, separate its members with `,`, or quote the value if the `{open}` is text"
    ))
}

/// How far the line is from where its list or mapping stands.
fn alignment(text: &str, failure: &Failure, line: Line<'_>, what: &str) -> String {
    let context = Line::at(text, failure.context_at);
    let expected = failure.context_at.saturating_sub(context.start);
    let found = line.indent();
    if found == expected {
        return match missing_space(line.content().0) {
            Some(hint) => hint,
            None if what == "item" => {
                "begin the item with `- `, or indent the line below its key".to_owned()
            }
            None => {
                "check the line above: an open quote or bracket, or a value that goes on".to_owned()
            }
        };
    }
    format!(
        "align it: the {what}s before it are at column {}, this line is at column {}",
        expected + 1,
        found + 1
    )
}
