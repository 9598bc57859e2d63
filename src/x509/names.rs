//! Names of things that have numbers, and general names.

use super::numbers::colons;
use crate::value::{Map, Value};
use std::net::IpAddr;
use x509_parser::extensions::GeneralName;
use x509_parser::x509::X509Name;

/// Attributes of a subject: number, long and short name.
const ATTRIBUTES: &[(&str, &str, &str)] = &[
    ("2.5.4.3", "commonName", "CN"),
    ("2.5.4.4", "surname", "SN"),
    ("2.5.4.5", "serialNumber", "serialNumber"),
    ("2.5.4.6", "countryName", "C"),
    ("2.5.4.7", "localityName", "L"),
    ("2.5.4.8", "stateOrProvinceName", "ST"),
    ("2.5.4.9", "streetAddress", "street"),
    ("2.5.4.10", "organizationName", "O"),
    ("2.5.4.11", "organizationalUnitName", "OU"),
    ("2.5.4.12", "title", "title"),
    ("2.5.4.15", "businessCategory", "businessCategory"),
    ("2.5.4.17", "postalCode", "postalCode"),
    ("2.5.4.42", "givenName", "GN"),
    ("2.5.4.44", "generationQualifier", "generationQualifier"),
    ("2.5.4.46", "dnQualifier", "dnQualifier"),
    ("2.5.4.65", "pseudonym", "pseudonym"),
    (
        "2.5.4.97",
        "organizationIdentifier",
        "organizationIdentifier",
    ),
    ("1.2.840.113549.1.9.1", "emailAddress", "emailAddress"),
    ("0.9.2342.19200300.100.1.1", "userId", "UID"),
    ("0.9.2342.19200300.100.1.25", "domainComponent", "DC"),
];

/// Algorithms of signatures.
const SIGNATURES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.2.840.113549.1.1.10", "rsassaPss"),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption"),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption"),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption"),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224"),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256"),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384"),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512"),
    ("1.2.840.10040.4.3", "dsaWithSHA1"),
    ("2.16.840.1.101.3.4.3.2", "dsa_with_SHA256"),
    ("1.3.101.112", "ED25519"),
    ("1.3.101.113", "ED448"),
];

/// Extensions by their short names.
const EXTENSIONS: &[(&str, &str)] = &[
    ("2.5.29.9", "subjectDirectoryAttributes"),
    ("2.5.29.14", "subjectKeyIdentifier"),
    ("2.5.29.15", "keyUsage"),
    ("2.5.29.16", "privateKeyUsagePeriod"),
    ("2.5.29.17", "subjectAltName"),
    ("2.5.29.18", "issuerAltName"),
    ("2.5.29.19", "basicConstraints"),
    ("2.5.29.30", "nameConstraints"),
    ("2.5.29.31", "crlDistributionPoints"),
    ("2.5.29.32", "certificatePolicies"),
    ("2.5.29.33", "policyMappings"),
    ("2.5.29.35", "authorityKeyIdentifier"),
    ("2.5.29.36", "policyConstraints"),
    ("2.5.29.37", "extendedKeyUsage"),
    ("2.5.29.46", "freshestCRL"),
    ("2.5.29.54", "inhibitAnyPolicy"),
    ("1.3.6.1.5.5.7.1.1", "authorityInfoAccess"),
    ("1.3.6.1.5.5.7.1.11", "subjectInfoAccess"),
    ("1.3.6.1.5.5.7.1.24", "tlsfeature"),
    ("1.3.6.1.5.5.7.48.1.5", "noCheck"),
    ("1.3.6.1.4.1.11129.2.4.2", "ct_precert_scts"),
    ("1.3.6.1.4.1.11129.2.4.3", "ct_precert_poison"),
    ("2.16.840.1.113730.1.1", "nsCertType"),
    ("2.16.840.1.113730.1.13", "nsComment"),
];

/// Purposes of certificates.
const PURPOSES: &[(&str, &str)] = &[
    ("1.3.6.1.5.5.7.3.1", "TLS Web Server Authentication"),
    ("1.3.6.1.5.5.7.3.2", "TLS Web Client Authentication"),
    ("1.3.6.1.5.5.7.3.3", "Code Signing"),
    ("1.3.6.1.5.5.7.3.4", "E-mail Protection"),
    ("1.3.6.1.5.5.7.3.5", "IPSec End System"),
    ("1.3.6.1.5.5.7.3.6", "IPSec Tunnel"),
    ("1.3.6.1.5.5.7.3.7", "IPSec User"),
    ("1.3.6.1.5.5.7.3.8", "Time Stamping"),
    ("1.3.6.1.5.5.7.3.9", "OCSP Signing"),
    ("1.3.6.1.5.5.7.3.10", "dvcs"),
    ("1.3.6.1.5.5.7.3.17", "ipsec Internet Key Exchange"),
    ("1.3.6.1.5.5.7.1.2", "Biometric Info"),
    ("2.5.29.37.0", "Any Extended Key Usage"),
];

