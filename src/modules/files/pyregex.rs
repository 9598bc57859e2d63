//! Python's regular expressions, run by `fancy-regex`.
//!
//! The dialects differ in small things that real playbooks hit: `$` before a final newline, `\Z`, a bare `{`, a `[` in
//! a class, `\<`, `\g<name>` in replacements. They are translated here.
//!
//! Source: Python's documentation of `re`.

use crate::modules::{Failure, ModuleResult};
use fancy_regex::{Captures, Regex};

/// A compiled expression.
#[derive(Debug)]
pub struct PyRegex {
    regex: Regex,
    multiline: bool,
}

/// Python's compile flags.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags {
    /// `re.MULTILINE`.
    pub multiline: bool,
    /// `re.DOTALL`.
    pub dotall: bool,
}

impl PyRegex {
    /// Compiles; `name` is the argument that it came from, for the message.
    ///
    /// # Errors
    /// When it is no regular expression.
    pub fn new(pattern: &str, flags: Flags, name: &str) -> ModuleResult<Self> {
        let (own, rest) = leading_flags(pattern);
        let multiline = flags.multiline || own.contains('m');
        let mut prefix: String = own.chars().filter(|c| "imsx".contains(*c)).collect();
        if flags.multiline && !prefix.contains('m') {
            prefix.push('m');
        }
        if flags.dotall && !prefix.contains('s') {
            prefix.push('s');
        }
        let body = translate(rest, multiline);
        let text = if prefix.is_empty() {
            body
        } else {
            format!("(?{prefix}){body}")
        };
        let regex = Regex::new(&text).map_err(|error| {
            Failure::new(format!(
                "{name} is not a valid regular expression: {error} (in `{pattern}`)"
            ))
        })?;
        Ok(Self { regex, multiline })
    }

    /// Whether it was compiled with `re.MULTILINE` or begins with `(?m)`.
    pub fn is_multiline(&self) -> bool {
        self.multiline
    }

    /// Whether it is found anywhere.
    ///
    /// # Errors
    /// When matching takes too long.
    pub fn is_found(&self, text: &str) -> ModuleResult<bool> {
        self.regex.is_match(text).map_err(too_hard)
    }

    /// Whether it is found at the beginning (`re.match`).
    ///
    /// # Errors
    /// When matching takes too long.
    pub fn matches_start(&self, text: &str) -> ModuleResult<bool> {
        // the first match found is the leftmost
        let found = self.regex.find(text).map_err(too_hard)?;
        Ok(found.is_some_and(|found| found.start() == 0))
    }

    /// The first match.
    ///
    /// # Errors
    /// When matching takes too long.
    pub fn find<'t>(&self, text: &'t str) -> ModuleResult<Option<Captures<'t, str>>> {
        self.regex.captures(text).map_err(too_hard)
    }

    /// Replaces all matches (`re.subn`); returns the text and how many there were.
    ///
    /// # Errors
    /// When matching takes too long, or the replacement is wrong.
    pub fn replace_all(&self, text: &str, template: &str) -> ModuleResult<(String, usize)> {
        let mut out = String::with_capacity(text.len());
        let (mut at, mut search, mut count) = (0, 0, 0);
        while search <= text.len() {
            let Some(found) = self
                .regex
                .captures_from_pos(text, search)
                .map_err(too_hard)?
            else {
                break;
            };
            let Some(whole) = found.get(0) else { break };
            out.push_str(text.get(at..whole.start()).unwrap_or_default());
            out.push_str(&self.expand(&found, template)?);
            at = whole.end();
            count += 1;
            search = if whole.start() == whole.end() {
                let step = text
                    .get(at..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(1, char::len_utf8);
                at + step
            } else {
                at
            };
        }
        out.push_str(text.get(at..).unwrap_or_default());
        Ok((out, count))
    }
}

fn too_hard(error: fancy_regex::Error) -> Failure {
    Failure::new(format!(
        "the regular expression could not be applied: {error}"
    ))
}

