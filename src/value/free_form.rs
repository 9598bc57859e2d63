//! The free form of a task's arguments: `module: word word key=value`.
//!
//! Source: Ansible's documentation, "YAML syntax / Using playbooks: key=value arguments" and the notes of the
//! modules `command`, `shell`, `script` and `raw`.

use super::{Map, Value};

/// The options that may stand in the free form of `command`, `shell`, `script` and `raw`; every other `a=b` there
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
    let mut ends_with_option = false;
    for piece in pieces(text)? {
        match option(piece.word, known) {
            Word::Option(key, value) => {
                options.set(&key, Value::str(value));
                ends_with_option = true;
            }
            Word::Rest(word) => {
                rest.push_str(&word);
                rest.push_str(piece.blanks);
                rest.extend(std::iter::repeat_n(' ', piece.more));
                ends_with_option = false;
                continue;
            }
        }
        // the line break behind an option stays, its blanks go with it
        if piece.blanks.contains('\n') && !rest.is_empty() {
            rest.truncate(rest.trim_end_matches(' ').len());
            rest.push_str(piece.blanks.trim_start_matches(' '));
        }
    }
    // a command keeps the blanks at its end
    if known.is_none() || ends_with_option {
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

struct Piece<'a> {
    word: &'a str,
    blanks: &'a str,
    /// Blanks that begin the line after one that goes on with a backslash, but for one.
    more: usize,
}

/// The words of the text, each with the blanks behind it.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut found: Vec<Piece<'_>> = Vec::new();
    let mut state = State::default();
    let (mut start, mut at, mut blanks_from) = (None, 0, 0);
    // within the blanks that begin a line after one that goes on
    let mut indented = false;
    for token in text.split_inclusive([' ', '\n']) {
        let word = token.trim_end_matches([' ', '\n']);
        let begin = at;
        at += token.len();
        let (word_end, end) = (begin + word.len(), at);
        if start.is_none() && (word.is_empty() || (word == "\\" && token.ends_with('\n'))) {
            // more blanks, or a line that goes on: the former belong to the word before, the latter vanishes
            if let Some(last) = found.last_mut()
                && word.is_empty()
                && blanks_from + last.blanks.len() == begin
            {
                last.blanks = text.get(blanks_from..end).unwrap_or(last.blanks);
            } else if let Some(last) = found.last_mut()
                && word.is_empty()
                && token == " "
            {
                if indented {
                    last.more += 1;
                }
                indented = true;
            } else {
                indented = false;
            }
            continue;
        }
        indented = false;
        state.read(word);
        let from = *start.get_or_insert(begin);
        if !state.open() {
            start = None;
            blanks_from = word_end;
            found.push(Piece {
                word: text.get(from..word_end).unwrap_or_default(),
                blanks: text.get(word_end..end).unwrap_or_default(),
                more: 0,
            });
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
            ("a\nb creates=/x\nc", "a\nb\nc", "creates=/x"),
            ("a \\\n  b", "a  b", ""),
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
