//! How to get to etcd.

use super::message::{Reader, Writer};
use crate::module_args;
use crate::modules::{Failure, ModuleResult};
use crate::sys::{Grpc, GrpcError, GrpcServer, Sys};
use crate::value::Secret;
use std::path::{Path, PathBuf};
use std::time::Duration;

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
        let mut problems = Vec::new();
        for endpoint in &self.endpoints {
            if endpoint.starts_with("https://") && ca_pem.is_none() {
                return Err("ca_cert_path is needed: the members must prove who they are".into());
            }
            let server = GrpcServer {
                url: endpoint.clone(),
                ca_pem: ca_pem.clone(),
                client_pem: client_pem.clone(),
                timeout: Duration::from_secs(u64::try_from(self.timeout.max(1)).unwrap_or(10)),
            };
            let found = sys
                .grpc(&server)
                .map_err(|error| error.to_string())
                .and_then(|grpc| {
                    let mut etcd = Etcd {
                        grpc,
                        token: None,
                        endpoint: endpoint.clone(),
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
                });
            match found {
                Ok(mut etcd) => {
                    if let (Some(user), Some(password)) = (&self.login_user, &self.login_password) {
                        etcd.log_in(user, password.reveal())?;
                    }
                    return Ok(etcd);
                }
                Err(problem) => problems.push(format!("{endpoint}: {problem}")),
            }
        }
        Err(Failure::new(format!(
            "no member of etcd answers: {}",
            problems.join("; ")
        )))
    }
}

impl Etcd {
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
        match self.grpc.call(
            &format!("/etcdserverpb.{method}"),
            message.bytes(),
            &metadata,
        ) {
            Ok(answer) => Ok(Ok(answer)),
            Err(GrpcError::Refused { code, message }) => Ok(Err(Refusal { code, message })),
            Err(GrpcError::Broken(problem)) => Err(Failure::new(format!(
                "{} does not answer: {problem}",
                self.endpoint
            ))),
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
