//! Host patterns: taken apart.

use super::parse_address;

/// Splits a pattern into its parts: at commas, or else at colons (those of an address, a port, brackets aside).
pub fn split_pattern(pattern: &str) -> Vec<String> {
    let parts: Vec<&str> = if pattern.contains(',') {
        pattern.split(',').collect()
    } else if parse_address(pattern).is_some() {
        vec![pattern]
    } else {
        at_colons(pattern)
    };
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Runs of characters that are not blank, colons or stray brackets; a complete bracket counts as one character.
fn at_colons(pattern: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(c) = pattern.get(at..).and_then(|rest| rest.chars().next()) {
        let len = match c {
            '[' => pattern
                .get(at..)
                .and_then(|rest| rest.find(']'))
                .map(|end| end + 1),
            ':' | ']' => None,
            c if c.is_whitespace() => None,
            c => Some(c.len_utf8()),
        };
        if let Some(len) = len {
            start.get_or_insert(at);
            at += len;
        } else {
            parts.extend(start.take().and_then(|start: usize| pattern.get(start..at)));
            at += c.len_utf8();
        }
    }
    parts.extend(start.and_then(|start| pattern.get(start..)));
    parts
}

/// Which of the hosts that a part matches are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subscript {
    /// One, counted from the end if negative.
    One(i64),
    /// From the first to the last, both included; without a last, to the end.
    Range(usize, Option<usize>),
}

/// Splits a subscript off: `web[0]`, `web[-1]`, `web[0:2]`, `web[1:]`. A regular expression has none.
pub(super) fn split_subscript(part: &str) -> (&str, Option<Subscript>) {
    let subscript = || {
        if part.starts_with('~') {
            return None;
        }
        let (expression, inside) = part.strip_suffix(']')?.rsplit_once('[')?;
        if expression.is_empty() {
            return None;
        }
        let number = |text: &str| -> Option<usize> {
            text.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| text.parse().ok())?
        };
        let subscript = match inside.split_once(':') {
            Some((start, "")) => Subscript::Range(number(start)?, None),
            Some((start, end)) => Subscript::Range(number(start)?, Some(number(end)?)),
            None => {
                let digits = inside.strip_prefix('-').unwrap_or(inside);
                number(digits)?;
                Subscript::One(inside.parse().ok()?)
            }
        };
        Some((expression, subscript))
    };
    match subscript() {
        Some((expression, subscript)) => (expression, Some(subscript)),
        None => (part, None),
    }
}

impl Subscript {
    /// The hosts that are meant, or `None` if a single one is asked for that is not there.
    pub(super) fn apply<T: Clone>(self, hosts: &[T]) -> Option<Vec<T>> {
        match self {
            Self::One(index) => {
                let at = if index < 0 {
                    hosts
                        .len()
                        .checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?
                } else {
                    usize::try_from(index).ok()?
                };
                Some(vec![hosts.get(at)?.clone()])
            }
            // as in Ansible, a range that ends at 0 is its first host
            Self::Range(start, Some(0)) => Some(vec![hosts.get(start)?.clone()]),
            Self::Range(start, end) => {
                let end = end.map_or(hosts.len(), |end| end.saturating_add(1).min(hosts.len()));
                Some(hosts.get(start..end).unwrap_or_default().to_vec())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_commas_or_colons() {
        for (pattern, expected) in [
            ("web", vec!["web"]),
            ("web:db", vec!["web", "db"]),
            ("web:&db:!old", vec!["web", "&db", "!old"]),
            ("web, db", vec!["web", "db"]),
            ("web[0:2]:db", vec!["web[0:2]", "db"]),
            ("2001:db8::1", vec!["2001:db8::1"]),
            ("web:2001:db8::1", vec!["web", "2001", "db8", "1"]),
            ("a:2001:db8::1", vec!["a:2001:db8::1"]),
            ("web:22", vec!["web:22"]),
            ("~web\\d+:!x", vec!["~web\\d+", "!x"]),
            ("*:!x", vec!["*", "!x"]),
            ("", vec![]),
            ("a[", vec!["a"]),
        ] {
            assert_eq!(split_pattern(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn subscripts() {
        let hosts = ["a", "b", "c"];
        let apply = |part: &str| {
            let (expression, subscript) = split_subscript(part);
            assert_eq!(expression, "g");
            subscript.and_then(|s| s.apply(&hosts))
        };
        assert_eq!(apply("g[0]"), Some(vec!["a"]));
        assert_eq!(apply("g[-1]"), Some(vec!["c"]));
        assert_eq!(apply("g[0:1]"), Some(vec!["a", "b"]));
        assert_eq!(apply("g[1:]"), Some(vec!["b", "c"]));
        assert_eq!(apply("g[1:9]"), Some(vec!["b", "c"]));
        assert_eq!(apply("g[5:9]"), Some(vec![]));
        assert_eq!(apply("g[5]"), None);
        assert_eq!(apply("g[-4]"), None);
        assert_eq!(split_subscript("~g[0]"), ("~g[0]", None));
        assert_eq!(split_subscript("g[a-c]"), ("g[a-c]", None));
    }
}
