//! Filters of set theory; but for numbers, they keep the order of the first appearance.

use super::Filter;
use super::number_set::NumberSet;
use crate::template::call::{Call, iterate};
use crate::template::objects::List;
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("unique", unique),
    ("intersect", |c| {
        let (own, other) = operands(c)?;
        Ok(as_python(&own, &other, NumberSet::intersection, || {
            own.iter()
                .filter(|item| other.contains(item))
                .cloned()
                .collect()
        }))
    }),
    ("difference", |c| {
        let (own, other) = operands(c)?;
        Ok(as_python(&own, &other, NumberSet::difference, || {
            own.iter()
                .filter(|item| !other.contains(item))
                .cloned()
                .collect()
        }))
    }),
    ("symmetric_difference", |c| {
        let (own, other) = operands(c)?;
        Ok(as_python(
            &own,
            &other,
            NumberSet::symmetric_difference,
            || {
                let mut left: Vec<Val> = own.clone();
                left.retain(|item| !other.contains(item));
                left.extend(other.iter().filter(|item| !own.contains(item)).cloned());
                left
            },
        ))
    }),
    ("union", |c| {
        let (own, other) = operands(c)?;
        Ok(as_python(&own, &other, NumberSet::union, || {
            own.iter().chain(&other).cloned().collect()
        }))
    }),
];

fn operands(call: &mut Call) -> Result<(Vec<Val>, Vec<Val>), Error> {
    let other = iterate(&call.args.need("b")?)?;
    Ok((call.items()?, other))
}

/// Numbers in the order of Python's sets, other items in that of their first appearance.
fn as_python(
    own: &[Val],
    other: &[Val],
    sets: fn(&NumberSet, &NumberSet) -> NumberSet,
    lists: impl Fn() -> Vec<Val>,
) -> Val {
    match (NumberSet::of(own), NumberSet::of(other)) {
        (Some(own), Some(other)) => List::of(sets(&own, &other).into_items()),
        _ => distinct(lists().into_iter()),
    }
}

fn distinct(items: impl Iterator<Item = Val>) -> Val {
    let mut seen: Vec<Val> = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    List::of(seen)
}

/// `unique(case_sensitive=None, attribute=None)`.
fn unique(call: &mut Call) -> Result<Val, Error> {
    let case = call.args.opt("case_sensitive")?;
    let attribute = call.args.opt("attribute")?.filter(|path| !path.is_null());
    let asked = case.is_some() || attribute.is_some();
    let case = case.is_some_and(|flag| flag.truthy());
    let mut seen: Vec<Val> = Vec::new();
    let mut out = Vec::new();
    for item in call.items()? {
        let mut key = match &attribute {
            Some(path) => super::select::attribute(&item, path)?,
            None => item.clone(),
        };
        let hashable = !matches!(
            key.kind(),
            minijinja::value::ValueKind::Map | minijinja::value::ValueKind::Seq
        );
        if asked && !hashable {
            return crate::template::call::fail(
                "Jinja2's unique filter failed and we cannot fall back to Ansible's version as it does not support \
                 the parameters supplied",
            );
        }
        if !case && let Some(text) = key.as_str() {
            key = Val::from(text.to_lowercase());
        }
        if !seen.contains(&key) {
            seen.push(key);
            out.push(item);
        }
    }
    Ok(List::of(out))
}
