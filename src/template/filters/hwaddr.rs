//! Hardware addresses of network cards.
//!
//! Source: Ansible's documentation of the filters `hwaddr`, `macaddr`, `slaac` (ansible.utils) and `random_mac`
//! (community.general).

use super::Filter;
use super::ipaddr::ask;
use super::net::{Ip, parse};
use crate::template::call::{Call, fail};
use crate::value::{Value, str_of};
use minijinja::Error;
use minijinja::value::Value as Val;
use std::fmt::Write as _;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("hwaddr", |c| hwaddr(c, "hwaddr")),
    ("macaddr", |c| hwaddr(c, "macaddr")),
    ("slaac", slaac),
    ("random_mac", random_mac),
];

/// The bytes of an address of six or eight bytes, however it is written.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    let separator = text.chars().find(|c| matches!(c, ':' | '-' | '.'));
    let groups: Vec<&str> = match separator {
        Some(separator) => text.split(separator).collect(),
        None => vec![text],
    };
    let (width, total) = match (groups.len(), separator) {
        (6, Some(':' | '-')) => (2, 12),
        (8, Some(':' | '-')) => (2, 16),
        (3, Some(_)) => (4, 12),
        (4, Some(_)) => (4, 16),
        (2, Some(_)) => (6, 12),
        (1, None) if text.len() == 16 => (16, 16),
        (1, None) => (12, 12),
        _ => return None,
    };
    let mut digits = String::new();
    for group in groups {
        let fits =
            (1..=width).contains(&group.len()) && group.bytes().all(|b| b.is_ascii_hexdigit());
        if !fits {
            return None;
        }
        write!(digits, "{group:0>width$}").ok()?;
    }
    (0..total)
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect()
}

/// The bytes of an address that may be written as a number.
fn of_value(value: &Value) -> Option<Vec<u8>> {
    let text = str_of(value);
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        let number: u64 = text.parse().ok()?;
        let all = number.to_be_bytes();
        let skip = if number >> 48 == 0 { 2 } else { 0 };
        return Some(all.into_iter().skip(skip).collect());
    }
    value.as_str().and_then(bytes)
}

fn groups(bytes: &[u8], size: usize, separator: &str, upper: bool) -> String {
    let text: Vec<String> = bytes
        .chunks(size.max(1))
        .map(|group| {
            group.iter().fold(String::new(), |mut out, byte| {
                let _ = if upper {
                    write!(out, "{byte:02X}")
                } else {
                    write!(out, "{byte:02x}")
                };
                out
            })
        })
        .collect();
    text.join(separator)
}

/// `hwaddr(query='')`.
fn hwaddr(call: &mut Call, alias: &str) -> Result<Val, Error> {
    let query = call.args.opt_text("query")?.unwrap_or_default();
    if call.input.is_undefined() {
        return Err(Error::undefined(&call.input));
    }
    let value = call.value()?;
    let read = of_value(&value);
    let known = [
        "",
        "bare",
        "bool",
        "int",
        "cisco",
        "eui48",
        "linux",
        "pgsql",
        "postgresql",
        "psql",
        "unix",
        "win",
    ];
    let Some(read) = read else {
        return match query.as_str() {
            "" | "bool" => Ok(Val::from(())),
            _ => fail(format!("{alias}: not a hardware address: {value}")),
        };
    };
    if !known.contains(&query.as_str()) {
        return fail(format!("{alias}: unknown filter type: {query}"));
    }
    if read.len() != 6 && !matches!(query.as_str(), "" | "bool" | "int") {
        return fail(format!(
            "{alias}: {value} has more bytes than `{query}` can write"
        ));
    }
    Ok(match query.as_str() {
        "bare" => Val::from(groups(&read, 8, "", true)),
        "bool" => Val::from(true),
        "int" => {
            let number = read
                .iter()
                .fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
            return match i64::try_from(number) {
                Ok(number) => call.out(number),
                Err(_) => Ok(Val::from(number)),
            };
        }
        "cisco" => Val::from(groups(&read, 2, ".", false)),
        "eui48" | "win" => Val::from(groups(&read, 1, "-", true)),
        "linux" => Val::from(groups(&read, 1, ":", false)),
        "pgsql" | "postgresql" | "psql" => Val::from(groups(&read, 3, ":", false)),
        "unix" => {
            let parts: Vec<String> = read.iter().map(|byte| format!("{byte:x}")).collect();
            Val::from(parts.join(":"))
        }
        _ => Val::from(str_of(&value)),
    })
}

/// `slaac(query)`: the address that a card with this hardware address gives itself in the network.
fn slaac(call: &mut Call) -> Result<Val, Error> {
    let card = call.args.opt_text("query")?.unwrap_or_default();
    let query = Value::str("subnet");
    let subnet = ask(&call.value()?, &query, Some(6), "ipaddr").unwrap_or_default();
    let net = subnet.as_str().and_then(parse);
    let address = match (net, bytes(&card).as_deref()) {
        (Some(net), Some([a, b, c, d, e, f])) => {
            let own = u64::from_be_bytes([a ^ 2, *b, *c, 0xff, 0xfe, *d, *e, *f]);
            net.first()
                .checked_add(own.into())
                .and_then(|number| Ip::of_number(false, number))
        }
        _ => None,
    };
    Ok(address.map_or_else(|| Val::from(false), |ip| Val::from(ip.address.to_string())))
}

/// `random_mac(seed=None)`: the rest of an address of which the first bytes are given.
fn random_mac(call: &mut Call) -> Result<Val, Error> {
    let seed = call.args.opt("seed")?.filter(|seed| !seed.is_null());
    let Some(text) = call.input.as_str().map(str::to_lowercase) else {
        return fail(format!(
            "Invalid value type ({}) for random_mac ({})",
            crate::template::call::type_name(&call.input),
            call.input
        ));
    };
    let parts: Vec<&str> = text.split(':').filter(|part| !part.is_empty()).collect();
    if parts.len() > 5 {
        return fail(format!(
            "Invalid value ({text}) for random_mac: 5 colon(:) separated items max"
        ));
    }
    if parts.is_empty() {
        return fail(format!(
            "Invalid value ({text}) for random_mac: Not a valid address prefix"
        ));
    }
    for part in &parts {
        if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
            return fail(format!(
                "Invalid value ({text}) for random_mac: {part} not hexa byte"
            ));
        }
    }
    // ten digits of a number that has that many, of which the first are taken
    let (least, most) = (0x10_0000_0000_usize, 0xff_ffff_ffff_usize);
    let number = least + super::Random::of(seed.as_ref()).below(most - least + 1);
    let digits = format!("{number:x}");
    let mut out = parts.join(":");
    for (at, digit) in digits.chars().take(2 * (6 - parts.len())).enumerate() {
        if at % 2 == 0 {
            out.push(':');
        }
        out.push(digit);
    }
    Ok(Val::from(out))
}
