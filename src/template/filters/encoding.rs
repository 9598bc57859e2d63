//! Base64 and UUIDs.

use super::Filter;
use crate::template::call::{Call, fail};
use crate::template::charset;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use minijinja::Error;
use minijinja::value::{Value as Val, ValueKind};

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("b64encode", |c| {
        let encoding = encoding(c)?;
        if c.input.kind() == ValueKind::Bytes {
            return Ok(Val::from(
                STANDARD.encode(c.input.as_bytes().unwrap_or_default()),
            ));
        }
        let bytes = charset::encode(&c.text()?, &encoding);
        Ok(Val::from(STANDARD.encode(bytes.or_else(fail)?)))
    }),
    ("b64decode", |c| {
        let encoding = encoding(c)?;
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
            Ok(bytes) if encoding == "utf-8" => {
                Ok(Val::from(String::from_utf8_lossy(&bytes).into_owned()))
            }
            Ok(bytes) => charset::decode(&bytes, &encoding)
                .map(Val::from)
                .or_else(fail),
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

fn encoding(call: &mut Call) -> Result<String, Error> {
    let name = call.args.opt_text("encoding")?;
    Ok(name.unwrap_or_else(|| "utf-8".to_owned()))
}
