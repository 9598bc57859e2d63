//! How to get to etcd.

use super::message::{Reader, Writer};
use crate::module_args;
use crate::modules::{Failure, ModuleResult};
use crate::sys::{Grpc, GrpcError, GrpcServer, Sys};
use crate::value::Secret;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long to wait before members that have no leader are asked again.
const ELECTION_PAUSE: Duration = Duration::from_millis(200);

module_args! {
    /// Arguments of all modules that speak with etcd.
    pub struct Access {
        /// The members' URLs for clients, tried in this order. A server reached with `https` must prove who it is.
        endpoints: Vec<String> => default(vec!["https://127.0.0.1:2379"]), aliases ["endpoint"];
        /// A file with the authority of the members' certificates.
        ca_cert_path: Option<PathBuf> => optional, aliases ["ca_cert"];
        /// A certificate to log in with: with authentication its common name is the user.
        client_cert_path: Option<PathBuf> => optional, aliases ["client_cert"];
        /// Its key: PKCS#8, PKCS#1 or SEC1.
        client_key_path: Option<PathBuf> => optional, aliases ["client_key"];
        /// A user to log in as, by password.
        login_user: Option<String> => optional, aliases ["username"];
        /// That user's password.
        login_password: Option<Secret<String>> => optional, secret;
        /// Seconds to wait for an answer.
        timeout: i64 => default(10_i64);
    }
}

/// A connection to a member.
pub(super) struct Etcd {
    grpc: Grpc,
    /// Whom the next calls come from.
    token: Option<String>,
    endpoint: String,
    /// How long they may take to agree on a leader.
    patience: Duration,
    pause: Box<dyn Fn(Duration) -> crate::sys::Result<()> + Send>,
}

/// Whether a member that says this is to be asked again: nothing was done, as there is no leader yet.
fn is_between_leaders(message: &str) -> bool {
    ["etcdserver: leader changed", "etcdserver: no leader"]
        .iter()
        .any(|words| message.contains(words))
}

/// etcd's words, and gRPC's code for them.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: u32,
    pub(super) message: String,
}

impl Refusal {
    /// Whether it says this, whatever stands before.
    pub(super) fn says(&self, part: &str) -> bool {
        self.message.contains(part)
    }

    /// As a failure of the task, with what to do about it.
    pub(super) fn failure(&self, what: &str) -> Failure {
        let hint = if self.says("user name is empty") {
            ": authentication is on; log in by client_cert_path and client_key_path, or by login_user"
        } else if self.says("permission denied") {
            ": the user that logged in may not do this; root may"
        } else if self.says("authentication failed") {
            ": look at login_user and login_password"
        } else {
            ""
        };
        Failure::new(format!("{what}: {}{hint}", self.message))
            .with("grpc_code", i64::from(self.code))
    }
}

