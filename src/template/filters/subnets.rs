//! Networks: their parts, what is in them, what they are together (ansible.utils).
//!
//! Source: Ansible's documentation, "Using the ipaddr filter", and of the filters of `ansible.utils`.

use super::Filter;
use super::ipaddr::ask;
use super::net::{Ip, parse};
use crate::template::call::{Call, fail, int_of, type_name};
use crate::template::objects::List;
use crate::value::{Map, Value, str_of};
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("ipsubnet", ipsubnet),
    ("ipmath", ipmath),
    ("next_nth_usable", |c| nth_usable(c, 1)),
    ("previous_nth_usable", |c| nth_usable(c, -1)),
    ("nthhost", nthhost),
    ("network_in_usable", |c| {
        let net = range(&c.value()?, true);
        within(c, net)
    }),
    ("network_in_network", |c| {
        let net = range(&c.value()?, false);
        within(c, net)
    }),
    ("reduce_on_network", reduce),
    ("cidr_merge", cidr_merge),
    ("usable_range", usable_range),
    ("ip4_hex", ip4_hex),
];

/// The value as an address with its prefix, or as the network that it is.
fn network_of(value: &Value) -> Option<Ip> {
    let kind = ask(value, &Value::str("type"), None, "ipaddr").ok()?;
    let query = if kind.as_str()? == "address" {
        "cidr"
    } else {
        "subnet"
    };
    let text = ask(value, &Value::str(query), None, "ipaddr").ok()?;
    parse(text.as_str()?)
}

/// `ipsubnet(query='', index=None)`.
fn ipsubnet(call: &mut Call) -> Result<Val, Error> {
    let query = call
        .args
        .opt("query")?
        .map(|query| str_of(&query))
        .unwrap_or_default();
    let index = call.args.opt("index")?.filter(|index| !index.is_null());
    let Some(net) = network_of(&call.value()?).map(|ip| ip.cidr()) else {
        return Ok(Val::from(false));
    };
    if query.is_empty() {
        return Ok(Val::from(net.with_prefix()));
    }
    if query.bytes().all(|byte| byte.is_ascii_digit()) {
        let Some(prefix) = query.parse().ok().filter(|prefix| *prefix <= net.bits()) else {
            return Ok(Val::from(false));
        };
        let index = match index {
            None => None,
            Some(index) => match int_of(&index) {
                Some(index) => Some(i128::from(index)),
                None => return fail(format!("ipsubnet: `{index}` is not a number")),
            },
        };
        return if net.is_larger_than(1) {
            part(&net, prefix, index)
        } else {
            around(&net, prefix, index)
        };
    }
    let Some(outer) = network_of(&Value::str(query.as_str())) else {
        return fail(format!(
            "You must pass a valid subnet or IP address; {query} is invalid"
        ));
    };
    if !outer.contains(&net) {
        return fail(format!(
            "{} is not in the subnet {}",
            net.with_prefix(),
            outer.cidr().with_prefix()
        ));
    }
    // which of the subnets of that size it is
    let place = (net.number() - outer.first())
        .checked_shr(net.bits() - net.prefix)
        .unwrap_or_default();
    Ok(Val::from((place + 1).to_string()))
}

/// How many networks of that size there are in a larger one, or one of them.
fn part(net: &Ip, prefix: u32, index: Option<i128>) -> Result<Val, Error> {
    let Some(index) = index else {
        return match prefix.checked_sub(net.prefix) {
            Some(128) => Ok(Val::from("340282366920938463463374607431768211456")),
            Some(bits) => Ok(Val::from((1u128 << bits).to_string())),
            None => fail(format!("Requested subnet size of {prefix} is invalid")),
        };
    };
    let found = prefix
        .checked_sub(net.prefix)
        .map(|bits| 1i128.checked_shl(bits).unwrap_or(i128::MAX))
        .and_then(|count| {
            let index = if index < 0 { index + count } else { index };
            (0..count).contains(&index).then_some(index.unsigned_abs())
        })
        .and_then(|at| {
            let offset = at.checked_shl(net.bits() - prefix).unwrap_or_default();
            net.at(net.first().checked_add(offset)?)
        });
    Ok(found.map_or_else(
        || Val::from(false),
        |address| Val::from(format!("{address}/{prefix}")),
    ))
}

