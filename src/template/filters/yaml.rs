//! YAML filters.

use super::Filter;
use crate::diag::Source;
use crate::template::call::{Call, fail, int_of};
use crate::template::class;
use crate::value::Value;
use crate::yaml::{EmitOptions, FlowStyle, QuoteStyle, emit, parse_all};
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("to_yaml", |c| encode(c, EmitOptions::to_yaml())),
    ("to_nice_yaml", |c| encode(c, EmitOptions::to_nice_yaml())),
    ("from_yaml", |c| {
        let mut documents = decode(c)?;
        if documents.len() > 1 {
            return fail("from_yaml: expected a single document in the stream");
        }
        c.out(documents.pop().unwrap_or_default())
    }),
    ("from_yaml_all", |c| {
        if !matches!(c.value()?, Value::Str(_)) {
            return Ok(c.input.clone());
        }
        let documents = decode(c)?;
        c.out(Value::list(documents))
    }),
];

fn decode(call: &mut Call) -> Result<Vec<Value>, Error> {
    let Value::Str(text) = call.value()? else {
        // what is no text is taken as it is
        return Ok(vec![call.value()?]);
    };
    match parse_all(&Source::new("<from_yaml>", text.as_str())) {
        Ok(documents) => Ok(documents
            .iter()
            .map(|document| document.node.to_value().into_plain())
            .collect()),
        Err(problem) => fail(format!("from_yaml: {problem}")),
    }
}

/// `to_yaml(default_flow_style=None, **dump)`, `to_nice_yaml(indent=4, **dump)`: the options of PyYAML's `dump`.
fn encode(call: &mut Call, mut options: EmitOptions) -> Result<Val, Error> {
    let small = |value: &Value| int_of(value).and_then(|number| i32::try_from(number).ok());
    if let Some(indent) = call.args.opt("indent")? {
        options.indent = small(&indent).unwrap_or(2);
    }
    for (name, value) in call.args.rest_named() {
        let value = crate::template::convert::from_engine(&value)?;
        match name.as_str() {
            "default_flow_style" => {
                options.default_flow_style = match value {
                    Value::Null => FlowStyle::Auto,
                    other if other.truthy() => FlowStyle::Flow,
                    _ => FlowStyle::Block,
                }
            }
            "sort_keys" => options.sort_keys = value.truthy(),
            "width" => {
                options.width = match &value {
                    Value::Float(f) if f.is_infinite() => -1,
                    other => small(other).unwrap_or(-1),
                }
            }
            "allow_unicode" => options.allow_unicode = value.truthy(),
            "explicit_start" => options.explicit_start = value.truthy(),
            "explicit_end" => options.explicit_end = value.truthy(),
            "default_style" => {
                options.default_style = match value.as_str() {
                    Some("'") => QuoteStyle::Single,
                    Some("\"") => QuoteStyle::Double,
                    Some("|") => QuoteStyle::Literal,
                    Some(">") => QuoteStyle::Folded,
                    _ => QuoteStyle::Auto,
                }
            }
            "canonical" | "line_break" | "encoding" | "version" | "tags" => {
                return fail(format!("{name} is not supported"));
            }
            other => return fail(format!("unexpected argument `{other}`")),
        }
    }
    let value = crate::template::convert::from_engine_sealed(&call.input, &call.render)?;
    Ok(class::native(emit(&value, &options)))
}
