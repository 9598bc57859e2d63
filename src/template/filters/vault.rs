//! Encryption with a password of one's own: what Ansible Vault reads and writes.
//!
//! Source: Ansible's documentation of the filters `vault` and `unvault`.

use super::Filter;
use crate::template::call::{Call, fail, type_name};
use crate::value::Text;
use crate::vault::{Identity, Password, Vault, encrypt, is_encrypted};
use minijinja::Error;
use minijinja::value::{Value as Val, ValueKind};

/// The label of texts that the filter made and nobody named.
const LABEL: &str = "filter_default";

pub(super) const TABLE: &[(&str, Filter)] = &[("vault", vault), ("unvault", unvault)];

/// `vault(secret, salt=None, vault_id='filter_default', wrap_object=False)`.
fn vault(call: &mut Call) -> Result<Val, Error> {
    let plain = text(call, "only strings can be encrypted")?;
    let password = password(call)?;
    let salt = call.args.opt_text("salt")?;
    let label = label(call)?;
    let wrap = call.args.flag("wrap_object", false)?;
    call.args.finish()?;
    encrypt(
        plain.as_bytes(),
        &password,
        Some(&label),
        salt.as_deref().map(str::as_bytes),
    )
    .map(|sealed| {
        if wrap {
            call.render.opened_already(&plain, Text::vault(sealed))
        } else {
            Val::from(sealed)
        }
    })
    .or_else(|error| fail(format!("vault: {error}")))
}

/// `unvault(secret, vault_id='filter_default')`: what is not encrypted stays as it is.
fn unvault(call: &mut Call) -> Result<Val, Error> {
    // a `!vault` value is meant itself, not what a password of the run makes of it
    let sealed = match call.render.sealed(&call.input) {
        Some(sealed) => sealed.to_string(),
        None => text(call, "only strings can be decrypted")?,
    };
    let password = password(call)?;
    let id = label(call)?;
    call.args.finish()?;
    if !is_encrypted(sealed.as_bytes()) {
        return Ok(call.input.clone());
    }
    let identity = Identity {
        id,
        password,
        origin: "the filter's secret".to_owned(),
    };
    Vault::new(vec![identity], false)
        .decrypt_text(&sealed)
        .map(Val::from)
        .or_else(|error| fail(format!("unvault: {error}")))
}

fn text(call: &Call, what: &str) -> Result<String, Error> {
    if call.input.is_undefined() {
        return Err(Error::undefined(&call.input));
    }
    match call.input.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => fail(format!("{what}, not {}", type_name(&call.input))),
    }
}

fn password(call: &mut Call) -> Result<Password, Error> {
    let secret = call.args.need("secret")?;
    if secret.kind() != ValueKind::String {
        return fail(format!(
            "the secret must be a string, not {}",
            type_name(&secret)
        ));
    }
    Password::new(secret.as_str().unwrap_or_default())
        .map_or_else(|| fail("the secret must not be empty"), Ok)
}

fn label(call: &mut Call) -> Result<String, Error> {
    let label = call.args.opt_text("vault_id")?;
    let old = call.args.opt_text("vaultid")?;
    Ok(old.or(label).unwrap_or_else(|| LABEL.to_owned()))
}
