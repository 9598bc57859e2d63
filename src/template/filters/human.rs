//! Sizes for people: `human_readable`, `human_to_bytes`, `filesizeformat`.

use super::Filter;
use crate::template::call::{Call, fail};
use crate::value::{FromValue, Value};
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("human_readable", readable),
    ("human_to_bytes", to_bytes),
    ("filesizeformat", filesizeformat),
];

const UNITS: &[(char, i32)] = &[
    ('Y', 80),
    ('Z', 70),
    ('E', 60),
    ('P', 50),
    ('T', 40),
    ('G', 30),
    ('M', 20),
    ('K', 10),
];

fn number(call: &Call) -> Result<f64, Error> {
    let value = call.value()?;
    f64::from_value(&value).or_else(|_| fail(format!("a number is needed, not {value:?}")))
}

/// `human_readable(isbits=False, unit=None)`.
fn readable(call: &mut Call) -> Result<Val, Error> {
    let bits = call.args.flag("isbits", false)?;
    let unit = call.args.opt_text("unit")?;
    let size = number(call).or_else(|_| {
        let value = call.value()?;
        fail(format!("human_readable() failed on bad input: {value}"))
    })?;
    let base = if bits { "bits" } else { "Bytes" };
    let suffix = |letter: char| format!("{letter}{}", if bits { "b" } else { "B" });
    let unit_letter = unit
        .as_ref()
        .and_then(|unit| unit.to_uppercase().chars().next());
    for (letter, power) in UNITS {
        let limit = 2f64.powi(*power);
        let wanted = match unit_letter {
            None => size >= limit,
            Some(unit) => unit == *letter,
        };
        if wanted {
            return Ok(Val::from(format!(
                "{:.2} {}",
                size / limit,
                suffix(*letter)
            )));
        }
    }
    Ok(Val::from(format!("{size:.2} {base}")))
}

/// `human_to_bytes(default_unit=None, isbits=False)`.
fn to_bytes(call: &mut Call) -> Result<Val, Error> {
    let default_unit = call.args.opt_text("default_unit")?;
    let bits = call.args.flag("isbits", false)?;
    human_to_bytes(&call.text()?, default_unit, bits)
        .map(Val::from)
        .or_else(fail)
}

/// The number of bytes (or bits) that people write as `2K` or `1.5 MB`.
///
/// # Errors
/// When it is no such text, or its unit is of the other kind.
pub(crate) fn human_to_bytes(
    text: &str,
    default_unit: Option<String>,
    bits: bool,
) -> Result<i64, String> {
    let trimmed = text.trim_start();
    let len = trimmed
        .find(|c: char| !(c.is_ascii_digit() || c == '.'))
        .unwrap_or(trimmed.len());
    let (digits, rest) = trimmed.split_at(len);
    let Ok(number) = digits.parse::<f64>() else {
        return Err(format!(
            "human_to_bytes() can't interpret following string: {text}"
        ));
    };
    let word = rest.trim();
    let word = if word.is_empty() {
        default_unit.unwrap_or_default()
    } else {
        word.to_owned()
    };
    let Some(letter) = word.chars().next() else {
        return Ok(round(number));
    };
    let upper = letter.to_ascii_uppercase();
    let factor = match UNITS.iter().find(|(unit, _)| *unit == upper) {
        Some((_, power)) => 2f64.powi(*power),
        None if upper == 'B' => 1.0,
        None => {
            return Err(format!(
                "human_to_bytes() failed to convert {text} (unit = {word}). The suffix must be one of Y, Z, E, P, T, G, M, K, B"
            ));
        }
    };
    let unit_class = if bits { 'b' } else { 'B' };
    let wrong_class = match word.as_str() {
        w if w.len() == 1 => upper == 'B' && letter != unit_class && bits,
        w if w.len() == 2 => {
            !w.ends_with(unit_class) && !w.to_uppercase().ends_with('B')
                || (bits != w.ends_with('b') && w.ends_with(['b', 'B']))
        }
        w => {
            let long = w.to_lowercase();
            !(long.contains(if bits { "bit" } else { "byte" }))
        }
    };
    if wrong_class {
        return Err(format!(
            "human_to_bytes() failed to convert {text}: the unit `{word}` does not fit"
        ));
    }
    Ok(round(number * factor))
}

/// Python's `round()`: half to even.
fn round(number: f64) -> i64 {
    crate::template::call::int_of(&Value::Float(number.round_ties_even())).unwrap_or(i64::MAX)
}

/// `filesizeformat(binary=False)`.
fn filesizeformat(call: &mut Call) -> Result<Val, Error> {
    let binary = call.args.flag("binary", false)?;
    let size = number(call)?;
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    let units = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    if (size - 1.0).abs() < f64::EPSILON {
        return Ok(Val::from("1 Byte"));
    }
    if size < base {
        return Ok(Val::from(format!("{} Bytes", size.trunc())));
    }
    let mut limit = base;
    for (i, unit) in units.iter().enumerate() {
        if size < limit * base || i + 1 == units.len() {
            return Ok(Val::from(format!("{:.1} {unit}", size / limit)));
        }
        limit *= base;
    }
    fail("the size is too large")
}
