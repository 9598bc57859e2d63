//! Base64 and UUIDs.

use super::Filter;
use crate::template::call::{Call, fail};
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use minijinja::Error;
use minijinja::value::Value as Val;

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("b64encode", |c| {
        check_encoding(c)?;
        Ok(Val::from(STANDARD.encode(c.text()?)))
    }),
    ("b64decode", |c| {
        check_encoding(c)?;
        let text: String = c
            .text()?
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || "+/=".contains(*c))
            .collect();
        let engine = GeneralPurpose::new(
            &base64::alphabet::STANDARD,
            GeneralPurposeConfig::new()
                .with_decode_padding_mode(DecodePaddingMode::Indifferent)
                .with_decode_allow_trailing_bits(true),
        );
        match engine.decode(text) {
            Ok(bytes) => Ok(Val::from(String::from_utf8_lossy(&bytes).into_owned())),
            Err(error) => fail(format!("b64decode: {error}")),
        }
    }),
    ("to_uuid", |c| {
        // Ansible's own namespace
        let namespace = c
            .args
            .opt_text("namespace")?
            .unwrap_or_else(|| "361E6D51-FAEC-444A-9079-341386DA8E2E".into());
        match uuid::Uuid::parse_str(&namespace) {
            Ok(namespace) => Ok(Val::from(
                uuid::Uuid::new_v5(&namespace, c.text()?.as_bytes()).to_string(),
            )),
            Err(error) => fail(format!(
                "Invalid value '{namespace}' for 'namespace': {error}"
            )),
        }
    }),
];

fn check_encoding(call: &mut Call) -> Result<(), Error> {
    match call.args.opt_text("encoding")?.as_deref() {
        None | Some("utf-8" | "utf8" | "UTF-8" | "ascii") => Ok(()),
        Some(other) => fail(format!(
            "the encoding `{other}` is not supported, only utf-8 is"
        )),
    }
}
