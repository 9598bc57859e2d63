//! Contents that travel to machines.

use super::{Error, Input, Result};
use crate::value::to_bool;
use crate::vault::{VaultError, about, is_encrypted, is_encrypted_file};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes, or a file of the controller.
#[derive(Clone, Debug)]
pub enum Content {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file.
    File(PathBuf),
}

impl Content {
    /// SHA-256 in hexadecimal.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sha256(&self) -> std::io::Result<String> {
        self.digest::<Sha256>()
    }

    /// SHA-1 in hexadecimal: what Ansible's results call `checksum`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sha1(&self) -> std::io::Result<String> {
        self.digest::<sha1::Sha1>()
    }

    fn digest<D: Digest>(&self) -> std::io::Result<String> {
        let mut digest = D::new();
        match self {
            Self::Bytes(bytes) => digest.update(bytes),
            Self::File(path) => {
                let mut file = std::fs::File::open(path)?;
                let mut buffer = vec![0; 1 << 16];
                loop {
                    let n = file.read(&mut buffer)?;
                    if n == 0 {
                        break;
                    }
                    digest.update(buffer.get(..n).unwrap_or_default());
                }
            }
        }
        Ok(hex(&digest.finalize()))
    }

    /// Size in bytes.
    ///
    /// # Errors
    /// When the file cannot be looked at.
    pub fn size(&self) -> std::io::Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::File(path) => std::fs::metadata(path).map(|meta| meta.len()),
        }
    }
}

/// The content of a file of the controller. What is encrypted with vault is decrypted, unless the task says
/// `decrypt: false`.
pub(super) fn of_file(input: &Input<'_>, path: &Path) -> Result<Content> {
    let decrypt = input.args.get("decrypt").filter(|flag| !flag.is_null());
    if decrypt.is_some_and(|flag| to_bool(flag) == Some(false)) || !is_encrypted_file(path) {
        return Ok(Content::File(path.to_owned()));
    }
    Ok(Content::Bytes(bytes_of(input, path)?.into()))
}

/// What ends the message where a file was looked for on the controller and may be meant to be on the machine.
pub(super) const REMOTE_SRC: &str = "\nIf you are using a module and expect the file to exist on the remote, see the \
    remote_src option";

/// A file of the controller that goes to the machine: its path, its SHA-256 and its content. `hint` ends the message where
/// there is none.
pub(super) fn file_to_send(
    input: &Input<'_>,
    src: &str,
    hint: &str,
) -> Result<(PathBuf, String, Content)> {
    let path = input.cx.files().find("files", src);
    let path = path.filter(|path| path.is_file()).ok_or_else(|| {
        Error::Failed(format!(
            "Could not find or access '{src}' on the Ansible Controller.{hint}"
        ))
    })?;
    let content = of_file(input, &path)?;
    let sha256 = content.sha256().map_err(|e| unreadable(&path, &e))?;
    Ok((path, sha256, content))
}

/// The bytes of a file of the controller, decrypted if it is encrypted with vault.
pub(super) fn bytes_of(input: &Input<'_>, path: &Path) -> Result<Vec<u8>> {
    let bytes = std::fs::read(path).map_err(|e| unreadable(path, &e))?;
    if is_encrypted(&bytes) {
        return match input.templar.vault().decrypt(&bytes) {
            Ok(plain) => Ok(plain),
            // Ansible's words: playbooks look for them in the result
            Err(why @ VaultError::NoPasswords) => {
                let mut diagnostic = about(path, &why);
                diagnostic.told = Some(format!(
                    "A vault password or secret must be specified to decrypt {}",
                    path.display()
                ));
                Err(diagnostic.into())
            }
            Err(why) => Err(about(path, &why).into()),
        };
    }
    Ok(bytes)
}

/// The message for a file of the controller that cannot be read.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> String {
    format!(
        "cannot read {} on the controller: {}",
        path.display(),
        crate::diag::io_reason(error)
    )
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
