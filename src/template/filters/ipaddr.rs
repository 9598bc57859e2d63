//! `ipaddr` and its kind (ansible.utils): the queries that roles use.
//!
//! Source: Ansible's documentation, "Using the ipaddr filter".

use super::Filter;
use crate::template::call::{Call, fail};
use crate::template::objects::List;
use crate::template::print;
use crate::value::Value;
use minijinja::Error;
use minijinja::value::{Value as Val, ValueKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("ipaddr", |c| apply(c, None)),
    ("ipv4", |c| apply(c, Some(true))),
    ("ipv6", |c| apply(c, Some(false))),
    ("ipwrap", |c| {
        let wrapped = |value: &Val| {
            let text = print::str_of(value);
            match parse(&text) {
                Some(ip) if ip.address.is_ipv6() => {
                    let prefix = if ip.has_prefix {
                        format!("/{}", ip.prefix)
                    } else {
                        String::new()
                    };
                    Val::from(format!("[{}]{prefix}", ip.address))
                }
                _ => value.clone(),
            }
        };
        if matches!(c.input.kind(), ValueKind::Seq | ValueKind::Iterable) {
            return Ok(List::of(c.items()?.iter().map(wrapped).collect()));
        }
        if c.input.is_undefined() {
            return Err(Error::undefined(&c.input));
        }
        Ok(wrapped(&c.input))
    }),
    ("ipsubnet", ipsubnet),
    ("ipmath", |c| {
        let amount = c.args.int("amount", None)?;
        let text = c.text()?;
        match parse(&text).and_then(|ip| ip.offset(ip.number(), i128::from(amount))) {
            Some(address) => Ok(Val::from(address.to_string())),
            None => fail(format!("{text} plus {amount} is not an address")),
        }
    }),
];

/// An address, perhaps with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ip {
    pub(crate) address: IpAddr,
    pub(crate) prefix: u32,
    pub(crate) has_prefix: bool,
}

/// Reads `address`, `address/prefix` or `address/netmask`.
pub(crate) fn parse(text: &str) -> Option<Ip> {
    let text = text.trim();
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix_len = match prefix {
        None => bits,
        Some(prefix) => match prefix.parse::<u32>() {
            Ok(len) if len <= bits && !prefix.starts_with('+') => len,
            Ok(_) => return None,
            Err(_) => {
                let mask = u32::from(prefix.parse::<Ipv4Addr>().ok()?);
                if mask.leading_ones() + mask.trailing_zeros() != 32 || bits != 32 {
                    return None;
                }
                mask.leading_ones()
            }
        },
    };
    Some(Ip {
        address,
        prefix: prefix_len,
        has_prefix: prefix.is_some(),
    })
}

impl Ip {
    fn bits(&self) -> u32 {
        if self.address.is_ipv4() { 32 } else { 128 }
    }

    fn number(&self) -> u128 {
        match self.address {
            IpAddr::V4(address) => u32::from(address).into(),
            IpAddr::V6(address) => address.into(),
        }
    }

    fn at(&self, number: u128) -> Option<IpAddr> {
        if self.address.is_ipv4() {
            u32::try_from(number).ok().map(|n| Ipv4Addr::from(n).into())
        } else {
            Some(Ipv6Addr::from(number).into())
        }
    }

    fn offset(&self, base: u128, by: i128) -> Option<IpAddr> {
        let number = if by < 0 {
            base.checked_sub(by.unsigned_abs())?
        } else {
            base.checked_add(by.unsigned_abs())?
        };
        self.at(number)
    }

    fn mask(&self) -> u128 {
        let all = if self.bits() == 32 {
            u128::from(u32::MAX)
        } else {
            u128::MAX
        };
        let host_bits = self.bits() - self.prefix;
        if host_bits >= 128 {
            0
        } else {
            all & (u128::MAX << host_bits)
        }
    }

    fn host_mask(&self) -> u128 {
        let all = if self.bits() == 32 {
            u128::from(u32::MAX)
        } else {
            u128::MAX
        };
        all & !self.mask()
    }

    fn network(&self) -> u128 {
        self.number() & self.mask()
    }

    fn last(&self) -> u128 {
        self.network() | self.host_mask()
    }

    fn is_network(&self) -> bool {
        self.has_prefix && self.prefix < self.bits() && self.number() == self.network()
    }

    fn plain(&self) -> String {
        if self.has_prefix {
            format!("{}/{}", self.address, self.prefix)
        } else {
            self.address.to_string()
        }
    }

