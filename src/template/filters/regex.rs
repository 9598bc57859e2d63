//! Filters and tests with Python's regular expressions.
//!
//! Source: Python's documentation, "re"; Ansible's documentation, "Searching strings with regular
//! expressions".

use super::Filter;
use crate::template::call::{Call, fail};
use crate::template::objects::List;
use crate::value::Value;
use fancy_regex::{Captures, Regex, RegexBuilder};
use minijinja::Error;
use minijinja::value::{Tuple, Value as Val};

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("regex_replace", replace),
    ("regex_search", search),
    ("regex_findall", findall),
    ("regex_escape", escape),
];

/// Flags of a pattern.
#[derive(Clone, Copy, Default)]
pub(crate) struct Flags {
    pub(crate) ignorecase: bool,
    pub(crate) multiline: bool,
    pub(crate) dotall: bool,
}

/// Whether the pattern is found anywhere.
pub(crate) fn is_match(pattern: &str, flags: Flags, text: &str) -> Result<bool, Error> {
    compile(pattern, flags)?
        .is_match(text)
        .or_else(|error| run_error(pattern, &error))
}

fn run_error<T>(pattern: &str, error: &fancy_regex::Error) -> Result<T, Error> {
    fail(format!(
        "the regular expression '{pattern}' failed: {error}"
    ))
}

/// Compiles a Python pattern.
pub(crate) fn compile(pattern: &str, flags: Flags) -> Result<Regex, Error> {
    let mut letters = String::new();
    for (on, letter) in [
        (flags.ignorecase, 'i'),
        (flags.multiline, 'm'),
        (flags.dotall, 's'),
    ] {
        if on {
            letters.push(letter);
        }
    }
    let translated = translate(pattern);
    let whole = if letters.is_empty() {
        translated
    } else {
        format!("(?{letters}){translated}")
    };
    RegexBuilder::new(&whole)
        .backtrack_limit(2_000_000)
        .build()
        .or_else(|error| {
            // Python's words, where they are looked for
            let why = error
                .to_string()
                .replace("Target of repeat operator is invalid", "nothing to repeat");
            fail(format!("invalid regular expression '{pattern}': {why}"))
        })
}

/// Python's syntax where it differs: `\Z`, `(?P=name)`, `{` that is no repetition, `[` in a class, `$` before a
/// last line break.
fn translate(pattern: &str) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut i = 0;
    let mut class = None;
    while let Some(&c) = chars.get(i) {
        let next = chars.get(i + 1).copied();
        match (c, class) {
            ('\\', _) => {
                match next {
                    Some('Z') if class.is_none() => out.push_str(r"\z"),
                    // escapes of characters that need none are allowed in Python
                    Some(other) if !other.is_alphanumeric() && !other.is_ascii() => out.push(other),
                    Some(
                        other @ ('"' | '\'' | '/' | '<' | '>' | ',' | ';' | ':' | '!' | '@' | '%'
                        | '=' | '`' | '_' | ' '),
                    ) => {
                        if other == ' ' {
                            out.push_str(r"\x20");
                        } else {
                            out.push(other);
                        }
                    }
                    Some(other) => {
                        out.push('\\');
                        out.push(other);
                    }
                    None => out.push('\\'),
                }
                i += 2;
                continue;
            }
            ('[', None) => {
                class = Some(i);
                out.push('[');
                let mut at = i + 1;
                if chars.get(at) == Some(&'^') {
                    out.push('^');
                    at += 1;
                }
                if chars.get(at) == Some(&']') {
                    out.push_str(r"\]");
                    at += 1;
                }
                i = at;
                continue;
            }
            (']', Some(_)) => {
                class = None;
                out.push(']');
            }
            ('[', Some(_)) => out.push_str(r"\["),
            ('&' | '~', Some(_)) => {
                out.push('\\');
                out.push(c);
            }
            ('-', Some(_)) if next == Some('-') => out.push_str(r"\-"),
            ('$', None) => {
                let end = i + 1 == chars.len() || matches!(next, Some(')' | '|'));
                // outside of multi-line mode `$` matches before a line break at the end too
                out.push_str(if end { r"(?=\n?\z|$)" } else { "$" });
            }
            ('{', None) => {
                let close = chars.iter().skip(i).position(|c| *c == '}').map(|n| i + n);
                let body: String = close.map_or_else(String::new, |close| {
                    chars.get(i + 1..close).unwrap_or_default().iter().collect()
                });
                let repetition = !body.is_empty()
                    && body.chars().all(|c| c.is_ascii_digit() || c == ',')
                    && body.matches(',').count() <= 1
                    && body.contains(|c: char| c.is_ascii_digit());
                match (repetition, body.strip_prefix(',')) {
                    (true, Some(max)) => {
                        out.push_str(&format!("{{0,{max}}}"));
                        i = close.unwrap_or(i) + 1;
                        continue;
                    }
                    (true, None) => out.push('{'),
                    _ => out.push_str(r"\{"),
                }
                if repetition {
                    out.push_str(&body);
                    out.push('}');
                    i = close.unwrap_or(i) + 1;
                    continue;
                }
            }
            ('}', None) => out.push_str(r"\}"),
            ('(', None) if chars.get(i + 1..i + 4) == Some(&['?', 'P', '=']) => {
                let name: String = chars
                    .iter()
                    .skip(i + 4)
                    .take_while(|c| **c != ')')
                    .collect();
                out.push_str(&format!(r"\k<{name}>"));
                i += 5 + name.chars().count();
                continue;
            }
            ('(', None) if chars.get(i + 1..i + 3) == Some(&['?', '#']) => {
                while chars.get(i).is_some_and(|c| *c != ')') {
                    i += 1;
                }
            }
            _ => out.push(c),
        }
        i += 1;
    }
    out
}

