//! `ipaddr` and its kind (ansible.utils): what an address is, and what network it is in.
//!
//! Source: Ansible's documentation, "Using the ipaddr filter".

use super::Filter;
use super::net::{Ip, parse};
use crate::template::call::{Call, fail, int_of};
use crate::value::{Value, str_of};
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("ipaddr", |c| apply(c, None, "ipaddr")),
    ("ipv4", |c| apply(c, Some(4), "ipv4")),
    ("ipv6", |c| apply(c, Some(6), "ipv6")),
    ("ipwrap", ipwrap),
];

/// What a value was read as.
struct Read {
    ip: Ip,
    /// Whether it was written with a prefix.
    is_network: bool,
    /// The value as it is given back.
    value: Value,
}

fn read(value: &Value, version: Option<i64>) -> Option<Read> {
    if !value.truthy() || matches!(value, Value::Bool(_) | Value::List(_) | Value::Map(_)) {
        return None;
    }
    let text = str_of(value);
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u128 = text.parse().ok()?;
        let ip = match version {
            Some(6) => Ip::of_number(false, number)?,
            _ => Ip::of_number(true, number).or_else(|| Ip::of_number(false, number))?,
        };
        return Some(Read {
            ip,
            is_network: false,
            value: Value::str(ip.with_prefix()),
        });
    }
    if let Some(ip) = value.as_str().and_then(parse) {
        return Some(Read {
            ip,
            is_network: ip.has_prefix,
            value: value.clone(),
        });
    }
    let (address, prefix) = text.split_once('/')?;
    let number: u128 = address.trim().parse().ok()?;
    let prefix: u32 = prefix.trim().parse().ok()?;
    let ip = Ip::of_number(true, number)
        .and_then(|ip| ip.in_prefix(prefix))
        .or_else(|| Ip::of_number(false, number)?.in_prefix(prefix))?;
    Some(Read {
        ip,
        is_network: true,
        value: Value::str(ip.with_prefix()),
    })
}

/// What the filter `ipaddr` says: `false` for what is no address or not such a one, `null` where there is no answer.
///
/// # Errors
/// When the query is unknown, or does not fit the value.
pub(super) fn ask(
    value: &Value,
    query: &Value,
    version: Option<i64>,
    alias: &str,
) -> Result<Value, String> {
    if let Value::List(items) = value {
        let query = Value::str(str_of(query));
        let mut found = Vec::new();
        for item in items.iter() {
            let answer = ask(item, &query, version, "ipaddr")?;
            if answer.truthy() {
                found.push(answer);
            }
        }
        return Ok(Value::list(found));
    }
    let Some(read) = read(value, version) else {
        return Ok(Value::Bool(false));
    };
    if version.is_some_and(|version| (version == 4) != read.ip.is_v4()) {
        return Ok(Value::Bool(false));
    }
    match query {
        Value::Str(name) => match read.named(name)? {
            Some(answer) => Ok(answer),
            None => read.other(query, alias),
        },
        other if !other.truthy() && !matches!(other, Value::Int(_)) => {
            Ok(read.named("")?.unwrap_or_default())
        }
        other => read.other(other, alias),
    }
}

