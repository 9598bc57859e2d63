//! Which type a plain scalar has, by the rules of YAML 1.1 as PyYAML applies them.
//!
//! See "Types" at <https://yaml.org/type/> and "YAML Syntax" in Ansible's documentation: `yes`, `on` and `TRUE` are
//! booleans but `y` is a string, `010` is eight, `12:30:45` is 45045, `1e3` is a string and `1.0e+3` a number.

use super::node::Kind;
use super::timestamp;
use crate::value::{Text, Value};

/// The type that a plain scalar's text resolves to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    Null,
    Bool,
    Int,
    Float,
    /// `<<`
    Merge,
    /// `=`
    Default,
    Timestamp,
    /// A lone `!`, `&` or `*`, which cannot be written plain.
    Indicator,
    Str,
}

/// The type of a plain scalar.
pub(super) fn resolve(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "<<" => return Resolved::Merge,
        "=" => return Resolved::Default,
        "!" | "&" | "*" => return Resolved::Indicator,
        _ => {}
    }
    match text.as_bytes().first() {
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O')
            if bool_of(text).is_some() =>
        {
            return Resolved::Bool;
        }
        Some(b'0'..=b'9' | b'-' | b'+' | b'.') => {
            if is_float(text) {
                return Resolved::Float;
            }
            if is_int(text) {
                return Resolved::Int;
            }
            if timestamp::as_python(text).is_some() {
                return Resolved::Timestamp;
            }
        }
        _ => {}
    }
    Resolved::Str
}

/// What a plain scalar is. Whole numbers beyond 64 bits stay strings of their decimal digits, dates are texts as Python
/// shows them.
pub(super) fn plain_kind(text: &str) -> Kind {
    let kind = match resolve(text) {
        Resolved::Null => Some(Kind::Null),
        Resolved::Bool => bool_of(text).map(Kind::Bool),
        Resolved::Int => int_of(text),
        Resolved::Float => float_of(text).map(Kind::Float),
        Resolved::Timestamp => {
            timestamp::as_python(text).map(|text| Kind::Str(Text::written(text.as_str())))
        }
        _ => None,
    };
    kind.unwrap_or_else(|| Kind::Str(Text::written(text)))
}

/// The value of one plain scalar: `yes` is true, `0644` is 420, `1e3` is a string.
///
/// Whole numbers beyond 64 bits stay strings of their decimal digits, dates are texts as Python
/// shows them.
pub fn parse_scalar(text: &str) -> Value {
    match plain_kind(text) {
        Kind::Null => Value::Null,
        Kind::Bool(b) => Value::Bool(b),
        Kind::Int(i) => Value::Int(i),
        Kind::Float(f) => Value::Float(f),
        Kind::Str(text) => Value::Str(text),
        Kind::Seq(_) | Kind::Map(_) => Value::str(text),
    }
}

/// The boolean that a word stands for.
pub(super) fn bool_of(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(allowed)
}

fn digit_or_underscore(b: u8) -> bool {
    b.is_ascii_digit() || b == b'_'
}

/// `[0-9][0-9_]*`
fn is_digits(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_digit) && all(text, digit_or_underscore)
}

/// `[0-5]?[0-9]`
fn is_sixty(text: &str) -> bool {
    match text.as_bytes() {
        [b] => b.is_ascii_digit(),
        [a, b] => (b'0'..=b'5').contains(a) && b.is_ascii_digit(),
        _ => false,
    }
}

fn is_int(text: &str) -> bool {
    let text = unsigned(text);
    if text == "0" {
        return true;
    }
    if let Some(rest) = text.strip_prefix('0') {
        if let Some(bits) = rest.strip_prefix('b') {
            return !bits.is_empty() && all(bits, |b| matches!(b, b'0' | b'1' | b'_'));
        }
        if let Some(hex) = rest.strip_prefix('x') {
            return !hex.is_empty() && all(hex, |b| b.is_ascii_hexdigit() || b == b'_');
        }
        return all(rest, |b| matches!(b, b'0'..=b'7' | b'_'));
    }
    let mut parts = text.split(':');
    is_digits(parts.next().unwrap_or_default()) && parts.all(is_sixty)
}

/// `(?:[eE][-+][0-9]+)?`
fn is_exponent(text: &str) -> bool {
    if text.is_empty() {
        return true;
    }
    text.strip_prefix(['e', 'E'])
        .and_then(|rest| rest.strip_prefix(['-', '+']))
        .is_some_and(|digits| !digits.is_empty() && all(digits, |b| b.is_ascii_digit()))
}

fn split_exponent(text: &str) -> (&str, &str) {
    text.find(['e', 'E'])
        .map_or((text, ""), |at| text.split_at(at))
}

