//! Tests of addresses and networks (ansible.utils).
//!
//! Source: Ansible's documentation of the collection ansible.utils, "Test plugins".

use super::Test;
use crate::template::call::Call;
use crate::template::convert::from_engine;
use crate::template::filters::hwaddr;
use crate::template::filters::net::{Ip, parse};
use crate::value::{Value, str_of};
use minijinja::Error;

pub(super) const TABLE: &[(&str, Test)] = &[
    ("ip", |c| Ok(network(&c.text()?).is_some())),
    ("ip_address", |c| Ok(address(c)?.is_some())),
    ("ipv4", |c| {
        Ok(network(&c.text()?).is_some_and(|ip| ip.is_v4()))
    }),
    ("ipv6", |c| {
        Ok(network(&c.text()?).is_some_and(|ip| !ip.is_v4()))
    }),
    ("ipv4_address", |c| {
        Ok(address(c)?.is_some_and(|ip| ip.is_v4()))
    }),
    ("ipv6_address", |c| {
        Ok(address(c)?.is_some_and(|ip| !ip.is_v4()))
    }),
    ("ipv4_netmask", |c| mask(c, Ip::mask)),
    ("ipv4_hostmask", |c| mask(c, Ip::host_mask)),
    ("ipv6_ipv4_mapped", |c| among(c, &["::ffff:0:0/96"])),
    ("ipv6_sixtofour", |c| among(c, &["2002::/16"])),
    ("ipv6_teredo", |c| among(c, &["2001::/32"])),
    ("loopback", |c| among(c, &["127.0.0.0/8", "::1/128"])),
    ("multicast", |c| among(c, &["224.0.0.0/4", "ff00::/8"])),
    ("unspecified", |c| among(c, &["0.0.0.0/32", "::/128"])),
    ("reserved", |c| among(c, RESERVED)),
    ("private", |c| {
        // what providers share among their customers is neither private nor public
        Ok(address(c)?.is_some_and(|ip| !ip.is_global() && !ip.is_in(&["100.64.0.0/10"])))
    }),
    ("public", |c| {
        Ok(address(c)?.is_some_and(|ip| ip.is_global()))
    }),
    ("mac", |c| {
        let text = c.text()?;
        let groups = text.split([':', '-', '.']).map(str::len);
        let even = groups.clone().all(|len| len == 2)
            || text.contains('.') && groups.clone().all(|len| len == 4)
            || text.len() == 12;
        Ok(even && hwaddr::bytes(&text).is_some_and(|bytes| bytes.len() == 6))
    }),
    ("in_network", |c| {
        let net = c.args.value("network")?;
        Ok(is_in(&c.text()?, &net))
    }),
    ("subnet_of", |c| {
        let net = c.args.value("network_b")?;
        Ok(is_in(&c.text()?, &net))
    }),
    ("supernet_of", |c| {
        let inner = c.args.value("network_b")?;
        Ok(is_in(&str_of(&inner), &from_engine(&c.input)?))
    }),
    ("in_any_network", |c| Ok(count(c)? > 0)),
    ("in_one_network", |c| Ok(count(c)? == 1)),
    ("resolvable", |c| {
        use std::net::ToSocketAddrs as _;
        Ok((c.text()?.as_str(), 0)
            .to_socket_addrs()
            .is_ok_and(|mut found| found.next().is_some()))
    }),
];

/// What IANA has not given out for use.
const RESERVED: &[&str] = &[
    "240.0.0.0/4",
    "::/3",
    "4000::/2",
    "8000::/2",
    "c000::/3",
    "e000::/4",
    "f000::/5",
    "f800::/6",
    "fe00::/9",
];

/// An address, or a network that is written by its first address.
fn network(text: &str) -> Option<Ip> {
    parse(text).filter(|ip| ip.number() == ip.first())
}

fn address(call: &Call) -> Result<Option<Ip>, Error> {
    Ok(parse(&call.text()?).filter(|ip| !ip.has_prefix))
}

fn among(call: &Call, networks: &[&str]) -> Result<bool, Error> {
    Ok(address(call)?.is_some_and(|ip| ip.is_in(networks)))
}

fn mask(call: &Call, of: fn(&Ip) -> u128) -> Result<bool, Error> {
    let text = call.text()?;
    let net = parse(&format!("10.0.0.0/{text}"));
    Ok(net.is_some_and(|net| {
        net.at(of(&net))
            .is_some_and(|mask| mask.to_string() == text)
    }))
}

fn is_in(inner: &str, outer: &Value) -> bool {
    match (network(inner), network(&str_of(outer))) {
        (Some(inner), Some(outer)) => outer.contains(&inner),
        _ => false,
    }
}

fn count(call: &mut Call) -> Result<usize, Error> {
    let networks = call.args.value("networks")?;
    let text = call.text()?;
    let all = networks.as_list().unwrap_or_default();
    Ok(all.iter().filter(|net| is_in(&text, net)).count())
}
