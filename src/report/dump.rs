//! Values as JSON text in the shape that Ansible's callbacks print: sorted keys, a space after separators.

use crate::value::Value;
use serde_json::Value as Json;
use std::fmt::Write;

/// The text, on one line, or with each member on a line of its own, indented by so many spaces per level.
pub fn dump(value: &Value, indent: Option<usize>) -> String {
    let mut out = String::new();
    write(&mut out, &value.to_json(), indent, 0);
    out
}

fn write(out: &mut String, json: &Json, indent: Option<usize>, depth: usize) {
    match json {
        Json::Array(items) => {
            let members: Vec<(Option<&String>, &Json)> =
                items.iter().map(|item| (None, item)).collect();
            nested(out, ('[', ']'), &members, indent, depth);
        }
        Json::Object(map) => {
            let mut members: Vec<(Option<&String>, &Json)> =
                map.iter().map(|(k, v)| (Some(k), v)).collect();
            members.sort_by_key(|(key, _)| *key);
            nested(out, ('{', '}'), &members, indent, depth);
        }
        // serde_json leaves DEL and the C1 controls as they are; a terminal would obey some of them.
        Json::String(text) => {
            for c in Json::from(text.as_str()).to_string().chars() {
                match c {
                    '\u{7f}'..='\u{9f}' => {
                        let _ = write!(out, "\\u{:04x}", u32::from(c));
                    }
                    c => out.push(c),
                }
            }
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

fn nested(
    out: &mut String,
    (open, close): (char, char),
    members: &[(Option<&String>, &Json)],
    indent: Option<usize>,
    depth: usize,
) {
    let line = |out: &mut String, depth: usize| {
        if let Some(indent) = indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    };
    out.push(open);
    for (index, (key, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push_str(if indent.is_some() { "," } else { ", " });
        }
        line(out, depth + 1);
        if let Some(key) = key {
            write(out, &Json::from(key.as_str()), indent, depth);
            out.push_str(": ");
        }
        write(out, value, indent, depth + 1);
    }
    if !members.is_empty() {
        line(out, depth);
    }
    out.push(close);
}

/// Text from a machine for a terminal: control characters become visible, except for tabs.
pub(crate) fn visible(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        if c.is_control() && c != '\t' {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        Value::from_json(&serde_json::from_str(json).expect("JSON"))
    }

    #[test]
    fn keys_are_sorted_and_separators_spaced() {
        let text = dump(
            &value(r#"{"b": [1, 2.5, null], "a": {"x": "é\u001b\u007f"}, "c": [], "d": {}}"#),
            None,
        );
        assert_eq!(
            text,
            r#"{"a": {"x": "é\u001b\u007f"}, "b": [1, 2.5, null], "c": [], "d": {}}"#
        );
    }

    #[test]
    fn indented_like_pythons() {
        let text = dump(&value(r#"{"b": [1], "a": {}}"#), Some(4));
        assert_eq!(text, "{\n    \"a\": {},\n    \"b\": [\n        1\n    ]\n}");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(visible("a\tb\u{1b}[2Jc\r"), "a\tb\\u{1b}[2Jc\\r");
    }
}