/// The text that a Python replacement template gives for a match.
fn expand(template: &str, captures: &Captures<str>) -> Result<String, Error> {
    let chars: Vec<char> = template.chars().collect();
    let mut out = String::new();
    let mut i = 0;
    let group = |number: usize| -> Result<&str, Error> {
        if number >= captures.len() {
            return fail(format!("invalid group reference {number}"));
        }
        Ok(captures.get(number).map_or("", |found| found.as_str()))
    };
    while let Some(&c) = chars.get(i) {
        i += 1;
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(&next) = chars.get(i) else {
            return fail("bad escape (end of pattern)");
        };
        i += 1;
        match next {
            'g' => {
                let name: String = chars
                    .iter()
                    .skip(i + 1)
                    .take_while(|c| **c != '>')
                    .collect();
                if chars.get(i) != Some(&'<') || name.is_empty() {
                    return fail("missing group name after \\g");
                }
                i += name.chars().count() + 2;
                match name.parse() {
                    Ok(number) => out.push_str(group(number)?),
                    Err(_) => match captures.name(&name) {
                        Some(found) => out.push_str(found.as_str()),
                        None => out.push_str(""),
                    },
                }
            }
            '0' => out.push('\0'),
            '1'..='9' => {
                let mut number = next.to_digit(10).unwrap_or(0) as usize;
                if let Some(digit) = chars.get(i).and_then(|c| c.to_digit(10)) {
                    number = number * 10 + digit as usize;
                    i += 1;
                }
                out.push_str(group(number)?);
            }
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            '\\' => out.push('\\'),
            letter if letter.is_ascii_alphabetic() => {
                return fail(format!("bad escape \\{letter}"));
            }
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    Ok(out)
}

fn flags(call: &mut Call) -> Result<Flags, Error> {
    Ok(Flags {
        ignorecase: call
            .args
            .take_named("ignorecase")
            .is_some_and(|flag| flag.is_true()),
        multiline: call
            .args
            .take_named("multiline")
            .is_some_and(|flag| flag.is_true()),
        dotall: false,
    })
}

/// `regex_replace(value='', replacement='', ignorecase=False, multiline=False, count=0, mandatory_count=0)`.
fn replace(call: &mut Call) -> Result<Val, Error> {
    let count = call
        .args
        .take_named("count")
        .and_then(|n| n.as_usize())
        .unwrap_or(0);
    let mandatory = call
        .args
        .take_named("mandatory_count")
        .and_then(|n| n.as_usize())
        .unwrap_or(0);
    let mut flags = flags(call)?;
    let pattern = call.args.opt_text("pattern")?.unwrap_or_default();
    let replacement = call.args.opt_text("replacement")?.unwrap_or_default();
    flags.ignorecase |= call.args.flag("ignorecase", false)?;
    flags.multiline |= call.args.flag("multiline", false)?;
    let regex = compile(&pattern, flags)?;
    let text = call.text()?;
    let mut out = String::new();
    let mut copied = 0;
    let mut done = 0;
    let mut at = 0;
    while count == 0 || done < count {
        // unlike Rust's iterators, Python's find an empty match right after another match
        let found = regex
            .captures_from_pos(text.as_str(), at)
            .or_else(|error| run_error(&pattern, &error))?;
        let Some(found) = found else { break };
        let Some(whole) = found.get(0) else { break };
        let end = whole.end();
        at = if end > whole.start() {
            end
        } else {
            end + text
                .get(end..)
                .and_then(|rest| rest.chars().next())
                .map_or(1, char::len_utf8)
        };
        out.push_str(text.get(copied..whole.start()).unwrap_or_default());
        out.push_str(&expand(&replacement, &found)?);
        copied = end;
        done += 1;
        if at > text.len() {
            break;
        }
    }
    if mandatory != 0 && done != mandatory {
        return fail(format!(
            "'{pattern}' should match {mandatory} times, but matches {done} times in '{text}'"
        ));
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Ok(Val::from(out))
}

/// `regex_search(pattern, *groups, ignorecase=False, multiline=False)`.
fn search(call: &mut Call) -> Result<Val, Error> {
    let flags = flags(call)?;
    let pattern = call.args.text("pattern")?;
    let groups: Vec<Value> = call
        .args
        .rest()
        .iter()
        .map(crate::template::convert::from_engine)
        .collect::<Result<_, _>>()?;
    let text = call.text()?;
    let regex = compile(&pattern, flags)?;
    let found = regex
        .captures(text.as_str())
        .or_else(|error| run_error(&pattern, &error))?;
    let Some(found) = found else {
        return Ok(Val::from(()));
    };
    if groups.is_empty() {
        return Ok(Val::from(found.get(0).map_or("", |m| m.as_str())));
    }
    let mut items = Vec::new();
    for group in groups {
        let name = crate::value::str_of(&group);
        let matched =
            if let Some(name) = name.strip_prefix("\\g<").and_then(|n| n.strip_suffix('>')) {
                match name.parse() {
                    Ok(number) => found.get(number),
                    Err(_) => found.name(name),
                }
            } else if let Some(number) = name
                .strip_prefix('\\')
                .and_then(|n| n.parse::<usize>().ok())
            {
                if number >= found.len() {
                    return fail("no such group");
                }
                found.get(number)
            } else {
                return fail("Unknown argument");
            };
        items.push(matched.map_or_else(|| Val::from(()), |m| Val::from(m.as_str())));
    }
    Ok(List::of(items))
}

/// `regex_findall(pattern, multiline=False, ignorecase=False)`.
fn findall(call: &mut Call) -> Result<Val, Error> {
    let mut flags = flags(call)?;
    let pattern = call.args.text("regex")?;
    flags.multiline |= call.args.flag("multiline", false)?;
    flags.ignorecase |= call.args.flag("ignorecase", false)?;
    let text = call.text()?;
    let regex = compile(&pattern, flags)?;
    let mut items = Vec::new();
    for found in regex.captures_iter(text.as_str()) {
        let found = found.or_else(|error| run_error(&pattern, &error))?;
        let group = |i: usize| Val::from(found.get(i).map_or("", |m| m.as_str()));
        items.push(match found.len() {
            0 | 1 => group(0),
            2 => group(1),
            count => Val::from(Tuple::from((1..count).map(group).collect::<Vec<_>>())),
        });
    }
    Ok(List::of(items))
}

/// `regex_escape(re_type='python')`.
fn escape(call: &mut Call) -> Result<Val, Error> {
    let kind = call
        .args
        .opt_text("re_type")?
        .unwrap_or_else(|| "python".into());
    let special: &str = match kind.as_str() {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        "posix_basic" => "[]().^$*\\",
        "posix_extended" => return fail("Regex type (posix_extended) not yet implemented"),
        other => return fail(format!("Invalid regex type ({other})")),
    };
    // in a basic expression brackets and parentheses are escaped, too
    let special = if kind == "posix_basic" {
        "[].^$*\\"
    } else {
        special
    };
    let mut out = String::new();
    for c in call.text()?.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(Val::from(out))
}
