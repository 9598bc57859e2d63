//! The test `version`.
//!
//! Source: Ansible's documentation, "Comparing versions".

use crate::template::call::{Call, fail};
use minijinja::Error;
use std::cmp::Ordering;

/// `version(version, operator='eq', strict=None, version_type=None)`.
pub(crate) fn test(call: &mut Call) -> Result<bool, Error> {
    let other = call.args.text("version")?;
    let operator = call
        .args
        .opt_text("operator")?
        .unwrap_or_else(|| "eq".into());
    let strict = call.args.opt("strict")?;
    let kind = call.args.opt_text("version_type")?;
    let own = call.text()?;
    if own.is_empty() {
        return fail("Input version value cannot be empty");
    }
    if other.is_empty() {
        return fail("Version parameter to compare against cannot be empty");
    }
    if kind.is_some() && strict.is_some() {
        return fail("Cannot specify both 'strict' and 'version_type'");
    }
    let kind = match (kind.as_deref(), strict) {
        (Some(kind), _) => kind.to_owned(),
        (None, Some(strict)) if strict.truthy() => "strict".into(),
        _ => "loose".into(),
    };
    let order = match kind.as_str() {
        "loose" => loose(&own, &other)?,
        "strict" => strict_order(&own, &other)?,
        "semver" | "semantic" => semver(&own, &other)?,
        "pep440" => crate::value::Pep440::compare(&own, &other).or_else(|text| {
            fail(format!(
                "Version comparison failed: Invalid version: '{text}'"
            ))
        })?,
        other => {
            return fail(format!(
                "Invalid version type ({other}). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'"
            ));
        }
    };
    Ok(match operator.as_str() {
        "==" | "=" | "eq" => order.is_eq(),
        "<" | "lt" => order.is_lt(),
        "<=" | "le" => order.is_le(),
        ">" | "gt" => order.is_gt(),
        ">=" | "ge" => order.is_ge(),
        "!=" | "<>" | "ne" => order.is_ne(),
        other => {
            return fail(format!(
                "Invalid operator type ({other}). Must be one of '==', '=', 'eq', '<', 'lt', '<=', 'le', '>', 'gt', \
                 '>=', 'ge', '!=', '<>', 'ne'"
            ));
        }
    })
}

/// The parts of a version: numbers and words.
fn parts(text: &str) -> Vec<Result<u64, String>> {
    let mut parts: Vec<String> = Vec::new();
    let mut kind = 0;
    for c in text.chars() {
        let now = match c {
            '0'..='9' => 1,
            'a'..='z' => 2,
            '.' => 0,
            _ => 3,
        };
        match parts.last_mut() {
            Some(last) if now == kind && now != 0 => last.push(c),
            _ if now != 0 => parts.push(c.to_string()),
            _ => {}
        }
        kind = now;
    }
    parts
        .into_iter()
        .map(|part| part.parse().map_err(|_| part))
        .collect()
}

pub(super) fn loose(a: &str, b: &str) -> Result<Ordering, Error> {
    let (x, y) = (parts(a), parts(b));
    for pair in x.iter().zip(&y) {
        let order = match pair {
            (Ok(p), Ok(q)) => p.cmp(q),
            (Err(p), Err(q)) => p.cmp(q),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => {
                return fail(format!(
                    "Version comparison failed: '<' not supported between instances of 'str' and 'int' ('{a}' and '{b}')"
                ));
            }
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(x.len().cmp(&y.len()))
}

/// Major, minor, patch.
type Numbers = [u64; 3];
/// `a1`, `b2`.
type PreRelease = Option<(char, u64)>;

fn strict_order(a: &str, b: &str) -> Result<Ordering, Error> {
    let parse = |text: &str| -> Result<(Numbers, PreRelease), Error> {
        let invalid = || {
            fail(format!(
                "Version comparison failed: invalid version number '{text}'"
            ))
        };
        let (numbers, pre) = match text.find(['a', 'b']) {
            Some(at) => {
                let (numbers, pre) = text.split_at(at);
                let mut chars = pre.chars();
                let letter = chars.next().unwrap_or('a');
                match chars.as_str().parse() {
                    Ok(number) => (numbers, Some((letter, number))),
                    Err(_) => return invalid(),
                }
            }
            None => (text, None),
        };
        let fields: Result<Vec<u64>, _> = numbers.split('.').map(str::parse).collect();
        match fields.as_deref() {
            Ok([major, minor]) => Ok(([*major, *minor, 0], pre)),
            Ok([major, minor, patch]) => Ok(([*major, *minor, *patch], pre)),
            _ => invalid(),
        }
    };
    let (x, y) = (parse(a)?, parse(b)?);
    Ok(x.0.cmp(&y.0).then_with(|| match (x.1, y.1) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(p), Some(q)) => p.cmp(&q),
    }))
}

fn semver(a: &str, b: &str) -> Result<Ordering, Error> {
    fn parse(text: &str) -> Result<([u64; 3], Vec<String>), Error> {
        let invalid = || {
            fail(format!(
                "Version comparison failed: invalid semantic version '{text}'"
            ))
        };
        let core = text.split('+').next().unwrap_or_default();
        let (numbers, pre) = core.split_once('-').unwrap_or((core, ""));
        let fields: Result<Vec<u64>, _> = numbers.split('.').map(str::parse).collect();
        match fields.as_deref() {
            Ok([major, minor, patch]) => Ok((
                [*major, *minor, *patch],
                pre.split('.')
                    .filter(|part| !part.is_empty())
                    .map(str::to_owned)
                    .collect(),
            )),
            _ => invalid(),
        }
    }
    let (x, y) = (parse(a)?, parse(b)?);
    Ok(x.0
        .cmp(&y.0)
        .then_with(|| match (x.1.is_empty(), y.1.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Greater,
            (false, true) => Ordering::Less,
            (false, false) => {
                for (p, q) in x.1.iter().zip(&y.1) {
                    let order = match (p.parse::<u64>(), q.parse::<u64>()) {
                        (Ok(p), Ok(q)) => p.cmp(&q),
                        (Ok(_), Err(_)) => Ordering::Less,
                        (Err(_), Ok(_)) => Ordering::Greater,
                        (Err(_), Err(_)) => p.cmp(q),
                    };
                    if order.is_ne() {
                        return order;
                    }
                }
                x.1.len().cmp(&y.1.len())
            }
        }))
}
