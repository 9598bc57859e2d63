//! Filters about types and presence.

use super::Filter;
use crate::template::call::{Call, fail, int_of, iterate, type_name};
use crate::template::class;
use crate::template::objects::List;
use crate::template::print;
use crate::template::render::{MANDATORY, engine_error};
use crate::template::{TemplateError, TemplateErrorKind};
use crate::value::{Value, to_bool};
use minijinja::Error;
use minijinja::value::{Value as Val, ValueKind};

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("default", default),
    ("d", default),
    ("mandatory", mandatory),
    ("bool", |c| match c.value()? {
        Value::Null => Ok(Val::from(())),
        Value::Bool(b) => Ok(Val::from(b)),
        value => Ok(Val::from(is_yes(&value))),
    }),
    ("int", int),
    ("float", |c| {
        let default = c.args.opt("default")?.unwrap_or(Value::Float(0.0));
        let number = match c.value()? {
            Value::Str(text) => parse_float(&text),
            Value::Bool(yes) => Some(f64::from(u8::from(yes))),
            other => crate::value::FromValue::from_value(&other).ok(),
        };
        number.map_or_else(|| c.out(default), |f: f64| Ok(Val::from(f)))
    }),
    ("string", |c| Ok(class::native(c.text()?))),
    ("safe", |c| Ok(Val::from_safe_string(c.text()?))),
    ("list", |c| Ok(List::of(c.items()?))),
    ("type_debug", |c| Ok(Val::from(class::name(&c.input)))),
    ("ternary", ternary),
    ("pprint", |c| Ok(Val::from(print::repr(&c.input)))),
    ("attr", |c| {
        let name = c.args.text("name")?;
        let own = c.input.get_attr(&name)?;
        Ok(match class::attribute(&c.input, &name) {
            Some(general) if own.is_undefined() && !c.input.is_undefined() => general,
            _ => own,
        })
    }),
];

/// `default(value, boolean=False)`.
fn default(call: &mut Call) -> Result<Val, Error> {
    let default = call
        .args
        .take("default_value")
        .unwrap_or_else(|| Val::from(""));
    let boolean = call.args.take("boolean").is_some_and(|flag| flag.is_true());
    if call.input.is_undefined() || (boolean && !call.input.is_true()) {
        return Ok(default);
    }
    Ok(call.input.clone())
}

/// `mandatory(msg=None)`.
fn mandatory(call: &mut Call) -> Result<Val, Error> {
    if !call.input.is_undefined() {
        return Ok(call.input.clone());
    }
    match call.args.opt_text("msg")? {
        Some(message) => Err(engine_error(TemplateError::new(
            TemplateErrorKind::Type,
            message,
        ))),
        // its name is put in when it is known
        None => Err(Error::undefined(&call.input)
            .with_source(TemplateError::new(TemplateErrorKind::Type, MANDATORY))),
    }
}

/// Ansible's `bool`: what is not a word for yes is no.
fn is_yes(value: &Value) -> bool {
    match value {
        Value::Str(text) => matches!(text.to_lowercase().as_str(), "yes" | "on" | "1" | "true"),
        other => to_bool(other) == Some(true),
    }
}

/// `int(default=0, base=10)`.
fn int(call: &mut Call) -> Result<Val, Error> {
    let default = call.args.opt("default")?.unwrap_or(Value::Int(0));
    let base = u32::try_from(call.args.int("base", Some(10))?)
        .unwrap_or(10)
        .clamp(2, 36);
    let number = match call.value()? {
        Value::Str(text) => parse_int(&text, base)
            .or_else(|| parse_float(&text).and_then(|f| int_of(&Value::Float(f)))),
        other => int_of(&other),
    };
    number.map_or_else(|| call.out(default), |int| Ok(Val::from(int)))
}

fn parse_int(text: &str, base: u32) -> Option<i64> {
    let text = text.trim().replace('_', "").to_ascii_lowercase();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(&text)),
    };
    let digits = match base {
        16 => digits.strip_prefix("0x").unwrap_or(digits),
        8 => digits.strip_prefix("0o").unwrap_or(digits),
        2 => digits.strip_prefix("0b").unwrap_or(digits),
        _ => digits,
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    i64::from_str_radix(digits, base)
        .ok()
        .map(|number| sign * number)
}

fn parse_float(text: &str) -> Option<f64> {
    text.trim().replace('_', "").parse().ok()
}

/// `ternary(true_val, false_val, none_val=None)`.
fn ternary(call: &mut Call) -> Result<Val, Error> {
    let yes = call.args.take("true_val").unwrap_or_else(|| Val::from(()));
    let no = call.args.take("false_val").unwrap_or_else(|| Val::from(()));
    let none = call.args.take("none_val");
    if call.input.is_undefined() {
        return Err(Error::undefined(&call.input));
    }
    if call.input.is_none()
        && let Some(none) = none
        && !none.is_none()
    {
        return Ok(none);
    }
    Ok(if truth(&call.input) { yes } else { no })
}

fn truth(value: &Val) -> bool {
    value.kind() != ValueKind::Undefined && value.is_true()
}

/// A list of an argument that may be a single value.
pub(super) fn list_of(value: &Val) -> Result<Vec<Val>, Error> {
    if value.as_str().is_some() {
        Ok(vec![value.clone()])
    } else {
        iterate(value)
    }
}

/// The error for an operand of the wrong type.
pub(super) fn wrong<T>(filter: &str, wanted: &str, value: &Val) -> Result<T, Error> {
    fail(format!(
        "{filter} requires {wanted}, got <class '{}'> instead: {}",
        type_name(value),
        print::repr(value)
    ))
}
