//! A small DNS client: asks for the addresses of one name, over UDP and, for long answers, TCP.

use super::Cancel;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// What to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
}

impl Kind {
    fn code(self) -> u16 {
        match self {
            Self::A => 1,
            Self::Aaaa => 28,
        }
    }
}

/// What servers say of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The name is there, with these addresses (perhaps none of the kind).
    Found(Vec<IpAddr>),
    /// There is no such name.
    NoName,
}

/// How to ask.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// Servers in order of preference.
    pub servers: Vec<SocketAddr>,
    /// How long one server gets for an answer.
    pub timeout: Duration,
    /// How often all servers are tried.
    pub attempts: u32,
}

impl Client {
    /// Asks the servers in turn; the error is of the last one.
    pub fn ask(&self, name: &str, kind: Kind, cancel: &Cancel) -> io::Result<Answer> {
        let mut last = io::Error::other("there is no name server");
        for _ in 0..self.attempts.max(1) {
            for server in &self.servers {
                if cancel.is_stopped() {
                    return Err(io::Error::other("it was stopped"));
                }
                match self.ask_one(*server, name, kind) {
                    Ok(answer) => return Ok(answer),
                    Err(error) => last = io::Error::new(error.kind(), format!("{server}: {error}")),
                }
            }
        }
        Err(last)
    }

    fn ask_one(&self, server: SocketAddr, name: &str, kind: Kind) -> io::Result<Answer> {
        let mut id = [0; 2];
        getrandom::fill(&mut id).map_err(io::Error::other)?;
        let id = u16::from_be_bytes(id);
        let query = question(id, name, kind)?;
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any)?;
        // connected, so that only this server's packets come in
        socket.connect(server)?;
        socket.send(&query)?;
        let end = Instant::now() + self.timeout;
        let mut buffer = [0; 4096];
        loop {
            let left = end
                .checked_duration_since(Instant::now())
                .filter(|left| !left.is_zero())
                .ok_or_else(no_answer)?;
            socket.set_read_timeout(Some(left))?;
            let n = match socket.recv(&mut buffer) {
                Ok(n) => n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(no_answer()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            match read_answer(buffer.get(..n).unwrap_or_default(), id, kind) {
                // not the answer to this question: wait for it
                None => {}
                Some(Reply::Cut) => return self.ask_by_stream(server, &query, id, kind),
                Some(Reply::Done(answer)) => return Ok(answer),
                Some(Reply::Refused(code)) => {
                    return Err(io::Error::other(format!("the server failed (code {code})")));
                }
            }
        }
    }

    fn ask_by_stream(
        &self,
        server: SocketAddr,
        query: &[u8],
        id: u16,
        kind: Kind,
    ) -> io::Result<Answer> {
        let mut stream = TcpStream::connect_timeout(&server, self.timeout)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        let length = u16::try_from(query.len()).map_err(io::Error::other)?;
        stream.write_all(&length.to_be_bytes())?;
        stream.write_all(query)?;
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut answer)?;
        match read_answer(&answer, id, kind) {
            Some(Reply::Done(answer)) => Ok(answer),
            _ => Err(io::Error::other("the server's answer makes no sense")),
        }
    }
}

fn no_answer() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no answer in time")
}

/// The packet that asks for one name.
fn question(id: u16, name: &str, kind: Kind) -> io::Result<Vec<u8>> {
    let bad = || io::Error::new(io::ErrorKind::InvalidInput, "not a host name");
    let mut packet = Vec::with_capacity(name.len() + 18);
    packet.extend(id.to_be_bytes());
    // a standard query, recursion desired; one question, nothing else
    packet.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let name = name.trim_end_matches('.');
    if name.is_empty() || name.len() > 253 {
        return Err(bad());
    }
    for label in name.split('.') {
        let length = u8::try_from(label.len()).map_err(|_| bad())?;
        if length == 0 || length > 63 {
            return Err(bad());
        }
        packet.push(length);
        packet.extend(label.bytes());
    }
    packet.push(0);
    packet.extend(kind.code().to_be_bytes());
    packet.extend([0, 1]);
    Ok(packet)
}

