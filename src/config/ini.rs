//! INI files as Python's `configparser` reads them for Ansible: `#` and `;` begin comment lines, ` ;` a comment after a
//! value, indented lines continue a value, keys are case-insensitive, and nothing may be given twice.

use crate::diag::{Diagnostic, Source, Span};
use std::sync::Arc;

/// A `key = value` with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The section's name.
    pub section: String,
    /// In lower case.
    pub key: String,
    /// Without comments; the lines of a continued value are joined by line breaks.
    pub value: String,
    /// From the key to the end of the value's first line.
    pub span: Span,
}

/// Reads all entries, in the order of the file.
///
/// # Errors
/// `config::syntax`: an entry before the first section, a line without `=`, a section or key given twice.
pub(crate) fn parse(source: &Arc<Source>) -> Result<Vec<Entry>, Diagnostic> {
    let mut reader = Reader {
        source,
        sections: Vec::new(),
        entries: Vec::new(),
        indent: None,
    };
    let mut start = 0;
    let text = source.text.strip_prefix('\u{feff}');
    let base = if text.is_some() {
        '\u{feff}'.len_utf8()
    } else {
        0
    };
    for line in text.unwrap_or(&source.text).split_inclusive('\n') {
        reader.line(line.trim_end(), base + start)?;
        start += line.len();
    }
    for entry in &mut reader.entries {
        entry.value.truncate(entry.value.trim_end().len());
    }
    Ok(reader.entries)
}

struct Reader<'a> {
    source: &'a Arc<Source>,
    sections: Vec<(String, Span)>,
    entries: Vec<Entry>,
    /// Columns before the key of the entry that may go on; none after a section's head.
    indent: Option<usize>,
}

impl Reader<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        Span::of_bytes(self.source, start, end)
    }

    fn line(&mut self, line: &str, start: usize) -> Result<(), Diagnostic> {
        let content = line.trim_start();
        let indent = line.len() - content.len();
        if content.starts_with(['#', ';']) {
            return Ok(());
        }
        let content = without_comment(content);
        if content.is_empty() {
            if let (Some(_), Some(entry)) = (self.indent, self.entries.last_mut()) {
                entry.value.push('\n');
            }
            return Ok(());
        }
        if let (Some(key_indent), Some(entry)) = (self.indent, self.entries.last_mut())
            && indent > key_indent
        {
            entry.value.push('\n');
            entry.value.push_str(content);
            return Ok(());
        }
        let start = start + indent;
        let end = start + content.len();
        if let Some(rest) = content.strip_prefix('[')
            && let Some((name, _)) = rest.rsplit_once(']').filter(|(name, _)| !name.is_empty())
        {
            return self.section(name, start, end);
        }
        self.entry(content, indent, start, end)
    }

    fn section(&mut self, name: &str, start: usize, end: usize) -> Result<(), Diagnostic> {
        let span = self.span(start, end);
        if let Some((_, earlier)) = self.sections.iter().find(|(known, _)| known == name) {
            return Err(Diagnostic::error(
                "config::syntax",
                format!("the section [{name}] is given twice"),
            )
            .at(&span)
            .related(earlier, "first given here")
            .hint("put the settings of both into one section"));
        }
        self.sections.push((name.to_owned(), span));
        self.indent = None;
        Ok(())
    }

    fn entry(
        &mut self,
        content: &str,
        indent: usize,
        start: usize,
        end: usize,
    ) -> Result<(), Diagnostic> {
        let span = self.span(start, end);
        let Some((section, _)) = self.sections.last() else {
            return Err(Diagnostic::error(
                "config::syntax",
                "a setting stands before the first section",
            )
            .at(&span)
            .hint("begin the file with `[defaults]`"));
        };
        let split = content
            .split_once(['=', ':'])
            .map(|(key, value)| (key.trim(), value.trim()))
            .filter(|(key, _)| !key.is_empty());
        let Some((key, value)) = split else {
            return Err(
                Diagnostic::error("config::syntax", "this line is no `key = value`").at(&span),
            );
        };
        let key = key.to_lowercase();
        let earlier = self
            .entries
            .iter()
            .find(|entry| entry.key == key && entry.section == *section);
        if let Some(earlier) = earlier {
            return Err(Diagnostic::error(
                "config::syntax",
                format!("`{key}` is given twice in [{section}]"),
            )
            .at(&span)
            .related(&earlier.span, "first given here"));
        }
        self.entries.push(Entry {
            section: section.clone(),
            key,
            value: value.to_owned(),
            span,
        });
        self.indent = Some(indent);
        Ok(())
    }
}

/// The line up to a `;` that follows a space.
fn without_comment(line: &str) -> &str {
    let comment = line.match_indices(';').map(|(at, _)| at).find(|at| {
        line.get(..*at)
            .is_some_and(|before| before.ends_with(char::is_whitespace))
    });
    line.get(..comment.unwrap_or(line.len()))
        .unwrap_or(line)
        .trim_end()
}
