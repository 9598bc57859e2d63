//! The kernel's network addresses and routes, asked over netlink.

use super::Sys;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};
use std::net::IpAddr;
use std::os::fd::AsRawFd;

const GET_ADDRESS: u16 = 22;
const GET_ROUTE: u16 = 26;
const REQUEST: u16 = 1;
const DUMP: u16 = 0x300;
const DONE: u16 = 3;
const ERROR: u16 = 2;
/// The routing table of the machine's own addresses.
const TABLE_LOCAL: u8 = 255;
const ROUTE_LOCAL: u8 = 2;

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetAddress {
    /// The interface's number (`/sys/class/net/*/ifindex`).
    pub index: u32,
    /// The address.
    pub address: IpAddr,
    /// Length of the network's prefix in bits.
    pub prefix: u8,
    /// The broadcast address, if it has one.
    pub broadcast: Option<IpAddr>,
    /// The label (`eth0:1`), for IPv4.
    pub label: Option<String>,
    /// `global`, `site`, `link` or `host`.
    pub scope: &'static str,
    /// Whether it is not the first of its network.
    pub secondary: bool,
}

/// Which way a packet goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetRoute {
    /// Number of the interface that it leaves by.
    pub index: u32,
    /// The address that it leaves with.
    pub source: Option<IpAddr>,
    /// The next router.
    pub gateway: Option<IpAddr>,
}

impl Sys {
    /// All addresses, in the kernel's order; none under another root.
    pub fn net_addresses(&self) -> Vec<NetAddress> {
        if self.root.is_some() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            let body = [
                u8::try_from(family).unwrap_or_default(),
                0,
                0,
                0,
                0,
                0,
                0,
                0,
            ];
            for message in ask(GET_ADDRESS, REQUEST | DUMP, &body) {
                found.extend(address(&message));
            }
        }
        found
    }

    /// The way to an address, if there is one; none under another root.
    pub fn net_route(&self, to: IpAddr) -> Option<NetRoute> {
        if self.root.is_some() {
            return None;
        }
        let (family, bytes) = match to {
            IpAddr::V4(ip) => (libc::AF_INET, ip.octets().to_vec()),
            IpAddr::V6(ip) => (libc::AF_INET6, ip.octets().to_vec()),
        };
        let bits = u8::try_from(bytes.len() * 8).unwrap_or_default();
        let mut body = vec![
            u8::try_from(family).ok()?,
            bits,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        let length = u16::try_from(bytes.len() + 4).ok()?;
        body.extend(length.to_ne_bytes());
        body.extend(1_u16.to_ne_bytes());
        body.extend(bytes);
        let message = ask(GET_ROUTE, REQUEST, &body).into_iter().next()?;
        let mut route = NetRoute::default();
        for (kind, data) in attributes(message.get(12..)?) {
            match kind {
                4 => route.index = u32::from_ne_bytes(data.try_into().ok()?),
                5 => route.gateway = ip(data),
                7 => route.source = ip(data),
                _ => {}
            }
        }
        Some(route)
    }

    /// The networks that the machine reaches in itself, as address and prefix length; none under another root.
    pub fn net_local(&self) -> Vec<(IpAddr, u8)> {
        if self.root.is_some() {
            return Vec::new();
        }
        let mut found = Vec::new();
        for family in [libc::AF_INET, libc::AF_INET6] {
            let mut body = [0; 12];
            if let (Some(first), Ok(family)) = (body.first_mut(), u8::try_from(family)) {
                *first = family;
            }
            for message in ask(GET_ROUTE, REQUEST | DUMP, &body) {
                let (Some([_, prefix, _, _, table, _, _, kind]), Some(rest)) =
                    (message.first_chunk::<8>(), message.get(12..))
                else {
                    continue;
                };
                if (*table, *kind) == (TABLE_LOCAL, ROUTE_LOCAL)
                    && let Some((_, to)) = attributes(rest).into_iter().find(|(kind, _)| *kind == 1)
                    && let Some(to) = ip(to)
                {
                    found.push((to, *prefix));
                }
            }
        }
        found
    }
}