impl PyRegex {
    /// A replacement with its references (`\1`, `\g<1>`, `\g<name>`) and escapes filled in (`Match.expand`).
    ///
    /// # Errors
    /// When it refers to a group that is not there, or has an unknown escape.
    pub fn expand(&self, found: &Captures<'_, str>, template: &str) -> ModuleResult<String> {
        let mut out = String::new();
        let mut rest = template;
        let group = |name: &str| -> ModuleResult<String> {
            let number: Option<usize> = name.parse().ok();
            let is_known = match number {
                Some(number) => number < found.len(),
                None => self
                    .regex
                    .capture_names()
                    .flatten()
                    .any(|known| known == name),
            };
            if !is_known {
                return Err(Failure::new(format!("invalid group reference {name}")));
            }
            let text = match number {
                Some(number) => found.get(number),
                None => found.name(name),
            };
            Ok(text.map_or_else(String::new, |m| m.as_str().to_owned()))
        };
        while let Some((before, after)) = rest.split_once('\\') {
            out.push_str(before);
            let mut chars = after.chars();
            let Some(c) = chars.next() else {
                return Err("the replacement ends with a backslash".into());
            };
            rest = chars.as_str();
            match c {
                'g' => {
                    let named = rest.strip_prefix('<').and_then(|r| r.split_once('>'));
                    let Some((name, tail)) = named else {
                        return Err("the replacement has \\g without <group>".into());
                    };
                    out.push_str(&group(name)?);
                    rest = tail;
                }
                '0' => out.push('\0'),
                '1'..='9' => {
                    let mut number = c.to_string();
                    if let Some(second) = rest.chars().next().filter(char::is_ascii_digit) {
                        number.push(second);
                        rest = rest.get(1..).unwrap_or_default();
                    }
                    out.push_str(&group(&number)?);
                }
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'a' => out.push('\x07'),
                'b' => out.push('\x08'),
                'f' => out.push('\x0c'),
                'v' => out.push('\x0b'),
                '\\' => out.push('\\'),
                c if c.is_ascii_alphabetic() => {
                    return Err(Failure::new(format!("bad escape \\{c} in the replacement")));
                }
                c => out.extend(['\\', c]),
            }
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// Refuses a replacement with an escape that Python does not know, whether or not there will be a match.
///
/// # Errors
/// The first such escape.
pub fn check_replacement(template: &str) -> ModuleResult<()> {
    let mut chars = template.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            continue;
        }
        match chars.next() {
            None => return Err("the replacement ends with a backslash".into()),
            Some(c) if c.is_ascii_alphabetic() && !"abfgnrtv".contains(c) => {
                return Err(Failure::new(format!("bad escape \\{c}")));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Flags that apply to the whole expression, and what follows them.
fn leading_flags(pattern: &str) -> (String, &str) {
    let mut flags = String::new();
    let mut rest = pattern;
    while let Some(inner) = rest.strip_prefix("(?") {
        match inner.split_once(')') {
            Some((letters, tail))
                if !letters.is_empty() && letters.chars().all(|c| "aiLmsux".contains(c)) =>
            {
                flags.push_str(letters);
                rest = tail;
            }
            _ => break,
        }
    }
    (flags, rest)
}

fn translate(pattern: &str, multiline: bool) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let tail = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            '\\' => escape(&mut out, tail, false),
            '[' => class(&mut out, tail),
            '$' if !multiline => {
                out.push_str(r"(?=\n?\z)");
                tail
            }
            '{' => brace(&mut out, tail),
            '}' => {
                out.push_str(r"\}");
                tail
            }
            '(' => group(&mut out, tail),
            c => {
                out.push(c);
                tail
            }
        };
    }
    out
}

/// What follows a backslash.
fn escape<'p>(out: &mut String, tail: &'p str, in_class: bool) -> &'p str {
    let Some(c) = tail.chars().next() else {
        out.push('\\');
        return tail;
    };
    match c {
        'Z' if !in_class => out.push_str(r"\z"),
        'b' if in_class => out.push_str(r"\x08"),
        c if c.is_ascii_alphanumeric() => out.extend(['\\', c]),
        ' ' => out.push_str(r"\x20"),
        '#' => out.push_str(r"\x23"),
        c if c.is_ascii_punctuation()
            && !matches!(
                c,
                '<' | '>' | '"' | '\'' | '/' | ',' | ';' | ':' | '=' | '@' | '!' | '%' | '_' | '`'
            ) =>
        {
            out.extend(['\\', c]);
        }
        c => out.push(c),
    }
    tail.get(c.len_utf8()..).unwrap_or_default()
}

