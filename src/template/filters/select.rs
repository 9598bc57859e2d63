//! Filters that look at attributes, or apply filters and tests to each item.

use super::Filter;
use crate::template::call::{Call, fail};
use crate::template::objects::List;
use crate::template::render::{Render, UNDEF, engine_error};
use crate::template::{TemplateError, TemplateErrorKind};
use crate::value::Value;
use minijinja::Error;
use minijinja::value::{Kwargs, Value as Val};

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("map", map),
    ("select", |c| select(c, true, false)),
    ("reject", |c| select(c, false, false)),
    ("selectattr", |c| select(c, true, true)),
    ("rejectattr", |c| select(c, false, true)),
];

/// `a.b.0` of a value; what is missing is undefined.
pub(super) fn attribute(value: &Val, path: &Value) -> Result<Val, Error> {
    let steps: Vec<Val> = match path {
        Value::Int(i) => vec![Val::from(*i)],
        other => crate::value::str_of(other)
            .split('.')
            .map(|step| {
                step.parse::<i64>()
                    .map_or_else(|_| Val::from(step), Val::from)
            })
            .collect(),
    };
    let mut value = value.clone();
    for step in steps {
        if value.is_undefined() {
            return Ok(value);
        }
        let mut found = value.get_item(&step).unwrap_or_default();
        if found.is_undefined() && step.is_number() {
            found = value
                .get_item(&Val::from(step.to_string()))
                .unwrap_or_default();
        }
        value = found;
    }
    Ok(value)
}

/// What is wrong with an item without the attribute.
fn lacks(item: &Val, path: &Value) -> TemplateError {
    TemplateError::new(
        TemplateErrorKind::Undefined,
        format!(
            "'{} object' has no attribute '{}'",
            crate::template::call::type_name(item),
            crate::value::str_of(path)
        ),
    )
}

/// The error for an attribute that an item does not have.
pub(super) fn missing(item: &Val, path: &Value) -> Error {
    engine_error(lacks(item, path))
}

/// `map('filter', ...)`, `map(attribute='a.b', default=None)`. An item without the attribute is undefined: an error only
/// for those that use it.
fn map(call: &mut Call) -> Result<Val, Error> {
    let items = call.items()?;
    let mut out = Vec::with_capacity(items.len());
    if let Some(path) = call.args.take_named("attribute") {
        let path = crate::template::convert::from_engine(&path)?;
        let default = call.args.take_named("default");
        call.args.finish()?;
        let mut lacking = None;
        for item in items {
            let found = attribute(&item, &path)?;
            out.push(match (&default, found.is_undefined()) {
                (Some(default), true) => default.clone(),
                (None, true) => {
                    lacking.get_or_insert(item);
                    found
                }
                _ => found,
            });
        }
        if let Some(item) = lacking {
            Render::of(call.state)?.note(UNDEF, lacks(&item, &path));
        }
        return Ok(List::of(out));
    }
    let name = call.args.text("filter")?;
    let mut extra = call.args.rest();
    let named = call.args.rest_named();
    if !named.is_empty() {
        extra.push(Val::from(named.into_iter().collect::<Kwargs>()));
    }
    for item in items {
        let args: Vec<Val> = std::iter::once(item).chain(extra.iter().cloned()).collect();
        out.push(call.state.apply_filter(&name, &args)?);
    }
    Ok(List::of(out))
}

fn select(call: &mut Call, wanted: bool, by_attribute: bool) -> Result<Val, Error> {
    let path = if by_attribute {
        Some(call.args.value("attribute")?)
    } else {
        None
    };
    let test = call.args.opt_text("test")?;
    let mut extra = call.args.rest();
    let named = call.args.rest_named();
    if !named.is_empty() {
        extra.push(Val::from(named.into_iter().collect::<Kwargs>()));
    }
    let mut out = Vec::new();
    for item in call.items()? {
        let subject = match &path {
            Some(path) => attribute(&item, path)?,
            None => item.clone(),
        };
        let passes = match &test {
            Some(test) => {
                let knows_undefined = matches!(test.as_str(), "defined" | "undefined");
                if subject.is_undefined() && !knows_undefined {
                    return match &path {
                        Some(path) => Err(missing(&item, path)),
                        None => Err(Error::undefined(&subject)),
                    };
                }
                let args: Vec<Val> = std::iter::once(subject)
                    .chain(extra.iter().cloned())
                    .collect();
                call.state.perform_test(test, &args)?
            }
            None if subject.is_undefined() => match &path {
                Some(path) => return Err(missing(&item, path)),
                None => return fail("an undefined value was used"),
            },
            None => subject.is_true(),
        };
        if passes == wanted {
            out.push(item);
        }
    }
    Ok(List::of(out))
}
