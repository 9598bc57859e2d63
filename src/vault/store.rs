//! The passwords of a run.

use super::keys::KeyCache;
use super::{Envelope, Identity, VaultError, cipher};
use zeroize::Zeroizing;

/// The passwords of a run, in the order in which they are tried. Without any, everything encrypted stays closed.
#[derive(Debug, Default)]
pub struct Vault {
    identities: Vec<Identity>,
    id_match: bool,
    default_id: Option<String>,
    keys: KeyCache,
}

/// What was in an encrypted text.
pub struct Opened<'a> {
    /// The content.
    pub plain: Zeroizing<Vec<u8>>,
    /// Whose password fitted.
    pub identity: &'a Identity,
    /// The label that the text has.
    pub label: Option<String>,
}

impl Vault {
    /// A vault with these passwords. With `id_match`, a text is tried with those of its own id only.
    pub fn new(identities: Vec<Identity>, id_match: bool) -> Self {
        Self {
            identities,
            id_match,
            default_id: None,
            keys: KeyCache::default(),
        }
    }

    /// The id of texts without a label, where it is not `default` (`vault_identity`).
    #[must_use]
    pub fn with_default_id(mut self, id: impl Into<String>) -> Self {
        self.default_id = Some(id.into());
        self
    }

    /// Its passwords, in the order in which they are tried.
    pub fn identities(&self) -> &[Identity] {
        &self.identities
    }

    /// Opens an encrypted text: first with the passwords of the id that it names, then with the others.
    ///
    /// # Errors
    /// If it is damaged, or no password fits.
    pub fn open(&self, text: &[u8]) -> Result<Opened<'_>, VaultError> {
        let envelope = Envelope::parse(text)?;
        if self.identities.is_empty() {
            return Err(VaultError::NoPasswords);
        }
        let id = match (&envelope.label, &self.default_id) {
            (Some(label), _) => label.as_str(),
            (None, Some(id)) => id.as_str(),
            (None, None) => super::DEFAULT_ID,
        };
        let numbered = || self.identities.iter().enumerate();
        let named = numbered().filter(|(_, identity)| identity.id == id);
        let others = numbered().filter(|(_, identity)| identity.id != id && !self.id_match);
        let mut tried = Vec::new();
        for (number, identity) in named.chain(others) {
            let keys = self.keys.get(number, &identity.password, &envelope.salt);
            if let Some(plain) = cipher::open(&envelope, &keys) {
                return Ok(Opened {
                    plain,
                    identity,
                    label: envelope.label.clone(),
                });
            }
            tried.push(identity.to_string());
        }
        let id = id.to_owned();
        if tried.is_empty() {
            let known: Vec<String> = self.identities.iter().map(ToString::to_string).collect();
            return Err(VaultError::NoSuchId {
                id,
                known: known.join(", "),
            });
        }
        Err(VaultError::NoneFits {
            id,
            tried: tried.join(", "),
        })
    }

    /// The content of an encrypted text.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn decrypt(&self, text: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.open(text).map(|opened| opened.plain.to_vec())
    }

    /// The content of an encrypted text, which must be text as well.
    ///
    /// # Errors
    /// As [`Vault::open`], and if it is not UTF-8.
    pub fn decrypt_text(&self, text: &str) -> Result<String, VaultError> {
        String::from_utf8(self.decrypt(text.as_bytes())?).map_err(|_| VaultError::NotText)
    }
}
