//! Private keys, read once for a whole run.

use crate::value::Secret;
use russh::keys::{PrivateKey, decode_secret_key};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Asks somebody for the passphrase of a key; `None` gives the key up.
pub type AskPassphrase = dyn Fn(&Path) -> Option<Secret<String>> + Send + Sync;

/// The private keys of a run. A key is read, and its passphrase asked for, once for all machines.
#[derive(Default)]
pub struct KeyRing {
    ask: Option<Box<AskPassphrase>>,
    keys: tokio::sync::Mutex<HashMap<PathBuf, Result<Arc<PrivateKey>, String>>>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing")
    }
}

impl KeyRing {
    /// A ring that asks for the passphrases of encrypted keys. The function may block.
    pub fn asking(ask: Box<AskPassphrase>) -> Self {
        Self {
            ask: Some(ask),
            keys: tokio::sync::Mutex::default(),
        }
    }

    /// The key in this file, or why it cannot be used. Failures with a passphrase that was given
    /// are not remembered.
    pub(crate) async fn load(
        self: &Arc<Self>,
        path: &Path,
        passphrase: Option<&Secret<String>>,
    ) -> Result<Arc<PrivateKey>, String> {
        // Held while asking: two machines must not ask for the same key.
        let mut keys = self.keys.lock().await;
        if let Some(known) = keys.get(path)
            && (known.is_ok() || passphrase.is_none())
        {
            return known.clone();
        }
        let (ring, file, given) = (Arc::clone(self), path.to_owned(), passphrase.cloned());
        let loaded = tokio::task::spawn_blocking(move || ring.read(&file, given.as_ref()))
            .await
            .unwrap_or_else(|error| Err(error.to_string()));
        keys.insert(path.to_owned(), loaded.clone());
        loaded
    }

    fn read(&self, path: &Path, given: Option<&Secret<String>>) -> Result<Arc<PrivateKey>, String> {
        let name = path.display();
        let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
        let decode = |passphrase: Option<&str>| decode_secret_key(&text, passphrase).map(Arc::new);
        match decode(None) {
            Ok(key) => return Ok(key),
            Err(error) if !is_encrypted(&error, &text) => {
                return Err(format!(
                    "{name} is no private key that can be read: {error}"
                ));
            }
            Err(_) => {}
        }
        let passphrase = match given {
            Some(given) => given.clone(),
            None => self
                .ask
                .as_ref()
                .and_then(|ask| ask(path))
                .ok_or_else(|| format!("{name} is encrypted and no passphrase was given"))?,
        };
        decode(Some(passphrase.reveal()))
            .map_err(|_| format!("{name} is encrypted and the passphrase is wrong"))
    }
}

fn is_encrypted(error: &russh::keys::Error, text: &str) -> bool {
    matches!(error, russh::keys::Error::KeyIsEncrypted)
        || text.contains("ENCRYPTED")
        || text.contains("BEGIN OPENSSH PRIVATE KEY")
            && matches!(error, russh::keys::Error::SshKey(_))
}
