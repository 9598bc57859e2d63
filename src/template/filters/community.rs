//! Filters of `community.general` that are about lists, mappings, times and texts.
//!
//! Source: Ansible's documentation of the collection community.general, "Filter plugins".

use super::Filter;
use super::version;
use crate::template::call::{Call, fail, int_of, iterate, type_name};
use crate::template::class;
use crate::template::objects::{Dict, List};
use crate::template::print;
use crate::value::{Map, Value};
use indexmap::IndexMap;
use minijinja::Error;
use minijinja::value::{Value as Val, ValueKind};
use std::cmp::Ordering;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("counter", counter),
    ("dict_kv", |c| {
        let key = c.args.need("key")?;
        Ok(Dict::of([(key, c.input.clone())].into_iter().collect()))
    }),
    ("groupby_as_dict", groupby_as_dict),
    ("accumulate", accumulate),
    ("lists_union", |c| lists(c, union)),
    ("lists_intersect", |c| {
        lists(c, |a, b| kept(unique(a), b, true))
    }),
    ("lists_difference", |c| {
        lists(c, |a, b| kept(unique(a), b, false))
    }),
    ("lists_symmetric_difference", |c| {
        lists(c, |a, b| {
            let both = kept(a.clone(), b.clone(), true);
            kept(union(a, b), both, false)
        })
    }),
    ("lists_mergeby", mergeby),
    ("version_sort", version_sort),
    ("to_time_unit", |c| time(c, None)),
    ("to_milliseconds", |c| time(c, Some("ms"))),
    ("to_seconds", |c| time(c, Some("s"))),
    ("to_minutes", |c| time(c, Some("m"))),
    ("to_hours", |c| time(c, Some("h"))),
    ("to_days", |c| time(c, Some("d"))),
    ("to_weeks", |c| time(c, Some("w"))),
    ("to_months", |c| time(c, Some("mo"))),
    ("to_years", |c| time(c, Some("y"))),
    ("crc32", |c| {
        if c.input.as_str().is_none() {
            return fail(format!(
                "Invalid value type ({}) for crc32 ({})",
                type_name(&c.input),
                print::repr(&c.input)
            ));
        }
        Ok(Val::from(format!("{:x}", crc32(c.text()?.as_bytes()))))
    }),
    ("hashids_encode", |_| absent("hashids_encode")),
    ("hashids_decode", |_| absent("hashids_decode")),
    ("jc", |_| absent("jc")),
];

fn absent(name: &str) -> Result<Val, Error> {
    fail(format!(
        "community.general.{name} is not built: it is a Python library of its own"
    ))
}

fn is_list(value: &Val) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

fn counter(call: &mut Call) -> Result<Val, Error> {
    if !is_list(&call.input) && call.input.as_str().is_none() {
        return fail(format!(
            "Argument for community.general.counter must be a sequence (string or list). {} is {}",
            print::str_of(&call.input),
            type_name(&call.input)
        ));
    }
    let mut counts: IndexMap<Value, i64> = IndexMap::new();
    for item in call.items()? {
        if is_list(&item) || item.kind() == ValueKind::Map {
            return fail(format!(
                "community.general.counter needs a sequence with hashable elements (int, float or str) - unhashable \
                 type: '{}'",
                type_name(&item)
            ));
        }
        *counts
            .entry(crate::template::convert::from_engine(&item)?)
            .or_default() += 1;
    }
    call.out(Value::map(
        counts
            .into_iter()
            .map(|(item, count)| (item, Value::Int(count)))
            .collect::<Map>(),
    ))
}

/// `groupby_as_dict(attribute)`.
fn groupby_as_dict(call: &mut Call) -> Result<Val, Error> {
    let attribute = call.args.need("attribute")?;
    if !is_list(&call.input) {
        return fail("Input is not a sequence");
    }
    let mut found: IndexMap<Val, Val> = IndexMap::new();
    for (at, item) in call.items()?.into_iter().enumerate() {
        if item.kind() != ValueKind::Map {
            return fail(format!("Sequence element #{at} is not a mapping"));
        }
        let key = item.get_item(&attribute)?;
        if key.is_undefined() {
            return fail(format!(
                "Attribute not contained in element #{at} of sequence"
            ));
        }
        if found.contains_key(&key) {
            return fail(format!(
                "Multiple sequence entries have attribute value {}",
                print::repr(&key)
            ));
        }
        found.insert(key, item);
    }
    Ok(Dict::of(found))
}

