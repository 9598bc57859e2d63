//! Methods of dicts.

use super::list::guard;
use crate::template::call::{Args, fail, iterate, type_name};
use crate::template::objects::{Dict, List, may_be_key};
use minijinja::value::{Tuple, Value as Val, ValueKind};
use minijinja::{Error, ErrorKind, State};
use std::sync::Arc;

fn unknown(method: &str) -> Error {
    Error::new(
        ErrorKind::UnknownMethod,
        format!("'dict object' has no attribute '{method}'"),
    )
}

/// A list of pairs.
fn pairs(pairs: impl IntoIterator<Item = (Val, Val)>) -> Val {
    List::of(
        pairs
            .into_iter()
            .map(|(key, value)| Val::from(Tuple::from([key, value])))
            .collect(),
    )
}

/// A method that only reads, of anything that is a mapping.
pub(crate) fn mapping(
    keys: &[Val],
    member: impl Fn(&Val) -> Option<Val>,
    method: &str,
    args: &[Val],
) -> Result<Val, Error> {
    let mut args = Args::new(args)?;
    let known = || {
        keys.iter()
            .filter_map(|key| Some((key.clone(), member(key)?)))
    };
    match method {
        "keys" => Ok(List::of(keys.to_vec())),
        "values" => Ok(List::of(known().map(|(_, value)| value).collect())),
        "items" => Ok(pairs(known())),
        "get" => {
            let key = args.need("key")?;
            let default = args.take("default").unwrap_or_else(|| Val::from(()));
            Ok(member(&key).unwrap_or(default))
        }
        "copy" => Ok(Dict::of(known().collect())),
        _ => Err(unknown(method)),
    }
}

/// The key, if a dict may have such a one.
fn usable(key: Val) -> Result<Val, Error> {
    if may_be_key(&key) {
        return Ok(key);
    }
    fail(format!("unhashable type: '{}'", type_name(&key)))
}

/// The members that `dict(...)` and `update(...)` take: mappings, lists of pairs, named arguments.
pub(crate) fn members_of(args: &mut Args) -> Result<Vec<(Val, Val)>, Error> {
    let mut members = Vec::new();
    for arg in args.rest() {
        if arg.kind() == ValueKind::Map {
            for key in arg.try_iter()? {
                let value = arg.get_item(&key)?;
                members.push((key, value));
            }
        } else {
            for pair in iterate(&arg)? {
                match iterate(&pair)?.as_slice() {
                    [key, value] => members.push((usable(key.clone())?, value.clone())),
                    other => {
                        return fail(format!(
                            "a dict is made of pairs, not of sequences of {} items",
                            other.len()
                        ));
                    }
                }
            }
        }
    }
    members.extend(
        args.rest_named()
            .into_iter()
            .map(|(key, value)| (Val::from(key), value)),
    );
    Ok(members)
}

/// A method of a dict; changes are seen by all who hold the dict.
pub(crate) fn dict(
    dict: &Arc<Dict>,
    _: &mut State,
    method: &str,
    raw: &[Val],
) -> Result<Val, Error> {
    let this = Val::from_dyn_object(Arc::clone(dict));
    let mut args = Args::new(raw)?;
    let none = Ok(Val::from(()));
    match method {
        "update" => {
            let members = members_of(&mut args)?;
            for (_, value) in &members {
                guard(&this, value, 0)?;
            }
            dict.change(|own| own.extend(members));
            none
        }
        "pop" => {
            let key = args.need("key")?;
            match (
                dict.change(|own| own.shift_remove(&key)),
                args.take("default"),
            ) {
                (Some(value), _) | (None, Some(value)) => Ok(value),
                (None, None) => fail(format!("no key {}", super::super::print::repr(&key))),
            }
        }
        "popitem" => match dict.change(indexmap::IndexMap::pop) {
            Some((key, value)) => Ok(Val::from(Tuple::from([key, value]))),
            None => fail("popitem(): dictionary is empty"),
        },
        "setdefault" => {
            let key = usable(args.need("key")?)?;
            let default = args.take("default").unwrap_or_else(|| Val::from(()));
            guard(&this, &default, 0)?;
            Ok(dict.change(|own| own.entry(key).or_insert(default).clone()))
        }
        "__setitem__" => {
            let key = usable(args.need("key")?)?;
            let value = args.need("value")?;
            guard(&this, &value, 0)?;
            dict.change(|own| own.insert(key, value));
            none
        }
        "clear" => {
            dict.change(indexmap::IndexMap::clear);
            none
        }
        "fromkeys" => {
            let keys = iterate(&args.need("iterable")?)?;
            let value = args.take("value").unwrap_or_else(|| Val::from(()));
            Ok(Dict::of(
                keys.into_iter().map(|key| (key, value.clone())).collect(),
            ))
        }
        "keys" | "values" | "items" | "get" | "copy" => {
            let own = dict.pairs();
            let keys: Vec<Val> = own.iter().map(|(key, _)| key.clone()).collect();
            mapping(
                &keys,
                |key| {
                    own.iter()
                        .find(|(other, _)| other == key)
                        .map(|(_, value)| value.clone())
                },
                method,
                raw,
            )
        }
        _ => Err(unknown(method)),
    }
}
