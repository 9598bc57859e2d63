//! Tests of types, comparisons, truth and membership.

use super::Test;
use crate::template::call::{Call, fail, iterate};
use crate::template::convert::from_engine;
use crate::value::{Value, to_bool};
use minijinja::Error;
use minijinja::value::{Value as Val, ValueKind};
use std::cmp::Ordering;

pub(super) const TABLE: &[(&str, Test)] = &[
    ("defined", |c| Ok(!c.input.is_undefined())),
    ("undefined", |c| Ok(c.input.is_undefined())),
    ("none", |c| Ok(c.input.is_none())),
    ("boolean", |c| Ok(c.input.kind() == ValueKind::Bool)),
    ("true", |c| {
        Ok(c.input.kind() == ValueKind::Bool && c.input.is_true())
    }),
    ("false", |c| {
        Ok(c.input.kind() == ValueKind::Bool && !c.input.is_true())
    }),
    ("integer", |c| {
        Ok(c.input.kind() == ValueKind::Number && c.input.is_integer())
    }),
    ("float", |c| {
        Ok(c.input.kind() == ValueKind::Number && !c.input.is_integer())
    }),
    ("number", |c| {
        Ok(matches!(
            c.input.kind(),
            ValueKind::Number | ValueKind::Bool
        ))
    }),
    ("string", |c| {
        Ok(c.input.kind() == ValueKind::String && !crate::template::class::is_type(&c.input))
    }),
    ("mapping", |c| Ok(c.input.kind() == ValueKind::Map)),
    ("sequence", |c| {
        Ok(matches!(
            c.input.kind(),
            ValueKind::Seq | ValueKind::Iterable | ValueKind::String | ValueKind::Map
        ))
    }),
    ("iterable", |c| {
        Ok(matches!(
            c.input.kind(),
            ValueKind::Seq | ValueKind::Iterable | ValueKind::String | ValueKind::Map
        ))
    }),
    ("callable", |c| Ok(c.input.kind() == ValueKind::Plain)),
    ("escaped", |c| Ok(c.input.is_safe())),
    ("safe", |c| Ok(c.input.is_safe())),
    ("lower", |c| {
        let text = c.text()?;
        Ok(text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase))
    }),
    ("upper", |c| {
        let text = c.text()?;
        Ok(text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase))
    }),
    ("odd", |c| Ok(int(&c.input)?.rem_euclid(2) == 1)),
    ("even", |c| Ok(int(&c.input)?.rem_euclid(2) == 0)),
    ("divisibleby", |c| {
        let by = c.args.int("num", None)?;
        if by == 0 {
            return fail("integer modulo by zero");
        }
        Ok(int(&c.input)?.wrapping_rem(by) == 0)
    }),
    ("eq", equal),
    ("==", equal),
    ("equalto", equal),
    ("ne", |c| equal(c).map(|equal| !equal)),
    ("!=", |c| equal(c).map(|equal| !equal)),
    ("lt", |c| compare(c).map(Ordering::is_lt)),
    ("<", |c| compare(c).map(Ordering::is_lt)),
    ("lessthan", |c| compare(c).map(Ordering::is_lt)),
    ("le", |c| compare(c).map(Ordering::is_le)),
    ("<=", |c| compare(c).map(Ordering::is_le)),
    ("gt", |c| compare(c).map(Ordering::is_gt)),
    (">", |c| compare(c).map(Ordering::is_gt)),
    ("greaterthan", |c| compare(c).map(Ordering::is_gt)),
    ("ge", |c| compare(c).map(Ordering::is_ge)),
    (">=", |c| compare(c).map(Ordering::is_ge)),
    ("sameas", |c| {
        let other = c.args.need("other")?;
        let same_kind =
            c.input.kind() == other.kind() && c.input.is_integer() == other.is_integer();
        Ok(same_kind && c.input == other)
    }),
    ("in", |c| {
        let container = c.args.need("seq")?;
        holds(&container, &c.input)
    }),
    ("contains", |c| {
        let item = c.args.need("value")?;
        holds(&c.input, &item)
    }),
    ("filter", |c| {
        let name = c.text()?;
        Ok(crate::template::filters::names().any(|known| known == name))
    }),
    ("test", |c| {
        let name = c.text()?;
        Ok(super::names().any(|known| known == name))
    }),
    ("any", |c| Ok(c.items()?.iter().any(Val::is_true))),
    ("all", |c| Ok(c.items()?.iter().all(Val::is_true))),
    ("truthy", |c| truth(c, true)),
    ("falsy", |c| truth(c, false)),
    ("subset", |c| {
        let other = iterate(&c.args.need("b")?)?;
        Ok(c.items()?.iter().all(|item| other.contains(item)))
    }),
    ("issubset", |c| {
        let other = iterate(&c.args.need("b")?)?;
        Ok(c.items()?.iter().all(|item| other.contains(item)))
    }),
    ("superset", |c| {
        let other = iterate(&c.args.need("b")?)?;
        let own = c.items()?;
        Ok(other.iter().all(|item| own.contains(item)))
    }),
    ("issuperset", |c| {
        let other = iterate(&c.args.need("b")?)?;
        let own = c.items()?;
        Ok(other.iter().all(|item| own.contains(item)))
    }),
    ("nan", is_nan),
    ("isnan", is_nan),
    ("vault_encrypted", |c| {
        Ok(c.render.sealed(&c.input).is_some())
    }),
];