    fn contains(&self, other: &Self) -> bool {
        self.bits() == other.bits()
            && other.network() >= self.network()
            && other.last() <= self.last()
    }

    fn query(&self, query: &str) -> Result<Option<Value>, Error> {
        let text = |number: u128| {
            self.at(number)
                .map(|address| Value::str(address.to_string()))
        };
        let with_prefix = |number: u128| {
            self.at(number)
                .map(|address| Value::str(format!("{address}/{}", self.prefix)))
        };
        let single = self.prefix == self.bits();
        Ok(match query {
            "" => Some(Value::str(self.plain())),
            "bool" => Some(Value::Bool(true)),
            "address" | "ip" => {
                (!self.is_network() || single).then(|| Value::str(self.address.to_string()))
            }
            "address/prefix" | "gateway" | "gw" | "host/prefix" => {
                (!self.is_network() && self.has_prefix || single)
                    .then(|| Value::str(format!("{}/{}", self.address, self.prefix)))
            }
            "host" => Some(Value::str(format!("{}/{}", self.address, self.prefix))),
            "cidr" => Some(Value::str(format!("{}/{}", self.address, self.prefix))),
            "network" | "network_id" => text(self.network()),
            "subnet" => with_prefix(self.network()),
            "net" => self
                .is_network()
                .then(|| Value::str(format!("{}/{}", self.address, self.prefix))),
            "network/prefix" => with_prefix(self.network()),
            "network_netmask" => match (text(self.network()), text(self.mask())) {
                (Some(network), Some(mask)) => Some(Value::str(format!("{network} {mask}"))),
                _ => None,
            },
            "netmask" => text(self.mask()),
            "hostmask" | "wildcard" => text(self.host_mask()),
            "prefix" => Some(Value::Int(self.prefix.into())),
            "broadcast" => (self.bits() - self.prefix > 1)
                .then(|| text(self.last()))
                .flatten(),
            "size" => {
                let size = self.host_mask().checked_add(1);
                Some(size.and_then(|n| i64::try_from(n).ok()).map_or_else(
                    || {
                        Value::Float(
                            2f64.powi(i32::try_from(self.bits() - self.prefix).unwrap_or(0)),
                        )
                    },
                    Value::Int,
                ))
            }
            "first_usable" => self.edge(1).and_then(text),
            "last_usable" => self.edge(-1).and_then(text),
            "range_usable" => match (self.edge(1).and_then(text), self.edge(-1).and_then(text)) {
                (Some(first), Some(last)) => Some(Value::str(format!("{first}-{last}"))),
                _ => None,
            },
            "size_usable" => {
                let size = self.host_mask();
                Some(Value::Int(match self.bits() - self.prefix {
                    0 => 1,
                    1 => 2,
                    _ => i64::try_from(size).unwrap_or(i64::MAX).saturating_sub(1),
                }))
            }
            "int" => Some(
                i64::try_from(self.number())
                    .map_or_else(|_| Value::str(self.number().to_string()), Value::Int),
            ),
            "version" => Some(Value::Int(if self.address.is_ipv4() { 4 } else { 6 })),
            "type" => Some(Value::str(if self.is_network() {
                "network"
            } else {
                "address"
            })),
            "4" | "ipv4" => self.address.is_ipv4().then(|| Value::str(self.plain())),
            "6" | "ipv6" => self.address.is_ipv6().then(|| Value::str(self.plain())),
            "private" => self.is_private().then(|| Value::str(self.plain())),
            "public" => {
                (!self.is_private() && !self.is_special()).then(|| Value::str(self.plain()))
            }
            "loopback" | "lo" => self.address.is_loopback().then(|| Value::str(self.plain())),
            "multicast" => self
                .address
                .is_multicast()
                .then(|| Value::str(self.plain())),
            "link-local" => self.is_link_local().then(|| Value::str(self.plain())),
            "unicast" => (!self.address.is_multicast()).then(|| Value::str(self.plain())),
            "revdns" => Some(Value::str(self.revdns())),
            "wrap" => Some(Value::str(match self.address {
                IpAddr::V6(address) => format!("[{address}]"),
                IpAddr::V4(_) => self.plain(),
            })),
            other => {
                if let Ok(nth) = other.parse::<i128>() {
                    return Ok(self
                        .nth(nth)
                        .map(|address| Value::str(format!("{address}/{}", self.prefix))));
                }
                match parse(other) {
                    Some(net) => net.contains(self).then(|| Value::str(self.plain())),
                    None => return fail(format!("unknown filter type: {other}")),
                }
            }
        })
    }

