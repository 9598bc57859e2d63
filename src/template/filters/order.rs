//! Filters that compare: sort, min, max, groupby.

use super::Filter;
use super::select::attribute;
use crate::template::call::Call;
use crate::template::objects::List;
use crate::template::tests::order;
use crate::value::Value;
use minijinja::Error;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Val};
use std::cmp::Ordering;
use std::sync::Arc;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("sort", sort),
    ("min", |c| extreme(c, Ordering::Less)),
    ("max", |c| extreme(c, Ordering::Greater)),
    ("groupby", groupby),
    ("sum", sum),
];

/// Python's order, with or without case.
pub(super) fn compare(a: &Val, b: &Val, case: bool) -> Result<Ordering, Error> {
    if !case && let (Some(x), Some(y)) = (a.as_str(), b.as_str()) {
        return Ok(x.to_lowercase().cmp(&y.to_lowercase()));
    }
    order(a, b)
}

fn keys(item: &Val, path: Option<&Value>) -> Result<Vec<Val>, Error> {
    let Some(path) = path else {
        return Ok(vec![item.clone()]);
    };
    let paths: Vec<Value> = match path {
        Value::Str(text) => text.split(',').map(Value::str).collect(),
        other => vec![other.clone()],
    };
    paths
        .iter()
        .map(|path| {
            let key = attribute(item, path)?;
            if key.is_undefined() {
                Err(super::select::missing(item, path))
            } else {
                Ok(key)
            }
        })
        .collect()
}

fn compare_keys(a: &[Val], b: &[Val], case: bool) -> Result<Ordering, Error> {
    for (x, y) in a.iter().zip(b) {
        let found = compare(x, y, case)?;
        if found.is_ne() {
            return Ok(found);
        }
    }
    Ok(Ordering::Equal)
}

fn sorted(
    mut rows: Vec<(Vec<Val>, Val)>,
    case: bool,
    reverse: bool,
) -> Result<Vec<(Vec<Val>, Val)>, Error> {
    let mut problem = None;
    rows.sort_by(|(a, _), (b, _)| {
        let found = compare_keys(a, b, case).unwrap_or_else(|error| {
            problem = Some(error);
            Ordering::Equal
        });
        if reverse { found.reverse() } else { found }
    });
    problem.map_or(Ok(rows), Err)
}

fn rows(call: &Call, path: Option<&Value>) -> Result<Vec<(Vec<Val>, Val)>, Error> {
    call.items()?
        .into_iter()
        .map(|item| Ok((keys(&item, path)?, item)))
        .collect()
}

/// `sort(reverse=False, case_sensitive=False, attribute=None)`.
fn sort(call: &mut Call) -> Result<Val, Error> {
    let reverse = call.args.flag("reverse", false)?;
    let case = call.args.flag("case_sensitive", false)?;
    let path = call.args.opt("attribute")?.filter(|path| !path.is_null());
    let rows = sorted(rows(call, path.as_ref())?, case, reverse)?;
    Ok(List::of(rows.into_iter().map(|(_, item)| item).collect()))
}

/// `min` and `max`: `attribute`; Ansible's compare with case.
fn extreme(call: &mut Call, wanted: Ordering) -> Result<Val, Error> {
    let case = call.args.flag("case_sensitive", true)?;
    let path = call.args.opt("attribute")?.filter(|path| !path.is_null());
    let mut best: Option<(Vec<Val>, Val)> = None;
    for (keys, item) in rows(call, path.as_ref())? {
        let better = match &best {
            None => true,
            Some((known, _)) => compare_keys(&keys, known, case)? == wanted,
        };
        if better {
            best = Some((keys, item));
        }
    }
    best.map_or_else(
        || crate::template::call::fail("the sequence is empty"),
        |(_, item)| Ok(item),
    )
}

/// A group of `groupby`: a pair that has names as well.
#[derive(Debug)]
pub(crate) struct Group {
    grouper: Val,
    list: Val,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Val) -> Option<Val> {
        match (key.as_str(), key.as_usize()) {
            (Some("grouper"), _) | (_, Some(0)) => Some(self.grouper.clone()),
            (Some("list"), _) | (_, Some(1)) => Some(self.list.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(2)
    }
}

/// `groupby(attribute, default=None, case_sensitive=False)`: pairs of a key and its items, by key.
fn groupby(call: &mut Call) -> Result<Val, Error> {
    let path = call.args.value("attribute")?;
    let default = call.args.take("default").filter(|value| !value.is_none());
    let case = call.args.flag("case_sensitive", false)?;
    let mut rows = Vec::new();
    for item in call.items()? {
        let mut key = attribute(&item, &path)?;
        if key.is_undefined() {
            match &default {
                Some(default) => key = default.clone(),
                None => return Err(super::select::missing(&item, &path)),
            }
        }
        rows.push((vec![key], item));
    }
    let mut groups: Vec<(Vec<Val>, Vec<Val>)> = Vec::new();
    for (key, item) in sorted(rows, case, false)? {
        match groups.last_mut() {
            Some((known, items)) if compare_keys(known, &key, case)?.is_eq() => items.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    Ok(List::of(
        groups
            .into_iter()
            .map(|(mut key, items)| {
                Val::from_object(Group {
                    grouper: key.pop().unwrap_or_default(),
                    list: List::of(items),
                })
            })
            .collect(),
    ))
}

/// `sum(attribute=None, start=0)`.
fn sum(call: &mut Call) -> Result<Val, Error> {
    let path = call.args.opt("attribute")?.filter(|path| !path.is_null());
    let start = call.args.opt("start")?.unwrap_or(Value::Int(0));
    let mut total = start;
    for (keys, item) in rows(call, path.as_ref())? {
        let number = crate::template::convert::from_engine(keys.first().unwrap_or(&item))?;
        total = match (&total, &number) {
            (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map_or(Value::Null, Value::Int),
            (Value::List(a), Value::List(b)) => Value::list([a.as_slice(), b.as_slice()].concat()),
            (
                Value::Int(_) | Value::Float(_) | Value::Bool(_),
                Value::Int(_) | Value::Float(_) | Value::Bool(_),
            ) => {
                let float = |value: &Value| match value {
                    Value::Bool(b) => f64::from(u8::from(*b)),
                    other => crate::value::FromValue::from_value(other).unwrap_or(0.0),
                };
                let sum = float(&total) + float(&number);
                if matches!(total, Value::Float(_)) || matches!(number, Value::Float(_)) {
                    Value::Float(sum)
                } else {
                    crate::template::call::int_of(&Value::Float(sum))
                        .map_or(Value::Null, Value::Int)
                }
            }
            _ => {
                return crate::template::call::fail(format!(
                    "unsupported operand type(s) for +: '{}' and '{}'",
                    total.type_name(),
                    number.type_name()
                ));
            }
        };
    }
    call.out(total)
}