/// The networks around an address, from that size on.
fn around(net: &Ip, prefix: u32, index: Option<i128>) -> Result<Val, Error> {
    let bits = i128::from(net.bits());
    let wanted = i128::from(prefix);
    let at = match index {
        None => 0,
        Some(index) if index > bits + 1 - index || index < wanted - bits => {
            return Ok(Val::from(false));
        }
        Some(index) if index < 0 => bits - wanted + index,
        Some(index) => index,
    };
    let found = u32::try_from(wanted + at)
        .ok()
        .filter(|size| *size < net.prefix)
        .and_then(|size| net.in_prefix(size));
    match found {
        Some(found) => Ok(Val::from(found.cidr().with_prefix())),
        None => fail("ipsubnet: list index out of range"),
    }
}

/// `ipmath(amount)`.
fn ipmath(call: &mut Call) -> Result<Val, Error> {
    let amount = call.args.value("amount")?;
    let text = call.text()?;
    let Some(ip) = parse(&text) else {
        return fail(format!(
            "You must pass a valid IP address; {text} is invalid"
        ));
    };
    let Some(by) = int_of(&amount) else {
        return fail(format!(
            "You must pass an integer for arithmetic; {amount} is not a valid integer"
        ));
    };
    match ip.step(by.into()) {
        Some(address) => Ok(Val::from(address.to_string())),
        None => fail(format!("{text} plus {by} is not an address")),
    }
}

/// `next_nth_usable(offset)` and `previous_nth_usable(offset)`.
fn nth_usable(call: &mut Call, side: i128) -> Result<Val, Error> {
    let offset = call.args.value("offset")?;
    let Some(net) = network_of(&call.value()?) else {
        return Ok(Val::from(false));
    };
    let Some(offset) = int_of(&offset) else {
        return fail("Must pass in an integer");
    };
    let found = net
        .step(side * i128::from(offset))
        .map(Ip::single)
        .filter(|next| {
            net.usable()
                .is_some_and(|(first, last)| (first..=last).contains(&next.number()))
        });
    Ok(found.map_or_else(|| Val::from(()), |next| Val::from(next.address.to_string())))
}

/// `nthhost(query)`: an address by its place in the network.
fn nthhost(call: &mut Call) -> Result<Val, Error> {
    let place = call.args.opt("query")?;
    let place = place.as_ref().and_then(int_of);
    let (Some(net), Some(place)) = (network_of(&call.value()?), place) else {
        return Ok(Val::from(false));
    };
    Ok(match net.nth(place.into()) {
        Some(address) => Val::from(address.to_string()),
        None => Val::from(false),
    })
}

/// The first and last number of what a value names; `usable` leaves out what no host can have.
/// What is no address is nowhere.
fn range(value: &Value, usable: bool) -> Option<(u128, u128)> {
    let ip = parse(&str_of(value))?.cidr();
    Some(
        ip.usable()
            .filter(|_| usable)
            .unwrap_or_else(|| (ip.first(), ip.last())),
    )
}

/// Whether the value is in the range.
fn is_in(value: &Value, range_of: Option<(u128, u128)>) -> bool {
    match (range(value, false), range_of) {
        (Some((low, high)), Some((first, last))) => low >= first && high <= last,
        _ => false,
    }
}

fn within(call: &mut Call, net: Option<(u128, u128)>) -> Result<Val, Error> {
    let test = call.args.value("test")?;
    Ok(Val::from(is_in(&test, net)))
}

/// `reduce_on_network(network)`.
fn reduce(call: &mut Call) -> Result<Val, Error> {
    let net = range(&call.args.value("network")?, false);
    let mut kept = Vec::new();
    for item in call.items()? {
        let value = crate::template::convert::from_engine(&item)?;
        if is_in(&value, net) {
            kept.push(item);
        }
    }
    Ok(List::of(kept))
}

