//! `-e` / `--extra-vars`.

use super::load_vars_file;
use crate::diag::{Diagnostic, Source};
use crate::value::{Map, Value};
use crate::vault::Vault;
use std::path::Path;

/// Reads one argument of `-e`: `@file` (YAML or JSON), a text that begins with `{` or `[` (YAML or JSON), or
/// `name=value` pairs, whose values are always strings. An empty argument sets nothing.
///
/// # Errors
/// If a file cannot be read, or the text is not variables.
pub fn parse_extra_vars(argument: &str, cwd: &Path, vault: &Vault) -> Result<Map, Diagnostic> {
    match argument.chars().next() {
        None => Ok(Map::new()),
        Some('@') => {
            let path = cwd.join(argument.trim_start_matches('@'));
            load_vars_file(&path, vault).map(|(vars, _)| vars)
        }
        Some('/' | '.') => Err(Diagnostic::error(
            "vars::extra-vars",
            format!("`{argument}` looks like a file"),
        )
        .hint(format!("write -e @{argument}"))),
        Some('{' | '[') => {
            let document = crate::yaml::parse(&Source::new("<extra vars>", argument))?;
            match document.node.to_value() {
                Value::Map(map) => Ok((*map).clone()),
                _ => Err(Diagnostic::error(
                    "vars::extra-vars",
                    format!(
                        "extra variables must be a mapping, this is {}",
                        document.node.describe()
                    ),
                )
                .at(&document.node.span)),
            }
        }
        Some(_) => pairs(argument),
    }
}

fn pairs(argument: &str) -> Result<Map, Diagnostic> {
    let error = |message: String| Diagnostic::error("vars::extra-vars", message);
    let mut vars = Map::new();
    for word in words(argument).map_err(|why| error(format!("{why} in `{argument}`")))? {
        // escapes first, as Ansible does: a line break at an end is then trimmed away
        let word = unescape(&word);
        let Some((name, value)) = word.split_once('=') else {
            return Err(error(format!("expected name=value, got `{word}`"))
                .hint("quote values with spaces: -e 'name=\"two words\"'; a file is @file"));
        };
        vars.set(name.trim(), unquote(value.trim()));
    }
    Ok(vars)
}

/// Splits at blanks outside quotes and outside `{{ }}`, `{% %}` and `{# #}`. Quotes stay.
fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut braces = 0usize;
    let mut before = ' ';
    for c in text.chars() {
        let escaped = before == '\\';
        match (quote, c) {
            (Some(open), c) if c == open && !escaped => quote = None,
            (None, '"' | '\'') if !escaped && braces == 0 => quote = Some(c),
            (None, '{' | '%' | '#') if before == '{' => braces += 1,
            (None, '}') if matches!(before, '}' | '%' | '#') => braces = braces.saturating_sub(1),
            _ => {}
        }
        if c.is_whitespace() && quote.is_none() && braces == 0 {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
        before = if escaped && c == '\\' { ' ' } else { c };
    }
    if quote.is_some() {
        return Err("a quote is not closed");
    }
    if braces > 0 {
        return Err("a `{{` is not closed");
    }
    if !word.is_empty() {
        words.push(word);
    }
    Ok(words)
}

/// Without the quotes around it, if it is quoted as a whole.
fn unquote(text: &str) -> &str {
    for quote in ['"', '\''] {
        if text.len() > 1
            && let Some(inner) = text
                .strip_prefix(quote)
                .and_then(|rest| rest.strip_suffix(quote))
            && !inner.ends_with('\\')
        {
            return inner;
        }
    }
    text
}

/// Expands `\n`, `\t`, `\\` and the like, as Ansible does in `name=value` texts.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        let simple = match chars.next() {
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            Some('a') => Some('\u{7}'),
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('v') => Some('\u{b}'),
            Some(c @ ('\\' | '\'' | '"')) => Some(c),
            _ => None,
        };
        if let Some(c) = simple {
            out.push(c);
            rest = chars.as_str();
            continue;
        }
        let digits = match after.as_bytes().first() {
            Some(b'x') => 2,
            Some(b'u') => 4,
            Some(b'U') => 8,
            _ => 0,
        };
        let coded = after
            .get(1..=digits)
            .filter(|hex| digits > 0 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|hex| char::from_u32(u32::from_str_radix(hex, 16).ok()?));
        if let Some(c) = coded {
            out.push(c);
            rest = after.get(1 + digits..).unwrap_or_default();
        } else {
            out.push('\\');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(argument: &str) -> String {
        match parse_extra_vars(argument, Path::new("."), &Vault::default()) {
            Ok(vars) => format!("{:?}", Value::map(vars)),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn pairs_are_strings() {
        assert_eq!(read("a=1 b=true"), "{'a': '1', 'b': 'true'}");
        assert_eq!(read("a='x y' b=\"p q\""), "{'a': 'x y', 'b': 'p q'}");
        assert_eq!(
            read("a={{ b | default('c d') }} e=f"),
            "{'a': \"{{ b | default('c d') }}\", 'e': 'f'}"
        );
        assert_eq!(read("a=x=y"), "{'a': 'x=y'}");
        assert_eq!(read(r"a=x\ty"), "{'a': 'x\\ty'}");
        assert_eq!(read(""), "{}");
    }

    #[test]
    fn json_keeps_types() {
        assert_eq!(read(r#"{"a": 1, "b": [true]}"#), "{'a': 1, 'b': [True]}");
    }

    #[test]
    fn errors_say_what_to_do() {
        assert!(read("a").contains("expected name=value"));
        assert!(read("a='x").contains("not closed"));
        assert!(read("/etc/x").contains("-e @/etc/x"));
        assert!(read("[1]").contains("must be a mapping"));
        assert!(read("@/nonexistent/x").contains("cannot read"));
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = pairs(&text);
        }
    }
}
