//! Addresses of the Internet and the networks that they are in.
//!
//! Source: the documentation of Python's library netaddr, and IANA's registries of special-purpose addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address, perhaps with the length of its network's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ip {
    pub(crate) address: IpAddr,
    pub(crate) prefix: u32,
    pub(crate) has_prefix: bool,
}

/// What is not reached from everywhere, and what in it is nevertheless.
const LOCAL_V4: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "240.0.0.0/4",
];
const GLOBAL_V4: &[&str] = &["192.0.0.9/32", "192.0.0.10/32"];
const LOCAL_V6: &[&str] = &[
    "::1/128",
    "::/128",
    "::ffff:0:0/96",
    "64:ff9b:1::/48",
    "100::/64",
    "2001::/23",
    "2001:db8::/32",
    "2002::/16",
    "fc00::/7",
    "fe80::/10",
];
const GLOBAL_V6: &[&str] = &[
    "2001:1::1/128",
    "2001:1::2/128",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:20::/28",
    "2001:30::/28",
];

/// Reads `address`, `address/prefix`, `address/netmask` or `address/hostmask`.
pub(crate) fn parse(text: &str) -> Option<Ip> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let single = Ip::single(address);
    let prefix_len = match prefix {
        None => single.prefix,
        Some(prefix) => match prefix.trim().parse::<u32>() {
            Ok(len) if len <= single.prefix => len,
            Ok(_) => return None,
            Err(_) => {
                let mask = Ip::single(prefix.parse::<IpAddr>().ok()?);
                if mask.bits() != single.bits() {
                    return None;
                }
                if mask.is_netmask() {
                    mask.bits() - mask.ones()
                } else if mask.is_hostmask() {
                    mask.bits() - mask.number().count_ones()
                } else {
                    return None;
                }
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
    /// An address by itself.
    pub(crate) fn single(address: IpAddr) -> Self {
        Self {
            address,
            prefix: if address.is_ipv4() { 32 } else { 128 },
            has_prefix: false,
        }
    }

    /// The address of that number.
    pub(crate) fn of_number(v4: bool, number: u128) -> Option<Self> {
        let address = if v4 {
            u32::try_from(number)
                .ok()
                .map(|number| IpAddr::V4(Ipv4Addr::from(number)))?
        } else {
            IpAddr::V6(Ipv6Addr::from(number))
        };
        Some(Self::single(address))
    }

    /// The same address in a network of that size.
    pub(crate) fn in_prefix(mut self, prefix: u32) -> Option<Self> {
        self.prefix = prefix;
        self.has_prefix = true;
        (prefix <= self.bits()).then_some(self)
    }

    pub(crate) fn is_v4(&self) -> bool {
        self.address.is_ipv4()
    }

    pub(crate) fn bits(&self) -> u32 {
        if self.is_v4() { 32 } else { 128 }
    }

    fn all(&self) -> u128 {
        if self.is_v4() {
            u32::MAX.into()
        } else {
            u128::MAX
        }
    }

    pub(crate) fn number(&self) -> u128 {
        match self.address {
            IpAddr::V4(address) => u32::from(address).into(),
            IpAddr::V6(address) => address.into(),
        }
    }

    /// The address of a number in the same family.
    pub(crate) fn at(&self, number: u128) -> Option<IpAddr> {
        Self::of_number(self.is_v4(), number).map(|ip| ip.address)
    }

    /// The address that many steps from this one.
    pub(crate) fn step(&self, by: i128) -> Option<IpAddr> {
        let number = if by < 0 {
            self.number().checked_sub(by.unsigned_abs())?
        } else {
            self.number().checked_add(by.unsigned_abs())?
        };
        self.at(number)
    }

    pub(crate) fn host_mask(&self) -> u128 {
        let host_bits = self.bits() - self.prefix;
        if host_bits >= 128 {
            u128::MAX
        } else {
            (1u128 << host_bits) - 1
        }
    }

    pub(crate) fn mask(&self) -> u128 {
        self.all() & !self.host_mask()
    }

    /// The first address of the network.
    pub(crate) fn first(&self) -> u128 {
        self.number() & self.mask()
    }

    /// The last address of the network.
    pub(crate) fn last(&self) -> u128 {
        self.number() | self.host_mask()
    }

    /// Whether the network has more than so many addresses.
    pub(crate) fn is_larger_than(&self, count: u128) -> bool {
        self.host_mask() >= count
    }

    /// Whether the address is the first of a network that has more than one.
    pub(crate) fn is_network(&self) -> bool {
        self.is_larger_than(1) && self.number() == self.first()
    }

    /// The last address, unless it is a small network of the old kind, which has no broadcast.
    pub(crate) fn broadcast(&self) -> Option<u128> {
        (!self.is_v4() || self.is_larger_than(2)).then(|| self.last())
    }

    /// The first and last addresses that hosts can have; none for a single address.
    pub(crate) fn usable(&self) -> Option<(u128, u128)> {
        match self.host_mask() {
            0 => None,
            1 => Some((self.first(), self.last())),
            _ => Some((self.first() + 1, self.last() - 1)),
        }
    }

    /// The address at an index of the network; negative ones count from its end.
    pub(crate) fn nth(&self, index: i128) -> Option<IpAddr> {
        let steps = index.unsigned_abs();
        let number = if index < 0 {
            self.last().checked_sub(steps - 1)?
        } else {
            self.first().checked_add(steps)?
        };
        (self.first()..=self.last())
            .contains(&number)
            .then(|| self.at(number))?
    }

    /// `address/prefix`.
    pub(crate) fn with_prefix(&self) -> String {
        format!("{}/{}", self.address, self.prefix)
    }

    /// The network of the address, `address/prefix`.
    pub(crate) fn cidr(&self) -> Self {
        Self {
            address: self.at(self.first()).unwrap_or(self.address),
            has_prefix: true,
            ..*self
        }
    }

    /// Whether all of the other network is in this one.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.bits() == other.bits() && other.first() >= self.first() && other.last() <= self.last()
    }

    /// Whether the address, whatever its network is, is in one of these.
    pub(crate) fn is_in(&self, networks: &[&str]) -> bool {
        let own = Self::single(self.address);
        networks
            .iter()
            .any(|net| parse(net).is_some_and(|net| net.contains(&own)))
    }

    /// Whether the address can be reached from everywhere.
    pub(crate) fn is_global(&self) -> bool {
        !self.is_in(LOCAL_V4) && !self.is_in(LOCAL_V6)
            || self.is_in(GLOBAL_V4)
            || self.is_in(GLOBAL_V6)
    }

    /// The zeros at the end of a mask.
    fn ones(&self) -> u32 {
        (self.all() ^ self.number()).count_ones()
    }

    pub(crate) fn is_netmask(&self) -> bool {
        let rest = self.all() ^ self.number();
        rest & rest.wrapping_add(1) == 0
    }

    pub(crate) fn is_hostmask(&self) -> bool {
        self.number() & self.number().wrapping_add(1) == 0
    }

    /// The name under which the address is found in reverse.
    pub(crate) fn reverse_name(&self) -> String {
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

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn masks_and_edges() {
        for (text, prefix) in [
            ("10.0.0.1/255.255.255.0", 24),
            ("10.0.0.1/0.0.0.255", 24),
            ("10.0.0.1", 32),
            ("::1/64", 64),
        ] {
            assert_eq!(parse(text).map(|ip| ip.prefix), Some(prefix), "{text}");
        }
        for text in ["10.0.0.1/33", "10.0.0.1/255.0.255.0", "1.2.3", "::1/129"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let all = parse("::/0").unwrap();
        assert!(all.nth(-1).is_some() && all.is_larger_than(u128::MAX));
        let net = parse("10.0.0.7/30").unwrap();
        assert_eq!(net.nth(4), None);
        assert_eq!(net.nth(-4).unwrap().to_string(), "10.0.0.4");
        assert_eq!(net.nth(-5), None);
        assert!(parse("8.8.8.8").unwrap().is_global());
        assert!(!parse("10.1.1.1").unwrap().is_global());
    }
}
