//! The machine's TCP connections, from `/proc/net/tcp` and `/proc/net/tcp6` (proc_net_tcp in the kernel's
//! documentation).

use crate::choices;
use crate::sys::{Result, Sys};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

choices! {
    /// The state of a connection that is not just listening.
    pub enum State {
        /// Open.
        Established = "ESTABLISHED",
        /// Closing, by us.
        FinWait1 = "FIN_WAIT1",
        /// Closed by us, not yet by the other.
        FinWait2 = "FIN_WAIT2",
        /// Being opened by the other.
        SynRecv = "SYN_RECV",
        /// Being opened by us.
        SynSent = "SYN_SENT",
        /// Closed, kept for late packets.
        TimeWait = "TIME_WAIT",
    }
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Connection {
    /// Our address and port. IPv4 is IPv4, even if the socket is one for both.
    pub local: (IpAddr, u16),
    /// The other's address.
    pub remote: IpAddr,
    /// Its state.
    pub state: State,
}

/// All connections in one of the states.
pub(super) fn read(sys: &Sys) -> Result<Vec<Connection>> {
    let mut found = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = sys.read_text(Path::new(table))?.unwrap_or_default();
        found.extend(text.lines().filter_map(connection));
    }
    Ok(found)
}

fn connection(line: &str) -> Option<Connection> {
    let mut words = line.split_whitespace().skip(1);
    let (local, remote) = (endpoint(words.next()?)?, endpoint(words.next()?)?);
    let state = match words.next()? {
        "01" => State::Established,
        "02" => State::SynSent,
        "03" => State::SynRecv,
        "04" => State::FinWait1,
        "05" => State::FinWait2,
        "06" => State::TimeWait,
        _ => return None,
    };
    Some(Connection {
        local,
        remote: remote.0,
        state,
    })
}

/// `0100007F:1F90`: words of 32 bits in the machine's byte order, then the port.
fn endpoint(text: &str) -> Option<(IpAddr, u16)> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::with_capacity(16);
    let mut rest = address;
    while !rest.is_empty() {
        let (word, tail) = rest.split_at_checked(8)?;
        bytes.extend(u32::from_str_radix(word, 16).ok()?.to_ne_bytes());
        rest = tail;
    }
    let address = match bytes.len() {
        4 => Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into(),
        16 => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)).to_canonical(),
        _ => return None,
    };
    Some((address, port))
}