fn is_float(text: &str) -> bool {
    let body = unsigned(text);
    if matches!(body, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let Some((whole, fraction)) = body.split_once('.') else {
        return false;
    };
    if whole.is_empty() {
        // without a sign: `.5`
        let (digits, exponent) = split_exponent(fraction);
        return body.len() == text.len() && is_digits(digits) && is_exponent(exponent);
    }
    if let Some((first, rest)) = whole.split_once(':') {
        return is_digits(first)
            && rest.split(':').all(is_sixty)
            && all(fraction, digit_or_underscore);
    }
    let (digits, exponent) = split_exponent(fraction);
    is_digits(whole) && all(digits, digit_or_underscore) && is_exponent(exponent)
}

/// The whole number that the text stands for. Beyond 64 bits it is a string of its decimal digits if that can be told.
pub(super) fn int_of(text: &str) -> Option<Kind> {
    let clean = text.replace('_', "");
    let negative = clean.starts_with('-');
    let body = unsigned(&clean);
    let magnitude = if let Some(bits) = body.strip_prefix("0b") {
        u128::from_str_radix(bits, 2)
    } else if let Some(hex) = body.strip_prefix("0x") {
        u128::from_str_radix(hex, 16)
    } else if body.len() > 1 && body.starts_with('0') {
        u128::from_str_radix(body, 8)
    } else if body.contains(':') {
        return sixties(body).map(|n| big(negative, n));
    } else {
        body.parse()
    };
    match magnitude {
        Ok(n) => Some(big(negative, n)),
        Err(_)
            if !body.is_empty() && all(body, |b| b.is_ascii_digit()) && !body.starts_with('0') =>
        {
            let sign = if negative { "-" } else { "" };
            Some(Kind::Str(Text::template(format!("{sign}{body}"))))
        }
        Err(_) => None,
    }
}

fn big(negative: bool, magnitude: u128) -> Kind {
    let value = i128::try_from(magnitude).map(|n| if negative { -n } else { n });
    if let Ok(Ok(n)) = value.map(i64::try_from) {
        Kind::Int(n)
    } else {
        let sign = if negative { "-" } else { "" };
        Kind::Str(Text::template(format!("{sign}{magnitude}")))
    }
}

fn sixties(text: &str) -> Option<u128> {
    text.split(':').try_fold(0u128, |sum, part| {
        sum.checked_mul(60)?.checked_add(part.parse().ok()?)
    })
}

/// The number that the text stands for.
pub(super) fn float_of(text: &str) -> Option<f64> {
    let clean = text.replace('_', "").to_lowercase();
    let sign = if clean.starts_with('-') { -1.0 } else { 1.0 };
    let body = unsigned(&clean);
    match body {
        ".inf" => return Some(sign * f64::INFINITY),
        ".nan" => return Some(f64::NAN),
        _ => {}
    }
    if body.contains(':') {
        let mut sum = 0.0;
        for part in body.split(':') {
            sum = sum * 60.0 + part.parse::<f64>().ok()?;
        }
        return Some(sign * sum);
    }
    if !all(body, |b| {
        b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-')
    }) {
        return None;
    }
    body.parse::<f64>().ok().map(|n| sign * n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::repr;

    #[test]
    fn scalars_have_the_types_of_yaml_1_1() {
        let cases = [
            ("", "None"),
            ("~", "None"),
            ("nuLL", "'nuLL'"),
            ("yes", "True"),
            ("TRUE", "True"),
            ("oFF", "'oFF'"),
            ("y", "'y'"),
            ("n", "'n'"),
            ("010", "8"),
            ("0777", "511"),
            ("0o10", "'0o10'"),
            ("09", "'09'"),
            ("0x1F", "31"),
            ("-0x1F", "-31"),
            ("0b11", "3"),
            ("+0b1_1", "3"),
            ("1_000", "1000"),
            ("12:30:45", "45045"),
            ("22:22", "1342"),
            ("-1:30", "-90"),
            ("0:30", "'0:30'"),
            ("1:60", "'1:60'"),
            ("1:30.5", "90.5"),
            ("1e3", "'1e3'"),
            ("1.0e3", "'1.0e3'"),
            ("1.0e+3", "1000.0"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("-.5", "'-.5'"),
            ("+.inf", "inf"),
            ("-.inf", "-inf"),
            (".NaN", "nan"),
            ("-.nan", "'-.nan'"),
            ("1.2.3", "'1.2.3'"),
            ("2024-01-02", "'2024-01-02'"),
            ("0b_", "'0b_'"),
            ("-", "'-'"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "'9223372036854775808'"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("0xffffffffffffffff", "'18446744073709551615'"),
        ];
        for (text, expected) in cases {
            assert_eq!(repr(&parse_scalar(text)), expected, "for `{text}`");
        }
    }

    #[test]
    fn timestamps_are_told_from_strings() {
        for text in [
            "2001-12-14",
            "2001-12-14t21:59:43.10-05:00",
            "2001-1-4 2:59:43 Z",
        ] {
            assert_eq!(resolve(text), Resolved::Timestamp, "for `{text}`");
        }
        for text in ["2001-1-4", "2001-12-14x", "2001-12-14 21:59", "20011-12-14"] {
            assert_eq!(resolve(text), Resolved::Str, "for `{text}`");
        }
    }
}
