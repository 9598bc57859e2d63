//! Public keys.

use super::numbers::{colons, whole};
use crate::value::{Map, Value};
use base64::Engine;
use sha2::Digest;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Curves by their numbers: the name, and the bits of a private key.
const CURVES: &[(&str, &str, i64)] = &[
    ("1.2.840.10045.3.1.1", "secp192r1", 192),
    ("1.3.132.0.33", "secp224r1", 224),
    ("1.2.840.10045.3.1.7", "secp256r1", 256),
    ("1.3.132.0.34", "secp384r1", 384),
    ("1.3.132.0.35", "secp521r1", 521),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
];

/// Digests of bytes by their algorithms, as `0a:ff:…`.
pub fn fingerprints(bytes: &[u8]) -> Map {
    Map::new()
        .with("md5", colons(&md5::Md5::digest(bytes)))
        .with("sha1", colons(&sha1::Sha1::digest(bytes)))
        .with("sha224", colons(&sha2::Sha224::digest(bytes)))
        .with("sha256", colons(&sha2::Sha256::digest(bytes)))
        .with("sha384", colons(&sha2::Sha384::digest(bytes)))
        .with("sha512", colons(&sha2::Sha512::digest(bytes)))
}

/// Members `public_key`, `type`, `public_data` and `fingerprints` of a SubjectPublicKeyInfo in DER.
///
/// # Errors
/// When it is none.
pub fn public_key_info(der: &[u8]) -> Result<Map, String> {
    let (_, key) =
        SubjectPublicKeyInfo::from_der(der).map_err(|e| format!("it is no public key: {e}"))?;
    let (kind, data) = kind(&key);
    Ok(Map::new()
        .with("public_key", Value::data(pem(der)))
        .with("type", Value::data(kind))
        .with("public_data", Value::map(data))
        .with("fingerprints", Value::map(fingerprints(der))))
}

/// What the public key of a PEM text is: members `type`, `public_data` and `fingerprints`.
///
/// # Errors
/// When there is none that can be read.
pub fn public_key_of(content: &[u8]) -> Result<Map, String> {
    let der = super::block(content, &["PUBLIC KEY"]).ok_or("there is no public key in it")?;
    let mut info = public_key_info(&der)?;
    info.take("public_key");
    Ok(info)
}

fn pem(der: &[u8]) -> String {
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let mut out = "-----BEGIN PUBLIC KEY-----\n".to_owned();
    for (at, c) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            out.push('\n');
        }
        out.push(c);
    }
    out + "\n-----END PUBLIC KEY-----\n"
}

fn kind(key: &SubjectPublicKeyInfo<'_>) -> (String, Map) {
    let id = key.algorithm.algorithm.to_id_string();
    match (id.as_str(), key.parsed()) {
        (_, Ok(PublicKey::RSA(rsa))) => {
            let modulus: Vec<u8> = rsa
                .modulus
                .iter()
                .copied()
                .skip_while(|b| *b == 0)
                .collect();
            let first = modulus.first().copied().unwrap_or_default();
            let bits = modulus.len() * 8
                - first.leading_zeros() as usize * usize::from(!modulus.is_empty());
            let data = Map::new()
                .with("size", i64::try_from(bits).unwrap_or_default())
                .with("modulus", whole(rsa.modulus))
                .with("exponent", whole(rsa.exponent));
            ("RSA".into(), data)
        }
        ("1.2.840.10045.2.1", Ok(PublicKey::EC(point))) => {
            let curve = key.algorithm.parameters.as_ref();
            let curve = curve
                .and_then(|any| any.as_oid().ok())
                .map(|id| id.to_id_string());
            let curve = curve.unwrap_or_default();
            let known = CURVES.iter().find(|(id, ..)| *id == curve);
            let mut data = Map::new();
            data.set(
                "curve",
                Value::data(known.map_or(curve.as_str(), |(_, name, _)| *name)),
            );
            // 4, then both coordinates
            if let Some((4, both)) = point.data().split_first() {
                let (x, y) = both.split_at(both.len() / 2);
                data.set("x", whole(x));
                data.set("y", whole(y));
            }
            data.set("exponent_size", known.map(|(.., bits)| *bits));
            ("ECC".into(), data)
        }
        ("1.3.101.110", _) => ("X25519".into(), Map::new()),
        ("1.3.101.111", _) => ("X448".into(), Map::new()),
        ("1.3.101.112", _) => ("Ed25519".into(), Map::new()),
        ("1.3.101.113", _) => ("Ed448".into(), Map::new()),
        ("1.2.840.10040.4.1", _) => ("DSA".into(), Map::new()),
        _ => (format!("unknown ({id})"), Map::new()),
    }
}
