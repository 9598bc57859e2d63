//! Deciding about a server's host key.

use super::TransportError;
use super::hop::Hop;
use super::known_hosts::{KnownHost, Verdict, append, fingerprint};
use super::shell::quote;
use super::target::HostKeyChecking;
use russh::client::{DisconnectReason, Handler, Session};
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey, PublicKeyOrCertificate};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// An error of a session: its own, or our judgement of the key.
#[derive(Debug)]
pub(crate) enum SessionError {
    Ssh(russh::Error),
    Ours(TransportError),
}

impl From<russh::Error> for SessionError {
    fn from(error: russh::Error) -> Self {
        Self::Ssh(error)
    }
}

/// What a session has said that may explain its end.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The server's words before the login.
    pub banner: String,
    /// Why the session ended.
    pub end: Option<String>,
}

/// The client's ears: judges the host key and keeps the reasons for an end.
pub(crate) struct Judge {
    pub place: String,
    pub checking: HostKeyChecking,
    pub known: KnownHost,
    /// Takes new keys.
    pub file: Option<PathBuf>,
    pub host: String,
    pub said: Arc<Mutex<Said>>,
}

impl Judge {
    pub(crate) fn new(hop: &Hop) -> Self {
        let files: Vec<PathBuf> = hop
            .known_hosts
            .iter()
            .chain(&hop.global_known_hosts)
            .cloned()
            .collect();
        let (host, port) = match &hop.alias {
            Some(alias) => (alias.as_str(), 22),
            None => (hop.host.as_str(), hop.port),
        };
        Self {
            place: hop.place(),
            checking: hop.checking,
            known: KnownHost::read(host, port, &files),
            file: hop.known_hosts.first().cloned(),
            host: host.to_owned(),
            said: Arc::default(),
        }
    }

    fn error(&self, reason: String) -> TransportError {
        TransportError::HostKey {
            host: self.place.clone(),
            reason,
        }
    }

    /// Whether the key is taken.
    pub(crate) fn key(&self, key: &PublicKey) -> Result<(), TransportError> {
        let shown = format!("{} {}", key.algorithm(), fingerprint(key));
        match (self.known.judge(key), self.checking) {
            (_, HostKeyChecking::Off) | (Verdict::Known, _) => Ok(()),
            (Verdict::Revoked(line), _) => Err(self.error(format!(
                "its key ({shown}) was revoked in {}:{}",
                line.file.display(),
                line.line
            ))),
            (Verdict::Changed(line), _) => Err(self.error(format!(
                "its key has changed: it offers {shown}, but {}:{} has {} {}. Someone may be listening in, or \
                 the machine was set up anew; if you know that it was, run: ssh-keygen -f {} -R {}",
                line.file.display(),
                line.line,
                line.key.algorithm(),
                fingerprint(&line.key),
                quote(&line.file.display().to_string()),
                quote(&self.known.name)
            ))),
            (Verdict::Unknown, HostKeyChecking::Strict) => Err(self.error(format!(
                "its key is not known ({shown}). Compare the fingerprint and add the key with ssh-keyscan, or \
                 trust new machines with --host-key accept-new, or turn checking off with \
                 ANSIBLE_HOST_KEY_CHECKING=False"
            ))),
            (Verdict::Unknown, HostKeyChecking::AcceptNew) => {
                let Some(file) = &self.file else {
                    return Err(self.error(format!("there is no known_hosts file to add its key to ({shown})")));
                };
                append(file, &self.known.name, key).map_err(|error| {
                    self.error(format!("its new key cannot be added to {}: {error}", file.display()))
                })
            }
        }
    }

    fn certificate(&self, certificate: &Certificate) -> Result<(), TransportError> {
        if self.checking == HostKeyChecking::Off {
            return Ok(());
        }
        let bad = |reason: &str| {
            self.error(format!(
                "its certificate (id `{}`) {reason}",
                certificate.key_id()
            ))
        };
        if certificate.cert_type() != CertType::Host {
            return Err(bad("is one for users, not for hosts"));
        }
        let host = self.host.to_lowercase();
        let principals = certificate.valid_principals();
        if !principals.is_empty()
            && !principals
                .iter()
                .any(|name| super::known_hosts::wildcard(name, &host))
        {
            return Err(bad(&format!(
                "is for {}, not for {host}",
                principals.join(", ")
            )));
        }
        let signer = PublicKey::new(certificate.signature_key().clone(), "");
        let own = PublicKey::new(certificate.public_key().clone(), "");
        if let Some(line) = self.known.revoked(&signer).or(self.known.revoked(&own)) {
            return Err(bad(&format!(
                "was revoked in {}:{}",
                line.file.display(),
                line.line
            )));
        }
        if !certificate.critical_options().is_empty() {
            return Err(bad("has critical options that are not understood"));
        }
        let authorities: Vec<_> = self
            .known
            .authorities()
            .map(|key| key.fingerprint(HashAlg::Sha256))
            .collect();
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |age| age.as_secs());
        certificate.validate_at(now, &authorities).map_err(|_| {
            bad("is not signed by a @cert-authority of known_hosts, or its time is over")
        })
    }

    /// The algorithms to ask for, known keys first.
    pub(crate) fn order(&self, all: &[Algorithm]) -> Vec<Algorithm> {
        self.known.order(all)
    }

    /// Whether certificates are to be asked for.
    pub(crate) fn has_authorities(&self) -> bool {
        self.known.authorities().next().is_some()
    }
}

impl Handler for Judge {
    type Error = SessionError;

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), SessionError> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.banner.len() < 4096 {
            said.banner.push_str(banner);
        }
        Ok(())
    }

    async fn check_server_key(
        &mut self,
        key: &PublicKeyOrCertificate,
    ) -> Result<bool, SessionError> {
        let verdict = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => self.key(key),
            PublicKeyOrCertificate::Certificate(certificate) => self.certificate(certificate),
        };
        verdict.map(|()| true).map_err(SessionError::Ours)
    }

    async fn disconnected(
        &mut self,
        reason: DisconnectReason<SessionError>,
    ) -> Result<(), SessionError> {
        let (text, result) = match reason {
            DisconnectReason::ReceivedDisconnect(info) => (info.message.clone(), Ok(())),
            DisconnectReason::Error(SessionError::Ssh(error)) => {
                (explain(&error), Err(SessionError::Ssh(error)))
            }
            DisconnectReason::Error(error) => (String::new(), Err(error)),
        };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.end = Some(text);
        result
    }
}

/// An SSH error in our words.
pub(crate) fn explain(error: &russh::Error) -> String {
    use russh::Error;
    match error {
        Error::HUP | Error::Disconnect | Error::SendError | Error::RecvError => {
            "the server closed the connection".to_owned()
        }
        Error::KeepaliveTimeout | Error::InactivityTimeout => {
            "the machine did not answer any more (keepalive)".to_owned()
        }
        Error::Version => "what answers there does not speak SSH".to_owned(),
        Error::NoCommonAlgo { kind, theirs, .. } => format!(
            "no common {kind:?} algorithm; the server offers {}; connection: openssh may know one of them",
            theirs.join(", ")
        ),
        Error::IO(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
            "the server reset the connection".to_owned()
        }
        Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the server closed the connection".to_owned()
        }
        other => other.to_string().trim_end_matches('.').to_owned(),
    }
}
