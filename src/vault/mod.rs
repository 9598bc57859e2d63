//! Ansible Vault: the format of encrypted files and values, its cipher, and the passwords that open them.
//!
//! [`Vault`] holds the passwords of a run and opens what they fit; [`encrypt`] makes what Ansible opens. A text is an
//! [`Envelope`]: a header line (`$ANSIBLE_VAULT;1.1;AES256`, or `1.2` with a label) and hexadecimal lines.
//!
//! Source of the behaviour: Ansible's documentation, "Protecting sensitive data with Ansible vault" and, for the
//! format, "Format of files encrypted with Ansible Vault" there.

mod cipher;
mod envelope;
mod error;
mod file;
mod hex;
mod keys;
mod password;
mod source;
mod store;
#[cfg(test)]
mod tests;

pub use cipher::encrypt;
pub use envelope::{Envelope, FormatError, is_encrypted};
pub use error::VaultError;
pub use file::{about, is_encrypted_file, text_of};
pub use password::{DEFAULT_ID, Identity, Password};
pub use source::{PasswordError, PasswordStage, SecretSource, is_client};
pub use store::{Opened, Vault};
