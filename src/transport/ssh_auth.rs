//! Logging in: every method on one connection, until one is accepted.

use super::TransportError;
use super::hop::Hop;
use super::host_key::{Judge, Said, explain};
use super::ssh::ended;
use super::target::Options;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Algorithm, HashAlg, PrivateKeyWithHashAlg, PublicKey, load_openssh_certificate};
use russh::{MethodKind, MethodSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tokio::net::UnixStream;

/// Questions that a server may ask in keyboard-interactive before we give up.
const MAX_QUESTIONS: usize = 8;

struct Login<'a> {
    session: &'a mut Handle<Judge>,
    hop: &'a Hop,
    options: &'a Options,
    said: &'a Mutex<Said>,
    /// What was tried, for the message.
    tried: Vec<String>,
    /// What could not be tried, and why.
    notes: Vec<String>,
    /// What the server still takes; `None` before its first answer.
    left: Option<MethodSet>,
}

/// Logs in: the keys named by the user, the SSH agent's keys, the default keys, the password, and
/// the password as the answer to keyboard-interactive questions.
pub(crate) async fn login(
    session: &mut Handle<Judge>,
    hop: &Hop,
    options: &Options,
    said: &Mutex<Said>,
) -> Result<(), TransportError> {
    let mut login = Login {
        session,
        hop,
        options,
        said,
        tried: Vec::new(),
        notes: Vec::new(),
        left: None,
    };
    for method in &hop.methods {
        let done = match method.as_str() {
            "publickey" => login.keys().await?,
            "password" => login.password().await?,
            "keyboard-interactive" => login.questions().await?,
            _ => false,
        };
        if done {
            return Ok(());
        }
    }
    if login.tried.is_empty() && login.none().await? {
        return Ok(());
    }
    Err(login.refused())
}

