//! Certificates.

use super::block;
use super::extensions::{addresses, facts, version};
use super::names::{extension, short_subject, signature, subject};
use super::numbers::whole;
use super::public_key::{fingerprints, public_key_info};
use crate::value::{Map, Value};
use base64::Engine;
use x509_parser::prelude::{FromDer, X509Certificate};

const LABELS: &[&str] = &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

/// What the first certificate of a text says, or one in DER. `now` is in seconds since 1970.
///
/// # Errors
/// When there is none that can be read.
pub fn certificate_info(content: &[u8], now: i64) -> Result<Map, String> {
    let der = match block(content, LABELS) {
        Some(der) => der,
        None if content.first() == Some(&0x30) => content.to_vec(),
        None => return Err("there is no certificate in it".into()),
    };
    let (_, cert) =
        X509Certificate::from_der(&der).map_err(|e| format!("it cannot be read: {e}"))?;
    let mut info = Map::new();
    let algorithm = cert.signature_algorithm.algorithm.to_id_string();
    info.set("signature_algorithm", signature(&algorithm));
    for (name, of) in [("subject", cert.subject()), ("issuer", cert.issuer())] {
        let (map, ordered) = subject(of);
        info.set(name, map);
        info.set(&format!("{name}_ordered"), ordered);
    }
    info.set("version", version(cert.version()));
    let extensions: Vec<_> = cert.extensions().iter().collect();
    info.extend(facts(&extensions));
    let (begin, end) = (
        cert.validity().not_before.timestamp(),
        cert.validity().not_after.timestamp(),
    );
    info.set("not_before", moment(begin));
    info.set("not_after", moment(end));
    info.set("expired", end < now);
    let mut key = public_key_info(cert.public_key().raw)?;
    for (from, to) in [
        ("public_key", "public_key"),
        ("type", "public_key_type"),
        ("public_data", "public_key_data"),
        ("fingerprints", "public_key_fingerprints"),
    ] {
        info.set(to, key.take(from).unwrap_or_default());
    }
    info.set("fingerprints", Value::map(fingerprints(&der)));
    info.set("serial_number", whole(cert.raw_serial()));
    for (name, uri) in addresses(&extensions) {
        info.set(name, uri);
    }
    Ok(info)
}

/// What a certificate in DER that a server showed says, by the short names of things. `now` is in seconds since 1970; with
/// `base64` the values of extensions are encoded, otherwise they are bytes as far as a text can have them.
///
/// # Errors
/// When it cannot be read.
pub fn presented_info(der: &[u8], now: i64, base64: bool) -> Result<Map, String> {
    let (_, cert) =
        X509Certificate::from_der(der).map_err(|e| format!("it cannot be read: {e}"))?;
    let extensions: Vec<Value> = cert
        .extensions()
        .iter()
        .map(|found| {
            let data = if base64 {
                base64::engine::general_purpose::STANDARD.encode(found.value)
            } else {
                String::from_utf8_lossy(found.value).into_owned()
            };
            let entry = Map::new()
                .with("critical", found.critical)
                .with("asn1_data", Value::data(data))
                .with("name", extension(&found.oid.to_id_string()));
            Value::map(entry)
        })
        .collect();
    let (begin, end) = (
        cert.validity().not_before.timestamp(),
        cert.validity().not_after.timestamp(),
    );
    let algorithm = cert.signature_algorithm.algorithm.to_id_string();
    Ok(Map::new()
        .with("subject", short_subject(cert.subject()))
        .with("expired", end < now)
        .with("extensions", extensions)
        .with("issuer", short_subject(cert.issuer()))
        .with("not_after", moment(end))
        .with("not_before", moment(begin))
        .with("serial_number", whole(cert.raw_serial()))
        .with("signature_algorithm", signature(&algorithm))
        .with("version", i64::from(cert.version().0)))
}

/// A moment as ASN.1 writes it.
fn moment(seconds: i64) -> Value {
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    Value::data(time.strftime("%Y%m%d%H%M%SZ").to_string())
}
