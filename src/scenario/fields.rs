//! Reading members of a mapping, with errors at their places.

use crate::diag::{Diagnostic, did_you_mean};
use crate::value::{Map, Value};
use crate::yaml::{Kind, Node};

/// What reading gives.
pub(super) type Read<T> = Result<T, Box<Diagnostic>>;

/// An error at a node.
pub(super) fn wrong(node: &Node, message: impl Into<String>) -> Box<Diagnostic> {
    Box::new(Diagnostic::error("scenario::file", message).at(&node.span))
}

/// The members of a mapping, of which each is one of the names.
pub(super) fn members<'a>(
    node: &'a Node,
    what: &str,
    names: &[&str],
) -> Read<Vec<(&'a str, &'a Node)>> {
    let entries = match &node.kind {
        Kind::Null => return Ok(Vec::new()),
        Kind::Map(entries) => entries,
        _ => {
            return Err(wrong(
                node,
                format!("{what} is a mapping, this is {}", node.describe()),
            ));
        }
    };
    let mut found = Vec::new();
    for entry in entries {
        let Some(name) = entry.key.as_str() else {
            return Err(wrong(&entry.key, format!("names in {what} are strings")));
        };
        if !names.contains(&name) {
            let mut error = wrong(&entry.key, format!("{what} has no `{name}`"));
            error.hint = did_you_mean(name, names.iter().copied());
            return Err(error);
        }
        found.push((name, &entry.value));
    }
    Ok(found)
}

/// A string; numbers and booleans are taken as they are written.
pub(super) fn string(node: &Node) -> Read<String> {
    match &node.kind {
        Kind::Str(text) => Ok(text.to_string()),
        Kind::Int(number) => Ok(number.to_string()),
        Kind::Float(_) | Kind::Bool(_) => Ok(crate::value::str_of(&node.to_value())),
        _ => Err(wrong(
            node,
            format!("a string is expected here, not {}", node.describe()),
        )),
    }
}

/// A list of strings; one string is a list of one.
pub(super) fn strings(node: &Node) -> Read<Vec<String>> {
    match &node.kind {
        Kind::Null => Ok(Vec::new()),
        Kind::Seq(items) => items.iter().map(string).collect(),
        _ => Ok(vec![string(node)?]),
    }
}

/// A boolean.
pub(super) fn boolean(node: &Node) -> Read<bool> {
    match node.kind {
        Kind::Bool(value) => Ok(value),
        _ => Err(wrong(
            node,
            format!(
                "`true` or `false` is expected here, not {}",
                node.describe()
            ),
        )),
    }
}

/// A mapping of variables.
pub(super) fn vars(node: &Node) -> Read<Map> {
    match (&node.kind, node.to_value()) {
        (Kind::Null, _) => Ok(Map::new()),
        (Kind::Map(_), Value::Map(map)) => Ok((*map).clone()),
        _ => Err(wrong(
            node,
            format!("a mapping is expected here, not {}", node.describe()),
        )),
    }
}

/// A number of something with a unit: the number alone counts in the first unit.
pub(super) fn quantity(node: &Node, units: &[(&str, u64)]) -> Read<u64> {
    let text = string(node)?;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let factor = if unit.is_empty() {
        units.first()
    } else {
        units
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(unit))
    };
    if let (Ok(number), Some((_, factor))) = (digits.trim().parse::<u64>(), factor) {
        return Ok(number.saturating_mul(*factor));
    }
    let known: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    let known = known.join(", ");
    Err(wrong(
        node,
        format!("a number with one of the units {known} is expected here"),
    ))
}