impl Read {
    /// The answer to a query that has a name, if it has.
    fn named(&self, query: &str) -> Result<Option<Value>, String> {
        let ip = &self.ip;
        let text = |number: u128| {
            ip.at(number)
                .map_or(Value::Null, |address| Value::str(address.to_string()))
        };
        let this = |yes: bool| if yes { self.value.clone() } else { Value::Null };
        let single = !ip.is_larger_than(1);
        let no_host = ip.number() == ip.first() && ip.broadcast().is_some();
        let network = || {
            if self.is_network {
                Ok(())
            } else {
                Err("Not a network address".to_owned())
            }
        };
        let neighbour = |by: i128| {
            ip.step(by)
                .map(Ip::single)
                .filter(|next| {
                    ip.usable()
                        .is_some_and(|(first, last)| (first..=last).contains(&next.number()))
                })
                .map_or(Value::Null, |next| Value::str(next.address.to_string()))
        };
        Ok(Some(match query {
            "" if self.is_network => Value::str(ip.with_prefix()),
            "" => Value::str(ip.address.to_string()),
            "6to4" => self.six_to_four(),
            "address" | "ip" => {
                if single || !no_host || !ip.is_v4() {
                    Value::str(ip.address.to_string())
                } else {
                    Value::Null
                }
            }
            "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => {
                let edge = ip.number() == ip.first() || Some(ip.number()) == ip.broadcast();
                if ip.is_larger_than(2) && edge {
                    Value::Bool(false)
                } else {
                    Value::str(ip.with_prefix())
                }
            }
            "bool" => Value::Bool(true),
            "broadcast" if ip.is_larger_than(2) => text(ip.last()),
            "broadcast" => Value::Null,
            "cidr" => Value::str(ip.with_prefix()),
            "first_usable" => {
                network()?;
                ip.usable().map_or(Value::Null, |(first, _)| text(first))
            }
            "last_usable" => {
                network()?;
                ip.usable().map_or(Value::Null, |(_, last)| text(last))
            }
            "range_usable" => {
                network()?;
                ip.usable().map_or(Value::Null, |(first, last)| {
                    Value::str(format!("{}-{}", text(first), text(last)))
                })
            }
            "next_usable" => {
                network()?;
                neighbour(1)
            }
            "previous_usable" => {
                network()?;
                neighbour(-1)
            }
            "peer" => {
                network()?;
                text(self.peer()?)
            }
            "host" if single || !no_host => Value::str(ip.with_prefix()),
            "ip/prefix"
                if ip.host_mask() == 1 || ip.is_larger_than(1) && ip.number() != ip.first() =>
            {
                Value::str(ip.with_prefix())
            }
            "ip_netmask"
                if ip.host_mask() == 1 || ip.is_larger_than(1) && ip.number() != ip.first() =>
            {
                Value::str(format!("{} {}", ip.address, text(ip.mask())))
            }
            "host" | "ip/prefix" | "ip_netmask" => Value::Null,
            "hostmask" | "wildcard" => text(ip.host_mask()),
            "int" if self.is_network => Value::str(format!("{}/{}", ip.number(), ip.prefix)),
            "int" => integer(ip.number()),
            "ipv4" if ip.is_v4() => self.value.clone(),
            "ipv4" => self.as_v4().map_or(Value::Bool(false), Value::str),
            "ipv6" if !ip.is_v4() => self.value.clone(),
            "ipv6" => Ip::of_number(false, ip.number() + 0xffff_0000_0000)
                .and_then(|six| six.in_prefix(ip.prefix + 96))
                .map_or(Value::Bool(false), |six| Value::str(six.with_prefix())),
            "link-local" => this(ip.is_in(&["169.254.0.0/16", "fe80::/10"])),
            "lo" | "loopback" => this(ip.is_in(&["127.0.0.0/8", "::1/128"])),
            "multicast" => this(self.is_multicast()),
            "unicast" => this(!self.is_multicast()),
            "net" if ip.is_network() => Value::str(ip.with_prefix()),
            "net" => Value::Null,
            "netmask" => text(ip.mask()),
            "network" | "network_id" => text(ip.first()),
            "network/prefix" | "subnet" => Value::str(ip.cidr().with_prefix()),
            "network_netmask" => Value::str(format!("{} {}", text(ip.first()), text(ip.mask()))),
            "network_wildcard" => {
                Value::str(format!("{} {}", text(ip.first()), text(ip.host_mask())))
            }
            "prefix" => Value::Int(ip.prefix.into()),
            "private" => this(!ip.is_global()),
            "public" => {
                let own = Ip::single(ip.address);
                let multicast = own.is_in(&["224.0.0.0/4", "ff00::/8"]);
                this(
                    own.is_global()
                        && !multicast
                        && !own.is_in(&["127.0.0.0/8", "::1/128"])
                        && !own.is_netmask()
                        && !own.is_hostmask(),
                )
            }
            "revdns" => Value::str(ip.reverse_name()),
            "size" => match ip.host_mask().checked_add(1) {
                Some(size) => integer(size),
                None => Value::str("340282366920938463463374607431768211456"),
            },
            "size_usable" => match ip.host_mask() {
                0 => Value::Int(0),
                1 => Value::Int(2),
                mask => integer(mask - 1),
            },
            "type" if ip.is_network() => Value::str("network"),
            "type" => Value::str("address"),
            "version" => Value::Int(if ip.is_v4() { 4 } else { 6 }),
            "wrap" if ip.is_v4() => self.value.clone(),
            "wrap" if self.is_network => Value::str(format!("[{}]/{}", ip.address, ip.prefix)),
            "wrap" => Value::str(format!("[{}]", ip.address)),
            _ => return Ok(None),
        }))
    }

    /// The answer to a network (is it in there?) or a number (which one is it?).
    fn other(&self, query: &Value, alias: &str) -> Result<Value, String> {
        let word = str_of(query);
        let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        if !digits && let Some(net) = read(query, None) {
            return Ok(if net.ip.contains(&self.ip) {
                self.value.clone()
            } else {
                Value::Null
            });
        }
        if word.trim().parse::<f64>().is_err() {
            return Err(format!("{alias}: unknown filter type: {word}"));
        }
        if !self.ip.is_larger_than(1) {
            return Ok(self.named("")?.unwrap_or_default());
        }
        let index = word.trim().parse::<i128>().ok();
        Ok(match index.and_then(|index| self.ip.nth(index)) {
            Some(address) => Value::str(format!("{address}/{}", self.ip.prefix)),
            None => Value::Bool(false),
        })
    }

    fn is_multicast(&self) -> bool {
        ["224.0.0.0/4", "ff00::/8"]
            .iter()
            .any(|net| parse(net).is_some_and(|net| net.contains(&self.ip)))
    }

    /// The other end of a connection of two.
    fn peer(&self) -> Result<u128, String> {
        let number = self.ip.number();
        match (self.ip.host_mask(), number % 4) {
            (1, _) => Ok(number ^ 1),
            (3, 0) => Err("Network address of /30 has no peer".to_owned()),
            (3, 3) => Err("Broadcast address of /30 has no peer".to_owned()),
            (3, _) => Ok(number ^ 3),
            _ => Err("Not a point-to-point network".to_owned()),
        }
    }

    /// The old address that a new one stands for.
    fn as_v4(&self) -> Option<String> {
        let number = self.ip.number();
        let old = if number <= u128::from(u32::MAX) {
            number
        } else if number <= 0xffff_ffff_ffff {
            number.checked_sub(0xffff_0000_0000)?
        } else {
            return None;
        };
        let prefix = self.ip.prefix.checked_sub(96)?;
        Some(Ip::of_number(true, old)?.in_prefix(prefix)?.with_prefix())
    }

    fn six_to_four(&self) -> Value {
        let ip = &self.ip;
        let own = Ip::single(ip.address);
        if !ip.is_v4() {
            let fits = own.is_in(&["2002::/16"]) && !(self.is_network && ip.number() == ip.first());
            return if fits {
                self.value.clone()
            } else {
                Value::Bool(false)
            };
        }
        let multicast = own.is_in(&["224.0.0.0/4"]);
        if ip.is_network() || own.is_global() && multicast {
            return Value::Bool(false);
        }
        let number = ip.number();
        Value::str(format!(
            "2002:{:04x}:{:04x}::1/48",
            number >> 16,
            number & 0xffff
        ))
    }
}

