//! Tests of text: regular expressions, versions, URLs, addresses.

use super::Test;
use crate::template::call::Call;
use crate::template::filters::ipaddr;
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
    ("uri", |c| {
        let schemes = c.args.opt("schemes")?;
        let text = c.text()?;
        let Some((scheme, rest)) = text.split_once(':') else {
            return Ok(false);
        };
        let named = match &schemes {
            None => true,
            Some(list) => list.as_list().map_or_else(
                || list.as_str() == Some(scheme),
                |list| list.iter().any(|s| s.as_str() == Some(scheme)),
            ),
        };
        Ok(named && is_scheme(scheme) && !rest.is_empty())
    }),
    ("url", |c| {
        let text = c.text()?;
        let Some((scheme, rest)) = text.split_once("://") else {
            return Ok(false);
        };
        Ok(is_scheme(scheme)
            && !rest
                .split(['/', '?', '#'])
                .next()
                .unwrap_or_default()
                .is_empty())
    }),
    ("urn", |c| {
        Ok(c.text()?.to_ascii_lowercase().starts_with("urn:"))
    }),
    ("ip", |c| Ok(ipaddr::parse(&c.text()?).is_some())),
    ("ip_address", |c| {
        Ok(ipaddr::parse(&c.text()?).is_some_and(|ip| !ip.has_prefix))
    }),
    ("ipv4", |c| {
        Ok(ipaddr::parse(&c.text()?).is_some_and(|ip| ip.address.is_ipv4()))
    }),
    ("ipv6", |c| {
        Ok(ipaddr::parse(&c.text()?).is_some_and(|ip| ip.address.is_ipv6()))
    }),
    ("ipv4_address", |c| {
        Ok(ipaddr::parse(&c.text()?).is_some_and(|ip| ip.address.is_ipv4() && !ip.has_prefix))
    }),
    ("ipv6_address", |c| {
        Ok(ipaddr::parse(&c.text()?).is_some_and(|ip| ip.address.is_ipv6() && !ip.has_prefix))
    }),
];

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
