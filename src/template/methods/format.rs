//! `str.format`: the fields of Python's format strings.
//!
//! Source: Python's documentation, "Format String Syntax".

use crate::template::call::{fail, type_name};
use crate::template::print;
use minijinja::Error;
use minijinja::formatting::{FormatStyle, format as format_value};
use minijinja::value::{Kwargs, Value as Val, ValueKind, from_args};

/// What a format string is filled with.
struct Fields {
    args: Vec<Val>,
    named: Kwargs,
    /// How many were taken without a number; `None` once one was taken by its number.
    taken: Option<usize>,
}

/// `text.format(*args, **named)`.
pub(super) fn format(text: &str, args: &[Val]) -> Result<String, Error> {
    let (args, named): (&[Val], Kwargs) = from_args(args)?;
    let mut fields = Fields {
        args: args.to_vec(),
        named,
        taken: Some(0),
    };
    fields.fill(text, 3)
}

impl Fields {
    /// The text with its fields filled; those within a field's specification are one level down.
    fn fill(&mut self, text: &str, depth: usize) -> Result<String, Error> {
        let Some(below) = depth.checked_sub(1) else {
            return fail("Max string recursion exceeded");
        };
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, tail) = rest.split_at(at);
            out.push_str(before);
            if let Some(after) = tail.strip_prefix("{{") {
                out.push('{');
                rest = after;
            } else if let Some(after) = tail.strip_prefix("}}") {
                out.push('}');
                rest = after;
            } else if let Some(field) = tail.strip_prefix('{') {
                let Some(end) = end_of(field) else {
                    return fail("expected '}' before end of string");
                };
                let (field, after) = field.split_at(end);
                out.push_str(&self.field(field, below)?);
                rest = after.strip_prefix('}').unwrap_or_default();
            } else {
                return fail("Single '}' encountered in format string");
            }
        }
        out.push_str(rest);
        Ok(out)
    }

    /// One field, without its braces: `name!conversion:spec`.
    fn field(&mut self, field: &str, depth: usize) -> Result<String, Error> {
        let bracket = field.find('[').map_or(0, |open| {
            field.rfind(']').filter(|close| *close > open).unwrap_or(0)
        });
        let head_end = field
            .char_indices()
            .find(|(at, c)| *at >= bracket && matches!(c, '!' | ':'))
            .map_or(field.len(), |(at, _)| at);
        let (name, rest) = field.split_at(head_end);
        let (conversion, rest) = match rest.strip_prefix('!') {
            Some(tail) => match tail.split_once(':') {
                Some((word, _)) => (Some(word), tail.get(word.len()..).unwrap_or_default()),
                None => (Some(tail), ""),
            },
            None => (None, rest),
        };
        let spec = rest.strip_prefix(':').unwrap_or_default();
        let value = self.value(name)?;
        let spec = self.fill(spec, depth)?;
        let value = match conversion {
            None => value,
            Some("r") => Val::from(print::repr(&value)),
            Some("s") => Val::from(print::str_of(&value)),
            Some("a") => Val::from(ascii(&print::repr(&value))),
            Some(other) => return fail(format!("Unknown conversion specifier '{other}'")),
        };
        show(&value, &spec)
    }

    /// What a field names: an argument, then `.attribute` and `[item]`.
    fn value(&mut self, name: &str) -> Result<Val, Error> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut path) = name.split_at(end);
        let mut value = if first.is_empty() || first.bytes().all(|b| b.is_ascii_digit()) {
            let index = match (first.parse::<usize>(), self.taken) {
                (Ok(index), taken) if taken.unwrap_or(0) == 0 => {
                    self.taken = None;
                    index
                }
                (Err(_), Some(taken)) => {
                    self.taken = Some(taken + 1);
                    taken
                }
                _ => {
                    return fail(
                        "cannot switch between automatic field numbering and manual field specification",
                    );
                }
            };
            match self.args.get(index) {
                Some(value) => value.clone(),
                None => {
                    return fail(format!(
                        "Replacement index {index} out of range for positional args tuple"
                    ));
                }
            }
        } else {
            match self.named.peek::<Val>(first) {
                Ok(value) => value,
                Err(_) => return fail(format!("no argument '{first}'")),
            }
        };
        while !path.is_empty() {
            value = if let Some(tail) = path.strip_prefix('[') {
                let Some((key, after)) = tail.split_once(']') else {
                    return fail("Missing ']' in format string");
                };
                path = after;
                let index = key.parse::<usize>();
                value.get_item(&index.map_or_else(|_| Val::from(key), Val::from))?
            } else {
                let tail = path.strip_prefix('.').unwrap_or(path);
                let end = tail.find(['.', '[']).unwrap_or(tail.len());
                let (key, after) = tail.split_at(end);
                path = after;
                let plain = matches!(
                    value.kind(),
                    ValueKind::Map | ValueKind::Seq | ValueKind::String | ValueKind::Number
                );
                let known = if plain {
                    Val::UNDEFINED
                } else {
                    value.get_attr(key)?
                };
                if known.is_undefined() {
                    return fail(format!(
                        "'{}' object has no attribute '{key}'",
                        type_name(&value)
                    ));
                }
                known
            };
        }
        if value.is_undefined() {
            return Err(Error::undefined(&value));
        }
        Ok(value)
    }
}

