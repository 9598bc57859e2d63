//! URLs.

use super::Filter;
use crate::template::call::{Call, fail, iterate};
use crate::template::print;
use crate::value::{Map, Value};
use minijinja::Error;
use minijinja::value::{Value as Val, ValueKind};
use std::fmt::Write as _;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("urldecode", |c| Ok(Val::from(decode(&c.text()?, true)))),
    ("urlencode", urlencode),
    ("urlsplit", urlsplit),
    ("urlize", urlize),
];

fn quote(text: &str, keep_slash: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let safe =
            byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) || (keep_slash && byte == b'/');
        if safe {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn decode(text: &str, plus: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let raw = text.as_bytes();
    let mut i = 0;
    while let Some(byte) = raw.get(i) {
        let code = (*byte == b'%')
            .then(|| {
                text.get(i + 1..i + 3)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            })
            .flatten();
        match (byte, code) {
            (_, Some(code)) => {
                bytes.push(code);
                i += 3;
                continue;
            }
            (b'+', _) if plus => bytes.push(b' '),
            _ => bytes.push(*byte),
        }
        i += 1;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Of text, of a mapping or of a list of pairs.
fn urlencode(call: &mut Call) -> Result<Val, Error> {
    let pair = |key: &Val, value: &Val| {
        format!(
            "{}={}",
            quote(&print::str_of(key), false).replace("%20", "+"),
            quote(&print::str_of(value), false).replace("%20", "+")
        )
    };
    let parts: Vec<String> = match call.input.kind() {
        ValueKind::Map => call
            .items()?
            .iter()
            .map(|key| Ok(pair(key, &call.input.get_item(key)?)))
            .collect::<Result<_, Error>>()?,
        ValueKind::Seq | ValueKind::Iterable => call
            .items()?
            .iter()
            .map(|item| match iterate(item)?.as_slice() {
                [key, value] => Ok(pair(key, value)),
                _ => fail("urlencode needs pairs"),
            })
            .collect::<Result<_, Error>>()?,
        _ => return Ok(Val::from(quote(&call.text()?, true))),
    };
    Ok(Val::from(parts.join("&")))
}

/// `urlsplit(query='')`: all parts, or one of them.
fn urlsplit(call: &mut Call) -> Result<Val, Error> {
    let query = call.args.opt_text("query")?.unwrap_or_default();
    let text = call.text()?;
    let (rest, fragment) = text.split_once('#').unwrap_or((&text, ""));
    let (rest, search) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest))
            if scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) =>
        {
            (scheme.to_lowercase(), rest)
        }
        _ => (String::new(), rest),
    };
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (login, host) = netloc
        .rsplit_once('@')
        .map_or((None, netloc), |(login, host)| (Some(login), host));
    let (username, password) = match login {
        Some(login) => match login.split_once(':') {
            Some((user, password)) => (Value::str(user), Value::str(password)),
            None => (Value::str(login), Value::Null),
        },
        None => (Value::Null, Value::Null),
    };
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, rest)) => (name, rest.strip_prefix(':').unwrap_or("")),
        None => host.split_once(':').unwrap_or((host, "")),
    };
    let port = if port.is_empty() {
        Value::Null
    } else {
        match port.parse::<u16>() {
            Ok(port) => Value::Int(port.into()),
            Err(_) => {
                return fail(format!(
                    "Port could not be cast to integer value as '{port}'"
                ));
            }
        }
    };
    let hostname = if name.is_empty() {
        Value::Null
    } else {
        Value::str(name.to_lowercase())
    };
    let parts = Map::new()
        .with("fragment", fragment)
        .with("hostname", hostname)
        .with("netloc", netloc)
        .with("password", password)
        .with("path", path)
        .with("port", port)
        .with("query", search)
        .with("scheme", scheme)
        .with("username", username);
    if query.is_empty() {
        return call.out(parts);
    }
    match parts.get(query.as_str()) {
        Some(part) => call.out(part.clone()),
        None => fail(format!("urlsplit: unknown URL component: {query}")),
    }
}

/// Whether a URL without its scheme begins with a name whose last part has two letters or more.
fn has_domain(rest: &str) -> bool {
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let top = host.rsplit('.').next().unwrap_or_default();
    top.len() >= 2 && top.chars().all(|c| c.is_ascii_alphabetic())
}

/// `urlize(...)`: links in text.
fn urlize(call: &mut Call) -> Result<Val, Error> {
    let limit = call
        .args
        .opt("trim_url_limit")?
        .and_then(|n| crate::template::call::int_of(&n));
    let nofollow = call.args.flag("nofollow", false)?;
    let target = call.args.opt_text("target")?;
    let text = call.text()?;
    let mut out = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim_end();
        let link = bare.trim_end_matches(['.', ',', ')', '!', '?', ';', ':']);
        let after_scheme = link
            .strip_prefix("http://")
            .or_else(|| link.strip_prefix("https://"));
        let href = if after_scheme.is_some_and(has_domain) {
            link.to_owned()
        } else if link.starts_with("www.") && has_domain(link) {
            format!("https://{link}")
        } else {
            out.push_str(&super::text::html(word));
            continue;
        };
        let shown: String = match limit.and_then(|n| usize::try_from(n).ok()) {
            Some(limit) if link.chars().count() > limit => {
                format!("{}...", link.chars().take(limit).collect::<String>())
            }
            _ => link.to_owned(),
        };
        let rel = if nofollow {
            "nofollow noopener"
        } else {
            "noopener"
        };
        let target = target
            .as_ref()
            .map_or_else(String::new, |target| format!(" target=\"{target}\""));
        let _ = write!(out, "<a href=\"{href}\" rel=\"{rel}\"{target}>{shown}</a>");
        out.push_str(word.get(link.len()..).unwrap_or_default());
    }
    Ok(Val::from(out))
}
