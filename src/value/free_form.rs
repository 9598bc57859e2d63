//! The free form of a task's arguments: `module: word word key=value`.
//!
//! Source: Ansible's documentation, "YAML syntax / Using playbooks: key=value arguments" and the notes of the
//! modules `command`, `shell`, `script` and `raw`.

use super::{Map, Value};

/// The options that may stand in the free form of `command` and `shell`; every other `a=b` there
/// belongs to the command.
pub const COMMAND_OPTIONS: &[&str] = &[
    "creates",
    "removes",
    "chdir",
    "executable",
    "warn",
    "stdin",
    "stdin_add_newline",
    "strip_empty_ends",
    "expand_argument_vars",
];

/// Splits a free form into the text that is left and the `key=value` options. With `known`, only those names are
/// options and the rest keeps its quotes, spaces and line breaks; with `None` every `key=value` is one. Blanks
/// in quotes and in `{{ }}`, `{% %}`, `{# #}` do not separate. Values are unquoted, their backslash escapes decoded;
/// they are templates still.
///
/// # Errors
/// When quotes or braces are not balanced.
pub fn split_free_form(text: &str, known: Option<&[&str]>) -> Result<(String, Map), String> {
    let mut options = Map::new();
    let mut rest = String::new();
    for word in words(text)? {
        match option(&word, known) {
            Word::Option(key, value) => {
                options.set(&key, Value::str(value));
            }
            Word::Rest(word) => {
                if !rest.is_empty() && !rest.ends_with('\n') {
                    rest.push(' ');
                }
                rest.push_str(&word);
            }
        }
    }
    if known.is_none() {
        rest.truncate(rest.trim_end_matches([' ', '\n']).len());
    }
    Ok((rest, options))
}

enum Word<'a> {
    Option(String, String),
    Rest(std::borrow::Cow<'a, str>),
}

fn option<'a>(word: &'a str, known: Option<&[&str]>) -> Word<'a> {
    let decoded = decode(word);
    let bytes = decoded.as_bytes();
    let at = bytes
        .iter()
        .enumerate()
        .skip(1)
        .zip(bytes)
        .find(|((_, byte), before)| **byte == b'=' && **before != b'\\')
        .map(|((at, _), _)| at);
    let Some((key, value)) = at.and_then(|at| {
        let (key, value) = decoded.split_at_checked(at)?;
        Some((key, value.strip_prefix('=')?))
    }) else {
        return Word::Rest(if decoded.contains("\\=") {
            decoded.replace("\\=", "=").into()
        } else {
            word.into()
        });
    };
    if known.is_some_and(|known| !known.contains(&key)) {
        return Word::Rest(word.into());
    }
    Word::Option(key.trim().to_owned(), unquote(value.trim()).to_owned())
}

/// The text without the quotes around it, if there are any.
fn unquote(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
            && !inner.ends_with('\\')
        {
            return inner;
        }
    }
    text
}

/// The words of the text. A line's end, and the blanks behind a word but the first, belong to the word before them.
fn words(text: &str) -> Result<Vec<String>, String> {
    fn append(found: &mut Vec<String>, blank: char) {
        match found.last_mut() {
            Some(last) => last.push(blank),
            None => found.push(blank.into()),
        }
    }
    let mut found: Vec<String> = Vec::new();
    let mut state = State::default();
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let mut goes_on = false;
        for (place, word) in line.split(' ').enumerate() {
            if word.is_empty() && place > 0 {
                append(&mut found, ' ');
                continue;
            }
            if word == "\\" && state.quote.is_none() {
                goes_on = true;
                continue;
            }
            let inside = state.open();
            state.read(word);
            match found.last_mut() {
                Some(last) if inside => {
                    if place > 0 {
                        last.push(' ');
                    }
                    last.push_str(word);
                }
                _ if !word.is_empty() => found.push(word.to_owned()),
                _ => {}
            }
        }
        if lines.peek().is_some() && !goes_on {
            append(&mut found, '\n');
        }
    }
    if state.open() {
        return Err(format!(
            "the arguments cannot be split, quotes or the braces of a template are not balanced: {text}"
        ));
    }
    Ok(found)
}

/// What is open at a place of the text.
#[derive(Default)]
struct State {
    quote: Option<char>,
    depths: [usize; 3],
}

impl State {
    fn open(&self) -> bool {
        self.quote.is_some() || self.depths.iter().any(|depth| *depth > 0)
    }

