//! `validate_argument_spec`: a role's variables against its `meta/argument_specs.yml`.
//!
//! Source: Ansible's documentation, "Role argument validation".

use super::{Input, Result, Step};
use crate::result::Outcome;
use crate::template::Variable;
use crate::value::{FromValue, Map, Value, to_bool};

pub(super) fn validate(input: &Input<'_>) -> Result<Step> {
    let empty = Map::new();
    let spec = input
        .args
        .get("argument_spec")
        .and_then(Value::as_map)
        .unwrap_or(&empty);
    let provided = input.args.get("provided_arguments").and_then(Value::as_map);
    let mut problems = Vec::new();
    for (name, option) in spec.str_iter() {
        let value = match provided.and_then(|map| map.get(name)) {
            Some(value) => Some(value.clone()),
            None => variable(input, name)?,
        };
        check(name, option, value.as_ref(), &mut problems);
    }
    if problems.is_empty() {
        return Ok(Step::done(
            Outcome::ok().with("msg", "The arg spec validation passed"),
        ));
    }
    let message = format!("Validation of arguments failed:\n{}", problems.join("\n"));
    let errors: Vec<Value> = problems.into_iter().map(Value::data).collect();
    Ok(Step::done(
        Outcome::failure(message).with("argument_errors", Value::list(errors)),
    ))
}

fn variable(input: &Input<'_>, name: &str) -> Result<Option<Value>> {
    match input.cx.scope().get(name) {
        None => Ok(None),
        Some(Variable::Final(value)) => Ok(Some(value)),
        Some(Variable::Lazy(value)) => Ok(Some(input.templar.render(&value, input.cx)?)),
        Some(_) => Ok(None),
    }
}

fn check(name: &str, option: &Value, value: Option<&Value>, problems: &mut Vec<String>) {
    let flag = |key: &str| option.get(key).and_then(to_bool).unwrap_or(false);
    let Some(value) = value.filter(|v| !v.is_null()) else {
        if flag("required") {
            problems.push(format!("missing required arguments: {name}"));
        }
        return;
    };
    let kind = option.get("type").and_then(Value::as_str).unwrap_or("str");
    if let Err(message) = of_type(kind, value) {
        problems.push(format!("argument '{name}' is of the wrong type: {message}"));
        return;
    }
    if let Some(choices) = option.get("choices").and_then(Value::as_list) {
        let asked: Vec<&Value> = match value {
            Value::List(items) => items.iter().collect(),
            one => vec![one],
        };
        for one in asked {
            let fits = choices
                .iter()
                .any(|c| c == one || c.to_string() == one.to_string());
            if !fits {
                let words: Vec<_> = choices.iter().map(ToString::to_string).collect();
                problems.push(format!(
                    "value of {name} must be one of: {}, got: {one}",
                    words.join(", ")
                ));
            }
        }
    }
    if let (Some(elements), Value::List(items)) =
        (option.get("elements").and_then(Value::as_str), value)
    {
        for item in items.iter() {
            if let Err(message) = of_type(elements, item) {
                problems.push(format!(
                    "Elements value for option '{name}' is of the wrong type: {message}"
                ));
            }
        }
    }
    let Some(options) = option.get("options").and_then(Value::as_map) else {
        return;
    };
    let maps: Vec<&Map> = match value {
        Value::Map(map) => vec![map],
        Value::List(items) => items.iter().filter_map(Value::as_map).collect(),
        _ => Vec::new(),
    };
    for map in maps {
        for (key, _) in map.str_iter() {
            if options.get(key).is_none() {
                problems.push(format!(
                    "{name}.{key}. Supported parameters include: {}.",
                    {
                        let names: Vec<_> = options.str_iter().map(|(k, _)| k).collect();
                        names.join(", ")
                    }
                ));
            }
        }
        for (key, option) in options.str_iter() {
            check(&format!("{name}.{key}"), option, map.get(key), problems);
        }
    }
}

fn of_type(kind: &str, value: &Value) -> std::result::Result<(), String> {
    let result = match kind {
        "bool" => bool::from_value(value).map(drop),
        "int" => i64::from_value(value).map(drop),
        "float" => f64::from_value(value).map(drop),
        "list" => Vec::<Value>::from_value(value).map(drop),
        "dict" => Map::from_value(value).map(drop),
        "str" | "path" if matches!(value, Value::List(_) | Value::Map(_)) && kind == "path" => {
            return Err(format!("expected a path, got {}", value.type_name()));
        }
        _ => Ok(()),
    };
    result.map_err(|problem| problem.0)
}
