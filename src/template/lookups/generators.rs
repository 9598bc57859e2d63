//! Lookups that make up their results: `sequence`.

use super::{Lookup, Query};
use crate::template::call::int_of;
use crate::value::{Value, str_of};
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
        if !sequence.short(&text)? {
            for pair in text.split_whitespace() {
                let (key, value) = pair.split_once('=').ok_or_else(|| {
                    format!("unknown error parsing with_sequence arguments: {text:?}")
                })?;
                sequence.set(key, &Value::str(value.trim_matches(['\'', '"'])))?;
            }
        }
        for name in ["start", "end", "count", "stride", "format"] {
            if let Some(value) = query.options.get(name).cloned() {
                sequence.set(name, &value)?;
            }
        }
        sequence.generate(&mut out)?;
    }
    Ok(out)
}

fn number(text: &str) -> Result<i64, String> {
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
    parsed
        .map(|number| sign * number)
        .map_err(|_| format!("can't parse {text} as integer"))
}

impl Sequence {
    fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        let int = || match value {
            Value::Str(text) => number(text),
            other => int_of(other).ok_or_else(|| format!("can't parse {key} as integer")),
        };
        match key {
            "start" => self.start = int()?,
            "end" => self.end = Some(int()?),
            "count" => self.count = Some(int()?),
            "stride" => self.stride = int()?,
            "format" => self.format = str_of(value),
            other => return Err(format!("unrecognized arguments to with_sequence: {other}")),
        }
        Ok(())
    }

    fn short(&mut self, text: &str) -> Result<bool, String> {
        let text = text.trim();
        if text.is_empty() || text.contains('=') {
            return Ok(false);
        }
        let (numbers, format) = text
            .split_once(':')
            .map_or((text, None), |(n, f)| (n, Some(f)));
        let (range, stride) = numbers
            .split_once('/')
            .map_or((numbers, None), |(r, s)| (r, Some(s)));
        let (start, end) = match range.split_once('-') {
            Some((start, end)) if !start.is_empty() => (Some(start), end),
            _ => (None, range),
        };
        if let Some(start) = start {
            self.start = number(start)?;
        }
        self.end = Some(number(end)?);
        if let Some(stride) = stride {
            self.stride = number(stride)?;
        }
        if let Some(format) = format {
            format.clone_into(&mut self.format);
        }
        Ok(true)
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
        if stride == 0 {
            return if self.start == end {
                Ok(())
            } else {
                Err("stride must not be 0".into())
            };
        }
        if stride > 0 && end < self.start {
            return Err("to count backwards make stride negative".into());
        }
        if stride < 0 && end > self.start {
            return Err("to count forward don't make stride negative".into());
        }
        let mut at = self.start;
        while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
            if out.len() >= 1_000_000 {
                return Err("the sequence is too long".into());
            }
            let text = format(FormatStyle::Printf, &self.format, &[at.into()])
                .map_err(|_| format!("problem formatting {at} with {:?}", self.format))?;
            out.push(Value::str(text));
            at = match at.checked_add(stride) {
                Some(next) => next,
                None => return Ok(()),
            };
        }
        Ok(())
    }
}
