//! Encrypted texts: damaged ones are refused, whole ones open to what they were.

use crate::files;
use runbook::vault::{Envelope, Identity, Password, Vault, encrypt, is_encrypted};
use std::sync::LazyLock;

static VAULT: LazyLock<Vault> = LazyLock::new(|| {
    let identities = ["dev", "prod"]
        .iter()
        .filter_map(|id| {
            let path = files::root().join(format!("tests/vault/fixtures/{id}.password"));
            let text = std::fs::read_to_string(path).ok()?;
            Some(Identity {
                id: (*id).to_owned(),
                password: Password::new(text.trim())?,
                origin: String::new(),
            })
        })
        .collect();
    Vault::new(identities, false)
});

pub fn corpus() -> Vec<Vec<u8>> {
    files::texts(&files::under(&["tests/vault/fixtures"], |path| {
        files::ends(path, &["vault"])
    }))
}

pub fn run(input: &[u8]) -> Result<(), String> {
    is_encrypted(input);
    if let Err(error) = Envelope::parse(input) {
        let _ = error.to_string();
    }
    if let Err(error) = VAULT.decrypt(input) {
        let _ = (error.to_string(), error.hint());
    }
    let Some(identity) = VAULT.identities().first() else {
        return Err("there is no password".to_owned());
    };
    // a salt that stays the same, so that keys are not made anew each time
    let closed =
        encrypt(input, &identity.password, None, Some(b"salt")).map_err(|e| e.to_string())?;
    let open = VAULT
        .decrypt(closed.as_bytes())
        .map_err(|e| e.to_string())?;
    if open != input {
        return Err("what was encrypted opens to something else".to_owned());
    }
    Ok(())
}