impl Access {
    /// Connects to the first member that answers, and logs in.
    ///
    /// # Errors
    /// When none can be reached, a file is missing, or the login fails.
    pub(super) fn connect(&self, sys: &Sys) -> ModuleResult<Etcd> {
        let read = |path: &Path, argument: &str| {
            let path = sys.expand(path);
            sys.read(&path)?.ok_or_else(|| {
                Failure::new(format!("there is no file {} ({argument})", path.display()))
            })
        };
        let ca_pem = self
            .ca_cert_path
            .as_ref()
            .map(|path| read(path, "ca_cert_path"))
            .transpose()?;
        let client_pem = match (&self.client_cert_path, &self.client_key_path) {
            (Some(cert), Some(key)) => Some(Secret::new((
                read(cert, "client_cert_path")?,
                read(key, "client_key_path")?,
            ))),
            (None, None) => None,
            _ => return Err("client_cert_path and client_key_path belong together".into()),
        };
        if self.login_user.is_some() != self.login_password.is_some() {
            return Err("login_user and login_password belong together".into());
        }
        let patience = Duration::from_secs(u64::try_from(self.timeout.max(1)).unwrap_or(10));
        let until = Instant::now() + patience;
        loop {
            let mut problems = Vec::new();
            for endpoint in &self.endpoints {
                if endpoint.starts_with("https://") && ca_pem.is_none() {
                    return Err(
                        "ca_cert_path is needed: the members must prove who they are".into(),
                    );
                }
                let server = GrpcServer {
                    url: endpoint.clone(),
                    ca_pem: ca_pem.clone(),
                    client_pem: client_pem.clone(),
                    timeout: patience,
                };
                match Etcd::at(sys, &server) {
                    Ok(mut etcd) => {
                        if let (Some(user), Some(password)) =
                            (&self.login_user, &self.login_password)
                        {
                            etcd.log_in(user, password.reveal())?;
                        }
                        return Ok(etcd);
                    }
                    Err(problem) => problems.push(format!("{endpoint}: {problem}")),
                }
            }
            let electing = problems.iter().any(|problem| is_between_leaders(problem));
            if !electing || Instant::now() >= until {
                return Err(Failure::new(format!(
                    "no member of etcd answers: {}",
                    problems.join("; ")
                )));
            }
            sys.sleep(ELECTION_PAUSE)?;
        }
    }
}

impl Etcd {
    /// A connection to this member, if it takes part in the cluster.
    fn at(sys: &Sys, server: &GrpcServer) -> Result<Self, String> {
        let mut etcd = Self {
            grpc: sys.grpc(server).map_err(|error| error.to_string())?,
            token: None,
            endpoint: server.url.clone(),
            patience: server.timeout,
            pause: Box::new(sys.pauses()),
        };
        // whether there is an answer at all; whoever asks, this one is given
        match etcd.grpc.call("/etcdserverpb.Auth/Authenticate", &[], &[]) {
            Err(GrpcError::Broken(problem)) => Err(problem),
            Err(GrpcError::Refused {
                code: 14 | 4,
                message,
            }) => Err(message),
            _ => Ok(etcd),
        }
    }

    /// The member that answers.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Calls a method of a service of etcd's.
    ///
    /// # Errors
    /// When the connection breaks. That etcd refuses is an answer.
    pub(super) fn ask(
        &mut self,
        method: &str,
        message: &Writer,
    ) -> ModuleResult<Result<Vec<u8>, Refusal>> {
        let token = self.token.clone();
        let metadata: Vec<(&str, &str)> = token
            .iter()
            .map(|token| ("token", token.as_str()))
            .collect();
        let path = format!("/etcdserverpb.{method}");
        let until = Instant::now() + self.patience;
        loop {
            match self.grpc.call(&path, message.bytes(), &metadata) {
                Ok(answer) => return Ok(Ok(answer)),
                Err(GrpcError::Refused { message, .. })
                    if is_between_leaders(&message) && Instant::now() < until =>
                {
                    (self.pause)(ELECTION_PAUSE)?;
                }
                Err(GrpcError::Refused { code, message }) => {
                    return Ok(Err(Refusal { code, message }));
                }
                Err(GrpcError::Broken(problem)) => {
                    return Err(Failure::new(format!(
                        "{} does not answer: {problem}",
                        self.endpoint
                    )));
                }
            }
        }
    }

    /// The same; what etcd refuses is a failure.
    ///
    /// # Errors
    /// In etcd's words.
    pub(super) fn call(
        &mut self,
        method: &str,
        message: &Writer,
        what: &str,
    ) -> ModuleResult<Vec<u8>> {
        self.ask(method, message)?
            .map_err(|refusal| refusal.failure(what))
    }

    fn log_in(&mut self, user: &str, password: &str) -> ModuleResult<()> {
        match self.authenticate(user, password)? {
            Ok(token) => self.token = Some(token),
            // nobody asks who we are
            Err(refusal) if refusal.says("not enabled") => {}
            Err(refusal) => return Err(refusal.failure(&format!("cannot log in as {user}"))),
        }
        Ok(())
    }

