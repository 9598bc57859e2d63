//! Host names to addresses, without the C library's resolver: a static program cannot use NSS.
//!
//! The order is that of the usual `hosts: files dns`: `/etc/hosts`, then the name servers and search domains of
//! `/etc/resolv.conf` (resolv.conf(5)).

use super::dns::{Answer, Client, Kind};
use super::{Error, Result, Sys};
pub use std::net::TcpStream as Stream;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::{Duration, Instant};

impl Sys {
    /// The addresses of a host name, or the address itself if it is one (in brackets or not). IPv4 comes before
    /// IPv6, otherwise in the order of the source. Never empty.
    ///
    /// # Errors
    /// When there is no such name, or no name server answers.
    pub fn resolve(&self, host: &str) -> Result<Vec<IpAddr>> {
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host);
        if let Ok(address) = bare.parse() {
            return Ok(vec![address]);
        }
        let hosts = self.read_text(Path::new("/etc/hosts"))?.unwrap_or_default();
        let found = in_hosts(&hosts, bare);
        if !found.is_empty() {
            return Ok(found);
        }
        let lower = bare.trim_end_matches('.').to_ascii_lowercase();
        if lower == "localhost" || lower.ends_with(".localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let conf = self
            .read_text(Path::new("/etc/resolv.conf"))?
            .unwrap_or_default();
        let conf = ResolvConf::parse(&conf);
        self.ask(&conf, bare)
    }

    fn ask(&self, conf: &ResolvConf, host: &str) -> Result<Vec<IpAddr>> {
        let unknown =
            |why: String| Error::Other(format!("cannot resolve the host name {host}: {why}"));
        for name in conf.candidates(host) {
            let mut found = Vec::new();
            for kind in [Kind::A, Kind::Aaaa] {
                match conf.client.ask(&name, kind, self.cancel()) {
                    Ok(Answer::Found(addresses)) => found.extend(addresses),
                    Ok(Answer::NoName) => break,
                    // some servers do not answer for IPv6; what is known is enough
                    Err(_) if !found.is_empty() => {}
                    Err(error) => return Err(unknown(error.to_string())),
                }
            }
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Err(unknown("there is no such name".into()))
    }

    /// Connects to a port of a host, trying its addresses in order; `timeout` is for all of them together.
    ///
    /// # Errors
    /// When the name is unknown or no address accepts in time.
    pub fn connect(&self, host: &str, port: u16, timeout: Duration) -> Result<Stream> {
        let end = Instant::now() + timeout;
        let mut last = String::from("timed out");
        for address in self.resolve(host)? {
            let Some(left) = end
                .checked_duration_since(Instant::now())
                .filter(|left| !left.is_zero())
            else {
                break;
            };
            match Stream::connect_timeout(&SocketAddr::new(address, port), left) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = super::reason(&error),
            }
        }
        Err(Error::Other(format!(
            "cannot connect to {host}:{port}: {last}"
        )))
    }
}

/// The addresses of a name in `/etc/hosts`' text, IPv4 first.
fn in_hosts(text: &str, host: &str) -> Vec<IpAddr> {
    let host = host.trim_end_matches('.');
    let mut found: Vec<IpAddr> = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(Ok(address)) = words.next().map(str::parse) else {
            continue;
        };
        if words.any(|name| name.eq_ignore_ascii_case(host)) && !found.contains(&address) {
            found.push(address);
        }
    }
    found.sort_by_key(IpAddr::is_ipv6);
    found
}

/// What `/etc/resolv.conf` says.
#[derive(Clone, Debug)]
struct ResolvConf {
    client: Client,
    search: Vec<String>,
    ndots: usize,
}

