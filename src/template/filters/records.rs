//! Filters of `community.general` for lists of mappings: `from_csv`, `keep_keys` and its kind.
//!
//! Source: Ansible's documentation of the collection community.general, "Filter plugins".

use super::Filter;
use super::regex::{self, Flags};
use crate::template::call::{Call, fail};
use crate::template::lookups::rows;
use crate::value::{Map, Value};
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("from_csv", from_csv),
    ("keep_keys", |c| choose(c, true)),
    ("remove_keys", |c| choose(c, false)),
    ("replace_keys", replace),
];

/// `from_csv(dialect='excel', fieldnames=None, delimiter=None, skipinitialspace=None, strict=None)`.
fn from_csv(call: &mut Call) -> Result<Val, Error> {
    let dialect = call
        .args
        .opt_text("dialect")?
        .unwrap_or_else(|| "excel".into());
    let names = call.args.opt("fieldnames")?;
    let delimiter = call.args.opt_text("delimiter")?;
    let skip = call.args.flag("skipinitialspace", false)?;
    call.args.flag("strict", false)?;
    let default = match dialect.as_str() {
        "excel" | "unix" => ',',
        "excel-tab" => '\t',
        other => {
            return fail(format!(
                "Dialect '{other}' is not supported by your version of python."
            ));
        }
    };
    let delimiter = delimiter
        .and_then(|text| text.chars().next())
        .unwrap_or(default);
    let mut text = call.text()?;
    if skip {
        let blank = format!("{delimiter} ");
        while text.contains(&blank) {
            text = text.replace(&blank, &delimiter.to_string());
        }
    }
    let mut rows = rows(&text, delimiter)
        .into_iter()
        .filter(|row| !matches!(row.as_slice(), [only] if only.is_empty()));
    let names: Vec<String> = match names {
        Some(Value::List(names)) => names.iter().map(ToString::to_string).collect(),
        Some(Value::Str(text)) => text.chars().map(String::from).collect(),
        _ => rows.next().unwrap_or_default(),
    };
    let mut out = Vec::new();
    for row in rows {
        let mut record = Map::new();
        for (at, name) in names.iter().enumerate() {
            let cell = row
                .get(at)
                .map_or(Value::Null, |cell| Value::str(cell.as_str()));
            record.set(name, cell);
        }
        if let Some(more) = row.get(names.len()..).filter(|more| !more.is_empty()) {
            let more = more.iter().map(|cell| Value::str(cell.as_str())).collect();
            record.insert(Value::Null, Value::list(more));
        }
        out.push(Value::map(record));
    }
    call.out(out)
}

/// The mappings that the filter is for.
fn records(call: &Call) -> Result<Vec<Map>, Error> {
    let Value::List(items) = call.value()? else {
        return fail(format!("First argument must be a list. {}", call.input));
    };
    items
        .iter()
        .map(|item| match item {
            Value::Map(map) => Ok((**map).clone()),
            other => fail(format!("The data items must be dictionaries. {other}")),
        })
        .collect()
}

/// Whether a key is one of those that are meant.
fn fits(key: &str, target: &str, how: &str) -> Result<bool, Error> {
    Ok(match how {
        "equal" => key == target,
        "starts_with" => key.starts_with(target),
        "ends_with" => key.ends_with(target),
        "regex" => regex::is_match(&format!(r"\A(?:{target})"), Flags::default(), key)?,
        other => {
            return fail(format!(
                "The matching_parameter must be one of ['equal', 'starts_with', 'ends_with', 'regex']. \
                 matching_parameter={other}"
            ));
        }
    })
}

fn how(call: &mut Call) -> Result<String, Error> {
    let how = call.args.opt_text("matching_parameter")?;
    Ok(how.unwrap_or_else(|| "equal".to_owned()))
}

/// `keep_keys(target, matching_parameter='equal')`, `remove_keys(…)`.
fn choose(call: &mut Call, keep: bool) -> Result<Val, Error> {
    let targets: Vec<String> = match call.args.value("target")? {
        Value::List(items) => items.iter().map(ToString::to_string).collect(),
        Value::Str(text) => vec![text.to_string()],
        other => {
            return fail(format!(
                "The target must be a string or a list. target is {other}."
            ));
        }
    };
    if targets.iter().all(String::is_empty) {
        return fail("The target can't be empty.");
    }
    let how = how(call)?;
    let mut out = Vec::new();
    for record in records(call)? {
        let mut chosen = Map::new();
        for (key, value) in &record {
            let name = key.to_string();
            let mut meant = false;
            for target in &targets {
                meant |= fits(&name, target, &how)?;
            }
            if meant == keep {
                chosen.insert(key.clone(), value.clone());
            }
        }
        out.push(Value::map(chosen));
    }
    call.out(out)
}

/// `replace_keys(target, matching_parameter='equal')`.
fn replace(call: &mut Call) -> Result<Val, Error> {
    let Value::List(targets) = call.args.value("target")? else {
        return fail("The target must be a list.");
    };
    let mut pairs = Vec::new();
    for target in targets.iter() {
        match (target.get("before"), target.get("after")) {
            (Some(Value::Str(before)), Some(after @ Value::Str(_))) => {
                pairs.push((before.to_string(), after.clone()));
            }
            _ => {
                return fail(
                    "All dictionaries in target must include attributes: after, before, which are strings.",
                );
            }
        }
    }
    if pairs.is_empty() {
        return fail("The target can't be empty.");
    }
    let how = how(call)?;
    let mut out = Vec::new();
    for record in records(call)? {
        let mut renamed = Map::new();
        for (key, value) in &record {
            let name = key.to_string();
            let mut new = None;
            for (before, after) in &pairs {
                if new.is_none() && fits(&name, before, &how)? {
                    new = Some(after.clone());
                }
            }
            renamed.insert(new.unwrap_or_else(|| key.clone()), value.clone());
        }
        out.push(Value::map(renamed));
    }
    call.out(out)
}