    /// A token for a user's password.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn authenticate(
        &mut self,
        user: &str,
        password: &str,
    ) -> ModuleResult<Result<String, Refusal>> {
        let question = Writer::new().text(1, user).text(2, password);
        let answer = self.ask("Auth/Authenticate", &question)?;
        Ok(answer.map(|bytes| Reader::new(&bytes).text(2)))
    }

    /// Whether etcd asks who somebody is. Versions before 3.5 have no question for that; the refusal to log in with an
    /// empty name says it in all of them.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn is_auth_enabled(&mut self) -> ModuleResult<bool> {
        let answer = self.ask("Auth/Authenticate", &Writer::new())?;
        Ok(match answer {
            Ok(_) => true,
            Err(refusal) => !refusal.says("not enabled"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    fn read_frame(stream: &mut TcpStream) -> Option<(u8, u8, u32)> {
        let mut head = [0; 9];
        stream.read_exact(&mut head).ok()?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
        stream.read_exact(&mut payload).ok()?;
        Some((kind, flags, u32::from_be_bytes(id)))
    }

    fn write_frame(stream: &mut TcpStream, kind: u8, flags: u8, id: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(id.to_be_bytes());
        frame.extend(payload);
        stream.write_all(&frame).expect("sent");
    }

    /// A server that refuses each call with the next of these, the last for ever, on one connection after the other.
    fn refuses(answers: &'static [(&'static str, &'static str)]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        std::thread::spawn(move || {
            let mut answers = answers.iter();
            let mut next = answers.next();
            for stream in listener.incoming().take(20) {
                let mut stream = stream.expect("a connection");
                let mut preface = [0; 24];
                stream.read_exact(&mut preface).expect("the preface");
                write_frame(&mut stream, 4, 0, 0, &[]);
                while let Some((kind, flags, id)) = read_frame(&mut stream) {
                    // the end of a call: END_STREAM on HEADERS or DATA
                    if kind > 1 || flags & 1 == 0 {
                        continue;
                    }
                    let (code, words) = next.expect("an answer");
                    next = answers.next().or(next);
                    let mut block = vec![0x88];
                    for (name, value) in [("grpc-status", code), ("grpc-message", words)] {
                        block.push(0);
                        for text in [name, value] {
                            block.push(u8::try_from(text.len()).expect("short"));
                            block.extend(text.as_bytes());
                        }
                    }
                    write_frame(&mut stream, 1, 5, id, &block);
                }
            }
        });
        url
    }

    fn access(url: &str) -> Access {
        let arguments = Map::new().with("endpoints", url).with("timeout", 2);
        <Access as crate::value::Args>::decode(&arguments).expect("arguments")
    }

    const BETWEEN: (&str, &str) = ("14", "etcdserver: leader changed");
    const OFF: (&str, &str) = ("9", "etcdserver: authentication is not enabled");

    #[test]
    fn an_election_is_waited_for() {
        let url = refuses(&[BETWEEN, BETWEEN, OFF, BETWEEN, OFF]);
        let mut etcd = access(&url).connect(&Sys::real()).expect("connects");
        assert!(!etcd.is_auth_enabled().expect("answers"));
    }

    #[test]
    fn but_not_for_ever_and_nothing_else_is() {
        let url = refuses(&[BETWEEN]);
        let started = Instant::now();
        let failure = access(&url).connect(&Sys::real()).err().expect("fails");
        assert!(
            failure.message.contains("leader changed"),
            "{}",
            failure.message
        );
        assert!(started.elapsed() >= Duration::from_secs(2));

        let url = refuses(&[("14", "etcdserver: request timed out")]);
        let started = Instant::now();
        assert!(access(&url).connect(&Sys::real()).is_err());
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}