/// Sums so far, of numbers or texts.
fn accumulate(call: &mut Call) -> Result<Val, Error> {
    if !is_list(&call.input) {
        return fail(format!(
            "Invalid value type ({}) for accumulate ({})",
            type_name(&call.input),
            print::repr(&call.input)
        ));
    }
    let mut sums: Vec<Value> = Vec::new();
    for item in call.items()? {
        let item = crate::template::convert::from_engine(&item)?;
        let sum = match (sums.last(), item) {
            (None, item) => item,
            (Some(Value::Int(a)), Value::Int(b)) => match a.checked_add(b) {
                Some(sum) => Value::Int(sum),
                None => return fail("accumulate: the sum is too large"),
            },
            (Some(Value::Int(a)), Value::Float(b)) => Value::Float(*a as f64 + b),
            (Some(Value::Float(a)), Value::Int(b)) => Value::Float(a + b as f64),
            (Some(Value::Float(a)), Value::Float(b)) => Value::Float(a + b),
            (Some(Value::Str(a)), Value::Str(b)) => Value::str(format!("{a}{b}")),
            (Some(Value::List(a)), Value::List(b)) => {
                Value::list(a.iter().chain(b.iter()).cloned().collect())
            }
            (Some(a), b) => {
                return fail(format!(
                    "unsupported operand type(s) for +: '{}' and '{}'",
                    a.type_name(),
                    b.type_name()
                ));
            }
        };
        sums.push(sum);
    }
    call.out(sums)
}

fn unique(items: Vec<Val>) -> Vec<Val> {
    let mut out: Vec<Val> = Vec::new();
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

fn union(a: Vec<Val>, b: Vec<Val>) -> Vec<Val> {
    unique(a.into_iter().chain(b).collect())
}

/// The items that are in the other list, or those that are not.
fn kept(items: Vec<Val>, other: Vec<Val>, there: bool) -> Vec<Val> {
    items
        .into_iter()
        .filter(|item| other.contains(item) == there)
        .collect()
}

/// `lists_…(*lists, flatten=False)`: the lists one after the other.
fn lists(call: &mut Call, join: fn(Vec<Val>, Vec<Val>) -> Vec<Val>) -> Result<Val, Error> {
    let flatten = call
        .args
        .take_named("flatten")
        .is_some_and(|flag| flag.is_true());
    let mut all = vec![call.input.clone()];
    all.extend(call.args.rest());
    let mut given = Vec::new();
    for list in all {
        if !is_list(&list) {
            return fail(format!(
                "All arguments must be lists. {} is {}",
                print::str_of(&list),
                class::name(&list)
            ));
        }
        let items = iterate(&list)?;
        if flatten && items.iter().all(is_list) {
            for inner in items {
                given.push(iterate(&inner)?);
            }
        } else if !flatten || !items.is_empty() {
            given.push(items);
        }
    }
    Ok(List::of(given.into_iter().reduce(join).unwrap_or_default()))
}

/// `lists_mergeby(*lists, index, recursive=False, list_merge='replace')`: mappings that have the same under `index` are
/// one; sorted by that.
fn mergeby(call: &mut Call) -> Result<Val, Error> {
    let recursive = call
        .args
        .take_named("recursive")
        .is_some_and(|flag| flag.is_true());
    let how = call
        .args
        .take_named("list_merge")
        .map_or_else(|| "replace".to_owned(), |word| word.to_string());
    let mut given = vec![call.input.clone()];
    given.extend(call.args.rest());
    let named = call.args.take_named("index");
    let Some(index) = named
        .or_else(|| given.pop())
        .and_then(|index| index.as_str().map(str::to_owned))
    else {
        return fail("community.general.lists_mergeby: the index must be a string");
    };
    let mut found: IndexMap<Value, Map> = IndexMap::new();
    for list in given {
        let Value::List(items) = crate::template::convert::from_engine(&list)? else {
            return fail(format!(
                "All arguments before the argument index for community.general.lists_mergeby must be lists. {} is {}",
                print::str_of(&list),
                class::name(&list)
            ));
        };
        // a list of lists is as good as these
        let nested = items.iter().all(|item| matches!(item, Value::List(_)));
        let flat = items.iter().flat_map(|item| match item {
            Value::List(inner) if nested => inner.to_vec(),
            one => vec![one.clone()],
        });
        for item in flat {
            let Value::Map(map) = &item else {
                return fail(format!(
                    "Elements of list arguments for lists_mergeby must be dictionaries. {item} is {}",
                    item.type_name()
                ));
            };
            if let Some(key) = map.get(index.as_str()) {
                let merged = match found.get(key) {
                    Some(low) => super::dicts::merge(low, map, recursive, &how),
                    None => (**map).clone(),
                };
                found.insert(key.clone(), merged);
            }
        }
    }
    let mut all: Vec<(Value, Map)> = found.into_iter().collect();
    all.sort_by(|(a, _), (b, _)| match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (a, b) => a.to_string().cmp(&b.to_string()),
    });
    call.out(
        all.into_iter()
            .map(|(_, map)| Value::map(map))
            .collect::<Vec<_>>(),
    )
}