    fn read(&mut self, word: &str) {
        let mut before = None;
        for c in word.chars() {
            if matches!(c, '"' | '\'') && before != Some('\\') {
                match self.quote {
                    Some(quote) if quote == c => self.quote = None,
                    Some(_) => {}
                    None => self.quote = Some(c),
                }
            }
            before = Some(c);
        }
        let pairs = [("{{", "}}"), ("{%", "%}"), ("{#", "#}")];
        for (depth, (opens, closes)) in self.depths.iter_mut().zip(pairs) {
            *depth =
                (*depth + word.matches(opens).count()).saturating_sub(word.matches(closes).count());
        }
    }
}

/// The text with its backslash escapes decoded, those that Python's string literals have.
fn decode(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        if let Some((c, length)) = escaped(escape) {
            out.push(c);
            rest = escape.get(length..).unwrap_or_default();
        } else {
            out.push('\\');
            rest = escape.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    out.into()
}

/// The character of the escape at the beginning of the text, and the escape's length.
fn escaped(text: &str) -> Option<(char, usize)> {
    let simple = match text.as_bytes().get(1)? {
        b'\\' => '\\',
        b'\'' => '\'',
        b'"' => '"',
        b'a' => '\x07',
        b'b' => '\x08',
        b'f' => '\x0c',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'v' => '\x0b',
        kind @ (b'x' | b'u' | b'U') => {
            let length = match kind {
                b'x' => 4,
                b'u' => 6,
                _ => 10,
            };
            let digits = text.get(2..length)?;
            if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
                return None;
            }
            let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            return Some((c, length));
        }
        _ => return None,
    };
    Some((simple, 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str, known: Option<&[&str]>) -> (String, String) {
        let (rest, options) = split_free_form(text, known).unwrap();
        let options: Vec<_> = options
            .str_iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        (rest, options.join("|"))
    }

    #[test]
    fn every_pair_is_an_option() {
        for (text, options) in [
            ("src=a dest=/b", "src=a|dest=/b"),
            (r#"msg="a b" x='c = d'"#, "msg=a b|x=c = d"),
            (
                "msg={{ a b }} y={{ 'it' ~ \"x y\" }}",
                "msg={{ a b }}|y={{ 'it' ~ \"x y\" }}",
            ),
            ("line=a=b mode=u=rw,g=r", "line=a=b|mode=u=rw,g=r"),
            (r#"m="a\nb\t\x41""#, "m=a\nb\tA"),
            ("a=1\n  b=2", "a=1|b=2"),
            ("a={% if x %}1{% endif %} b=", "a={% if x %}1{% endif %}|b="),
        ] {
            assert_eq!(
                split(text, None),
                (String::new(), options.to_owned()),
                "{text}"
            );
        }
        assert_eq!(split("flush x=1", None).0, "flush");
    }

    #[test]
    fn commands_keep_what_is_theirs() {
        for (text, rest, options) in [
            (
                "echo a=b  'c  d' creates=/x",
                "echo a=b  'c  d'",
                "creates=/x",
            ),
            ("chdir=/tmp ls -l", "ls -l", "chdir=/tmp"),
            ("dd if=/a of=\"/b c\"", "dd if=/a of=\"/b c\"", ""),
            ("a\nb creates=/x\nc", "a\nb c", "creates=/x"),
            ("creates=/x\nfoo", "foo", "creates=/x"),
            ("a \\\n  b\n", "a  b\n", ""),
            ("  a\n\n b\n\n", "  a\n\nb\n\n", ""),
            ("a 'x\n  y'\n b", "a 'x\n  y'\nb", ""),
            (r#"printf "a\nb" =x"#, r#"printf "a\nb" =x"#, ""),
            ("echo x\\=y", "echo x=y", ""),
            (
                "creates='/a b' {{ cmd | default('x y') }}",
                "{{ cmd | default('x y') }}",
                "creates=/a b",
            ),
        ] {
            let (r, o) = split(text, Some(COMMAND_OPTIONS));
            assert_eq!((r.as_str(), o.as_str()), (rest, options), "{text}");
        }
    }

    #[test]
    fn unbalanced_is_an_error() {
        for text in ["echo 'a", "echo {{ a", "it's"] {
            assert!(split_free_form(text, None).is_err(), "{text}");
        }
    }
}
