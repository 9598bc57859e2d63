//! Lookups that make up their results: `sequence`.

use super::{Lookup, Query};
use crate::template::call::int_of;
use crate::value::{Value, split_free_form, str_of};
use minijinja::formatting::{FormatStyle, format};

pub(super) const TABLE: &[(&str, Lookup)] = &[("sequence", sequence)];

struct Sequence {
    start: i64,
    end: Option<i64>,
    count: Option<i64>,
    stride: i64,
    format: String,
}

/// `start=1 end=5 stride=2 format=x%02d`, or the short form `1-5/2:x%02d`.
fn sequence(query: &mut Query) -> Result<Vec<Value>, String> {
    let mut out = Vec::new();
    for term in query.terms.clone() {
        let text = str_of(&term);
        let mut sequence = Sequence {
            start: 1,
            end: None,
            count: None,
            stride: 1,
            format: "%d".into(),
        };
        for name in FIELDS {
            if let Some(value) = query.options.get(*name).filter(|value| !value.is_null()) {
                sequence.set(name, value)?;
            }
        }
        if let Some(fields) = short(&text) {
            for (name, value) in fields {
                sequence.set(name, &Value::str(value))?;
            }
        } else {
            let (rest, options) = split_free_form(&text, None)?;
            let unknown: Vec<String> = options
                .str_iter()
                .map(|(name, _)| name)
                .chain((!rest.is_empty()).then_some("_raw_params"))
                .filter(|name| !FIELDS.contains(name))
                .map(|name| format!("'{name}'"))
                .collect();
            if !unknown.is_empty() {
                return Err(format!(
                    "unrecognized arguments to with_sequence: [{}]",
                    unknown.join(", ")
                ));
            }
            for (name, value) in options.str_iter() {
                sequence.set(name, value)?;
            }
        }
        sequence.generate(&mut out)?;
    }
    Ok(out)
}

const FIELDS: &[&str] = &["start", "end", "count", "stride", "format"];

/// The fields of `[start-]end[/stride][:format]`. Numbers are runs of hexadecimal digits, with `0x` before them
/// or not; whether they are numbers is seen when they are set.
fn short(text: &str) -> Option<Vec<(&'static str, String)>> {
    let mut fields = Vec::new();
    let (numbers, format) = match text.split_once(':') {
        Some((numbers, format)) if !format.is_empty() => (numbers, Some(format)),
        Some(_) => return None,
        None => (text, None),
    };
    let (range, stride) = numbers
        .split_once('/')
        .map_or((numbers, None), |(range, stride)| (range, Some(stride)));
    let (start, end) = range
        .split_once('-')
        .map_or((None, range), |(start, end)| (Some(start), end));
    for (name, number) in [("start", start), ("end", Some(end)), ("stride", stride)] {
        let Some(number) = number else { continue };
        let lower = number.to_lowercase();
        let digits = lower.strip_prefix("0x").unwrap_or(&lower);
        if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return None;
        }
        fields.push((name, number.to_owned()));
    }
    fields.extend(format.map(|format| ("format", format.to_owned())));
    Some(fields)
}

fn number(text: &str) -> Option<i64> {
    let text = text.trim().to_lowercase();
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or((1, text.as_str()), |digits| (-1, digits));
    let parsed = if let Some(hex) = digits.strip_prefix("0x") {
        i64::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits.trim_start_matches("0o"), 8)
    } else {
        digits.parse()
    };
    parsed.ok().map(|number: i64| sign * number)
}

impl Sequence {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        let int = || {
            match value {
                Value::Str(text) => number(text),
                other => int_of(other),
            }
            .ok_or_else(|| {
                format!(
                    "Invalid type for the option `{key}` of sequence: `{}` is no whole number",
                    str_of(value)
                )
            })
        };
        match key {
            "start" => self.start = int()?,
            "end" => self.end = Some(int()?),
            "count" => self.count = Some(int()?),
            "stride" => self.stride = int()?,
            _ => self.format = str_of(value),
        }
        Ok(())
    }

    fn generate(&self, out: &mut Vec<Value>) -> Result<(), String> {
        let (end, stride) = match (self.end, self.count) {
            (None, None) => return Err("must specify count or end in with_sequence".into()),
            (Some(_), Some(_)) => {
                return Err("can't specify both count and end in with_sequence".into());
            }
            (Some(end), None) => (end, self.stride),
            (None, Some(0)) => return Ok(()),
            (None, Some(count)) => (
                self.start
                    .saturating_add(count.saturating_mul(self.stride))
                    .saturating_sub(1),
                self.stride,
            ),
        };
        if stride > 0 && end < self.start {
            return Err("to count backwards make stride negative".into());
        }
        if stride < 0 && end > self.start {
            return Err("to count forward don't make stride negative".into());
        }
        if self.format.matches('%').count() != 1 {
            return Err(format!("bad formatting string: {}", self.format));
        }
        let mut at = self.start;
        while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
            if out.len() >= 1_000_000 {
                return Err("the sequence is too long".into());
            }
            let text = format(FormatStyle::Printf, &self.format, &[at.into()])
                .map_err(|_| format!("problem formatting {at} with '{}'", self.format))?;
            out.push(Value::str(text));
            at = match at.checked_add(stride) {
                Some(next) => next,
                None => return Ok(()),
            };
        }
        Ok(())
    }
}
