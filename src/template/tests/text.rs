//! Tests of text: regular expressions, versions, URLs.

use super::Test;
use crate::template::call::Call;
use crate::template::filters::regex::{self, Flags};
use crate::template::filters::version;
use minijinja::Error;

pub(super) const TABLE: &[(&str, Test)] = &[
    ("match", |c| matching(c, "match")),
    ("search", |c| matching(c, "search")),
    ("regex", |c| {
        let kind = c
            .args
            .take_named("match_type")
            .map_or_else(|| "search".to_owned(), |kind| kind.to_string());
        matching(c, &kind)
    }),
    ("version", version::test),
    ("version_compare", version::test),
    ("uri", |c| Ok(is_uri(c)?.is_some())),
    ("url", |c| {
        Ok(is_uri(c)?.is_some_and(|(scheme, rest)| {
            let place = rest.strip_prefix("//").unwrap_or_default();
            scheme == "file"
                || place
                    .split(['/', '?', '#'])
                    .next()
                    .is_some_and(|p| !p.is_empty())
        }))
    }),
    ("urn", |c| {
        let text = c.text()?;
        Ok(split_scheme(&text).0 == "urn")
    }),
];

/// The scheme (in small letters) and what is behind it, as Python's `urlsplit` takes them apart.
fn split_scheme(text: &str) -> (String, &str) {
    match text.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_ascii_lowercase(), rest),
        _ => (String::new(), text),
    }
}

/// Every text is a URI, if its scheme is among those that are wanted.
fn is_uri(call: &mut Call) -> Result<Option<(String, String)>, Error> {
    let schemes = call.args.opt("schemes")?;
    let text = call.text()?;
    let (scheme, rest) = split_scheme(&text);
    let fits = match schemes.as_ref().filter(|list| list.truthy()) {
        None => true,
        Some(crate::value::Value::List(list)) => {
            list.iter().any(|known| known.as_str() == Some(&scheme))
        }
        Some(other) => other.as_str().is_some_and(|known| known.contains(&scheme)),
    };
    Ok(fits.then(|| (scheme, rest.to_owned())))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

fn matching(call: &mut Call, kind: &str) -> Result<bool, Error> {
    let text = call.text()?;
    let pattern = call.args.text("pattern")?;
    let flags = Flags {
        ignorecase: call.args.flag("ignorecase", false)?,
        multiline: call.args.flag("multiline", false)?,
        dotall: false,
    };
    let pattern = match kind {
        "match" => format!(r"\A(?:{pattern})"),
        "fullmatch" => format!(r"\A(?:{pattern})\z"),
        _ => pattern,
    };
    regex::is_match(&pattern, flags, &text)
}