/// `cidr_merge(action='merge')`.
fn cidr_merge(call: &mut Call) -> Result<Val, Error> {
    let action = call
        .args
        .opt_text("action")?
        .unwrap_or_else(|| "merge".into());
    let mut nets = Vec::new();
    let items = match call.input.as_str() {
        Some(_) => vec![call.input.clone()],
        None => call.items()?,
    };
    for item in items {
        match item.as_str().and_then(parse) {
            Some(ip) => nets.push(ip),
            None => {
                return fail(format!(
                    "cidr_merge: error in netaddr:\ninvalid IPNetwork {item}"
                ));
            }
        }
    }
    match action.as_str() {
        "merge" => {
            let merged = merge(&nets);
            call.out(
                merged
                    .iter()
                    .map(|ip| Value::str(ip.with_prefix()))
                    .collect::<Vec<_>>(),
            )
        }
        "span" => match nets.as_slice() {
            [] => Ok(Val::from(())),
            [one] => Ok(Val::from(one.with_prefix())),
            [first, rest @ ..] => {
                if rest.iter().any(|ip| ip.bits() != first.bits()) {
                    return fail(
                        "cidr_merge: error in netaddr:\nIP sequence cannot contain both IPv4 and IPv6!",
                    );
                }
                let low = nets.iter().map(Ip::first).min().unwrap_or_default();
                let high = nets.iter().map(Ip::last).max().unwrap_or_default();
                let common = (low ^ high).leading_zeros() + first.bits() - 128;
                let span = Ip::of_number(first.is_v4(), low).and_then(|ip| ip.in_prefix(common));
                Ok(Val::from(span.unwrap_or(*first).cidr().with_prefix()))
            }
        },
        other => fail(format!("cidr_merge: invalid action '{other}'")),
    }
}

/// The fewest networks that have the same addresses, in order.
fn merge(nets: &[Ip]) -> Vec<Ip> {
    let mut sorted: Vec<Ip> = nets.iter().map(Ip::cidr).collect();
    sorted.sort_by_key(|ip| (!ip.is_v4(), ip.first(), ip.prefix));
    let mut merged: Vec<Ip> = Vec::new();
    for net in sorted {
        if merged.last().is_some_and(|last| last.contains(&net)) {
            continue;
        }
        merged.push(net);
        // two halves are one whole
        while let [.., a, b] = merged.as_slice()
            && a.prefix == b.prefix
            && let Some(whole) = a
                .prefix
                .checked_sub(1)
                .and_then(|prefix| a.in_prefix(prefix))
            && a.number() == whole.first()
            && whole.contains(b)
        {
            merged.truncate(merged.len() - 2);
            merged.push(whole);
        }
    }
    merged
}

/// `usable_range`: all addresses of a network.
fn usable_range(call: &mut Call) -> Result<Val, Error> {
    let text = call.text()?;
    let Some(net) = parse(&text).filter(|net| net.number() == net.first()) else {
        return fail(format!(
            "Error while using plugin 'usable_range': '{text}' does not appear to be an IPv4 or IPv6 network"
        ));
    };
    if net.is_larger_than(1 << 20) {
        return fail(format!(
            "usable_range: {text} has more than a million addresses"
        ));
    }
    let all: Vec<Value> = (net.first()..=net.last())
        .filter_map(|number| net.at(number))
        .map(|address| Value::str(address.to_string()))
        .collect();
    let count = i64::try_from(all.len()).unwrap_or(i64::MAX);
    call.out(Value::map(
        Map::new()
            .with("usable_ips", all)
            .with("number_of_ips", count),
    ))
}

/// `ip4_hex(delimiter='')`.
fn ip4_hex(call: &mut Call) -> Result<Val, Error> {
    let delimiter = call.args.opt_text("delimiter")?.unwrap_or_default();
    let text = call.text()?;
    match text.parse::<std::net::Ipv4Addr>() {
        Ok(address) => {
            let parts: Vec<String> = address
                .octets()
                .iter()
                .map(|n| format!("{n:02x}"))
                .collect();
            Ok(Val::from(parts.join(&delimiter)))
        }
        Err(_) => fail(format!(
            "You must pass a valid IP address; {} {text} is invalid",
            type_name(&call.input)
        )),
    }
}
