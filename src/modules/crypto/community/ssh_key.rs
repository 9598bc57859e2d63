//! Keys for ssh, as their files have them.

use super::openssh_keypair::Kind;
use crate::choices;
use crate::modules::ModuleResult;
use crate::modules::crypto::key::{KernelRandom, KeyType, PrivateKey as X509Key};
use russh::keys::ssh_key::private::{KeypairData, RsaKeypair};
use russh::keys::ssh_key::{self, LineEnding};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PrivateKey, decode_secret_key};

choices! {
    /// How a private key is written.
    pub enum Form {
        /// As `ssh`.
        Auto = "auto",
        /// The old form of its kind.
        Pkcs1 = "pkcs1",
        /// The form for all kinds.
        Pkcs8 = "pkcs8",
        /// That of OpenSSH.
        Ssh = "ssh",
    }
}

/// A private key that could be read. It has no `Debug` and is never shown.
pub(super) struct SshKey {
    key: PrivateKey,
    pub(super) form: Form,
    /// The text of one that is not in OpenSSH's form.
    other: Option<String>,
}

/// A line with a public key.
#[derive(Clone)]
pub(super) struct Written {
    kind: String,
    data: String,
    pub(super) comment: String,
}

impl Written {
    /// The line of a file.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.trim_matches([' ', '\n']).splitn(3, ' ');
        Some(Self {
            kind: words.next()?.to_owned(),
            data: words.next()?.to_owned(),
            comment: words.next().unwrap_or_default().to_owned(),
        })
    }

    /// Its type and its bytes.
    pub(super) fn key(&self) -> String {
        format!("{} {}", self.kind, self.data)
    }

    pub(super) fn line(&self) -> String {
        let line = format!("{} {} {}", self.kind, self.data, self.comment);
        format!("{}\n", line.trim_end())
    }

    pub(super) fn is_key_of(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("a key could not be made: {error}")
}

impl SshKey {
    /// # Errors
    /// When it is no key, or is protected otherwise than said.
    pub(super) fn read(text: &str, passphrase: Option<&str>) -> Result<Self, String> {
        let header = text.lines().next().unwrap_or_default().trim();
        let form = match header {
            "-----BEGIN OPENSSH PRIVATE KEY-----" => Form::Ssh,
            "-----BEGIN PRIVATE KEY-----" | "-----BEGIN ENCRYPTED PRIVATE KEY-----" => Form::Pkcs8,
            _ => Form::Pkcs1,
        };
        let is_encrypted = match form {
            Form::Ssh => PrivateKey::from_openssh(text)
                .map_err(|error| error.to_string())?
                .is_encrypted(),
            _ => text.contains("ENCRYPTED"),
        };
        match (is_encrypted, passphrase) {
            (true, None) => return Err("it has a passphrase".into()),
            (false, Some(_)) => return Err("it has no passphrase".into()),
            _ => {}
        }
        let key = decode_secret_key(text, passphrase).map_err(|error| error.to_string())?;
        Ok(Self {
            key,
            form,
            other: (form != Form::Ssh).then(|| text.to_owned()),
        })
    }

    /// Makes a new one.
    ///
    /// # Errors
    /// When that kind is not built, or not in that form.
    pub(super) fn generate(
        kind: Kind,
        bits: usize,
        form: Form,
        comment: &str,
    ) -> Result<Self, String> {
        if matches!(form, Form::Pkcs1 | Form::Pkcs8) {
            return Self::in_old_form(kind, bits, form);
        }
        let random = &mut KernelRandom;
        let curve = match bits {
            384 => EcdsaCurve::NistP384,
            521 => EcdsaCurve::NistP521,
            _ => EcdsaCurve::NistP256,
        };
        let mut key = match kind {
            Kind::Rsa => {
                let pair = RsaKeypair::random(random, bits).map_err(failed)?;
                PrivateKey::new(KeypairData::Rsa(pair), "").map_err(failed)?
            }
            Kind::Ecdsa => {
                PrivateKey::random(random, Algorithm::Ecdsa { curve }).map_err(failed)?
            }
            _ => PrivateKey::random(random, Algorithm::Ed25519).map_err(failed)?,
        };
        key.set_comment(comment);
        Ok(Self {
            key,
            form: Form::Ssh,
            other: None,
        })
    }

    fn in_old_form(kind: Kind, bits: usize, form: Form) -> Result<Self, String> {
        let key = match (kind, bits) {
            (Kind::Rsa, bits) => X509Key::generate_rsa(bits)?,
            (Kind::Ecdsa, 256) => X509Key::generate(KeyType::EcdsaP256)?,
            (Kind::Ecdsa, 384) => X509Key::generate(KeyType::EcdsaP384)?,
            (Kind::Ed25519, _) if form == Form::Pkcs8 => X509Key::generate(KeyType::Ed25519)?,
            _ => return Err("such a key is built in the form `ssh` only".into()),
        };
        let text = match form {
            Form::Pkcs1 => key.traditional_pem(),
            _ => key.pem(),
        };
        let key = decode_secret_key(&text, None).map_err(failed)?;
        Ok(Self {
            key,
            form,
            other: Some(text),
        })
    }

    /// Its kind and bits, if it is one that can be made.
    pub(super) fn kind(&self) -> Option<(&'static str, usize)> {
        match self.key.key_data() {
            KeypairData::Rsa(pair) => Some(("rsa", usize::try_from(pair.key_size()).ok()?)),
            KeypairData::Ed25519(_) => Some(("ed25519", 256)),
            KeypairData::Ecdsa(pair) => Some((
                "ecdsa",
                match pair.curve() {
                    EcdsaCurve::NistP256 => 256,
                    EcdsaCurve::NistP384 => 384,
                    EcdsaCurve::NistP521 => 521,
                },
            )),
            _ => None,
        }
    }

    pub(super) fn fingerprint(&self) -> String {
        self.key.fingerprint(HashAlg::Sha256).to_string()
    }

    pub(super) fn comment(&self) -> String {
        String::from_utf8_lossy(self.key.comment().as_ref()).into_owned()
    }

    /// The public half.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn public(&self, comment: &str) -> ModuleResult<Written> {
        let line = self.key.public_key().to_openssh().map_err(failed)?;
        let mut written = Written::parse(&line).ok_or("a public key without its parts")?;
        comment.clone_into(&mut written.comment);
        Ok(written)
    }

    /// The private key's file.
    ///
    /// # Errors
    /// When it cannot be written that way.
    pub(super) fn text(&self, passphrase: Option<&str>) -> ModuleResult<String> {
        match (&self.other, passphrase) {
            (Some(text), None) => Ok(text.clone()),
            (Some(_), Some(_)) => {
                Err("a passphrase is built for keys in the form `ssh` only".into())
            }
            (None, passphrase) => Ok(openssh(&self.key, passphrase).map_err(failed)?),
        }
    }

    /// The file with another comment, if its form has one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn with_comment(
        &self,
        comment: &str,
        passphrase: Option<&str>,
    ) -> ModuleResult<Option<String>> {
        if self.other.is_some() {
            return Ok(None);
        }
        let mut key = self.key.clone();
        key.set_comment(comment);
        Ok(Some(openssh(&key, passphrase).map_err(failed)?))
    }
}

fn openssh(key: &PrivateKey, passphrase: Option<&str>) -> Result<String, ssh_key::Error> {
    let text = match passphrase {
        Some(passphrase) => key
            .encrypt(&mut KernelRandom, passphrase)?
            .to_openssh(LineEnding::LF)?,
        None => key.to_openssh(LineEnding::LF)?,
    };
    Ok(text.to_string())
}
