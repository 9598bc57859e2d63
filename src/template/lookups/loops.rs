//! Lookups that only shape their terms: for `with_items` and its kind.

use super::{Lookup, Query};
use crate::value::{Map, Value};

pub(super) const TABLE: &[(&str, Lookup)] = &[
    ("items", |q| Ok(flatten_once(&q.terms))),
    ("list", |q| Ok(q.terms.clone())),
    ("indexed_items", |q| {
        Ok(flatten_once(&q.terms)
            .into_iter()
            .enumerate()
            .map(|(i, item)| Value::list(vec![Value::from(i), item]))
            .collect())
    }),
    ("dict", |q| {
        let mut items = Vec::new();
        for term in &q.terms {
            match term {
                Value::Map(map) => items.extend(map.iter().map(|(key, value)| {
                    Value::from(
                        Map::new()
                            .with("key", key.clone())
                            .with("value", value.clone()),
                    )
                })),
                _ => return Err("with_dict expects a dict".into()),
            }
        }
        Ok(items)
    }),
    ("nested", nested),
    ("cartesian", nested),
    ("together", together),
    ("flattened", |q| {
        let mut out = Vec::new();
        flatten(&q.terms, &mut out);
        Ok(out)
    }),
    ("subelements", subelements),
    ("random_choice", |q| {
        let mut random = crate::template::filters::Random::new(None);
        let at = random.below(q.terms.len());
        Ok(q.terms.get(at).cloned().into_iter().collect())
    }),
];

fn flatten_once(terms: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    for term in terms {
        match term {
            Value::List(items) => out.extend(items.iter().cloned()),
            other => out.push(other.clone()),
        }
    }
    out
}

fn flatten(terms: &[Value], out: &mut Vec<Value>) {
    for term in terms {
        match term {
            Value::List(items) => flatten(items, out),
            Value::Null => {}
            other => out.push(other.clone()),
        }
    }
}

fn items_of(term: &Value) -> Vec<Value> {
    match term {
        Value::List(items) => (**items).clone(),
        other => vec![other.clone()],
    }
}

fn nested(query: &mut Query) -> Result<Vec<Value>, String> {
    if query.terms.is_empty() {
        return Err("with_nested requires at least one element in the nested list".into());
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for term in &query.terms {
        let column = items_of(term);
        if rows.len().saturating_mul(column.len()) > 1_000_000 {
            return Err("the product is too large".into());
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                column.iter().map(move |item| {
                    // a list in the product is taken apart once, as Ansible does
                    let mut row = row.clone();
                    match item {
                        Value::List(inner) => row.extend(inner.iter().cloned()),
                        other => row.push(other.clone()),
                    }
                    row
                })
            })
            .collect();
    }
    Ok(rows.into_iter().map(Value::list).collect())
}

fn together(query: &mut Query) -> Result<Vec<Value>, String> {
    if query.terms.is_empty() {
        return Err("with_together requires at least one element in each list".into());
    }
    let columns: Vec<Vec<Value>> = query.terms.iter().map(items_of).collect();
    let rows = columns.iter().map(Vec::len).max().unwrap_or(0);
    Ok((0..rows)
        .map(|i| {
            let row: Vec<Value> = columns
                .iter()
                .map(|column| column.get(i).cloned().unwrap_or_default())
                .collect();
            // lists in it are taken apart once
            Value::list(flatten_once(&row))
        })
        .collect())
}

/// `subelements(items, 'path.to.list', {'skip_missing': ...})`.
fn subelements(query: &mut Query) -> Result<Vec<Value>, String> {
    let refused = |why: &str| {
        Err(format!(
            "subelements lookup expects a list of two or three items, {why}"
        ))
    };
    let (items, path, flags) = match query.terms.as_slice() {
        [items, path] => (items, path, None),
        [items, path, flags] => (items, path, Some(flags)),
        _ => return refused(""),
    };
    // a number is as good as a list with it
    let one = match items {
        Value::Str(_) | Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
            Some(vec![items.clone()])
        }
        _ => None,
    };
    let elements: Vec<Value> = match (items, one, path) {
        (_, Some(one), Value::Str(_)) => one,
        (Value::List(items), _, Value::Str(_)) => items.to_vec(),
        (Value::Map(map), _, Value::Str(_)) => {
            if map.get("skipped").is_some_and(Value::truthy) {
                return Ok(Vec::new());
            }
            map.values().cloned().collect()
        }
        _ => return refused("first a dict or a list, second a string pointing to the subkey"),
    };
    let skip = match flags {
        None => false,
        Some(Value::Map(flags)) => flags
            .get("skip_missing")
            .is_some_and(|flag| crate::value::to_bool(flag).unwrap_or(false)),
        Some(_) => {
            return refused("the optional third item must be a dict with flags ('skip_missing',)");
        }
    };
    let path = crate::value::str_of(path);
    let steps: Vec<&str> = path.split('.').collect();
    let mut found = Vec::new();
    for item in elements {
        if !matches!(item, Value::Map(_)) {
            return Err(format!(
                "subelements lookup expects a dictionary, got '{item}'"
            ));
        }
        // items that a loop has skipped have no results
        if item.get("skipped").is_some_and(Value::truthy) {
            continue;
        }
        if let Some(subs) = list_at(&item, &steps, skip)? {
            let rest = drop_at(&item, &steps);
            found.extend(
                subs.iter()
                    .map(|sub| Value::list(vec![rest.clone(), sub.clone()])),
            );
        }
    }
    Ok(found)
}

/// The list at the end of a path.
fn list_at<'a>(item: &'a Value, steps: &[&str], skip: bool) -> Result<Option<&'a [Value]>, String> {
    let mut value = item;
    for (index, step) in steps.iter().enumerate() {
        let Some(inner) = value.get(step) else {
            if skip {
                return Ok(None);
            }
            return Err(format!(
                "could not find '{step}' key in iterated item '{value}'"
            ));
        };
        let last = index + 1 == steps.len();
        match inner {
            Value::List(items) if last => return Ok(Some(items)),
            Value::Map(_) if !last => value = inner,
            _ if skip && !last => return Ok(None),
            _ => {
                return Err(format!(
                    "the key {step} should point to a {}, got '{inner}'",
                    if last { "list" } else { "dictionary" }
                ));
            }
        }
    }
    Ok(None)
}

/// The element without the list that its pairs come from, as the lookup (not the filter) gives it.
fn drop_at(item: &Value, steps: &[&str]) -> Value {
    let (Value::Map(map), Some((first, rest))) = (item, steps.split_first()) else {
        return item.clone();
    };
    let mut map = (**map).clone();
    match map.get(*first).cloned() {
        Some(inner) if !rest.is_empty() => {
            map.set(first, drop_at(&inner, rest));
        }
        _ => {
            map.shift_remove(&Value::data(*first));
        }
    }
    Value::map(map)
}
