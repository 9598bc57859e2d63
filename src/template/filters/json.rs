//! JSON filters.

use super::Filter;
use crate::template::call::{Call, fail};
use crate::value::{JsonStyle, Value, str_of};
use minijinja::Error;
use minijinja::value::Value as Val;

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
    Ok(crate::template::class::native(
        style.written(&call.value()?),
    ))
}