impl ResolvConf {
    fn parse(text: &str) -> Self {
        let mut conf = Self {
            client: Client {
                servers: Vec::new(),
                timeout: Duration::from_secs(5),
                attempts: 2,
            },
            search: Vec::new(),
            ndots: 1,
        };
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    // a scope (`%eth0`) is dropped
                    let address = words
                        .next()
                        .and_then(|word| word.split('%').next())
                        .and_then(|word| word.parse::<IpAddr>().ok());
                    if let Some(address) = address {
                        conf.client.servers.push(SocketAddr::new(address, 53));
                    }
                }
                // the last one wins
                Some("search" | "domain") => conf.search = words.map(str::to_owned).collect(),
                Some("options") => words.for_each(|option| conf.option(option)),
                _ => {}
            }
        }
        conf.client.servers.truncate(3);
        if conf.client.servers.is_empty() {
            conf.client
                .servers
                .push(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 53));
        }
        conf
    }

    fn option(&mut self, option: &str) {
        let Some((name, Ok(value))) = option
            .split_once(':')
            .map(|(name, value)| (name, value.parse::<u32>()))
        else {
            return;
        };
        match name {
            "ndots" => self.ndots = value.min(15) as usize,
            "timeout" => self.client.timeout = Duration::from_secs(value.clamp(1, 30).into()),
            "attempts" => self.client.attempts = value.clamp(1, 5),
            _ => {}
        }
    }

    /// The full names to ask for, in order.
    fn candidates(&self, host: &str) -> Vec<String> {
        if host.ends_with('.') {
            return vec![host.to_owned()];
        }
        let mut names: Vec<_> = self
            .search
            .iter()
            .filter(|domain| *domain != ".")
            .map(|domain| format!("{host}.{domain}"))
            .collect();
        if host.matches('.').count() >= self.ndots {
            names.insert(0, host.to_owned());
        } else {
            names.push(host.to_owned());
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::FakeRunner;
    use std::sync::Arc;

    #[test]
    fn addresses_and_hosts_need_no_server() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        std::fs::write(
            root.path().join("etc/hosts"),
            "::1 both # ten\n10.0.0.1 ten both\tTEN.example # x\n#10.0.0.2 ten\n",
        )
        .unwrap();
        let sys = Sys::rooted(root.path(), Arc::new(FakeRunner::new()));
        let resolve = |host: &str| -> Vec<String> {
            let found = sys.resolve(host).unwrap();
            found.iter().map(ToString::to_string).collect()
        };
        assert_eq!(resolve("192.0.2.1"), ["192.0.2.1"]);
        assert_eq!(resolve("[fe80::1]"), ["fe80::1"]);
        assert_eq!(resolve("ten.EXAMPLE."), ["10.0.0.1"]);
        assert_eq!(resolve("both"), ["10.0.0.1", "::1"]);
        assert_eq!(resolve("localhost"), ["127.0.0.1", "::1"]);
    }

    #[test]
    fn search_domains_and_ndots() {
        let conf = ResolvConf::parse(
            "search old\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\nnameserver x\n\
             search a.example b.example # c\noptions ndots:2 timeout:1 rotate attempts:3\n",
        );
        assert_eq!(conf.client.servers.len(), 2);
        assert_eq!(conf.client.timeout, Duration::from_secs(1));
        assert_eq!(conf.client.attempts, 3);
        assert_eq!(
            conf.candidates("x.y"),
            ["x.y.a.example", "x.y.b.example", "x.y"]
        );
        assert_eq!(
            conf.candidates("x.y.z"),
            ["x.y.z", "x.y.z.a.example", "x.y.z.b.example"]
        );
        assert_eq!(conf.candidates("x."), ["x."]);
        assert_eq!(
            ResolvConf::parse("").client.servers,
            ["127.0.0.1:53".parse().unwrap()]
        );
    }

    #[test]
    fn connects() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sys = Sys::real();
        let second = Duration::from_secs(1);
        assert!(sys.connect("127.0.0.1", port, second).is_ok());
        drop(listener);
        let error = sys.connect("127.0.0.1", port, second).unwrap_err();
        assert!(error.to_string().contains("onnection refused"), "{error}");
    }
}
