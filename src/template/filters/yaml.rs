//! YAML filters; the reading and writing is given to the engine by its owner.

use super::Filter;
use crate::template::YamlStyle;
use crate::template::call::{Call, fail, int_of};
use crate::value::Value;
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("to_yaml", |c| encode(c, None, 2)),
    ("to_nice_yaml", |c| encode(c, Some(false), 4)),
    ("from_yaml", |c| {
        let mut documents = decode(c)?;
        if documents.len() > 1 {
            return fail("from_yaml: expected a single document in the stream");
        }
        c.out(documents.pop().unwrap_or_default())
    }),
    ("from_yaml_all", |c| {
        let documents = decode(c)?;
        c.out(Value::list(documents))
    }),
];

fn decode(call: &mut Call) -> Result<Vec<Value>, Error> {
    let Value::Str(text) = call.value()? else {
        // what is no text is taken as it is
        return Ok(vec![call.value()?]);
    };
    match call.render.templar.options().yaml {
        Some(codec) => (codec.load)(&text).or_else(|error| fail(format!("from_yaml: {error}"))),
        None => fail("YAML is not available here"),
    }
}

/// `to_yaml(default_flow_style=None, **dump)`, `to_nice_yaml(indent=4, **dump)`.
fn encode(call: &mut Call, flow: Option<bool>, indent: usize) -> Result<Val, Error> {
    let Some(codec) = call.render.templar.options().yaml else {
        return fail("YAML is not available here");
    };
    let mut style = YamlStyle {
        indent,
        flow,
        sort_keys: true,
        width: 80,
        allow_unicode: true,
        explicit_start: false,
        explicit_end: false,
        default_style: None,
    };
    if let Some(indent) = call.args.opt("indent")? {
        style.indent = int_of(&indent)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or(2);
    }
    for (name, value) in call.args.rest_named() {
        let value = crate::template::convert::from_engine(&value)?;
        match name.as_str() {
            "default_flow_style" => style.flow = value.as_bool(),
            "sort_keys" => style.sort_keys = value.truthy(),
            "width" => {
                style.width = match &value {
                    Value::Float(f) if f.is_infinite() => usize::MAX,
                    other => int_of(other)
                        .and_then(|n| usize::try_from(n).ok())
                        .unwrap_or(80),
                }
            }
            "allow_unicode" => style.allow_unicode = value.truthy(),
            "explicit_start" => style.explicit_start = value.truthy(),
            "explicit_end" => style.explicit_end = value.truthy(),
            "default_style" => {
                style.default_style = value.as_str().and_then(|text| text.chars().next())
            }
            "canonical" | "line_break" | "encoding" | "version" | "tags" => {
                return fail(format!("{name} is not supported"));
            }
            other => return fail(format!("unexpected argument `{other}`")),
        }
    }
    Ok(Val::from_safe_string((codec.dump)(&call.value()?, &style)))
}