fn named(table: &[(&str, &str)], id: &str) -> Value {
    let found = table.iter().find(|(known, _)| *known == id);
    Value::data(found.map_or(id, |(_, name)| *name))
}

pub(super) fn signature(id: &str) -> Value {
    named(SIGNATURES, id)
}

pub(super) fn extension(id: &str) -> Value {
    named(EXTENSIONS, id)
}

pub(super) fn purpose(id: &str) -> Value {
    named(PURPOSES, id)
}

/// A subject as a mapping (the last of each name), and as pairs in order.
pub(super) fn subject(name: &X509Name<'_>) -> (Value, Value) {
    let mut map = Map::new();
    let mut pairs = Vec::new();
    for attribute in name.iter_attributes() {
        let id = attribute.attr_type().to_id_string();
        let long = ATTRIBUTES.iter().find(|(known, ..)| *known == id);
        let long = long.map_or(id.as_str(), |(_, long, _)| *long);
        let text = Value::data(attribute.as_str().unwrap_or_default());
        map.set(long, text.clone());
        pairs.push(Value::list(vec![Value::data(long), text]));
    }
    (Value::map(map), Value::list(pairs))
}

/// A subject by the short names of its parts (the last of each).
pub(super) fn short_subject(name: &X509Name<'_>) -> Value {
    let mut map = Map::new();
    for attribute in name.iter_attributes() {
        let id = attribute.attr_type().to_id_string();
        let short = ATTRIBUTES.iter().find(|(known, ..)| *known == id);
        let short = short.map_or(id.as_str(), |(_, _, short)| *short);
        map.set(short, Value::data(attribute.as_str().unwrap_or_default()));
    }
    Value::map(map)
}

/// Backwards and with the short names, as RFC 4514 has it.
fn reversed(name: &X509Name<'_>) -> String {
    let parts: Vec<String> = name
        .iter_attributes()
        .map(|attribute| {
            let id = attribute.attr_type().to_id_string();
            let short = ATTRIBUTES.iter().find(|(known, ..)| *known == id);
            let short = short.map_or(id.as_str(), |(_, _, short)| *short);
            format!(
                "{short}={}",
                escaped(attribute.as_str().unwrap_or_default())
            )
        })
        .collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

/// A value within a name (RFC 4514, 2.4).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        let is_special = "\"+,;<>\\".contains(c);
        if is_special || (at == 0 && matches!(c, '#' | ' ')) || (at == last && c == ' ') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A general name with its kind before it.
pub(super) fn general(name: &GeneralName<'_>) -> Value {
    let text = match name {
        GeneralName::DNSName(name) => format!("DNS:{name}"),
        GeneralName::RFC822Name(name) => format!("email:{name}"),
        GeneralName::URI(uri) => format!("URI:{uri}"),
        GeneralName::RegisteredID(id) => format!("RID:{}", id.to_id_string()),
        GeneralName::IPAddress(bytes) => format!("IP:{}", address(bytes)),
        GeneralName::DirectoryName(name) => format!("dirName:{}", reversed(name)),
        GeneralName::OtherName(id, bytes) => {
            format!(
                "otherName:{};{}",
                id.to_id_string(),
                colons(unwrapped(bytes))
            )
        }
        other => format!("{other:?}"),
    };
    Value::data(text)
}

/// What is in a tagged value.
fn unwrapped(bytes: &[u8]) -> &[u8] {
    let more = match bytes.get(1) {
        Some(length) if *length >= 0x80 => usize::from(length & 0x7f),
        _ => 0,
    };
    bytes.get(2 + more..).unwrap_or_default()
}

/// An address, or one with its mask (of constraints on names).
fn address(bytes: &[u8]) -> String {
    let one = |bytes: &[u8]| -> Option<IpAddr> {
        <[u8; 4]>::try_from(bytes)
            .map(IpAddr::from)
            .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
            .ok()
    };
    if !matches!(bytes.len(), 8 | 32) {
        return one(bytes).map(|ip| ip.to_string()).unwrap_or_default();
    }
    let (ip, mask) = bytes.split_at(bytes.len() / 2);
    let ones: u32 = mask.iter().map(|byte| byte.count_ones()).sum();
    one(ip).map(|ip| format!("{ip}/{ones}")).unwrap_or_default()
}
