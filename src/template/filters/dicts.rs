//! Filters that make, merge and take apart dicts.

use super::Filter;
use super::types::wrong;
use crate::template::call::{Call, fail, iterate};
use crate::template::convert::from_engine;
use crate::template::objects::{Dict, List};
use crate::value::{Map, Value, repr};
use minijinja::Error;
use minijinja::value::{Tuple, Value as Val, ValueKind};

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("combine", combine),
    ("dict2items", dict2items),
    ("items2dict", items2dict),
    ("dict", |c| {
        let mut members = indexmap::IndexMap::new();
        for pair in c.items()? {
            match iterate(&pair)?.as_slice() {
                [key, value] => members.insert(key.clone(), value.clone()),
                _ => return wrong("dict", "a list of pairs", &c.input),
            };
        }
        Ok(Dict::of(members))
    }),
    ("dictsort", dictsort),
    ("items", |c| {
        if c.input.is_undefined() {
            return Ok(List::of(Vec::new()));
        }
        Ok(List::of(
            pairs(&c.input, "items")?
                .into_iter()
                .map(|(k, v)| Val::from(Tuple::from([k, v])))
                .collect(),
        ))
    }),
    ("subelements", subelements),
    ("rekey_on_member", rekey),
];

fn pairs(value: &Val, filter: &str) -> Result<Vec<(Val, Val)>, Error> {
    if value.is_undefined() {
        return Err(Error::undefined(value));
    }
    if value.kind() != ValueKind::Map {
        return wrong(filter, "a dictionary", value);
    }
    value
        .try_iter()?
        .map(|key| Ok((key.clone(), value.get_item(&key)?)))
        .collect()
}

/// `combine(*dicts, recursive=False, list_merge='replace')`.
fn combine(call: &mut Call) -> Result<Val, Error> {
    let recursive = call
        .args
        .take_named("recursive")
        .is_some_and(|flag| flag.is_true());
    let list_merge = call
        .args
        .take_named("list_merge")
        .map_or_else(|| "replace".to_owned(), |word| word.to_string());
    if ![
        "replace",
        "keep",
        "append",
        "prepend",
        "append_rp",
        "prepend_rp",
    ]
    .contains(&list_merge.as_str())
    {
        return fail(format!("combine: `{list_merge}` is no list_merge"));
    }
    // nothing is as good as an empty dictionary
    let mut operands = match call.value()? {
        Value::Null => Vec::new(),
        value => vec![value],
    };
    for arg in call.args.rest() {
        operands.push(from_engine(&arg)?);
    }
    if !call.args.rest_named().is_empty() {
        return fail("'recursive' and 'list_merge' are the only valid keyword arguments");
    }
    let mut dicts = Vec::new();
    collect_dicts(operands, &mut dicts)?;
    let mut merged = Map::new();
    for dict in dicts {
        merged = merge(&merged, &dict, recursive, &list_merge);
    }
    call.out(merged)
}

/// The dictionaries among the operands; lists of them are taken apart once.
fn collect_dicts(operands: Vec<Value>, out: &mut Vec<Map>) -> Result<(), Error> {
    let mut flat = Vec::new();
    for operand in operands {
        match operand {
            Value::List(items) => flat.extend(items.iter().cloned()),
            other => flat.push(other),
        }
    }
    for operand in flat {
        match operand {
            Value::Map(map) => out.push((*map).clone()),
            Value::Null => {}
            other => {
                return fail(format!(
                    "failed to combine variables, expected dicts but got a {}: {}",
                    other.type_name(),
                    repr(&other)
                ));
            }
        }
    }
    Ok(())
}

pub(super) fn merge(low: &Map, high: &Map, recursive: bool, lists: &str) -> Map {
    let mut merged = low.clone();
    for (key, value) in high {
        let joined = match (merged.get(key), value) {
            (Some(Value::Map(a)), Value::Map(b)) if recursive => {
                Value::map(merge(a, b, recursive, lists))
            }
            (Some(Value::List(a)), Value::List(b)) => Value::list(merge_lists(a, b, lists)),
            _ => value.clone(),
        };
        merged.insert(key.clone(), joined);
    }
    merged
}

fn merge_lists(low: &[Value], high: &[Value], how: &str) -> Vec<Value> {
    let without = |items: &[Value], others: &[Value]| -> Vec<Value> {
        items
            .iter()
            .filter(|item| !others.contains(item))
            .cloned()
            .collect()
    };
    match how {
        "keep" => low.to_vec(),
        "append" => [low, high].concat(),
        "prepend" => [high, low].concat(),
        "append_rp" => [without(low, high), high.to_vec()].concat(),
        "prepend_rp" => [high.to_vec(), without(low, high)].concat(),
        _ => high.to_vec(),
    }
}

/// The arguments `key_name` and `value_name`.
fn member_names(call: &mut Call) -> Result<(String, String), Error> {
    let mut name = |argument, default: &str| {
        let given = call.args.opt_text(argument)?;
        Ok::<_, Error>(given.unwrap_or_else(|| default.into()))
    };
    Ok((name("key_name", "key")?, name("value_name", "value")?))
}

/// `dict2items(key_name='key', value_name='value')`.
fn dict2items(call: &mut Call) -> Result<Val, Error> {
    let (key_name, value_name) = member_names(call)?;
    let Value::Map(map) = call.value()? else {
        return wrong("dict2items", "a dictionary", &call.input);
    };
    let items: Vec<Value> = map
        .iter()
        .map(|(key, value)| {
            Map::new()
                .with(&key_name, key.clone())
                .with(&value_name, value.clone())
                .into()
        })
        .collect();
    call.out(items)
}

