//! What can be told from a template's text without compiling it.

use super::templar::FileOptions;
use std::ops::Range;

/// Whether the text has a template's delimiter in it.
pub(crate) fn is_template(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes
        .windows(2)
        .any(|pair| pair[0] == b'{' && matches!(pair[1], b'{' | b'%' | b'#'))
}

/// The name, if the text is `{{ name }}` and nothing else.
pub(crate) fn single_variable(text: &str) -> Option<&str> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let inner = text.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    (!inner.is_empty() && inner.chars().all(|c| c.is_alphanumeric() || c == '_')).then_some(inner)
}

/// The bytes of the expression, if the text is one `{{ expression }}` and nothing else.
pub(crate) fn single_expression(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    if !text.starts_with("{{") {
        return None;
    }
    let mut start = 2;
    if matches!(bytes.get(2), Some(b'-' | b'+')) {
        start = 3;
    }
    let end = expression_end(bytes, start)?;
    if end + 2 != text.len() {
        return None;
    }
    let end = if end > start && bytes.get(end - 1) == Some(&b'-') {
        end - 1
    } else {
        end
    };
    (start <= end).then_some(start..end)
}

/// Where the `}}` is that closes an expression which starts at `at`.
fn expression_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\'' | b'"' => at = string_end(bytes, at)?,
            b'{' | b'(' | b'[' => depth += 1,
            b'}' if depth == 0 => {
                return (bytes.get(at + 1) == Some(&b'}')).then_some(at);
            }
            b'}' | b')' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The index of the quote that closes the string which starts at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let quote = *bytes.get(at)?;
    loop {
        at += 1;
        match bytes.get(at)? {
            b'\\' => at += 1,
            byte if *byte == quote => return Some(at),
            _ => {}
        }
    }
}

/// The text with backslashes doubled in the string literals of `{{ }}`, as Ansible does it for strings of
/// playbooks, and the offsets (in the new text) of the backslashes that were added.
pub(crate) fn escape_backslashes(text: &str) -> Option<(String, Vec<usize>)> {
    if !text.contains('\\') || !text.contains("{{") {
        return None;
    }
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len() + 8);
    let mut added = Vec::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() > 1) {
        match (rest[0], rest[1]) {
            (b'{', b'{') => {
                at += 2;
                let Some(end) = expression_end(bytes, at) else {
                    break;
                };
                while at < end {
                    if matches!(bytes.get(at), Some(b'\'' | b'"')) {
                        let Some(close) = string_end(bytes, at) else {
                            break;
                        };
                        for i in at..close {
                            if bytes.get(i) == Some(&b'\\') {
                                out.push_str(text.get(copied..i).unwrap_or_default());
                                added.push(out.len());
                                out.push('\\');
                                copied = i;
                            }
                        }
                        at = close;
                    }
                    at += 1;
                }
                at = end + 2;
            }
            (b'{', b'#') => at = find(text, at + 2, "#}").map_or(bytes.len(), |i| i + 2),
            (b'{', b'%') => {
                let end = block_end(bytes, at + 2).unwrap_or(bytes.len());
                let tag = text.get(at + 2..end).unwrap_or_default();
                at = end + 2;
                if tag.trim_matches(['-', '+', ' ']) == "raw" {
                    at = find(text, at, "endraw").unwrap_or(bytes.len());
                }
            }
            _ => at += 1,
        }
    }
    if added.is_empty() {
        return None;
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Some((out, added))
}

fn find(text: &str, from: usize, needle: &str) -> Option<usize> {
    text.get(from..)?.find(needle).map(|i| from + i)
}

fn block_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match bytes.get(at)? {
            b'\'' | b'"' => at = string_end(bytes, at)?,
            b'%' if bytes.get(at + 1) == Some(&b'}') => return Some(at),
            _ => {}
        }
        at += 1;
    }
}

/// How many line breaks the text ends with.
pub(crate) fn newlines_at_end(text: &str) -> usize {
    text.bytes().rev().take_while(|b| *b == b'\n').count()
}

/// Reads a `#jinja2: key:value, ...` first line into the options, and gives the text after it.
///
/// Source: Ansible's documentation of the `template` module, "Notes".
pub(crate) fn read_header<'a>(text: &'a str, options: &mut FileOptions) -> Result<&'a str, String> {
    let Some(rest) = text.strip_prefix("#jinja2:") else {
        return Ok(text);
    };
    let (line, body) = rest.split_once('\n').unwrap_or((rest, ""));
    for pair in line.split(',') {
        let Some((key, value)) = pair.split_once(':') else {
            return Err(format!(
                "failed to parse jinja2 override '{}': a setting in the #jinja2 line is key:value",
                pair.trim()
            ));
        };
        let value = value.trim();
        let text_value = || match super::literal::eval(value) {
            Some(crate::value::Value::Str(text)) => text.to_string(),
            _ => value.to_owned(),
        };
        let flag = || value.eq_ignore_ascii_case("true");
        match key.trim() {
            "trim_blocks" => options.trim_blocks = flag(),
            "lstrip_blocks" => options.lstrip_blocks = flag(),
            "keep_trailing_newline" => options.keep_trailing_newline = flag(),
            "newline_sequence" => options.newline_sequence = text_value(),
            "variable_start_string" => options.variable_delimiters.0 = text_value(),
            "variable_end_string" => options.variable_delimiters.1 = text_value(),
            "block_start_string" => options.block_delimiters.0 = text_value(),
            "block_end_string" => options.block_delimiters.1 = text_value(),
            "comment_start_string" => options.comment_delimiters.0 = text_value(),
            "comment_end_string" => options.comment_delimiters.1 = text_value(),
            "line_statement_prefix" => options.line_statement_prefix = Some(text_value()),
            "line_comment_prefix" => options.line_comment_prefix = Some(text_value()),
            other => return Err(format!("`{other}` is no setting of Jinja2")),
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_found() {
        assert_eq!(single_variable("{{ a_b }}"), Some("a_b"));
        assert_eq!(single_variable("{{ a.b }}"), None);
        assert_eq!(single_expression("{{ a }}"), Some(2..5));
        assert_eq!(single_expression("{{ {'a': '}}'} }}"), Some(2..15));
        assert_eq!(single_expression("{{ a }} {{ b }}"), None);
        assert_eq!(single_expression("{{ a"), None);
    }

    #[test]
    fn backslashes_double_in_expressions_only() {
        let (text, added) = escape_backslashes(r"\d {{ '\1' }} {% set x = '\n' %}").unwrap();
        assert_eq!(text, r"\d {{ '\\1' }} {% set x = '\n' %}");
        assert_eq!(added, [7]);
        assert!(escape_backslashes(r"\d {{ x }}").is_none());
    }
}
