//! `wait_for`: waits for a port, a file, a text in one of them, or just some time.

use super::connections::{self, State as TcpState};
use crate::modules::files::attrs::facts_of;
use crate::modules::{CheckSupport, Failure, Module, ModuleResult, Plan};
use crate::sys::{Stream, Sys};
use crate::value::{Map, Value};
use crate::{choices, module_args};
use fancy_regex::Regex;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

choices! {
    /// What to wait for.
    pub enum State {
        /// The file is gone or the port closed.
        Absent = "absent",
        /// The port has no connections left.
        Drained = "drained",
        /// The file is there or the port open.
        Present = "present",
        /// The same as `present`.
        Started = "started",
        /// The same as `absent`, for ports.
        Stopped = "stopped",
    }
}

module_args! {
    /// Arguments of `wait_for`.
    pub struct Args {
        /// States of connections that count as active when waiting for `drained`.
        active_connection_states: Vec<TcpState> =>
            default(vec!["ESTABLISHED", "FIN_WAIT1", "FIN_WAIT2", "SYN_RECV", "SYN_SENT", "TIME_WAIT"]);
        /// Seconds that one attempt to connect may take.
        connect_timeout: u64 => default(5);
        /// Seconds to wait before looking for the first time.
        delay: u64 => default(0);
        /// Hosts whose connections do not count when waiting for `drained`.
        exclude_hosts: Option<Vec<String>> => optional;
        /// Name or address of the host with the port.
        host: String => default("127.0.0.1");
        /// What to say when the time is over.
        msg: Option<String> => optional;
        /// A file to wait for.
        path: Option<PathBuf> => optional;
        /// A port to wait for.
        port: Option<u64> => optional;
        /// A pattern that must match in the file or in what the port sends.
        search_regex: Option<String> => optional;
        /// Seconds between two looks.
        sleep: u64 => default(1);
        /// What to wait for.
        state: State => default("started");
        /// Seconds until it is a failure. Without port, path and `drained`, the time to wait.
        timeout: u64 => default(300);
    }
}

/// The module.
pub struct WaitFor;

impl Module for WaitFor {
    const NAME: &'static str = "wait_for";
    const DOC: &'static str =
        "Wait until a condition holds: a port, a file, a text in one of them, or time.";
    const CHECK: CheckSupport = CheckSupport::None;
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        refuse(args).map_err(|why| Failure::new(why).with("elapsed", 0))?;
        let pattern = match &args.search_regex {
            Some(text) => Some(Regex::new(&format!("(?m){text}")).map_err(|error| {
                Failure::new(format!("Invalid regular expression: {error}")).with("elapsed", 0)
            })?),
            None => None,
        };
        let start = Instant::now();
        let mut wait = Wait {
            args,
            sys,
            pattern,
            end: start + Duration::from_secs(args.timeout),
            found: None,
        };
        sys.sleep(Duration::from_secs(args.delay))?;
        let done = wait.run()?;
        let elapsed = start.elapsed().as_secs();
        if !done {
            let message = args.msg.clone().unwrap_or_else(|| wait.complaint());
            return Err(Failure::new(message).with("elapsed", elapsed));
        }
        let (groups, named) = wait.found.unwrap_or_default();
        let mut plan = Plan::new();
        plan.returns("state", args.state.word());
        plan.returns("port", args.port);
        plan.returns(
            "search_regex",
            args.search_regex.as_deref().map(Value::data),
        );
        plan.returns("match_groups", Value::list(groups));
        plan.returns("match_groupdict", named);
        plan.returns(
            "path",
            args.path
                .as_ref()
                .map(|path| Value::data(path.to_string_lossy().as_ref())),
        );
        // as every result that names a path says what is there
        if let Some(path) = &args.path
            && let Ok(facts) = facts_of(sys, &sys.expand(path), false)
        {
            facts.plan(&mut plan);
        }
        plan.returns("elapsed", elapsed);
        Ok(plan)
    }
}

fn refuse(args: &Args) -> Result<(), String> {
    if args.port.is_some() && args.path.is_some() {
        return Err("port and path parameter can not both be passed to wait_for".into());
    }
    if args.path.is_some() && matches!(args.state, State::Stopped | State::Drained) {
        return Err(format!(
            "state={} should only be used for checking a port in the wait_for module",
            args.state.word()
        ));
    }
    if args.exclude_hosts.is_some() && args.state != State::Drained {
        return Err("exclude_hosts should only be with state=drained".into());
    }
    if args.state == State::Drained && args.port.is_none() {
        return Err("state=drained needs a port".into());
    }
    if args.port.is_some_and(|port| u16::try_from(port).is_err()) {
        return Err("port must be at most 65535".into());
    }
    Ok(())
}

struct Wait<'a> {
    args: &'a Args,
    sys: &'a Sys,
    pattern: Option<Regex>,
    end: Instant,
    found: Option<(Vec<Value>, Map)>,
}