/// A class, after its bracket: in Python a bracket in it stands for itself, and there are no set operations.
fn class<'p>(out: &mut String, tail: &'p str) -> &'p str {
    out.push('[');
    let mut rest = tail;
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    if let Some(after) = rest.strip_prefix(']') {
        out.push_str(r"\]");
        rest = after;
    }
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        rest = match c {
            ']' => {
                out.push(']');
                return after;
            }
            '\\' => escape(out, after, true),
            '[' | '&' | '~' => {
                out.extend(['\\', c]);
                after
            }
            // two in a row would be a difference of sets
            '-' if after.starts_with('-') => {
                out.push_str(r"\-");
                after
            }
            c => {
                out.push(c);
                after
            }
        };
    }
    rest
}

/// A brace: a repetition if it can be read as one, else itself.
fn brace<'p>(out: &mut String, tail: &'p str) -> &'p str {
    if let Some((inner, after)) = tail.split_once('}') {
        let (low, high) = inner.split_once(',').unwrap_or((inner, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let is_repetition = digits(low) && digits(high) && !inner.is_empty();
        if is_repetition {
            out.push('{');
            if low.is_empty() {
                out.push('0');
            }
            out.push_str(inner);
            out.push('}');
            return after;
        }
    }
    out.push_str(r"\{");
    tail
}

/// A parenthesis and what Python may write after it.
fn group<'p>(out: &mut String, tail: &'p str) -> &'p str {
    if let Some(comment) = tail.strip_prefix("?#") {
        return comment.split_once(')').map_or("", |(_, after)| after);
    }
    if let Some((name, after)) = tail.strip_prefix("?P=").and_then(|t| t.split_once(')')) {
        out.push_str(r"\k<");
        out.push_str(name);
        out.push('>');
        return after;
    }
    out.push('(');
    // the repetition of nothing: `(?` is a prefix, not a quantifier
    if let Some(after) = tail.strip_prefix('?') {
        out.push('?');
        return after;
    }
    tail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> bool {
        PyRegex::new(pattern, Flags::default(), "regexp")
            .and_then(|regex| regex.is_found(text))
            .expect("works")
    }

    fn replaced(pattern: &str, template: &str, text: &str) -> (String, usize) {
        let flags = Flags {
            multiline: true,
            dotall: false,
        };
        PyRegex::new(pattern, flags, "regexp")
            .and_then(|regex| regex.replace_all(text, template))
            .expect("works")
    }

    #[test]
    fn python_matches() {
        assert!(found("foo$", "foo\n"));
        assert!(!found("foo$", "foo\r\n"));
        assert!(!found(r"foo\Z", "foo\n"));
        assert!(found("^a.*{{ x }}", "ab {{ x }}"));
        assert!(found("^[[]a[]]$", "[a]"));
        assert!(found(r"\<tag\>", "a<tag>"));
        assert!(found("x{,2}y", "xxy"));
        assert!(found(r"(?P<q>['\x22])a(?P=q)", "'a'"));
        assert!(found("(?i)ABC(?#comment)", "abc"));
        assert!(found(r"(?<!#)\bport\s*=", "port ="));
        assert!(found(r"[a\-z]\/\'\:\-", "-/':-"));
        assert!(found(r"(?m)^b$", "a\nb\nc"));
        assert!(!found(r"^b$", "a\nb\nc"));
        assert!(found("[--a]b", "-b"));
        assert!(PyRegex::new("(", Flags::default(), "regexp").is_err());
    }

    #[test]
    fn python_replaces() {
        assert_eq!(
            replaced("a(b)", r"\1\g<1>\g<0>-", "ab ab"),
            ("bbab- bbab-".into(), 2)
        );
        assert_eq!(replaced("(?P<n>x)", r"<\g<n>>\n", "x"), ("<x>\n".into(), 1));
        assert_eq!(replaced("^#", "", "#a\n#b\n"), ("a\nb\n".into(), 2));
        assert_eq!(replaced("x*", "-", "abxd"), ("-a-b--d-".into(), 5));
        assert_eq!(replaced("(a)|(b)", r"[\1\2]", "ab"), ("[a][b]".into(), 2));
    }
}
