//! Host names and addresses, with an optional port and `[x:y]` ranges.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A host identifier and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// A host name or an address; it may hold ranges.
    pub host: String,
    /// The port after it.
    pub port: Option<u16>,
}

/// Reads `host`, `host:port`, `[address]:port` or an address of either IP version. `None` if it is none of them.
pub fn parse_address(text: &str) -> Option<Address> {
    let (mut host, mut port) = (text, None);
    if let Some((inner, number)) = bracketed_port(host) {
        (host, port) = (inner, Some(number));
    }
    if let Some((inner, number)) = plain_port(host) {
        (host, port) = (inner, Some(number));
    }
    let port = match port {
        Some(number) => Some(number.parse().ok()?),
        None => None,
    };
    (is_ipv4(host) || is_ipv6(host) || is_hostname(host)).then(|| Address {
        host: host.to_owned(),
        port,
    })
}

/// Whether the text is an IPv4 or IPv6 address (ranges count as numbers).
pub fn is_ip_address(text: &str) -> bool {
    is_ipv4(text) || is_ipv6(text)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn bracketed_port(text: &str) -> Option<(&str, &str)> {
    let (inner, port) = text.strip_prefix('[')?.rsplit_once("]:")?;
    (is_number(port) && !inner.is_empty()).then_some((inner, port))
}

fn plain_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    if !is_number(port) {
        return None;
    }
    // colons and brackets only within complete brackets
    let mut rest = host;
    while let Some(at) = rest.find([':', '[', ']']) {
        let inner = rest.get(at..)?.strip_prefix('[')?;
        rest = inner.get(inner.find(']')? + 1..)?;
    }
    Some((host, port))
}

/// A piece of a name: a character, or a range of the right kind in brackets.
enum Atom {
    Char(char),
    Range,
}

/// Splits a name at its ranges; `None` if a bracket is not a range of the kind that `bound` accepts.
fn atoms(text: &str, bounds: impl Fn(&str, &str) -> bool) -> Option<Vec<Atom>> {
    let mut atoms = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '[' {
            let end = rest.find(']')?;
            let parts: Vec<&str> = rest.get(1..end)?.split(':').collect();
            let good = match parts.as_slice() {
                [from, to] => bounds(from, to),
                [from, to, step] => bounds(from, to) && is_number(step),
                _ => false,
            };
            if !good {
                return None;
            }
            atoms.push(Atom::Range);
            rest = rest.get(end + 1..)?;
        } else {
            atoms.push(Atom::Char(c));
            rest = rest.get(c.len_utf8()..)?;
        }
    }
    Some(atoms)
}

fn numbers(from: &str, to: &str) -> bool {
    is_number(from) && is_number(to)
}

fn letters_or_numbers(from: &str, to: &str) -> bool {
    let letter = |t: &str| t.len() == 1 && t.bytes().all(|b| b.is_ascii_alphabetic());
    (letter(from) && letter(to)) || numbers(from, to)
}

fn hexadecimal(from: &str, to: &str) -> bool {
    let hex = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_hexdigit());
    hex(from) && hex(to)
}

/// The text with each range put as `1`.
fn without_ranges(text: &str, bounds: impl Fn(&str, &str) -> bool) -> Option<String> {
    Some(
        atoms(text, bounds)?
            .into_iter()
            .map(|atom| match atom {
                Atom::Char(c) => c,
                Atom::Range => '1',
            })
            .collect(),
    )
}

fn is_ipv4(text: &str) -> bool {
    let Some(plain) = without_ranges(text, numbers) else {
        return false;
    };
    let parts: Vec<&str> = plain.split('.').collect();
    plain.parse::<Ipv4Addr>().is_ok()
        || (parts.len() == 4
            && parts
                .iter()
                .all(|p| is_number(p) && p.len() <= 3 && p.parse::<u8>().is_ok()))
}

fn is_ipv6(text: &str) -> bool {
    text.contains(':')
        && without_ranges(text, hexadecimal).is_some_and(|plain| plain.parse::<Ipv6Addr>().is_ok())
}

fn is_hostname(text: &str) -> bool {
    let Some(atoms) = atoms(text, letters_or_numbers) else {
        return false;
    };
    atoms
        .split(|atom| matches!(atom, Atom::Char('.')))
        .all(|label| {
            let word = |atom: &Atom| match atom {
                Atom::Char(c) => c.is_alphanumeric() || *c == '_',
                Atom::Range => true,
            };
            label.first().is_some_and(word)
                && label
                    .iter()
                    .all(|atom| word(atom) || matches!(atom, Atom::Char('-')))
                && !matches!(label.last(), Some(Atom::Char('-' | '_')))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, Option<u16>)> {
        parse_address(text).map(|a| (a.host, a.port))
    }

    #[test]
    fn names_addresses_and_ports() {
        assert_eq!(parsed("web"), Some(("web".into(), None)));
        assert_eq!(
            parsed("web.example.com:22"),
            Some(("web.example.com".into(), Some(22)))
        );
        assert_eq!(
            parsed("10.0.0.1:2222"),
            Some(("10.0.0.1".into(), Some(2222)))
        );
        assert_eq!(
            parsed("[2001:db8::1]:22"),
            Some(("2001:db8::1".into(), Some(22)))
        );
        assert_eq!(parsed("2001:db8::1"), Some(("2001:db8::1".into(), None)));
        assert_eq!(
            parsed("db[01:10:2].x:5"),
            Some(("db[01:10:2].x".into(), Some(5)))
        );
        assert_eq!(parsed("a[a:c]b"), Some(("a[a:c]b".into(), None)));
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "web:db",
            "web-",
            "-web",
            "a..b",
            "web:",
            "a[1]",
            "a b",
            "web:99999",
            "[x",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