fn int(value: &Val) -> Result<i64, Error> {
    match from_engine(value)? {
        Value::Int(i) => Ok(i),
        Value::Bool(b) => Ok(i64::from(b)),
        Value::Float(f) if f.fract() == 0.0 => {
            Ok(crate::template::call::int_of(&Value::Float(f)).unwrap_or(0))
        }
        other => fail(format!(
            "a number is needed, not {} {other:?}",
            other.type_name()
        )),
    }
}

fn equal(call: &mut Call) -> Result<bool, Error> {
    let other = call.args.need("other")?;
    if call.input.is_undefined() {
        return Err(Error::undefined(&call.input));
    }
    Ok(call.input == other)
}

fn compare(call: &mut Call) -> Result<Ordering, Error> {
    let other = call.args.need("other")?;
    if call.input.is_undefined() {
        return Err(Error::undefined(&call.input));
    }
    order(&call.input, &other)
}

/// Python's order; values of different types have none.
pub(crate) fn order(a: &Val, b: &Val) -> Result<Ordering, Error> {
    let class = |value: &Val| match value.kind() {
        ValueKind::Bool | ValueKind::Number => 1,
        ValueKind::String => 2,
        ValueKind::Seq | ValueKind::Iterable => 3,
        _ => 0,
    };
    if class(a) != class(b) || class(a) == 0 {
        return fail(format!(
            "'<' not supported between instances of '{}' and '{}'",
            crate::template::call::type_name(a),
            crate::template::call::type_name(b)
        ));
    }
    if class(a) == 3 {
        let (left, right) = (iterate(a)?, iterate(b)?);
        for (x, y) in left.iter().zip(&right) {
            if x != y {
                return order(x, y);
            }
        }
        return Ok(left.len().cmp(&right.len()));
    }
    Ok(a.cmp(b))
}

fn holds(container: &Val, item: &Val) -> Result<bool, Error> {
    if let Some(text) = container.as_str() {
        return match item.as_str() {
            Some(part) => Ok(text.contains(part)),
            None => fail("'in <string>' requires string as left operand"),
        };
    }
    Ok(iterate(container)?.contains(item))
}

fn truth(call: &mut Call, wanted: bool) -> Result<bool, Error> {
    let convert = call.args.flag("convert_bool", false)?;
    let value = call.value()?;
    let truth = if convert {
        to_bool(&value).unwrap_or_else(|| value.truthy())
    } else {
        value.truthy()
    };
    Ok(truth == wanted)
}

fn is_nan(call: &mut Call) -> Result<bool, Error> {
    match call.value()? {
        Value::Float(f) => Ok(f.is_nan()),
        Value::Int(_) => Ok(false),
        _ => Ok(false),
    }
}