fn address(message: &[u8]) -> Option<NetAddress> {
    let [_, prefix, flags, scope, a, b, c, d] = *message.first_chunk::<8>()?;
    let (mut local, mut peer, mut broadcast, mut label) = (None, None, None, None);
    for (kind, data) in attributes(message.get(8..)?) {
        match kind {
            1 => peer = ip(data),
            2 => local = ip(data),
            3 => {
                let text = String::from_utf8_lossy(data);
                label = Some(text.trim_end_matches('\0').to_owned());
            }
            4 => broadcast = ip(data),
            _ => {}
        }
    }
    let address = local.or(peer)?;
    let pointed = address.is_ipv4() && peer.is_some_and(|peer| peer != address);
    Some(NetAddress {
        index: u32::from_ne_bytes([a, b, c, d]),
        address,
        prefix: if pointed { 32 } else { prefix },
        broadcast: broadcast.filter(|_| !pointed),
        label,
        scope: match scope {
            200 => "site",
            253 => "link",
            254 => "host",
            _ => "global",
        },
        secondary: address.is_ipv4() && flags & 1 != 0,
    })
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(four.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(Into::into)
}

/// The attributes (type and data) after a message's header.
fn attributes(mut bytes: &[u8]) -> Vec<(u16, &[u8])> {
    let mut found = Vec::new();
    while let Some([a, b, c, d]) = bytes.first_chunk::<4>() {
        let length = usize::from(u16::from_ne_bytes([*a, *b]));
        let kind = u16::from_ne_bytes([*c, *d]);
        let Some(data) = bytes.get(4..length) else {
            break;
        };
        found.push((kind, data));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// Asks the kernel; the bodies of its answers.
fn ask(kind: u16, flags: u16, body: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let Ok(socket) = socket(
        AddressFamily::Netlink,
        SockType::Raw,
        SockFlag::SOCK_CLOEXEC,
        SockProtocol::NetlinkRoute,
    ) else {
        return found;
    };
    let mut message = Vec::with_capacity(16 + body.len());
    message.extend(u32::try_from(16 + body.len()).unwrap_or(16).to_ne_bytes());
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([1_u32.to_ne_bytes(), [0; 4]].concat());
    message.extend(body);
    let fd = socket.as_raw_fd();
    if sendto(fd, &message, &NetlinkAddr::new(0, 0), MsgFlags::empty()).is_err() {
        return found;
    }
    let mut buffer = vec![0; 1 << 17];
    loop {
        let Ok(n) = recv(fd, &mut buffer, MsgFlags::empty()) else {
            return found;
        };
        if n == 0 {
            return found;
        }
        let mut rest = buffer.get(..n).unwrap_or_default();
        while let Some([a, b, c, d, e, f, _, _]) = rest.first_chunk::<8>() {
            let length = u32::from_ne_bytes([*a, *b, *c, *d]) as usize;
            let kind = u16::from_ne_bytes([*e, *f]);
            if matches!(kind, DONE | ERROR) {
                return found;
            }
            let Some(body) = rest.get(16..length) else {
                return found;
            };
            found.push(body.to_vec());
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        if flags & DUMP != DUMP {
            return found;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_is_found_and_reached() {
        let sys = Sys::real();
        let loopback: IpAddr = [127, 0, 0, 1].into();
        let found = sys.net_addresses();
        let lo = found.iter().find(|a| a.address == loopback).expect("there");
        assert_eq!(
            (lo.prefix, lo.scope, lo.label.as_deref()),
            (8, "host", Some("lo"))
        );
        let route = sys.net_route(loopback).expect("a route");
        assert_eq!((route.index, route.source), (lo.index, Some(loopback)));
        assert!(sys.net_local().contains(&(loopback, 32)));
    }

    #[test]
    fn broken_attributes_end_the_list() {
        assert_eq!(attributes(&[3, 0, 1, 0, 9]), []);
        assert_eq!(
            attributes(&[6, 0, 1, 0, 9, 8, 0, 0, 40, 0, 0, 0]),
            [(1, &[9, 8][..])]
        );
    }
}
