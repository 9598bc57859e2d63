//! Files of variables or inventory data: JSON or YAML, decrypted if they are a vault.

use crate::diag::{Diagnostic, Source, Span, io_reason};
use crate::yaml::Document;
use std::path::Path;
use std::sync::Arc;

/// Opens a vault: takes its text (with the header), returns the plain text or a sentence that says why not.
pub type Decrypt = Arc<dyn Fn(&str) -> Result<String, String> + Send + Sync>;

/// How vaulted files begin.
const VAULT_HEADER: &str = "$ANSIBLE_VAULT;";

/// Reads a YAML or JSON file. A file without a document is a null node.
///
/// # Errors
/// If it cannot be read, decrypted or parsed.
pub fn read_document(path: &Path, decrypt: Option<&Decrypt>) -> Result<Document, Diagnostic> {
    let text = read_text(path, decrypt)?;
    crate::yaml::parse(&Source::new(path, text))
}

/// Reads a text file, decrypting a vault.
pub(super) fn read_text(path: &Path, decrypt: Option<&Decrypt>) -> Result<String, Diagnostic> {
    let bytes = std::fs::read(path).map_err(|error| {
        Diagnostic::error(
            "inventory::unreadable",
            format!("cannot read {}: {}", path.display(), io_reason(&error)),
        )
    })?;
    let text =
        String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let source = Source::new(path, String::from_utf8_lossy(error.as_bytes()));
            Diagnostic::error("inventory::not-utf8", "the file is not UTF-8 text")
                .at(&Span::of_bytes(&source, good, good + 1))
        })?;
    if !text.starts_with(VAULT_HEADER) {
        return Ok(text);
    }
    let Some(decrypt) = decrypt else {
        return Err(Diagnostic::error(
            "inventory::vault-locked",
            format!("{} is encrypted with vault", path.display()),
        )
        .note("runbook cannot decrypt yet")
        .hint(
            "run `ansible-vault decrypt` on a copy of it, or take the variables from elsewhere",
        ));
    };
    decrypt(&text).map_err(|why| {
        Diagnostic::error(
            "inventory::vault",
            format!("cannot decrypt {}: {why}", path.display()),
        )
    })
}