/// A whole number; one beyond 64 bits is the text of its digits.
fn integer(number: u128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::str(number.to_string()), Value::Int)
}

/// `ipaddr(query='', version=False)`, of an address or a list of them.
fn apply(call: &mut Call, version: Option<i64>, alias: &str) -> Result<Val, Error> {
    let query = call.args.opt("query")?.unwrap_or_else(|| Value::str(""));
    let asked = call.args.opt("version")?.filter(Value::truthy);
    let version = version.or_else(|| asked.and_then(|version| int_of(&version)));
    if call.input.is_undefined() {
        return Err(Error::undefined(&call.input));
    }
    match ask(&call.value()?, &query, version, alias) {
        Ok(answer) => call.out(answer),
        Err(why) => fail(why),
    }
}

/// `ipwrap(query='')`: new addresses in brackets, everything else as it is.
fn ipwrap(call: &mut Call) -> Result<Val, Error> {
    let query = call.args.opt("query")?.unwrap_or_else(|| Value::str(""));
    if call.input.is_undefined() {
        return Err(Error::undefined(&call.input));
    }
    let value = call.value()?;
    let wrap = Value::str("wrap");
    let wrapped = |value: &Value| -> Result<Value, String> {
        if ask(value, &query, None, "ipwrap")?.truthy() {
            ask(value, &wrap, None, "ipaddr")
        } else {
            Ok(value.clone())
        }
    };
    let result = match &value {
        Value::List(items) => items
            .iter()
            .map(wrapped)
            .collect::<Result<Vec<_>, _>>()
            .map(Value::list),
        one => wrapped(one),
    };
    call.out(result.unwrap_or(value))
}