/// `items2dict(key_name='key', value_name='value')`.
fn items2dict(call: &mut Call) -> Result<Val, Error> {
    let (key_name, value_name) = member_names(call)?;
    let Value::List(items) = call.value()? else {
        return wrong("items2dict", "a list", &call.input);
    };
    let mut map = Map::new();
    for item in items.iter() {
        let (Some(key), Some(value)) = (item.get(&key_name), item.get(&value_name)) else {
            return fail(if matches!(item, Value::Map(_)) {
                format!(
                    "items2dict requires each dictionary in the list to contain the keys '{key_name}' and \
                     '{value_name}', got {} instead",
                    repr(item)
                )
            } else {
                format!(
                    "items2dict requires a list of dictionaries, got {} in it instead",
                    repr(item)
                )
            });
        };
        map.insert(key.clone(), value.clone());
    }
    call.out(map)
}

/// `dictsort(case_sensitive=False, by='key', reverse=False)`.
fn dictsort(call: &mut Call) -> Result<Val, Error> {
    let case = call.args.flag("case_sensitive", false)?;
    let by = call.args.opt_text("by")?.unwrap_or_else(|| "key".into());
    let reverse = call.args.flag("reverse", false)?;
    let mut pairs = pairs(&call.input, "dictsort")?;
    let mut problem = None;
    pairs.sort_by(|a, b| {
        let (x, y) = if by == "value" {
            (&a.1, &b.1)
        } else {
            (&a.0, &b.0)
        };
        let order = super::order::compare(x, y, case).unwrap_or_else(|error| {
            problem = Some(error);
            std::cmp::Ordering::Equal
        });
        if reverse { order.reverse() } else { order }
    });
    match problem {
        Some(error) => Err(error),
        None => Ok(List::of(
            pairs
                .into_iter()
                .map(|(k, v)| Val::from(Tuple::from([k, v])))
                .collect(),
        )),
    }
}

/// `subelements(subelements, skip_missing=False)`: pairs of an item and each of its sub-items.
fn subelements(call: &mut Call) -> Result<Val, Error> {
    let path = call.args.value("subelements")?;
    let skip = call.args.flag("skip_missing", false)?;
    let found = pairs_of_subelements(&call.value()?, &path, skip).or_else(fail)?;
    let render = &call.render;
    Ok(List::of(
        found
            .iter()
            .map(|(item, sub)| {
                Val::from(Tuple::from([
                    crate::template::objects::wrap(item, render),
                    crate::template::objects::wrap(sub, render),
                ]))
            })
            .collect(),
    ))
}

/// The pairs that the filter and the lookup of that name give.
fn pairs_of_subelements(
    items: &Value,
    path: &Value,
    skip_missing: bool,
) -> Result<Vec<(Value, Value)>, String> {
    let elements: Vec<Value> = match items {
        Value::Map(map) => map.values().cloned().collect(),
        Value::List(items) => (**items).clone(),
        _ => return Err("obj must be a list of dicts or a nested dict".to_owned()),
    };
    let steps: Vec<String> = match path {
        Value::List(steps) => steps.iter().map(crate::value::str_of).collect(),
        Value::Str(text) => text.split('.').map(str::to_owned).collect(),
        other => {
            return Err(format!(
                "subelements must be a list or a string, not {}",
                other.type_name()
            ));
        }
    };
    let mut found = Vec::new();
    for element in elements {
        let mut value = element.clone();
        let mut missing = false;
        for step in &steps {
            match value.get(step) {
                Some(inner) => value = inner.clone(),
                None if !matches!(value, Value::Map(_)) => {
                    return Err(format!(
                        "the key {step} should point to a dictionary, got '{value}'"
                    ));
                }
                None if skip_missing => {
                    missing = true;
                    break;
                }
                None => {
                    return Err(format!(
                        "could not find '{step}' key in iterated item {}",
                        repr(&value)
                    ));
                }
            }
        }
        if missing {
            continue;
        }
        match &value {
            Value::List(subs) => {
                found.extend(subs.iter().map(|sub| (element.clone(), sub.clone())));
            }
            other => {
                return Err(format!(
                    "the key {} should point to a list, got {}",
                    steps.last().map_or("", String::as_str),
                    repr(other)
                ));
            }
        }
    }
    Ok(found)
}

/// `rekey_on_member(key, duplicates='error')`.
fn rekey(call: &mut Call) -> Result<Val, Error> {
    let key = call.args.text("key")?;
    let duplicates = call
        .args
        .opt_text("duplicates")?
        .unwrap_or_else(|| "error".into());
    if !matches!(duplicates.as_str(), "error" | "overwrite") {
        return fail(format!(
            "duplicates parameter to rekey_on_member has unknown value: {duplicates}"
        ));
    }
    let items: Vec<Value> = match call.value()? {
        Value::Map(map) => map.values().cloned().collect(),
        Value::List(items) => (*items).clone(),
        _ => return fail("Type is not a valid list, set, or dict"),
    };
    let mut map = Map::new();
    for item in items {
        if !matches!(item, Value::Map(_)) {
            return fail("List item is not a valid dict");
        }
        let Some(name) = item.get(&key) else {
            return fail(format!("Key {key} was not found"));
        };
        if map.contains_key(name) && duplicates == "error" {
            return fail(format!(
                "Key {} is not unique, cannot correctly turn into dict",
                repr(name)
            ));
        }
        map.insert(name.clone(), item);
    }
    call.out(map)
}
