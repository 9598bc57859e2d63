//! Requests for certificates.

use super::block;
use super::extensions::{constraints, facts};
use super::names::subject;
use super::public_key::public_key_info;
use crate::value::{Map, Value};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::prelude::FromDer;

const LABELS: &[&str] = &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// What the first request of a text says.
///
/// # Errors
/// When there is none that can be read.
pub fn request_info(content: &[u8]) -> Result<Map, String> {
    let der = block(content, LABELS).ok_or("there is no request for a certificate in it")?;
    let (_, request) =
        X509CertificationRequest::from_der(&der).map_err(|e| format!("it cannot be read: {e}"))?;
    let inner = &request.certification_request_info;
    let mut info = Map::new();
    let (map, ordered) = subject(&inner.subject);
    info.set("subject", map);
    info.set("subject_ordered", ordered);
    let extensions: Vec<_> = inner
        .iter_attributes()
        .filter_map(|attribute| match attribute.parsed_attribute() {
            ParsedCriAttribute::ExtensionRequest(found) => Some(found.extensions.iter()),
            _ => None,
        })
        .flatten()
        .collect();
    info.extend(facts(&extensions));
    for (name, value) in constraints(&extensions) {
        info.set(name, value);
    }
    let mut key = public_key_info(inner.subject_pki.raw)?;
    for (from, to) in [
        ("public_key", "public_key"),
        ("type", "public_key_type"),
        ("public_data", "public_key_data"),
        ("fingerprints", "public_key_fingerprints"),
    ] {
        info.set(to, key.take(from).unwrap_or_default());
    }
    info.set(
        "signature_valid",
        Value::from(request.verify_signature().is_ok()),
    );
    Ok(info)
}