    fn nth(&self, nth: i128) -> Option<IpAddr> {
        let base = if nth < 0 {
            self.last().checked_add(1)?
        } else {
            self.network()
        };
        let address = self.offset(base, nth)?;
        let number = Self { address, ..*self }.number();
        (number >= self.network() && number <= self.last()).then_some(address)
    }

    fn edge(&self, side: i128) -> Option<u128> {
        let small = self.bits() - self.prefix <= 1;
        match (side > 0, small) {
            (true, true) => Some(self.network()),
            (false, true) => Some(self.last()),
            (true, false) => self.network().checked_add(1),
            (false, false) => self.last().checked_sub(1),
        }
    }

    fn is_private(&self) -> bool {
        match self.address {
            IpAddr::V4(address) => address.is_private(),
            IpAddr::V6(address) => (address.segments()[0] & 0xfe00) == 0xfc00,
        }
    }

    fn is_link_local(&self) -> bool {
        match self.address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => (address.segments()[0] & 0xffc0) == 0xfe80,
        }
    }

    fn is_special(&self) -> bool {
        self.address.is_loopback()
            || self.address.is_multicast()
            || self.is_link_local()
            || self.address.is_unspecified()
    }

    fn revdns(&self) -> String {
        match self.address {
            IpAddr::V4(address) => {
                let parts: Vec<String> = address.octets().iter().rev().map(u8::to_string).collect();
                format!("{}.in-addr.arpa.", parts.join("."))
            }
            IpAddr::V6(address) => {
                let digits: Vec<String> = address
                    .octets()
                    .iter()
                    .rev()
                    .flat_map(|byte| [byte & 15, byte >> 4])
                    .map(|digit| format!("{digit:x}"))
                    .collect();
                format!("{}.ip6.arpa.", digits.join("."))
            }
        }
    }
}

/// `ipaddr(query='', version=False, alias='ipaddr')`, of an address or a list of them.
fn apply(call: &mut Call, v4: Option<bool>) -> Result<Val, Error> {
    let query = call
        .args
        .opt("query")?
        .map(|query| crate::value::str_of(&query))
        .unwrap_or_default();
    let version = call.args.opt("version")?.filter(Value::truthy);
    let v4 = v4.or_else(|| version.map(|version| crate::value::str_of(&version) == "4"));
    let check = |value: &Val| -> Result<Option<Value>, Error> {
        let text = print::str_of(value);
        let Some(ip) = parse(&text) else {
            return Ok(None);
        };
        if v4.is_some_and(|v4| v4 != ip.address.is_ipv4()) {
            return Ok(None);
        }
        ip.query(&query)
    };
    if call.input.is_undefined() {
        return Err(Error::undefined(&call.input));
    }
    if matches!(call.input.kind(), ValueKind::Seq | ValueKind::Iterable) {
        let mut found = Vec::new();
        for item in call.items()? {
            found.extend(check(&item)?);
        }
        return call.out(found);
    }
    match check(&call.input)? {
        Some(value) => call.out(value),
        None => Ok(Val::from(false)),
    }
}

/// `ipsubnet(query, index)`: subnets of a network.
fn ipsubnet(call: &mut Call) -> Result<Val, Error> {
    let prefix = call.args.int("query", None)?;
    let index = call.args.opt("index")?;
    let Some(ip) = parse(&call.text()?) else {
        return Ok(Val::from(false));
    };
    let Some(prefix) = u32::try_from(prefix)
        .ok()
        .filter(|prefix| *prefix <= ip.bits())
    else {
        return fail("ipsubnet: the prefix is too long");
    };
    if prefix < ip.prefix {
        return fail("ipsubnet: the subnet is larger than the network");
    }
    let count = 1u128.checked_shl(prefix - ip.prefix).unwrap_or(u128::MAX);
    let Some(index) = index else {
        return call.out(i64::try_from(count).unwrap_or(i64::MAX));
    };
    let index = i128::from(crate::template::call::int_of(&index).unwrap_or(0));
    let at = if index < 0 {
        count.checked_sub(index.unsigned_abs())
    } else {
        Some(index.unsigned_abs()).filter(|index| *index < count)
    };
    let step = ip.bits() - prefix;
    match at
        .and_then(|at| at.checked_shl(step))
        .and_then(|offset| ip.network().checked_add(offset))
        .and_then(|n| ip.at(n))
    {
        Some(address) => Ok(Val::from(format!("{address}/{prefix}"))),
        None => Ok(Val::from(false)),
    }
}
