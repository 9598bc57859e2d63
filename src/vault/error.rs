//! Why something could not be opened or made.

use super::FormatError;

/// Why an encrypted text could not be opened, or a text not be encrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The text is damaged, or none.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// There are no passwords.
    #[error("it is encrypted with vault, and no vault password was given")]
    NoPasswords,
    /// No password fits.
    #[error("no vault password fits it: it is for `{id}`; tried {tried}")]
    NoneFits {
        /// The id that the text names.
        id: String,
        /// Those that were tried, with their origins.
        tried: String,
    },
    /// Only the password of the same id is to be tried (`vault_id_match`), and there is none.
    #[error(
        "it is for the vault id `{id}`, and `vault_id_match` allows no other; there is a password for {known}"
    )]
    NoSuchId {
        /// The id that the text names.
        id: String,
        /// Those that there are.
        known: String,
    },
    /// What is encrypted is no text where one is needed.
    #[error("it was decrypted, but is not UTF-8 text")]
    NotText,
    /// A label that cannot stand in the first line.
    #[error("`{0}` cannot be a vault id: it must not be empty, nor hold `;` or line breaks")]
    Label(String),
    /// An empty salt.
    #[error("the salt must not be empty")]
    Salt,
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(String),
}

impl VaultError {
    /// Ansible's words for [`VaultError::NoPasswords`], which scripts look for.
    pub const NO_PASSWORDS: &str = "Attempting to decrypt but no vault secrets found";

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoPasswords => Some(
                "give one with --vault-id, --vault-password-file or --ask-vault-pass, or set \
                 `vault_password_file`"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}