impl Wait<'_> {
    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    fn port(&self) -> Option<u16> {
        self.args.port.and_then(|port| u16::try_from(port).ok())
    }

    /// Waits; whether the condition came true in time.
    fn run(&mut self) -> ModuleResult<bool> {
        if self.args.port.is_none() && self.args.path.is_none() {
            // the time to wait begins when the delay is over
            self.sys.sleep(Duration::from_secs(self.args.timeout))?;
            return Ok(true);
        }
        while !self.left().is_zero() {
            if self.holds()? {
                return Ok(true);
            }
            self.sys
                .sleep(Duration::from_secs(self.args.sleep).min(self.left()))?;
        }
        Ok(false)
    }

    fn holds(&mut self) -> ModuleResult<bool> {
        let path = self.args.path.as_ref().map(|path| self.sys.expand(path));
        match (self.args.state, path, self.port()) {
            (State::Absent | State::Stopped, Some(path), _) => {
                // as a look through links sees it
                Ok(matches!(self.sys.stat(&path, true), Ok(None) | Err(_)))
            }
            (State::Absent | State::Stopped, None, Some(port)) => Ok(self.connect(port).is_none()),
            (State::Started | State::Present, Some(path), _) => self.in_file(&path),
            (State::Started | State::Present, None, Some(port)) => Ok(match self.connect(port) {
                Some(stream) => self.in_stream(stream),
                None => false,
            }),
            (State::Drained, _, Some(port)) => self.drained(port),
            (_, None, None) | (State::Drained, _, None) => Ok(true),
        }
    }

    fn connect(&self, port: u16) -> Option<Stream> {
        let limit = Duration::from_secs(self.args.connect_timeout).min(self.left());
        self.sys.connect(&self.args.host, port, limit).ok()
    }

    fn in_file(&mut self, path: &Path) -> ModuleResult<bool> {
        let there = self
            .sys
            .stat(path, true)
            .map_err(|error| match &self.args.msg {
                Some(message) => message.clone(),
                None => format!("Failed to stat {}, {error}", path.display()),
            })?
            .is_some();
        if !there || self.pattern.is_none() {
            return Ok(there);
        }
        // a file that cannot be read now may be later
        let bytes = self.sys.read(path).ok().flatten().unwrap_or_default();
        Ok(self.matches(&bytes))
    }

    /// Reads what the port sends until the pattern matches, the end comes, or the time is over.
    fn in_stream(&mut self, mut stream: Stream) -> bool {
        if self.pattern.is_none() {
            return true;
        }
        let mut data = Vec::new();
        let mut buffer = [0; 1024];
        while !self.left().is_zero() && !self.sys.cancel().is_stopped() {
            let slice = self.left().min(Duration::from_secs(1));
            if stream.set_read_timeout(Some(slice)).is_err() {
                return false;
            }
            match stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(n) => {
                    data.extend_from_slice(buffer.get(..n).unwrap_or_default());
                    if self.matches(&data) {
                        return true;
                    }
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::WouldBlock | std::io::ErrorKind::Interrupted
                    ) => {}
                Err(_) => return false,
            }
        }
        false
    }

    /// Whether the pattern matches; its groups are kept.
    fn matches(&mut self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        let Some(pattern) = &self.pattern else {
            return true;
        };
        let Ok(Some(captures)) = pattern.captures(text.as_ref()) else {
            return false;
        };
        let value = |group: Option<fancy_regex::Match<'_>>| {
            group.map_or(Value::Null, |group| Value::data(group.as_str()))
        };
        let groups = captures.iter().skip(1).map(value).collect();
        let mut named = Map::new();
        for name in pattern.capture_names().flatten() {
            named.set(name, value(captures.name(name)));
        }
        self.found = Some((groups, named));
        true
    }

    fn drained(&self, port: u16) -> ModuleResult<bool> {
        let local = self.sys.resolve(&self.args.host)?;
        let mut excluded = Vec::new();
        for host in self.args.exclude_hosts.iter().flatten() {
            excluded.extend(self.sys.resolve(host)?);
        }
        let active = connections::read(self.sys)?
            .into_iter()
            .filter(|connection| {
                connection.local.1 == port
                    && self
                        .args
                        .active_connection_states
                        .contains(&connection.state)
                    && !excluded.contains(&connection.remote)
                    && local
                        .iter()
                        .any(|ip| ip.is_unspecified() || *ip == connection.local.0)
            })
            .count();
        Ok(active == 0)
    }

    fn complaint(&self) -> String {
        let what = match (&self.args.path, self.args.port) {
            (Some(path), _) => path.display().to_string(),
            (None, port) => format!("{}:{}", self.args.host, port.unwrap_or_default()),
        };
        match (self.args.state, &self.args.search_regex, &self.args.path) {
            (State::Absent | State::Stopped, _, Some(_)) => {
                format!("Timeout when waiting for {what} to be absent.")
            }
            (State::Absent | State::Stopped, _, None) => {
                format!("Timeout when waiting for {what} to stop.")
            }
            (State::Drained, _, _) => format!("Timeout when waiting for {what} to drain"),
            (_, Some(regex), _) => {
                format!("Timeout when waiting for search string {regex} in {what}")
            }
            (_, None, Some(_)) => format!("Timeout when waiting for file {what}"),
            (_, None, None) => format!("Timeout when waiting for {what}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::modules::{Registry, RunMode};
    use crate::result::Outcome;
    use crate::sys::{FakeRunner, Sys};
    use crate::value::{Map, Value};
    use std::io::Write;
    use std::net::TcpListener;
    use std::sync::Arc;

    fn run(args: Map, sys: &mut Sys) -> Outcome {
        (Registry.find("wait_for").unwrap().run)(&args, sys, RunMode::default())
    }

    fn quick() -> Map {
        Map::new().with("timeout", 1).with("sleep", 0)
    }

    #[test]
    fn a_port_and_what_it_says() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"hello\nSSH-2.").unwrap();
            stream.write_all(b"0-x\n").unwrap();
        });
        let args = quick()
            .with("port", u32::from(port))
            .with("search_regex", r"^SSH-(?P<major>\d)\.(\d)");
        let outcome = run(args.clone(), &mut Sys::real());
        server.join().unwrap();
        assert!(!outcome.failed && !outcome.changed, "{outcome:?}");
        assert_eq!(
            outcome.data.get("match_groups"),
            Some(&vec!["2", "0"].into())
        );
        let named = outcome.data.get("match_groupdict").unwrap();
        assert_eq!(named.get("major"), Some(&"2".into()));
        // now it is closed
        let outcome = run(args.clone(), &mut Sys::real());
        assert!(outcome.failed);
        assert!(
            outcome
                .message()
                .unwrap()
                .starts_with("Timeout when waiting for search string")
        );
        assert_eq!(outcome.data.get("elapsed"), Some(&Value::Int(1)));
        assert!(!run(args.with("state", "stopped"), &mut Sys::real()).failed);
    }

    #[test]
    fn a_file_and_its_text() {
        let root = tempfile::tempdir().unwrap();
        let mut sys = Sys::rooted(root.path(), Arc::new(FakeRunner::new()));
        let args = quick().with("path", "/f");
        assert_eq!(
            run(args.clone(), &mut sys).message(),
            Some("Timeout when waiting for file /f")
        );
        assert!(!run(args.clone().with("state", "absent"), &mut sys).failed);
        std::fs::write(root.path().join("f"), "a\nready 7\n").unwrap();
        assert!(!run(args.clone(), &mut sys).failed);
        let outcome = run(args.clone().with("search_regex", r"^ready (\d+)"), &mut sys);
        assert_eq!(outcome.data.get("match_groups"), Some(&vec!["7"].into()));
        let outcome = run(
            args.with("msg", "never").with("search_regex", "^gone"),
            &mut sys,
        );
        assert_eq!(outcome.message(), Some("never"));
    }

    #[test]
    fn connections_drain() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("proc/net")).unwrap();
        let head = "  sl  local_address rem_address   st\n";
        let line = "   0: 0100007F:1F90 0200000A:D431 01 00000000:00000000\n";
        let mut sys = Sys::rooted(root.path(), Arc::new(FakeRunner::new()));
        let table = root.path().join("proc/net/tcp");
        std::fs::write(&table, format!("{head}{line}")).unwrap();
        let args = quick().with("port", 8080).with("state", "drained");
        assert_eq!(
            run(args.clone(), &mut sys).message(),
            Some("Timeout when waiting for 127.0.0.1:8080 to drain")
        );
        assert!(!run(args.clone().with("exclude_hosts", "10.0.0.2"), &mut sys).failed);
        assert!(!run(args.clone().with("host", "10.0.0.1"), &mut sys).failed);
        let few = args.clone().with("active_connection_states", "SYN_SENT");
        assert!(!run(few, &mut sys).failed);
        // an IPv4 connection of a socket for both
        let line = "   0: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000200000A:D431 01\n";
        std::fs::write(&table, head).unwrap();
        assert!(!run(args.clone(), &mut sys).failed);
        std::fs::write(root.path().join("proc/net/tcp6"), format!("{head}{line}")).unwrap();
        assert!(run(args.clone(), &mut sys).failed);
        assert!(!run(args.with("exclude_hosts", "10.0.0.2"), &mut sys).failed);
    }

    #[test]
    fn arguments_that_do_not_go_together() {
        for (key, value) in [("path", "/x"), ("exclude_hosts", "x")] {
            let outcome = run(quick().with("port", 1).with(key, value), &mut Sys::real());
            assert!(outcome.failed, "{key}");
        }
    }
}
