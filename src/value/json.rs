//! JSON as Python's `json.dumps` writes it: scripts look into it with `sed` and `grep`.

use super::{Value, str_of};
use std::fmt::Write as _;

/// How JSON is written.
pub struct JsonStyle {
    /// Spaces per level; one line without.
    pub indent: Option<usize>,
    /// Whether the members of mappings are put in order.
    pub sort_keys: bool,
    /// Whether other characters than ASCII are written as `\uXXXX`.
    pub ensure_ascii: bool,
    /// What stands between items, and between key and value.
    pub separators: (String, String),
}

impl Default for JsonStyle {
    fn default() -> Self {
        Self {
            indent: None,
            sort_keys: false,
            ensure_ascii: true,
            separators: (", ".into(), ": ".into()),
        }
    }
}

impl JsonStyle {
    /// The value in this style.
    pub fn written(&self, value: &Value) -> String {
        let mut out = String::new();
        write(&mut out, value, self, 0);
        out
    }
}

fn write(out: &mut String, value: &Value, style: &JsonStyle, level: usize) {
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

#[cfg(test)]
mod tests {
    use super::JsonStyle;
    use crate::value::{Map, Value};

    #[test]
    fn one_line_is_pythons() {
        let list = Value::list(vec![1.into(), Value::Null, true.into()]);
        let map = Map::new().with("b", "\u{e9}\u{1f600}\n").with("a", list);
        assert_eq!(
            JsonStyle::default().written(&Value::map(map)),
            r#"{"b": "\u00e9\ud83d\ude00\n", "a": [1, null, true]}"#
        );
    }
}
