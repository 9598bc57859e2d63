//! Lookups that only shape their terms: for `with_items` and its kind.

use super::{Lookup, Query};
use crate::template::filters::pairs_of_subelements;
use crate::value::{Map, Value, repr};

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
        for term in flatten_once(&q.terms) {
            match &term {
                Value::Map(map) => items.extend(map.iter().map(|(key, value)| {
                    Value::from(
                        Map::new()
                            .with("key", key.clone())
                            .with("value", value.clone()),
                    )
                })),
                other => return Err(format!("with_dict expects a dict, not {}", repr(other))),
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
            Value::list(
                columns
                    .iter()
                    .map(|column| column.get(i).cloned().unwrap_or_default())
                    .collect(),
            )
        })
        .collect())
}

fn subelements(query: &mut Query) -> Result<Vec<Value>, String> {
    let (items, path, flags) = match query.terms.as_slice() {
        [items, path] => (items.clone(), path.clone(), Value::Null),
        [items, path, flags] => (items.clone(), path.clone(), flags.clone()),
        _ => {
            return Err(
                "subelements lookup expects a list of two or three items: the list, the key, and optional flags".into(),
            );
        }
    };
    let skip = flags
        .get("skip_missing")
        .is_some_and(|flag| crate::value::to_bool(flag).unwrap_or(false));
    // items that a loop has skipped have no results
    let items = match &items {
        Value::List(list) => Value::list(
            list.iter()
                .filter(|item| !item.get("skipped").is_some_and(Value::truthy))
                .cloned()
                .collect(),
        ),
        other => other.clone(),
    };
    Ok(pairs_of_subelements(&items, &path, skip)?
        .into_iter()
        .map(|(item, sub)| Value::list(vec![without(&item, &path), sub]))
        .collect())
}

/// The element without the list that its pairs come from, as the lookup (not the filter) gives it.
fn without(item: &Value, path: &Value) -> Value {
    let steps: Vec<String> = match path {
        Value::List(steps) => steps.iter().map(crate::value::str_of).collect(),
        other => crate::value::str_of(other)
            .split('.')
            .map(str::to_owned)
            .collect(),
    };
    drop_at(item, &steps)
}

fn drop_at(item: &Value, steps: &[String]) -> Value {
    let (Value::Map(map), Some((first, rest))) = (item, steps.split_first()) else {
        return item.clone();
    };
    let mut map = (**map).clone();
    let inner = map.get(first.as_str()).cloned();
    match inner {
        Some(inner) if !rest.is_empty() => {
            map.set(first, drop_at(&inner, rest));
        }
        _ => {
            map.shift_remove(&Value::data(first.as_str()));
        }
    }
    Value::map(map)
}