/// `version_sort(reverse=False)`.
fn version_sort(call: &mut Call) -> Result<Val, Error> {
    let reverse = call.args.flag("reverse", false)?;
    let mut problem = None;
    let mut items = call.items()?;
    items.sort_by(|a, b| {
        version::loose(&print::str_of(a), &print::str_of(b)).unwrap_or_else(|error| {
            problem = Some(error);
            Ordering::Equal
        })
    });
    if reverse {
        items.reverse();
    }
    problem.map_or_else(|| Ok(List::of(items)), Err)
}

/// The short name of a unit and its length in milliseconds.
fn unit(name: &str, year: f64, month: f64) -> Option<(&'static str, f64)> {
    const DAY: f64 = 86_400_000.0;
    Some(match name.trim_end_matches('s') {
        "millisecond" | "msec" | "msecond" => ("ms", 1.0),
        "sec" | "second" => ("s", 1000.0),
        "min" | "minute" => ("m", 60_000.0),
        "hour" => ("h", 3_600_000.0),
        "day" => ("d", DAY),
        "week" => ("w", 7.0 * DAY),
        "month" => ("mo", month * DAY),
        "year" => ("y", year * DAY),
        _ => match name {
            "ms" => ("ms", 1.0),
            "s" => ("s", 1000.0),
            "m" => ("m", 60_000.0),
            "h" => ("h", 3_600_000.0),
            "d" => ("d", DAY),
            "w" => ("w", 7.0 * DAY),
            "mo" => ("mo", month * DAY),
            "y" => ("y", year * DAY),
            _ => return None,
        },
    })
}

/// `to_time_unit(unit='ms', year=365, month=30)` and those named by the unit.
fn time(call: &mut Call, own: Option<&str>) -> Result<Val, Error> {
    let wanted = match own {
        Some(own) => own.to_owned(),
        None => call.args.opt_text("unit")?.unwrap_or_else(|| "ms".into()),
    };
    let days = |value: Option<Val>, default: f64| -> Result<f64, Error> {
        match value {
            None => Ok(default),
            Some(value) => {
                let number = int_of(&crate::template::convert::from_engine(&value)?);
                match number.and_then(|days| i32::try_from(days).ok()) {
                    Some(days) => Ok(days.into()),
                    None => {
                        fail("to_time_unit: the length of a year and a month are numbers of days")
                    }
                }
            }
        }
    };
    let year = days(call.args.take_named("year"), 365.0)?;
    let month = days(call.args.take_named("month"), 30.0)?;
    call.args.finish()?;
    let Some((_, size)) = unit(&wanted, year, month) else {
        return fail(format!(
            "to_time_unit() can not convert to the following unit: {wanted}. Available short units: ms, s, m, h, d, w, \
             mo, y"
        ));
    };
    let Some(text) = call.input.as_str() else {
        return fail(format!(
            "to_time_unit() needs a string, not {}",
            type_name(&call.input)
        ));
    };
    if text == "0" {
        return Ok(Val::from(0));
    }
    let mut sum = 0.0;
    for word in text.split_whitespace() {
        let sign = usize::from(word.starts_with('-'));
        let digits = word
            .get(sign..)
            .unwrap_or_default()
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let (number, rest) = word.split_at(sign + digits);
        let name: String = rest
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        match (number.parse::<f64>(), unit(&name, year, month)) {
            (Ok(number), Some((_, size))) if digits > 0 => sum += number * size,
            _ => {
                return fail(format!(
                    "to_time_unit() can not interpret following string: {text}"
                ));
            }
        }
    }
    let rounded = format!("{:.12}", sum / size).parse().unwrap_or(sum / size);
    Ok(Val::from(rounded))
}

/// The checksum of Ethernet, gzip and others.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_that_of_zlib() {
        assert_eq!(super::crc32(b"abc"), 0x3524_41c2);
    }
}
