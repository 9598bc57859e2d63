//! Dates and times: which scalars are some, and how Python prints them.
//!
//! Source: YAML 1.1, "Timestamp", and what `PyYAML` makes of it.

use std::fmt::Write as _;

/// A date, or a date and a time, as Python's `str()` has it; `None` if the text is neither.
pub(super) fn as_python(text: &str) -> Option<String> {
    let (year, rest) = take_digits(text, 4, 4)?;
    let (month, rest) = take_digits(rest.strip_prefix('-')?, 1, 2)?;
    let (day, rest) = take_digits(rest.strip_prefix('-')?, 1, 2)?;
    if rest.is_empty() {
        return (month.len() == 2 && day.len() == 2).then(|| text.to_owned());
    }
    let rest = match rest.strip_prefix(['T', 't']) {
        Some(rest) => rest,
        None => Some(rest.trim_start_matches([' ', '\t'])).filter(|r| r.len() < rest.len())?,
    };
    let (hour, rest) = take_digits(rest, 1, 2)?;
    let (minute, rest) = take_digits(rest.strip_prefix(':')?, 2, 2)?;
    let (second, rest) = take_digits(rest.strip_prefix(':')?, 2, 2)?;
    let mut shown = format!("{year}-{month:0>2}-{day:0>2} {hour:0>2}:{minute}:{second}");
    let mut rest = rest;
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = fraction.get(..fraction.len() - rest.len())?;
        // microseconds, six digits or none
        let micros = format!("{digits:0<6}");
        let micros = micros.get(..6)?;
        if micros != "000000" {
            let _ = write!(shown, ".{micros}");
        }
    }
    if rest.is_empty() {
        return Some(shown);
    }
    let zone = rest.trim_start_matches([' ', '\t']);
    if zone == "Z" {
        return Some(shown + "+00:00");
    }
    let sign = zone.chars().next().filter(|c| matches!(c, '+' | '-'))?;
    let (hours, rest) = take_digits(zone.strip_prefix(sign)?, 1, 2)?;
    let minutes = match rest.strip_prefix(':') {
        Some(rest) => {
            let (minutes, rest) = take_digits(rest, 2, 2)?;
            rest.is_empty().then_some(minutes)?
        }
        None => rest.is_empty().then_some("00")?,
    };
    // nothing is neither before nor after
    let sign = if hours.bytes().chain(minutes.bytes()).all(|b| b == b'0') {
        '+'
    } else {
        sign
    };
    let _ = write!(shown, "{sign}{hours:0>2}:{minutes}");
    Some(shown)
}

/// As many digits as there are, if that is within the limits.
fn take_digits(text: &str, least: usize, most: usize) -> Option<(&str, &str)> {
    let count = text
        .bytes()
        .take(most)
        .take_while(u8::is_ascii_digit)
        .count();
    (count >= least).then(|| text.split_at(count))
}

#[cfg(test)]
mod tests {
    use super::as_python;

    #[test]
    fn times_are_shown_as_python_shows_them() {
        let cases = [
            ("2001-12-14", "2001-12-14"),
            (
                "2001-12-14t21:59:43.10-05:00",
                "2001-12-14 21:59:43.100000-05:00",
            ),
            ("2001-1-4 2:59:43 Z", "2001-01-04 02:59:43+00:00"),
            ("2001-12-14T21:59:43", "2001-12-14 21:59:43"),
            (
                "2001-12-14 21:59:43.0000001 +1",
                "2001-12-14 21:59:43+01:00",
            ),
        ];
        for (text, shown) in cases {
            assert_eq!(as_python(text).as_deref(), Some(shown));
        }
        assert_eq!(as_python("2001-1-4"), None);
    }
}
