//! The little of URLs (RFC 3986) that following redirects needs.

/// Scheme, authority and the rest (path and query, without fragment).
fn split(url: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let rest = rest.split('#').next().unwrap_or(rest);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    Some((scheme, authority, path))
}

/// The host of a URL, in lower case and without port and brackets.
pub fn host_of(url: &str) -> Option<String> {
    let (_, authority, _) = split(url)?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next()?,
        None => host.split(':').next()?,
    };
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// The URL without user and password in it, and these, percent-decoded.
pub fn without_credentials(url: &str) -> (String, Option<(String, String)>) {
    let Some((scheme, authority, path)) = split(url) else {
        return (url.to_owned(), None);
    };
    let Some((credentials, host)) = authority.rsplit_once('@') else {
        return (url.to_owned(), None);
    };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let found = (decode(user), decode(password));
    (format!("{scheme}://{host}{path}"), Some(found))
}

fn decode(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The URL with characters that may not stand in it percent-encoded, and without its fragment.
pub(super) fn clean(url: &str) -> String {
    use std::fmt::Write;
    let url = url.trim().split('#').next().unwrap_or_default();
    url.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Where a reference in a page at `base` leads to.
pub fn join(base: &str, reference: &str) -> String {
    let first = reference.split(['/', '?', '#']).next().unwrap_or_default();
    if first.ends_with(':') && reference.contains("://") {
        return reference.to_owned();
    }
    let Some((scheme, authority, path)) = split(base) else {
        return reference.to_owned();
    };
    if let Some(rest) = reference.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    let plain = path.split('?').next().unwrap_or_default();
    if reference.starts_with('?') {
        return format!("{scheme}://{authority}{plain}{reference}");
    }
    let (target, query) = match reference.find('?') {
        Some(at) => reference.split_at(at),
        None => (reference, ""),
    };
    let whole = if target.starts_with('/') {
        target.to_owned()
    } else {
        let dir = plain.rsplit_once('/').map_or("", |(dir, _)| dir);
        format!("{dir}/{target}")
    };
    let mut parts: Vec<&str> = Vec::new();
    let mut all = whole.split('/').skip(1).peekable();
    while let Some(part) = all.next() {
        let last = all.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." {
                    parts.pop();
                }
                if last {
                    parts.push("");
                }
            }
            other => parts.push(other),
        }
    }
    format!("{scheme}://{authority}/{}{query}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_joined() {
        let base = "http://a.b:8/c/d;p?q#f";
        for (reference, expected) in [
            ("https://x/y", "https://x/y"),
            ("//x/y", "http://x/y"),
            ("/y?z", "http://a.b:8/y?z"),
            ("g", "http://a.b:8/c/g"),
            ("../g", "http://a.b:8/g"),
            ("../../../g/./h", "http://a.b:8/g/h"),
            ("?y", "http://a.b:8/c/d;p?y"),
            ("./", "http://a.b:8/c/"),
        ] {
            assert_eq!(join(base, reference), expected, "{reference}");
        }
        assert_eq!(join("http://x", "y"), "http://x/y");
    }

    #[test]
    fn credentials_and_hosts_are_taken_apart() {
        let (url, found) = without_credentials("https://me:p%40ss@[::1]:8443/x?y@z");
        assert_eq!(url, "https://[::1]:8443/x?y@z");
        assert_eq!(found, Some(("me".to_owned(), "p@ss".to_owned())));
        assert_eq!(host_of(&url).as_deref(), Some("::1"));
        assert_eq!(
            host_of("http://Example.ORG:80/").as_deref(),
            Some("example.org")
        );
        assert_eq!(clean("http://x/a b/ü#f"), "http://x/a%20b/%C3%BC");
    }
}
