//! `json_query`: JMESPath.
//!
//! Source: the JMESPath specification (jmespath.org).

mod functions;
mod parser;

use super::Filter;
use crate::template::call::fail;
use crate::value::{Map, Value};
use parser::{Compare, Expr};

pub(super) const TABLE: &[(&str, Filter)] = &[("json_query", |c| {
    let query = c.args.text("expr")?;
    let data = c.value()?;
    match search(&query, &data) {
        Ok(found) => c.out(found),
        Err(message) => fail(format!("json_query '{query}': {message}")),
    }
})];

/// The result of a JMESPath expression.
///
/// # Errors
/// When the expression is not valid, or a function refuses its arguments.
pub(crate) fn search(query: &str, data: &Value) -> Result<Value, String> {
    eval(&parser::parse(query)?, data)
}

/// JMESPath's truth: empty things and null are false, numbers are true.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Int(_) | Value::Float(_) => true,
        other => other.truthy(),
    }
}

fn equal(a: &Value, b: &Value) -> bool {
    // unlike Python, a boolean never equals a number
    matches!(a, Value::Bool(_)) == matches!(b, Value::Bool(_)) && a == b
}

fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(_) | Value::Str(_) => None,
        other => crate::value::FromValue::from_value(other).ok(),
    }
}

pub(crate) fn eval(expr: &Expr, data: &Value) -> Result<Value, String> {
    Ok(match expr {
        Expr::Current => data.clone(),
        Expr::Literal(value) => value.clone(),
        Expr::Field(name) => data.get(name).cloned().unwrap_or_default(),
        Expr::Index(index) => match data {
            Value::List(items) => {
                let at = if *index < 0 {
                    items
                        .len()
                        .checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX))
                } else {
                    usize::try_from(*index).ok()
                };
                at.and_then(|at| items.get(at)).cloned().unwrap_or_default()
            }
            _ => Value::Null,
        },
        Expr::Slice(start, stop, step) => match data {
            Value::List(items) => Value::list(slice(items, *start, *stop, *step)?),
            _ => Value::Null,
        },
        Expr::Pipe(left, right) => eval(right, &eval(left, data)?)?,
        Expr::Sub(left, right) => match eval(left, data)? {
            Value::Null => Value::Null,
            value => eval(right, &value)?,
        },
        Expr::Project(left, right) => match eval(left, data)? {
            Value::List(items) => project(&items, right)?,
            _ => Value::Null,
        },
        Expr::ProjectValues(left, right) => match eval(left, data)? {
            Value::Map(map) => project(&map.values().cloned().collect::<Vec<_>>(), right)?,
            _ => Value::Null,
        },
        Expr::Flatten(left) => match eval(left, data)? {
            Value::List(items) => {
                let mut flat = Vec::new();
                for item in items.iter() {
                    match item {
                        Value::List(inner) => flat.extend(inner.iter().cloned()),
                        other => flat.push(other.clone()),
                    }
                }
                Value::list(flat)
            }
            _ => Value::Null,
        },
        Expr::Filter(left, condition) => match eval(left, data)? {
            Value::List(items) => {
                let mut kept = Vec::new();
                for item in items.iter() {
                    if truthy(&eval(condition, item)?) {
                        kept.push(item.clone());
                    }
                }
                Value::list(kept)
            }
            _ => Value::Null,
        },
        Expr::And(left, right) => {
            let left = eval(left, data)?;
            if truthy(&left) {
                eval(right, data)?
            } else {
                left
            }
        }
        Expr::Or(left, right) => {
            let left = eval(left, data)?;
            if truthy(&left) {
                left
            } else {
                eval(right, data)?
            }
        }
        Expr::Not(inner) => Value::Bool(!truthy(&eval(inner, data)?)),
        Expr::Compare(op, left, right) => {
            let (left, right) = (eval(left, data)?, eval(right, data)?);
            match op {
                Compare::Eq => Value::Bool(equal(&left, &right)),
                Compare::Ne => Value::Bool(!equal(&left, &right)),
                _ => match (float(&left), float(&right)) {
                    (Some(a), Some(b)) => Value::Bool(match op {
                        Compare::Lt => a < b,
                        Compare::Le => a <= b,
                        Compare::Gt => a > b,
                        _ => a >= b,
                    }),
                    _ => match (&left, &right) {
                        (Value::Str(a), Value::Str(b)) => Value::Bool(match op {
                            Compare::Lt => a.as_str() < b.as_str(),
                            Compare::Le => a.as_str() <= b.as_str(),
                            Compare::Gt => a.as_str() > b.as_str(),
                            _ => a.as_str() >= b.as_str(),
                        }),
                        _ => Value::Null,
                    },
                },
            }
        }
        Expr::List(items) => {
            if data.is_null() {
                return Ok(Value::Null);
            }
            Value::list(
                items
                    .iter()
                    .map(|item| eval(item, data))
                    .collect::<Result<_, _>>()?,
            )
        }
        Expr::Hash(members) => {
            if data.is_null() {
                return Ok(Value::Null);
            }
            let mut map = Map::new();
            for (name, member) in members {
                map.set(name, eval(member, data)?);
            }
            Value::map(map)
        }
        Expr::Call(name, args) => functions::call(name, args, data)?,
        Expr::Reference(_) => {
            return Err("an expression reference is allowed as an argument only".into());
        }
    })
}

fn project(items: &[Value], right: &Expr) -> Result<Value, String> {
    let mut out = Vec::new();
    for item in items {
        let value = eval(right, item)?;
        if !value.is_null() {
            out.push(value);
        }
    }
    Ok(Value::list(out))
}

fn slice(
    items: &[Value],
    start: Option<i64>,
    stop: Option<i64>,
    step: i64,
) -> Result<Vec<Value>, String> {
    if step == 0 {
        return Err("a slice's step must not be 0".into());
    }
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let clamp = |at: i64, low: i64, high: i64| {
        (if at < 0 { at.saturating_add(len) } else { at }).clamp(low, high)
    };
    let (mut at, stop) = if step > 0 {
        (
            start.map_or(0, |at| clamp(at, 0, len)),
            stop.map_or(len, |at| clamp(at, 0, len)),
        )
    } else {
        (
            start.map_or(len - 1, |at| clamp(at, -1, len - 1)),
            stop.map_or(-1, |at| clamp(at, -1, len - 1)),
        )
    };
    let mut out = Vec::new();
    while (step > 0 && at < stop) || (step < 0 && at > stop) {
        out.extend(
            usize::try_from(at)
                .ok()
                .and_then(|at| items.get(at))
                .cloned(),
        );
        at = at.saturating_add(step);
    }
    Ok(out)
}
