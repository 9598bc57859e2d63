//! JMESPath's functions.

use super::{Expr, eval, float};
use crate::value::{JsonStyle, Map, Value};
use std::cmp::Ordering;

pub(super) fn call(name: &str, args: &[Expr], data: &Value) -> Result<Value, String> {
    if matches!(name, "sort_by" | "max_by" | "min_by" | "map") {
        return by(name, args, data);
    }
    let args: Vec<Value> = args
        .iter()
        .map(|arg| eval(arg, data))
        .collect::<Result<_, _>>()?;
    let null = Value::Null;
    let first = args.first().unwrap_or(&null);
    let second = args.get(1).unwrap_or(&null);
    let wrong = |wanted: &str| {
        Err(format!(
            "{name}() needs {wanted}, not {}",
            first.type_name()
        ))
    };
    Ok(match (name, first) {
        ("length", Value::Str(text)) => text.chars().count().into(),
        ("length", Value::List(items)) => items.len().into(),
        ("length", Value::Map(map)) => map.len().into(),
        ("keys", Value::Map(map)) => Value::list(map.keys().cloned().collect()),
        ("values", Value::Map(map)) => Value::list(map.values().cloned().collect()),
        ("items", Value::Map(map)) => Value::list(
            map.iter()
                .map(|(k, v)| Value::list(vec![k.clone(), v.clone()]))
                .collect(),
        ),
        ("contains", Value::List(items)) => Value::Bool(items.contains(second)),
        ("contains", Value::Str(text)) => {
            Value::Bool(second.as_str().is_some_and(|part| text.contains(part)))
        }
        ("starts_with", Value::Str(text)) => {
            Value::Bool(second.as_str().is_some_and(|part| text.starts_with(part)))
        }
        ("ends_with", Value::Str(text)) => {
            Value::Bool(second.as_str().is_some_and(|part| text.ends_with(part)))
        }
        ("join", Value::Str(glue)) => match second {
            Value::List(items) => {
                let parts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
                match parts {
                    Some(parts) => Value::str(parts.join(glue)),
                    None => return Err("join() needs a list of strings".into()),
                }
            }
            _ => return Err("join() needs a list of strings".into()),
        },
        ("reverse", Value::List(items)) => Value::list(items.iter().rev().cloned().collect()),
        ("reverse", Value::Str(text)) => Value::str(text.chars().rev().collect::<String>()),
        ("sort", Value::List(items)) => {
            let mut items = (**items).clone();
            items.sort_by(order);
            Value::list(items)
        }
        ("max", Value::List(items)) => items
            .iter()
            .max_by(|a, b| order(a, b))
            .cloned()
            .unwrap_or_default(),
        ("min", Value::List(items)) => items
            .iter()
            .min_by(|a, b| order(a, b))
            .cloned()
            .unwrap_or_default(),
        ("sum", Value::List(items)) => {
            let total: f64 = items.iter().filter_map(float).sum();
            number(
                total,
                items.iter().all(|item| matches!(item, Value::Int(_))),
            )
        }
        ("avg", Value::List(items)) => {
            if items.is_empty() {
                return Ok(Value::Null);
            }
            let total: f64 = items.iter().filter_map(float).sum();
            #[expect(clippy::cast_precision_loss, reason = "a count of items")]
            Value::Float(total / items.len() as f64)
        }
        ("abs", value) if float(value).is_some() => match value {
            Value::Int(i) => Value::Int(i.saturating_abs()),
            other => Value::Float(float(other).unwrap_or(0.0).abs()),
        },
        ("ceil", value) if float(value).is_some() => {
            number(float(value).unwrap_or(0.0).ceil(), true)
        }
        ("floor", value) if float(value).is_some() => {
            number(float(value).unwrap_or(0.0).floor(), true)
        }
        ("to_array", Value::List(_)) => first.clone(),
        ("to_array", value) => Value::list(vec![value.clone()]),
        ("to_string", Value::Str(_)) => first.clone(),
        ("to_string", value) => {
            let style = JsonStyle {
                separators: (",".into(), ":".into()),
                ..JsonStyle::default()
            };
            Value::str(style.written(value))
        }
        ("to_number", Value::Str(text)) => text
            .parse::<i64>()
            .map(Value::Int)
            .or_else(|_| text.parse().map(Value::Float))
            .unwrap_or_default(),
        ("to_number", Value::Int(_) | Value::Float(_)) => first.clone(),
        ("to_number", _) => Value::Null,
        ("type", value) => Value::str(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) | Value::Float(_) => "number",
            Value::Str(_) => "string",
            Value::List(_) => "array",
            Value::Map(_) => "object",
        }),
        ("not_null", _) => args
            .iter()
            .find(|arg| !arg.is_null())
            .cloned()
            .unwrap_or_default(),
        ("merge", _) => {
            let mut merged = Map::new();
            for arg in &args {
                match arg {
                    Value::Map(map) => {
                        merged.extend(map.iter().map(|(k, v)| (k.clone(), v.clone())));
                    }
                    _ => return Err("merge() needs objects".into()),
                }
            }
            Value::map(merged)
        }
        ("length" | "reverse" | "contains", _) => return wrong("a string or an array"),
        ("keys" | "values" | "items", _) => return wrong("an object"),
        ("starts_with" | "ends_with" | "join", _) => return wrong("a string"),
        ("sort" | "max" | "min" | "sum" | "avg", _) => return wrong("an array"),
        ("abs" | "ceil" | "floor", _) => return wrong("a number"),
        _ => return Err(format!("there is no function {name}()")),
    })
}

fn number(value: f64, whole: bool) -> Value {
    match crate::template::call::int_of(&Value::Float(value)) {
        Some(int) if whole => Value::Int(int),
        _ => Value::Float(value),
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) => a.as_str().cmp(b.as_str()),
        _ => match (float(a), float(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => Ordering::Equal,
        },
    }
}

/// Functions that take an expression.
fn by(name: &str, args: &[Expr], data: &Value) -> Result<Value, String> {
    let (list, expr) = match (name, args) {
        ("map", [Expr::Reference(expr), list]) | (_, [list, Expr::Reference(expr)])
            if name == "map" || !matches!(list, Expr::Reference(_)) =>
        {
            (list, expr)
        }
        _ => return Err(format!("{name}() needs an array and an expression (&...)")),
    };
    let Value::List(items) = eval(list, data)? else {
        return Err(format!("{name}() needs an array"));
    };
    if name == "map" {
        return Ok(Value::list(
            items
                .iter()
                .map(|item| eval(expr, item))
                .collect::<Result<_, _>>()?,
        ));
    }
    let mut rows: Vec<(Value, Value)> = items
        .iter()
        .map(|item| Ok((eval(expr, item)?, item.clone())))
        .collect::<Result<_, String>>()?;
    rows.sort_by(|a, b| order(&a.0, &b.0));
    Ok(match name {
        "sort_by" => Value::list(rows.into_iter().map(|(_, item)| item).collect()),
        "min_by" => rows
            .into_iter()
            .next()
            .map(|(_, item)| item)
            .unwrap_or_default(),
        _ => rows
            .into_iter()
            .next_back()
            .map(|(_, item)| item)
            .unwrap_or_default(),
    })
}
