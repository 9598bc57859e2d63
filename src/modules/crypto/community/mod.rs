//! The modules of community.crypto for keys, requests and certificates, with that collection's arguments:
//! `openssl_privatekey`, `openssl_publickey`, `openssl_csr`, `x509_certificate`, those that describe them, `openssh_keypair`
//! and `openssl_dhparam`. No openssl is needed but for the last.
//!
//! Requests and certificates are written here piece by piece, so that the names and extensions of a request get into
//! the certificate byte by byte.
//!
//! Source: the documentation of the modules of community.crypto.

mod asn1;
mod certificate;
mod csr;
mod dhparam;
mod extension;
mod get_certificate;
mod info;
mod name;
mod openssh_keypair;
mod pkcs12;
mod private_key;
mod public_key;
mod signed;
mod ssh_key;
#[cfg(test)]
mod tests;
mod when;

pub(super) use certificate::X509Certificate;
pub(super) use csr::OpensslCsr;
pub(super) use dhparam::OpensslDhparam;
pub(super) use get_certificate::GetCertificate;
pub(super) use info::{
    OpensslCsrInfo, OpensslPrivateKeyInfo, OpensslPublicKeyInfo, X509CertificateInfo,
};
pub(super) use openssh_keypair::OpensshKeypair;
pub(super) use pkcs12::OpensslPkcs12;
pub(super) use pkcs12::decrypt;
pub(super) use private_key::OpensslPrivateKey;
pub(super) use public_key::OpensslPublicKey;

use super::key::PrivateKey;
use super::output::{Output, write_all};
use crate::choices;
use crate::modules::{Failure, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{Map, Secret, Value};
use std::path::{Path, PathBuf};

choices! {
    /// Whether the file is to be there.
    pub enum State {
        /// There, and as it is to be.
        Present = "present",
        /// Not there.
        Absent = "absent",
    }
}

choices! {
    /// When a key that is there is replaced.
    pub enum Regenerate {
        /// Never; one that cannot be read is a failure.
        Never = "never",
        /// Never; one that does not fit is a failure.
        Fail = "fail",
        /// When it does not fit; one that cannot be read is a failure.
        Partial = "partial_idempotence",
        /// When it does not fit or cannot be read.
        Full = "full_idempotence",
        /// Each time.
        Always = "always",
    }
}

/// The private key of a file or a text; `None` if the file is not there (a task before this one may make it, which it did
/// not in check mode).
fn private_key(
    sys: &Sys,
    path: Option<&PathBuf>,
    content: Option<&Secret<String>>,
    passphrase: Option<&Secret<String>>,
) -> ModuleResult<Option<PrivateKey>> {
    let (bytes, place) = match (path, content) {
        (_, Some(text)) => (
            Some(text.reveal().clone().into_bytes()),
            "the key".to_owned(),
        ),
        (Some(path), None) => {
            let path = sys.expand(path);
            (sys.read(&path)?, format!("the key {}", path.display()))
        }
        (None, None) => {
            return Err("one of privatekey_path and privatekey_content is needed".into());
        }
    };
    let key = bytes
        .map(|bytes| match passphrase {
            Some(passphrase) => PrivateKey::open(&bytes, passphrase.reveal()),
            None => PrivateKey::parse(&bytes),
        })
        .transpose();
    key.map_err(|problem| Failure::new(format!("{place} cannot be used: {problem}")))
}

fn no_key(path: Option<&PathBuf>) -> Failure {
    let path = path.map_or_else(String::new, |path| path.display().to_string());
    Failure::new(format!("The private key {path} does not exist"))
}

/// The file is to be gone.
fn plan_removal(sys: &Sys, plan: &mut Plan<'_>, path: &Path, backup: bool) -> ModuleResult<()> {
    if sys.stat(path, false)?.is_none() {
        return Ok(());
    }
    let owned = path.to_owned();
    let diff = Diff::new(path.to_string_lossy(), Some("present\n"), None::<String>);
    plan.act(
        format!("remove {}", path.display()),
        Some(diff),
        move |sys, returns| {
            if backup {
                let kept = sys.backup(&owned)?;
                returns.set("backup_file", Value::data(kept.to_string_lossy().as_ref()));
            }
            Ok(sys.remove_file(&owned)?)
        },
    );
    Ok(())
}

/// Writes the one file of such a module; its content is returned under the name, if there is one.
fn write_one(
    sys: &mut Sys,
    output: Output<'_>,
    backup: bool,
    returned_as: Option<&str>,
    returns: &mut Map,
) -> ModuleResult<()> {
    if let Some(name) = returned_as {
        returns.set(name, Value::data(output.content.as_str()));
    }
    write_all(sys, &[output], backup, returns)?;
    if let Some(Value::List(files)) = returns.take("backup_files")
        && let Some(first) = files.first()
    {
        returns.set("backup_file", first.clone());
    }
    Ok(())
}
