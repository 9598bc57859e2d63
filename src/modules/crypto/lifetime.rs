//! Spans of time as arguments: `365d`, `+3650d`, `5m`, `20%`.

use crate::value::{ArgKind, FromValue, TypeProblem, Value, str_of};

/// A span of time in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seconds(pub(super) i64);

/// When to renew: a span before the end, or a part of the whole life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// So many seconds before the end.
    Seconds(i64),
    /// So many percent of the life before the end.
    Percent(i64),
}

fn parse(text: &str) -> Option<i64> {
    let mut rest = text.trim().trim_start_matches('+');
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_i64;
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (digits, tail) = rest.split_at(end);
        let number: i64 = digits.parse().ok()?;
        let unit = tail.chars().next();
        let factor = match unit {
            None | Some('s') => 1,
            Some('m') => 60,
            Some('h') => 3600,
            Some('d') => 86_400,
            Some('w') => 7 * 86_400,
            Some('y') => 365 * 86_400,
            Some(_) => return None,
        };
        total = total.checked_add(number.checked_mul(factor)?)?;
        rest = tail.get(unit.map_or(0, char::len_utf8)..)?.trim_start();
    }
    // certificates end at the latest in the year 9999
    (total <= 5000 * 366 * 86_400).then_some(total)
}

impl FromValue for Seconds {
    const KIND: ArgKind = ArgKind::Str;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        parse(&str_of(value))
            .map(Self)
            .ok_or_else(|| TypeProblem::expected("a span of time such as 365d, 12h or 5m", value))
    }
}

impl FromValue for Before {
    const KIND: ArgKind = ArgKind::Str;
    fn from_value(value: &Value) -> Result<Self, TypeProblem> {
        let text = str_of(value);
        let percent = text
            .trim()
            .strip_suffix('%')
            .and_then(|number| number.trim().parse().ok());
        match (percent, parse(&text)) {
            (Some(percent @ 0..=90), _) => Ok(Self::Percent(percent)),
            (None, Some(seconds)) => Ok(Self::Seconds(seconds)),
            _ => Err(TypeProblem::expected(
                "a span of time such as 30d, or a part of the life up to 90%",
                value,
            )),
        }
    }
}

impl Before {
    /// In seconds, for a life of so many.
    pub(super) fn of(self, life: i64) -> i64 {
        match self {
            Self::Seconds(seconds) => seconds,
            Self::Percent(percent) => life / 100 * percent,
        }
    }
}

/// The day of a moment, as diffs show it: seconds would make every plan another one.
pub(super) fn day(at: i64) -> String {
    jiff::Timestamp::from_second(at).map_or_else(
        |_| "never".to_owned(),
        |at| at.strftime("%Y-%m-%d").to_string(),
    )
}

/// A moment with its seconds.
pub(super) fn moment(at: i64) -> String {
    jiff::Timestamp::from_second(at).map_or_else(
        |_| "never".to_owned(),
        |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans() {
        for (text, seconds) in [
            ("5m", Some(300)),
            ("+3650d", Some(3650 * 86_400)),
            ("1w 2d", Some(9 * 86_400)),
            ("90", Some(90)),
            ("0", Some(0)),
            ("", None),
            ("d", None),
            ("5 parsecs", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(parse(text), seconds, "{text}");
        }
        assert_eq!(Before::from_value(&"20%".into()), Ok(Before::Percent(20)));
        assert!(Before::from_value(&"120%".into()).is_err());
        assert_eq!(Before::Percent(20).of(1000), 200);
    }
}
