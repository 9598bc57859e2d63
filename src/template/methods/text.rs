//! Methods of strings (and of values that are not ours).

use crate::template::call::{Args, fail, iterate, type_name};
use crate::template::objects::{Dict, List, adopt};
use minijinja::value::{Tuple, Value as Val, ValueKind};
use minijinja::{Error, ErrorKind, State};

/// The engine's callback for methods that a value does not have by itself.
pub(crate) fn unknown(
    state: &mut State,
    value: &Val,
    method: &str,
    args: &[Val],
) -> Result<Val, Error> {
    if value.is_undefined() {
        return Err(Error::undefined(value));
    }
    if let Some(text) = value.as_str() {
        return string(text, method, args);
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map
            if value.downcast_object_ref::<List>().is_none()
                && value.downcast_object_ref::<Dict>().is_none() =>
        {
            let own = if value.is_tuple() {
                List::of(iterate(value)?)
            } else {
                adopt(value.clone())
            };
            if let Some(own) = own.downcast_object::<List>() {
                return super::list(&own, state, method, args);
            }
            if let Some(own) = own.downcast_object::<Dict>() {
                return super::dict(&own, state, method, args);
            }
        }
        ValueKind::Number if method == "is_integer" => {
            let number = f64::try_from(value.clone())?;
            return Ok(Val::from(number.fract() == 0.0));
        }
        _ => {}
    }
    Err(Error::new(
        ErrorKind::UnknownMethod,
        format!("'{} object' has no attribute '{method}'", type_name(value)),
    ))
}

fn words(text: &str, limit: i64, from_right: bool) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut rest = if from_right {
        text.trim_end()
    } else {
        text.trim_start()
    };
    while !rest.is_empty() && parts.len() < limit {
        let cut = if from_right {
            rest.rfind(char::is_whitespace)
        } else {
            rest.find(char::is_whitespace)
        };
        let Some(cut) = cut else { break };
        let space = rest
            .get(cut..)
            .and_then(|s| s.chars().next())
            .map_or(1, char::len_utf8);
        let (left, right) = (
            rest.get(..cut).unwrap_or_default(),
            rest.get(cut + space..).unwrap_or_default(),
        );
        if from_right {
            parts.push(right.to_owned());
            rest = left.trim_end();
        } else {
            parts.push(left.to_owned());
            rest = right.trim_start();
        }
    }
    if !rest.is_empty() {
        let last = if from_right { rest.trim_start() } else { rest };
        parts.push(if parts.len() >= limit {
            rest.to_owned()
        } else {
            last.to_owned()
        });
    }
    if from_right {
        parts.reverse();
    }
    parts
}

fn strings(parts: impl IntoIterator<Item = impl Into<String>>) -> Val {
    List::of(
        parts
            .into_iter()
            .map(|part| Val::from(part.into()))
            .collect(),
    )
}

/// `split`, `rsplit`: the parts of a text.
pub(crate) fn split(
    text: &str,
    separator: Option<&str>,
    limit: i64,
    from_right: bool,
) -> Result<Val, Error> {
    let Some(separator) = separator else {
        return Ok(strings(words(text, limit, from_right)));
    };
    if separator.is_empty() {
        return fail("empty separator");
    }
    let count = usize::try_from(limit)
        .ok()
        .and_then(|limit| limit.checked_add(1));
    Ok(match (count, from_right) {
        (None, _) => strings(text.split(separator)),
        (Some(count), false) => strings(text.splitn(count, separator)),
        (Some(count), true) => {
            let mut parts: Vec<&str> = text.rsplitn(count, separator).collect();
            parts.reverse();
            strings(parts)
        }
    })
}

/// Lines as Python splits them.
pub(crate) fn lines(text: &str, keep: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        ) {
            let crlf = c == '\r' && chars.peek() == Some(&'\n');
            if keep {
                line.push(c);
            }
            if crlf {
                chars.next();
                if keep {
                    line.push('\n');
                }
            }
            lines.push(std::mem::take(&mut line));
        } else {
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Pads to a width; nothing if the width is absurd.
pub(crate) fn pad(
    text: &str,
    width: i64,
    fill: char,
    left: impl Fn(usize) -> usize,
) -> Result<String, Error> {
    let len = text.chars().count();
    let width = usize::try_from(width).unwrap_or(0);
    if width > 1_000_000 {
        return fail("the width is too large");
    }
    let missing = width.saturating_sub(len);
    let before = left(missing).min(missing);
    let mut out = String::new();
    out.extend(std::iter::repeat_n(fill, before));
    out.push_str(text);
    out.extend(std::iter::repeat_n(fill, missing - before));
    Ok(out)
}

/// The half of a text, for `startswith` and its kind: `start` and `end` are Python's, in characters.
fn sub<'a>(text: &'a str, args: &mut Args) -> Result<(&'a str, usize), Error> {
    let len = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let clamp = |at: i64| {
        if at < 0 {
            at.saturating_add(len).max(0)
        } else {
            at.min(len)
        }
    };
    let start = clamp(args.int("start", Some(0))?);
    let end = clamp(args.int("end", Some(len))?);
    let byte = |at: i64| {
        let at = usize::try_from(at).unwrap_or(0);
        text.char_indices().nth(at).map_or(text.len(), |(i, _)| i)
    };
    let (from, to) = (byte(start), byte(end.max(start)));
    Ok((
        text.get(from..to).unwrap_or_default(),
        usize::try_from(start).unwrap_or(0),
    ))
}

