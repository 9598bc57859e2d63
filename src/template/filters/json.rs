//! JSON filters.

use super::Filter;
use crate::template::call::{Call, fail};
use crate::value::{Value, str_of};
use minijinja::Error;
use minijinja::value::Value as Val;
use std::fmt::Write as _;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("to_json", |c| encode(c, None, false)),
    ("tojson", |c| {
        // Jinja2's own is safe in HTML
        let text = encode(c, None, true)?;
        let safe = text
            .as_str()
            .unwrap_or_default()
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
            .replace('\'', "\\u0027");
        Ok(Val::from_safe_string(safe))
    }),
    ("to_nice_json", |c| encode(c, Some(4), true)),
    ("from_json", |c| {
        if c.input.as_str().is_none() {
            return super::types::wrong("from_json", "a string", &c.input);
        }
        let text = c.text()?;
        match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(json) => c.out(Value::from_json(&json)),
            Err(error) => fail(format!("from_json: {error}")),
        }
    }),
];

/// How JSON is written.
pub(crate) struct JsonStyle {
    /// Spaces per level; one line without.
    pub(crate) indent: Option<usize>,
    pub(crate) sort_keys: bool,
    pub(crate) ensure_ascii: bool,
    pub(crate) separators: (String, String),
}

/// `to_json(indent=None, sort_keys=False, ensure_ascii=True, separators=None, ...)`.
fn encode(call: &mut Call, indent: Option<usize>, sort: bool) -> Result<Val, Error> {
    let given = call.args.opt("indent")?;
    let indent = match given {
        None => indent,
        Some(Value::Null) => None,
        Some(value) => crate::template::call::int_of(&value)
            .and_then(|n| usize::try_from(n).ok())
            .map(|n| n.min(100)),
    };
    let sort_keys = call.args.flag("sort_keys", sort)?;
    let ensure_ascii = call
        .args
        .take_named("ensure_ascii")
        .is_none_or(|flag| flag.is_true());
    let separators = match call.args.take_named("separators") {
        Some(pair) if !pair.is_none() => {
            let pair = crate::template::convert::from_engine(&pair)?;
            match pair.as_list() {
                Some([item, key]) => (str_of(item), str_of(key)),
                _ => return fail("separators must be a pair of strings"),
            }
        }
        _ if indent.is_some() => (",".into(), ": ".into()),
        _ => (", ".into(), ": ".into()),
    };
    let style = JsonStyle {
        indent,
        sort_keys,
        ensure_ascii,
        separators,
    };
    let mut out = String::new();
    write(&mut out, &call.value()?, &style, 0);
    Ok(crate::template::class::native(out))
}

/// Writes a value as Python's `json.dumps` does.
pub(crate) fn write(out: &mut String, value: &Value, style: &JsonStyle, level: usize) {
    let newline = |out: &mut String, level: usize| {
        if let Some(indent) = style.indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * level));
        }
    };
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Float(f) if f.is_nan() => out.push_str("NaN"),
        Value::Float(f) if f.is_infinite() => {
            out.push_str(if *f > 0.0 { "Infinity" } else { "-Infinity" });
        }
        Value::Int(_) | Value::Float(_) => out.push_str(&str_of(value)),
        Value::Str(text) => quote(out, text, style.ensure_ascii),
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(&style.separators.0);
                }
                newline(out, level + 1);
                write(out, item, style, level + 1);
            }
            newline(out, level);
            out.push(']');
        }
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::Map(map) => {
            let mut members: Vec<(String, &Value)> = map.iter().map(|(k, v)| (key(k), v)).collect();
            if style.sort_keys {
                members.sort_by(|a, b| a.0.cmp(&b.0));
            }
            out.push('{');
            for (i, (key, value)) in members.into_iter().enumerate() {
                if i > 0 {
                    out.push_str(&style.separators.0);
                }
                newline(out, level + 1);
                quote(out, &key, style.ensure_ascii);
                out.push_str(&style.separators.1);
                write(out, value, style, level + 1);
            }
            newline(out, level);
            out.push('}');
        }
    }
}

fn key(key: &Value) -> String {
    match key {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        other => str_of(other),
    }
}

fn quote(out: &mut String, text: &str, ensure_ascii: bool) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || (ensure_ascii && !c.is_ascii()) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