impl Login<'_> {
    fn takes(&self, method: MethodKind) -> bool {
        self.left.as_ref().is_none_or(|left| left.contains(&method))
    }

    fn answered(&mut self, result: AuthResult) -> Result<bool, TransportError> {
        match result {
            AuthResult::Success => Ok(true),
            AuthResult::Failure {
                remaining_methods, ..
            } => {
                if self.session.is_closed()
                    || remaining_methods.is_empty() && ended(self.said).is_some()
                {
                    return Err(self.cut());
                }
                self.left = Some(remaining_methods);
                Ok(false)
            }
        }
    }

    async fn none(&mut self) -> Result<bool, TransportError> {
        let result = self.session.authenticate_none(self.hop.user.as_str()).await;
        let result = result.map_err(|error| self.broken(&error))?;
        self.answered(result)
    }

    async fn keys(&mut self) -> Result<bool, TransportError> {
        let hop = self.hop;
        let mut agent = self.agent().await;
        let mut held = match &mut agent {
            Some(agent) => match agent.request_identities().await {
                Ok(identities) => identities,
                Err(error) => {
                    self.notes
                        .push(format!("the SSH agent does not answer: {error}"));
                    Vec::new()
                }
            },
            None => Vec::new(),
        };
        for path in &hop.named_keys {
            if self.key(path, &mut held, &mut agent).await? {
                return Ok(true);
            }
        }
        if !hop.identities_only {
            for identity in std::mem::take(&mut held) {
                if self.identity(&identity, &mut agent).await? {
                    return Ok(true);
                }
            }
        }
        for path in &hop.default_keys {
            if self.key(path, &mut held, &mut agent).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn agent(&mut self) -> Option<AgentClient<UnixStream>> {
        let socket = self.hop.auth_sock.clone()?;
        match AgentClient::connect_uds(&socket).await {
            Ok(agent) => Some(agent),
            Err(error) => {
                self.notes.push(format!(
                    "the SSH agent at {} is not there: {error}",
                    socket.display()
                ));
                None
            }
        }
    }

    /// Tries a key file: through the SSH agent if that holds it, so that no passphrase is asked for.
    async fn key(
        &mut self,
        path: &Path,
        held: &mut Vec<AgentIdentity>,
        agent: &mut Option<AgentClient<UnixStream>>,
    ) -> Result<bool, TransportError> {
        if !self.takes(MethodKind::PublicKey) {
            return Ok(false);
        }
        let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
        if let Ok(public) = russh::keys::load_public_key(beside(".pub")) {
            let same = |identity: &AgentIdentity| {
                public_of(identity).is_some_and(|key| key.key_data() == public.key_data())
            };
            if let Some(at) = held.iter().position(same) {
                let identity = held.remove(at);
                return self.identity(&identity, agent).await;
            }
        }
        let loaded = self
            .options
            .keys
            .load(path, self.hop.passphrase.as_ref())
            .await;
        let key = match loaded {
            Ok(key) => key,
            Err(reason) => {
                self.notes.push(reason);
                return Ok(false);
            }
        };
        if let Ok(certificate) = load_openssh_certificate(beside("-cert.pub")) {
            self.tried
                .push(format!("certificate {}", beside("-cert.pub").display()));
            let user = self.hop.user.as_str();
            let result = self
                .session
                .authenticate_openssh_cert(user, Arc::clone(&key), certificate)
                .await;
            let result = result.map_err(|error| self.broken(&error))?;
            if self.answered(result)? {
                return Ok(true);
            }
        }
        self.tried.push(format!("key {}", path.display()));
        let hash = self.hash(&key.algorithm()).await?;
        let key = PrivateKeyWithHashAlg::new(key, hash);
        let result = self
            .session
            .authenticate_publickey(self.hop.user.as_str(), key)
            .await;
        let result = result.map_err(|error| self.broken(&error))?;
        self.answered(result)
    }

    async fn identity(
        &mut self,
        identity: &AgentIdentity,
        agent: &mut Option<AgentClient<UnixStream>>,
    ) -> Result<bool, TransportError> {
        let (Some(agent), true) = (agent, self.takes(MethodKind::PublicKey)) else {
            return Ok(false);
        };
        let user = self.hop.user.as_str();
        let result = match identity {
            AgentIdentity::PublicKey { key, comment } => {
                self.tried.push(format!("agent key {comment}"));
                let hash = self.hash(&key.algorithm()).await?;
                self.session
                    .authenticate_publickey_with(user, key.clone(), hash, agent)
                    .await
            }
            AgentIdentity::Certificate {
                certificate,
                comment,
            } => {
                self.tried.push(format!("agent certificate {comment}"));
                let hash = self.hash(&certificate.algorithm()).await?;
                self.session
                    .authenticate_certificate_with(user, certificate.clone(), hash, agent)
                    .await
            }
        };
        match result {
            Ok(result) => self.answered(result),
            Err(error) if self.session.is_closed() => {
                self.notes.push(error.to_string());
                Err(self.cut())
            }
            Err(error) => {
                self.notes
                    .push(format!("the SSH agent does not sign: {error}"));
                Ok(false)
            }
        }
    }

    /// The hash for RSA signatures; others have none.
    async fn hash(&mut self, algorithm: &Algorithm) -> Result<Option<HashAlg>, TransportError> {
        if !matches!(algorithm, Algorithm::Rsa { .. }) {
            return Ok(None);
        }
        let best = self.session.best_supported_rsa_hash().await;
        let best = best.map_err(|error| self.broken(&error))?;
        Ok(best.unwrap_or(Some(HashAlg::Sha256)))
    }

    async fn password(&mut self) -> Result<bool, TransportError> {
        let Some(password) = self.hop.password.as_ref() else {
            return Ok(false);
        };
        if self.left.is_none() && self.none().await? {
            return Ok(true);
        }
        if !self.takes(MethodKind::Password) {
            return Ok(false);
        }
        self.tried.push("password".to_owned());
        let result = self
            .session
            .authenticate_password(self.hop.user.as_str(), password.reveal().as_str())
            .await;
        let result = result.map_err(|error| self.broken(&error))?;
        self.answered(result)
    }

    /// Answers hidden questions with the password; a server may also ask nothing at all.
    async fn questions(&mut self) -> Result<bool, TransportError> {
        let Some(password) = self.hop.password.as_ref() else {
            return Ok(false);
        };
        if !self.takes(MethodKind::KeyboardInteractive) {
            return Ok(false);
        }
        self.tried.push("keyboard-interactive".to_owned());
        let begun = self
            .session
            .authenticate_keyboard_interactive_start(self.hop.user.as_str(), None)
            .await;
        let mut answer = begun.map_err(|error| self.broken(&error))?;
        let mut used = false;
        for _ in 0..MAX_QUESTIONS {
            match answer {
                KeyboardInteractiveAuthResponse::Success => return Ok(true),
                KeyboardInteractiveAuthResponse::Failure {
                    remaining_methods,
                    partial_success,
                } => {
                    return self.answered(AuthResult::Failure {
                        remaining_methods,
                        partial_success,
                    });
                }
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                    // A second hidden question is for something else, or the answer was wrong.
                    let hidden = prompts.iter().any(|prompt| !prompt.echo);
                    if hidden && used {
                        self.notes
                            .push("the server asks more than for the password".to_owned());
                        return Ok(false);
                    }
                    used |= hidden;
                    let say = |echo: bool| {
                        if echo {
                            String::new()
                        } else {
                            password.reveal().clone()
                        }
                    };
                    let answers = prompts.iter().map(|prompt| say(prompt.echo)).collect();
                    let next = self
                        .session
                        .authenticate_keyboard_interactive_respond(answers)
                        .await;
                    answer = next.map_err(|error| self.broken(&error))?;
                }
            }
        }
        Ok(false)
    }

    fn broken(&self, error: &russh::Error) -> TransportError {
        if self.session.is_closed() {
            return self.cut();
        }
        self.error(explain(error))
    }

    /// The server ended the connection in the middle of the login.
    fn cut(&self) -> TransportError {
        let why = ended(self.said).unwrap_or_else(|| "the server closed the connection".to_owned());
        let hint = if why.to_lowercase().contains("too many") {
            "; name one key with ansible_ssh_private_key_file and set IdentitiesOnly=yes"
        } else {
            ""
        };
        self.error(format!("{why} after {}{hint}", self.list()))
    }

    fn list(&self) -> String {
        if self.tried.is_empty() {
            "nothing was tried".to_owned()
        } else {
            self.tried.join(", ")
        }
    }

    fn refused(&self) -> TransportError {
        let mut reason = if self.tried.is_empty() {
            "there is no key and no password to try".to_owned()
        } else {
            format!("the server refused {}", self.list())
        };
        if let Some(left) = self.left.as_ref().filter(|left| !left.is_empty()) {
            let names: Vec<&str> = left.iter().map(<&str>::from).collect();
            reason.push_str(&format!("; it takes {}", names.join(", ")));
        }
        if !self.notes.is_empty() {
            reason.push_str(&format!(" ({})", self.notes.join("; ")));
        }
        if self.hop.password.is_none() {
            reason.push_str("; give a key with --private-key or a password with --ask-pass");
        }
        self.error(reason)
    }

    fn error(&self, reason: String) -> TransportError {
        TransportError::Auth {
            host: self.hop.place(),
            user: self.hop.user.clone(),
            reason: super::error::plain(&reason),
        }
    }
}

fn public_of(identity: &AgentIdentity) -> Option<&PublicKey> {
    match identity {
        AgentIdentity::PublicKey { key, .. } => Some(key),
        AgentIdentity::Certificate { .. } => None,
    }
}
