//! Ranges in host names: `db[01:10:2]`, `[a:f]`, several in one name.

use super::parse_address;
use std::ops::RangeInclusive;

/// More hosts than this from one line are a mistake.
const LIMIT: usize = 1_000_000;

/// What is wrong with a range.
pub(super) enum Problem {
    /// It has not the form of a range; the entry may be meant as it is.
    Form(String),
    /// It has, but it stands for nothing.
    Bounds(String),
}

impl From<String> for Problem {
    fn from(why: String) -> Self {
        Self::Bounds(why)
    }
}

/// The names that an entry stands for, and its port.
///
/// # Errors
/// A sentence that says what is wrong with a range.
pub(super) fn expand(entry: &str) -> Result<(Vec<String>, Option<u16>), String> {
    expand_strictly(entry).map_err(|problem| match problem {
        Problem::Form(why) | Problem::Bounds(why) => why,
    })
}

/// The same, with the kind of problem.
///
/// # Errors
/// If a range is wrong.
pub(super) fn expand_strictly(entry: &str) -> Result<(Vec<String>, Option<u16>), Problem> {
    let (name, port) = match parse_address(entry) {
        Some(address) => (address.host, address.port),
        None => (entry.to_owned(), None),
    };
    let mut names = Vec::new();
    expand_into(&name, &mut names)?;
    Ok((names, port))
}

fn expand_into(name: &str, out: &mut Vec<String>) -> Result<(), Problem> {
    let Some((head, rest)) = name.split_once('[') else {
        if out.len() >= LIMIT {
            return Err(format!("the range stands for more than {LIMIT} hosts").into());
        }
        out.push(name.to_owned());
        return Ok(());
    };
    let Some((range, tail)) = rest.split_once(']') else {
        return Err(Problem::Form(format!(
            "the bracket in `{name}` is not closed"
        )));
    };
    for item in items(range)? {
        expand_into(&format!("{head}{item}{tail}"), out)?;
    }
    Ok(())
}

fn items(range: &str) -> Result<Vec<String>, Problem> {
    let parts: Vec<&str> = range.split(':').collect();
    let (begin, end, step) = match parts.as_slice() {
        [begin, end] => (*begin, *end, "1"),
        [begin, end, step] => (*begin, *end, *step),
        _ => {
            return Err(Problem::Form(format!(
                "a host range must be begin:end or begin:end:step, not `{range}`"
            )));
        }
    };
    let begin = if begin.is_empty() { "0" } else { begin };
    if end.is_empty() {
        return Err(Problem::Form("host range must specify end value".into()));
    }
    let step: usize = step.parse().ok().filter(|step| *step > 0).ok_or_else(|| {
        format!("the step of a host range must be a number above 0, not `{step}`")
    })?;
    let width = if begin.starts_with('0') && begin.len() > 1 {
        if begin.len() != end.len() {
            return Err(Problem::Form(format!(
                "`{begin}` and `{end}` must have the same number of digits"
            )));
        }
        begin.len()
    } else {
        0
    };
    if let (Some(from), Some(to)) = (letter(begin), letter(end)) {
        return if from > to {
            Err(Problem::Form(format!(
                "the host range must begin before it ends, not `{range}`"
            )))
        } else {
            Ok(letters(from..=to, step))
        };
    }
    let number = |text: &str| {
        text.parse::<i64>()
            .map_err(|_| format!("`{text}` in a host range is neither a number nor a letter"))
    };
    let (from, to) = (number(begin)?, number(end)?);
    let found: Vec<String> = (from..=to)
        .step_by(step)
        .take(LIMIT + 1)
        .map(|n| format!("{n:0width$}"))
        .collect();
    if found.len() > LIMIT {
        return Err(format!("the range stands for more than {LIMIT} hosts").into());
    }
    Ok(found)
}

/// The place of a letter in `a-zA-Z`.
fn letter(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [c @ b'a'..=b'z'] => Some(c - b'a'),
        [c @ b'A'..=b'Z'] => Some(c - b'A' + 26),
        _ => None,
    }
}

fn letters(places: RangeInclusive<u8>, step: usize) -> Vec<String> {
    places
        .step_by(step)
        .map(|n| char::from(if n < 26 { b'a' + n } else { b'A' + n - 26 }).to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(entry: &str) -> Vec<String> {
        expand(entry).unwrap().0
    }

    #[test]
    fn numbers_letters_steps_and_padding() {
        assert_eq!(names("db[01:05:2]"), ["db01", "db03", "db05"]);
        assert_eq!(names("db[8:10]x"), ["db8x", "db9x", "db10x"]);
        assert_eq!(names("[a:c]"), ["a", "b", "c"]);
        assert_eq!(names("r[1:2]n[x:y]"), ["r1nx", "r1ny", "r2nx", "r2ny"]);
        assert_eq!(names("w[:2]"), ["w0", "w1", "w2"]);
        assert_eq!(names("w[2:1]"), [""; 0]);
        assert_eq!(
            expand("w[1:2]:2222").unwrap(),
            (vec!["w1".into(), "w2".into()], Some(2222))
        );
    }

    #[test]
    fn bad_ranges_are_errors() {
        for entry in [
            "a[1:",
            "a[1]",
            "a[01:100]",
            "a[c:a]",
            "a[1:x]",
            "a[1:]",
            "a[1:9:0]",
            "a[1:9999999999]",
        ] {
            assert!(expand(entry).is_err(), "{entry}");
        }
    }
}
