//! Files of variables or inventory data: JSON or YAML, decrypted if they are encrypted with vault.

use crate::diag::{Diagnostic, Source, Span, io_reason};
use crate::vault::{Vault, is_encrypted};
use crate::yaml::Document;
use std::path::Path;
use std::sync::Arc;

/// Reads a YAML or JSON file. A file without a document is a null node.
///
/// # Errors
/// If it cannot be read, decrypted or parsed.
pub fn read_document(path: &Path, vault: &Vault) -> Result<Document, Diagnostic> {
    crate::yaml::parse(&read_source(path, vault)?)
}

/// Reads a text file, decrypting it if need be; then messages do not show its lines.
pub(super) fn read_source(path: &Path, vault: &Vault) -> Result<Arc<Source>, Diagnostic> {
    let bytes = std::fs::read(path).map_err(|error| {
        Diagnostic::error(
            "inventory::unreadable",
            format!("cannot read {}: {}", path.display(), io_reason(&error)),
        )
    })?;
    if is_encrypted(&bytes) {
        let text = vault
            .decrypt_file(path, &bytes)
            .and_then(|plain| crate::vault::text_of(path, plain))?;
        return Ok(Source::hidden(path, text));
    }
    let text =
        String::from_utf8(bytes).map_err(|error| {
            let good = error.utf8_error().valid_up_to();
            let source = Source::new(path, String::from_utf8_lossy(error.as_bytes()));
            Diagnostic::error("inventory::not-utf8", "the file is not UTF-8 text")
                .at(&Span::of_bytes(&source, good, good + 1))
        })?;
    Ok(Source::new(path, text))
}
