//! Encrypted files, with messages that name them.

use super::{Vault, VaultError, is_encrypted};
use crate::diag::Diagnostic;
use std::io::Read;
use std::path::Path;

impl Vault {
    /// The content of an encrypted file that was read.
    ///
    /// # Errors
    /// As [`Vault::open`]; the message names the file.
    pub fn decrypt_file(
        &self,
        path: impl AsRef<Path>,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Diagnostic> {
        self.decrypt(bytes)
            .map_err(|error| about(path.as_ref(), &error))
    }
}

/// The text that was in an encrypted file.
///
/// # Errors
/// If it is not UTF-8; the message names the file.
pub fn text_of(path: impl AsRef<Path>, plain: Vec<u8>) -> Result<String, Diagnostic> {
    String::from_utf8(plain).map_err(|_| about(path.as_ref(), &VaultError::NotText))
}

/// The message for a file that cannot be opened.
pub fn about(path: &Path, error: &VaultError) -> Diagnostic {
    let mut diagnostic = Diagnostic::error(
        "vault::locked",
        format!("cannot decrypt {}: {error}", path.display()),
    );
    diagnostic.told = match error {
        VaultError::NoPasswords => Some(VaultError::NO_PASSWORDS.to_owned()),
        VaultError::NoneFits { .. } | VaultError::NoSuchId { .. } => Some(format!(
            "Decryption failed (no vault secrets were found that could decrypt) on {}",
            path.display()
        )),
        _ => None,
    };
    diagnostic.maybe_hint(error.hint())
}

/// Whether this is an encrypted file; what cannot be read is none.
pub fn is_encrypted_file(path: &Path) -> bool {
    let mut head = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(16).read_to_end(&mut head))
        .is_ok()
        && is_encrypted(&head)
}