enum Reply {
    Done(Answer),
    Cut,
    Refused(u8),
}

/// Reads an answer; `None` if it answers another question.
fn read_answer(packet: &[u8], id: u16, kind: Kind) -> Option<Reply> {
    let word = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    let (first, second) = (*packet.get(2)?, *packet.get(3)?);
    if word(0)? != id || first & 0x80 == 0 {
        return None;
    }
    if first & 0x02 != 0 {
        return Some(Reply::Cut);
    }
    match second & 0x0f {
        0 => {}
        3 => return Some(Reply::Done(Answer::NoName)),
        code => return Some(Reply::Refused(code)),
    }
    let (questions, answers) = (word(4)?, word(6)?);
    let mut at = 12;
    for _ in 0..questions {
        at = after_name(packet, at)? + 4;
    }
    let mut found = Vec::new();
    for _ in 0..answers {
        at = after_name(packet, at)?;
        let (record, length) = (word(at)?, usize::from(word(at + 8)?));
        let data = packet.get(at + 10..at + 10 + length)?;
        if record == kind.code() {
            let address = match kind {
                Kind::A => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
                Kind::Aaaa => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
            };
            found.extend(address);
        }
        at += 10 + length;
    }
    Some(Reply::Done(Answer::Found(found)))
}

/// Where a (perhaps compressed) name ends.
fn after_name(packet: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *packet.get(at)? {
            0 => return Some(at + 1),
            n if n & 0xc0 == 0xc0 => return Some(at + 2),
            n => at += 1 + usize::from(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers each question once: a CNAME and an address for `A`, nothing for `AAAA`.
    fn serve(socket: UdpSocket, questions: usize) -> std::thread::JoinHandle<()> {
        std::thread::spawn(move || {
            for _ in 0..questions {
                let mut buffer = [0; 512];
                let Ok((n, from)) = socket.recv_from(&mut buffer) else {
                    return;
                };
                let query = &buffer[..n];
                let mut answer = query.to_vec();
                answer[2] |= 0x80;
                if query.windows(7).any(|w| w == b"missing") {
                    answer[3] = 3;
                } else if query[n - 3] == 1 {
                    answer[7] = 2;
                    answer.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 9, 0, 4, 1, b'x', 0xc0, 12]);
                    answer.extend([
                        1, b'x', 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 0, 2, 7,
                    ]);
                }
                // noise that must not be taken for the answer
                let _ = socket.send_to(&[0; 20], from);
                let _ = socket.send_to(&answer, from);
            }
        })
    }

    #[test]
    fn asks_a_server() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = Client {
            servers: vec![socket.local_addr().unwrap()],
            timeout: Duration::from_secs(5),
            attempts: 1,
        };
        let server = serve(socket, 3);
        let cancel = Cancel::default();
        let ask = |name, kind| client.ask(name, kind, &cancel).unwrap();
        assert_eq!(
            ask("a.example", Kind::A),
            Answer::Found(vec!["192.0.2.7".parse().unwrap()])
        );
        assert_eq!(ask("a.example", Kind::Aaaa), Answer::Found(vec![]));
        assert_eq!(ask("missing.example", Kind::A), Answer::NoName);
        server.join().unwrap();
    }

    #[test]
    fn broken_packets_do_not_panic() {
        let query = question(7, "a.example", Kind::A).unwrap();
        let mut answer = query.clone();
        answer[2] |= 0x80;
        answer[7] = 1;
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 200, 1]);
        for end in 0..=answer.len() {
            let reply = read_answer(&answer[..end], 7, Kind::A);
            assert!(!matches!(reply, Some(Reply::Done(Answer::Found(_)))));
        }
        assert!(question(1, "a..b", Kind::A).is_err());
        assert!(question(1, &"x".repeat(64), Kind::A).is_err());
    }

    #[test]
    fn a_dead_server_is_an_error_in_time() {
        let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = Client {
            servers: vec![silent.local_addr().unwrap()],
            timeout: Duration::from_millis(50),
            attempts: 2,
        };
        let error = client.ask("x", Kind::A, &Cancel::default()).unwrap_err();
        assert!(error.to_string().contains("no answer in time"), "{error}");
    }
}