fn any_of(value: &Val, matches: impl Fn(&str) -> bool) -> Result<Val, Error> {
    if let Some(text) = value.as_str() {
        return Ok(Val::from(matches(text)));
    }
    let options = iterate(value)?;
    Ok(Val::from(
        options.iter().filter_map(Val::as_str).any(matches),
    ))
}

pub(crate) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .chain(chars.flat_map(char::to_lowercase))
            .collect()
    })
}

/// Python's `str.title`: a letter after anything that is no letter is upper case.
fn title(text: &str) -> String {
    let mut after_letter = false;
    let mut out = String::new();
    for c in text.chars() {
        if after_letter {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        after_letter = c.is_alphabetic();
    }
    out
}

fn string(text: &str, method: &str, raw: &[Val]) -> Result<Val, Error> {
    let mut args = Args::new(raw)?;
    let chars = |test: fn(char) -> bool| Ok(Val::from(!text.is_empty() && text.chars().all(test)));
    let cased = |upper: bool| {
        let mut letters = text
            .chars()
            .filter(|c| c.is_uppercase() || c.is_lowercase())
            .peekable();
        Ok(Val::from(
            letters.peek().is_some()
                && letters.all(|c| {
                    if upper {
                        c.is_uppercase()
                    } else {
                        c.is_lowercase()
                    }
                }),
        ))
    };
    let done: String = match method {
        "upper" => text.to_uppercase(),
        "lower" | "casefold" => text.to_lowercase(),
        "capitalize" => capitalize(text),
        "title" => title(text),
        "swapcase" => text
            .chars()
            .flat_map(|c| -> Box<dyn Iterator<Item = char>> {
                if c.is_uppercase() {
                    Box::new(c.to_lowercase())
                } else {
                    Box::new(c.to_uppercase())
                }
            })
            .collect(),
        "strip" | "lstrip" | "rstrip" => {
            let set = args.opt_text("chars")?;
            let drop = |c: char| {
                set.as_ref()
                    .map_or_else(|| c.is_whitespace(), |set| set.contains(c))
            };
            match method {
                "strip" => text.trim_matches(drop),
                "lstrip" => text.trim_start_matches(drop),
                _ => text.trim_end_matches(drop),
            }
            .to_owned()
        }
        "replace" => {
            let (old, new) = (args.text("old")?, args.text("new")?);
            match usize::try_from(args.int("count", Some(-1))?) {
                Ok(count) => text.replacen(&old, &new, count),
                Err(_) => text.replace(&old, &new),
            }
        }
        "removeprefix" => {
            let prefix = args.text("prefix")?;
            text.strip_prefix(prefix.as_str())
                .unwrap_or(text)
                .to_owned()
        }
        "removesuffix" => {
            let suffix = args.text("suffix")?;
            text.strip_suffix(suffix.as_str())
                .unwrap_or(text)
                .to_owned()
        }
        "zfill" => {
            let width = args.int("width", None)?;
            match text.strip_prefix(['-', '+']) {
                Some(rest) => {
                    let sign = text.get(..1).unwrap_or_default();
                    format!("{sign}{}", pad(rest, width - 1, '0', |missing| missing)?)
                }
                None => pad(text, width, '0', |missing| missing)?,
            }
        }
        "ljust" | "rjust" | "center" => {
            let width = args.int("width", None)?;
            let fill = args
                .opt_text("fillchar")?
                .and_then(|f| f.chars().next())
                .unwrap_or(' ');
            let odd = usize::try_from(width).unwrap_or(0) & 1;
            match method {
                "ljust" => pad(text, width, fill, |_| 0)?,
                "rjust" => pad(text, width, fill, |missing| missing)?,
                _ => pad(text, width, fill, |missing| {
                    missing / 2 + (missing & odd & 1)
                })?,
            }
        }
        "expandtabs" => {
            let size = usize::try_from(args.int("tabsize", Some(8))?)
                .unwrap_or(0)
                .min(1000);
            let mut column = 0;
            let mut out = String::new();
            for c in text.chars() {
                match c {
                    '\t' if size > 0 => {
                        let spaces = size - column % size;
                        out.extend(std::iter::repeat_n(' ', spaces));
                        column += spaces;
                    }
                    '\t' => {}
                    '\n' | '\r' => {
                        column = 0;
                        out.push(c);
                    }
                    c => {
                        column += 1;
                        out.push(c);
                    }
                }
            }
            out
        }
        "join" => {
            let items = iterate(&args.need("iterable")?)?;
            let mut parts = Vec::new();
            for item in &items {
                match item.as_str() {
                    Some(part) => parts.push(part.to_owned()),
                    None if item.is_undefined() => return Err(Error::undefined(item)),
                    None => {
                        return fail(format!(
                            "sequence item: expected str instance, {} found",
                            type_name(item)
                        ));
                    }
                }
            }
            parts.join(text)
        }
        "format" => super::format::format(text, raw)?,
        // bytes print and decode as the text they came from
        "encode" | "decode" | "__str__" => text.to_owned(),
        _ => return other(text, method, args, chars, cased),
    };
    Ok(Val::from(done))
}

fn other(
    text: &str,
    method: &str,
    mut args: Args,
    chars: impl Fn(fn(char) -> bool) -> Result<Val, Error>,
    cased: impl Fn(bool) -> Result<Val, Error>,
) -> Result<Val, Error> {
    match method {
        "split" | "rsplit" => {
            let separator = args.opt_text("sep")?;
            let limit = args.int("maxsplit", Some(-1))?;
            split(text, separator.as_deref(), limit, method == "rsplit")
        }
        "splitlines" => Ok(strings(lines(text, args.flag("keepends", false)?))),
        "partition" | "rpartition" => {
            let separator = args.text("sep")?;
            if separator.is_empty() {
                return fail("empty separator");
            }
            let found = if method == "partition" {
                text.split_once(separator.as_str())
            } else {
                text.rsplit_once(separator.as_str())
            };
            let parts = match (found, method) {
                (Some((a, b)), _) => [a, separator.as_str(), b],
                (None, "partition") => [text, "", ""],
                (None, _) => ["", "", text],
            };
            Ok(Val::from(Tuple::from(parts.map(Val::from))))
        }
        "startswith" => {
            let prefix = args.need("prefix")?;
            let (part, _) = sub(text, &mut args)?;
            any_of(&prefix, |prefix| part.starts_with(prefix))
        }
        "endswith" => {
            let suffix = args.need("suffix")?;
            let (part, _) = sub(text, &mut args)?;
            any_of(&suffix, |suffix| part.ends_with(suffix))
        }
        "find" | "rfind" | "index" | "rindex" => {
            let needle = args.text("sub")?;
            let (part, start) = sub(text, &mut args)?;
            let found = if method.starts_with('r') {
                part.rfind(&needle)
            } else {
                part.find(&needle)
            };
            match found {
                Some(at) => Ok(Val::from(
                    start + part.get(..at).unwrap_or_default().chars().count(),
                )),
                None if method.ends_with("find") => Ok(Val::from(-1)),
                None => fail("substring not found"),
            }
        }
        "count" => {
            let needle = args.text("sub")?;
            let (part, _) = sub(text, &mut args)?;
            Ok(Val::from(if needle.is_empty() {
                part.chars().count() + 1
            } else {
                part.matches(needle.as_str()).count()
            }))
        }
        "isnumeric" => chars(char::is_numeric),
        // superscripts are digits, but no decimals
        "isdigit" => chars(|c| {
            c.is_ascii_digit()
                || is_decimal(c)
                || matches!(c, '²' | '³' | '¹' | '⁰' | '⁴'..='⁹' | '₀'..='₉')
        }),
        "isdecimal" => chars(is_decimal),
        "isalpha" => chars(char::is_alphabetic),
        "isalnum" => chars(char::is_alphanumeric),
        "isspace" => chars(char::is_whitespace),
        "isascii" => Ok(Val::from(text.is_ascii())),
        "isupper" => cased(true),
        "islower" => cased(false),
        "istitle" => Ok(Val::from(!text.is_empty() && title(text) == text)),
        "isidentifier" => Ok(Val::from(
            !text.starts_with(|c: char| c.is_numeric())
                && !text.is_empty()
                && text.chars().all(|c| c.is_alphanumeric() || c == '_'),
        )),
        _ => Err(Error::new(
            ErrorKind::UnknownMethod,
            format!("'str object' has no attribute '{method}'"),
        )),
    }
}

/// Python's `isdecimal`: ASCII's digits and those of the scripts that are met most.
fn is_decimal(c: char) -> bool {
    matches!(c, '0'..='9' | '\u{660}'..='\u{669}' | '\u{6f0}'..='\u{6f9}' | '\u{966}'..='\u{96f}'
        | '\u{ff10}'..='\u{ff19}')
}