/// `%r` and `%a` of Python's older format strings: their values as they are shown, `%s` in their places. `%r` shows even
/// what is undefined.
pub(crate) fn reprs(text: &str, values: &mut [Val]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut place = 0;
    while let Some(at) = rest.find('%') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let spec = tail.get(1..).unwrap_or_default();
        let end = spec.find(|c: char| !(c.is_ascii_digit() || "-+ #.".contains(c)));
        let letter = end.and_then(|end| spec.get(end..)?.chars().next());
        let (Some(end), Some(letter)) = (end, letter) else {
            out.push_str(tail);
            return out;
        };
        if letter == '(' {
            // by name, from one mapping
            out.push_str(tail);
            return out;
        }
        let flags = spec.get(..end).unwrap_or_default();
        rest = spec.get(end + letter.len_utf8()..).unwrap_or_default();
        let shown = match letter {
            'r' | 'a' => {
                if let Some(value) = values.get_mut(place) {
                    let text = if value.is_undefined() {
                        "AnsibleUndefined".to_owned()
                    } else {
                        print::repr(value)
                    };
                    *value = Val::from(if letter == 'a' { ascii(&text) } else { text });
                }
                's'
            }
            other => other,
        };
        place += usize::from(letter != '%');
        out.push('%');
        out.push_str(flags);
        out.push(shown);
    }
    out.push_str(rest);
    out
}

/// Where the field that begins here ends.
fn end_of(field: &str) -> Option<usize> {
    let mut open = 1_usize;
    for (at, c) in field.char_indices() {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

fn ascii(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match u32::from(c) {
            0..=0x7f => out.push(c),
            code @ 0x80..=0xff => out.push_str(&format!("\\x{code:02x}")),
            code @ 0x100..=0xffff => out.push_str(&format!("\\u{code:04x}")),
            code => out.push_str(&format!("\\U{code:08x}")),
        }
    }
    out
}

/// The value as the specification wants it.
fn show(value: &Val, spec: &str) -> Result<String, Error> {
    if let Some(front) = spec.strip_suffix('%') {
        return percent(value, front);
    }
    let spec = match spec.strip_suffix('n') {
        Some(front) if value.is_integer() => format!("{front}d"),
        Some(front) => format!("{front}g"),
        None => spec.to_owned(),
    };
    let value = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::None => {
            if !spec.is_empty() {
                return fail(format!(
                    "unsupported format string passed to {}.__format__",
                    type_name(value)
                ));
            }
            Val::from(print::repr(value))
        }
        _ => value.clone(),
    };
    format_value(FormatStyle::StrFormat, &format!("{{:{spec}}}"), &[value])
}

/// `%` as the type: hundredths, with the sign.
fn percent(value: &Val, front: &str) -> Result<String, Error> {
    let Ok(number) = f64::try_from(value.clone()) else {
        return fail("Unknown format code '%'");
    };
    let (shape, precision) = front.split_once('.').unwrap_or((front, "6"));
    let text = format!(
        "{}%",
        format_value(
            FormatStyle::StrFormat,
            &format!("{{:.{precision}f}}"),
            &[Val::from(number * 100.0)],
        )?
    );
    if shape.is_empty() {
        return Ok(text);
    }
    let shape = match shape.strip_prefix('0') {
        Some(width) => format!("0>{width}"),
        None if shape.starts_with(|c: char| c.is_ascii_digit()) => format!(">{shape}"),
        None => shape.to_owned(),
    };
    format_value(
        FormatStyle::StrFormat,
        &format!("{{:{shape}}}"),
        &[Val::from(text)],
    )
}
