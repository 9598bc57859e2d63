//! Lookups of `community.general`: `merge_variables`, `random_string`.
//!
//! Source: Ansible's documentation of the collection community.general, "Lookup plugins".

use super::{Lookup, Query};
use crate::template::context::{Resolved, Session};
use crate::template::filters::Random;
use crate::template::filters::regex::{self, Flags};
use crate::template::resolve::resolve;
use crate::value::{Map, Value, str_of};
use base64::Engine as _;
use std::sync::Arc;

pub(super) const TABLE: &[(&str, Lookup)] = &[
    ("merge_variables", merge_variables),
    ("random_string", random_string),
];

/// `merge_variables(pattern, …, pattern_type='regex', initial_value=None, override='error', groups=None)`.
fn merge_variables(query: &mut Query) -> Result<Vec<Value>, String> {
    let kind = query.text_option("pattern_type", "regex");
    let initial = query.option("initial_value").filter(|v| !v.is_null());
    let overriding = query.text_option("override", "error");
    if query.option("groups").is_some_and(|groups| groups.truthy()) {
        return Err("merge_variables: `groups` is not built".to_owned());
    }
    let mut out = Vec::new();
    for term in query.terms.clone() {
        let Some(pattern) = term.as_str() else {
            return Err(format!(
                "Non-string type '{}' passed, only 'str' types are allowed!",
                term.type_name()
            ));
        };
        let session = Arc::clone(&query.render.session);
        let mut result = initial.clone();
        for name in names(&session, pattern, &kind)? {
            let value = match resolve(&query.render.templar, &session, &name) {
                Some(Ok(Resolved::Value(value))) => value,
                Some(Err(error)) => return Err(error.to_string()),
                _ => continue,
            };
            result = Some(match (result, value) {
                (None, value @ (Value::List(_) | Value::Map(_))) => value,
                (Some(Value::List(a)), Value::List(b)) => {
                    Value::list(a.iter().chain(b.iter()).cloned().collect())
                }
                (Some(Value::Map(a)), Value::Map(b)) => {
                    Value::map(onto(&a, &b, &name, &overriding, query)?)
                }
                (None, _) | (_, Value::Str(_) | Value::Int(_) | Value::Bool(_)) => {
                    return Err(
                        "Not supported type detected, variable must be a list or a dict".to_owned(),
                    );
                }
                _ => {
                    return Err(
                        "Unable to merge, not all variables are of the same type".to_owned()
                    );
                }
            });
        }
        out.push(result.unwrap_or_default());
    }
    Ok(out)
}

/// The names of variables that fit, sorted.
fn names(session: &Session, pattern: &str, kind: &str) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for name in session.scope.names() {
        let fits = match kind {
            "prefix" => name.starts_with(pattern),
            "suffix" => name.ends_with(pattern),
            "regex" => regex::is_match(pattern, Flags::default(), &name)
                .map_err(|error| error.detail().unwrap_or_default().to_owned())?,
            other => return Err(format!("merge_variables: no pattern_type `{other}`")),
        };
        if fits {
            found.push(name.to_string());
        }
    }
    found.sort();
    Ok(found)
}

/// One mapping onto another: mappings in them are merged, lists appended.
fn onto(
    base: &Map,
    more: &Map,
    path: &str,
    overriding: &str,
    query: &Query,
) -> Result<Map, String> {
    let mut out = base.clone();
    for (key, value) in more {
        let place = format!("{path}.{key}");
        let merged = match (out.get(key), value) {
            (Some(Value::Map(a)), Value::Map(b)) => {
                Value::map(onto(a, b, &place, overriding, query)?)
            }
            (Some(Value::List(a)), Value::List(b)) => {
                Value::list(a.iter().chain(b.iter()).cloned().collect())
            }
            (Some(old), new) if old != new => {
                let message = format!(
                    "The key '{key}' with value '{old}' will be overwritten with value '{new}' from '{place}'"
                );
                match (overriding, &query.render.templar.options().warn) {
                    ("error", _) => return Err(message),
                    ("warn", Some(warn)) => warn(&message),
                    _ => {}
                }
                new.clone()
            }
            (_, new) => new.clone(),
        };
        out.insert(key.clone(), merged);
    }
    Ok(out)
}

/// `random_string(length=8, upper=True, lower=True, numbers=True, special=True, min_…=0, override_special=…,
/// override_all=…, ignore_similar_chars=False, similar_chars='il1LoO0', base64=False)`.
fn random_string(query: &mut Query) -> Result<Vec<Value>, String> {
    let length = usize::try_from(query.int_option("length", 8))
        .ok()
        .filter(|length| *length <= 1 << 20)
        .ok_or("random_string: `length` must be 0 to a million")?;
    let ignore = query.flag("ignore_similar_chars", false);
    let similar = query.text_option("similar_chars", "il1LoO0");
    let special = query.text_option("override_special", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~");
    let all = query.text_option("override_all", "");
    let base64 = query.flag("base64", false);
    let letters = |from: char, to: char| (from..=to).collect::<String>();
    let mut random = Random::new(None);
    let mut available: Vec<char> = Vec::new();
    let mut out: Vec<char> = Vec::new();
    for (name, minimum, signs) in [
        ("upper", "min_upper", letters('A', 'Z')),
        ("lower", "min_lower", letters('a', 'z')),
        ("numbers", "min_numeric", letters('0', '9')),
        ("special", "min_special", special),
    ] {
        let signs: Vec<char> = signs
            .chars()
            .filter(|sign| !ignore || !similar.contains(*sign))
            .collect();
        let minimum = usize::try_from(query.int_option(minimum, 0)).unwrap_or(0);
        if query.flag(name, true) {
            available.extend(&signs);
        }
        if all.is_empty() {
            for _ in 0..minimum.min(length) {
                out.push(pick(&mut random, &signs)?);
            }
        }
    }
    if !all.is_empty() {
        available = all.chars().collect();
    }
    while out.len() < length {
        out.push(pick(&mut random, &available)?);
    }
    for at in (1..out.len()).rev() {
        out.swap(at, random.below(at + 1));
    }
    let text: String = out.into_iter().collect();
    Ok(vec![Value::data(if base64 {
        base64::engine::general_purpose::STANDARD.encode(text)
    } else {
        str_of(&Value::str(text))
    })])
}

fn pick(random: &mut Random, signs: &[char]) -> Result<char, String> {
    signs
        .get(random.below(signs.len()))
        .copied()
        .ok_or_else(|| "Available characters cannot be None, please change constraints".to_owned())
}
