//! Requests and certificates: written, signed and read.

use super::asn1::{bits, integer, oid, seq, time, tlv};
use super::extension::Extension;
use super::name::Name;
use crate::modules::crypto::csr::{request_block, verified};
use crate::modules::crypto::der::{blocks, pem};
use crate::modules::crypto::key::PrivateKey;
use rcgen::SigningKey;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The algorithm that a key signs with, in DER.
fn algorithm(key: &PrivateKey) -> Vec<u8> {
    let kind = key.kind();
    let (id, parameters) = match kind.as_str() {
        "ecdsa-p256" => ("1.2.840.10045.4.3.2", Vec::new()),
        "ecdsa-p384" => ("1.2.840.10045.4.3.3", Vec::new()),
        "ed25519" => ("1.3.101.112", Vec::new()),
        // RSA with SHA-256, whose parameters are nothing
        _ => ("1.2.840.113549.1.1.11", tlv(0x05, &[])),
    };
    seq(&[oid(id).unwrap_or_default(), parameters])
}

/// Puts a signature below what is to be signed.
fn sign(key: &PrivateKey, label: &str, content: Vec<u8>) -> Result<String, String> {
    let signature = key
        .pair
        .sign(&content)
        .map_err(|e| format!("signing failed: {e}"))?;
    let whole = seq(&[content, algorithm(key), bits(&signature)]);
    Ok(pem(label, &whole))
}

/// A request in PEM (RFC 2986).
///
/// # Errors
/// When it cannot be signed.
pub(super) fn request(
    name: &Name,
    extensions: &[Extension],
    key: &PrivateKey,
) -> Result<String, String> {
    let attributes = if extensions.is_empty() {
        Vec::new()
    } else {
        let all: Vec<Vec<u8>> = extensions.iter().map(Extension::der).collect();
        let id = oid("1.2.840.113549.1.9.14").unwrap_or_default();
        seq(&[id, tlv(0x31, &seq(&all))])
    };
    let content = seq(&[
        integer(&[0]),
        name.der(),
        key.public(),
        tlv(0xa0, &attributes),
    ]);
    sign(key, "CERTIFICATE REQUEST", content)
}

/// What is certified.
pub(super) struct Certified<'a> {
    /// Subject and issuer in DER.
    pub subject: &'a [u8],
    pub issuer: &'a [u8],
    /// The public key (SubjectPublicKeyInfo).
    pub public: &'a [u8],
    pub extensions: &'a [Extension],
    /// Seconds since 1970.
    pub not_before: i64,
    pub not_after: i64,
}

/// A certificate in PEM (RFC 5280).
///
/// # Errors
/// When there is no randomness, a time is impossible, or it cannot be signed.
pub(super) fn certificate(what: &Certified<'_>, key: &PrivateKey) -> Result<String, String> {
    let mut serial = [0_u8; 20];
    getrandom::fill(&mut serial).map_err(|e| format!("no randomness: {e}"))?;
    if let Some(first) = serial.first_mut() {
        // positive, and never shorter
        *first = (*first & 0x7f) | 0x40;
    }
    let at = |seconds| time(seconds).ok_or_else(|| "an impossible time".to_owned());
    let all: Vec<Vec<u8>> = what.extensions.iter().map(Extension::der).collect();
    let extensions = if all.is_empty() {
        Vec::new()
    } else {
        tlv(0xa3, &seq(&all))
    };
    let content = seq(&[
        tlv(0xa0, &integer(&[2])),
        integer(&serial),
        algorithm(key),
        what.issuer.to_vec(),
        seq(&[at(what.not_before)?, at(what.not_after)?]),
        what.subject.to_vec(),
        what.public.to_vec(),
        extensions,
    ]);
    sign(key, "CERTIFICATE", content)
}

/// A request or a certificate as it is found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub subject: Name,
    /// In DER, as it is there.
    pub subject_raw: Vec<u8>,
    pub extensions: Vec<Extension>,
    pub public: Vec<u8>,
    /// The whole.
    pub der: Vec<u8>,
    /// Of a certificate: its issuer in DER, and its times.
    pub issuer_raw: Vec<u8>,
    pub not_before: i64,
    pub not_after: i64,
}

impl Found {
    /// A request in PEM, if who made it has the key.
    ///
    /// # Errors
    /// When it cannot be read, or its signature is wrong.
    pub(super) fn request(content: &[u8]) -> Result<Self, String> {
        let block = request_block(content)?;
        let csr = verified(&block)?;
        let info = &csr.certification_request_info;
        let mut extensions = Vec::new();
        for attribute in info.iter_attributes() {
            if let ParsedCriAttribute::ExtensionRequest(asked) = attribute.parsed_attribute() {
                extensions.extend(asked.extensions.iter().map(Extension::of));
            }
        }
        Ok(Self {
            subject: Name::of(&info.subject),
            subject_raw: info.subject.as_raw().to_vec(),
            extensions,
            public: info.subject_pki.raw.to_vec(),
            issuer_raw: Vec::new(),
            not_before: 0,
            not_after: 0,
            der: block.bytes.clone(),
        })
    }

    /// The first certificate in PEM.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn certificate(content: &[u8]) -> Result<Self, String> {
        let block = blocks(content)
            .into_iter()
            .find(|block| block.label.ends_with("CERTIFICATE"))
            .ok_or("there is no certificate in it")?;
        let (_, cert) = X509Certificate::from_der(&block.bytes)
            .map_err(|e| format!("the certificate cannot be read: {e}"))?;
        Ok(Self {
            subject: Name::of(cert.subject()),
            subject_raw: cert.subject().as_raw().to_vec(),
            extensions: cert.iter_extensions().map(Extension::of).collect(),
            public: cert.public_key().raw.to_vec(),
            issuer_raw: cert.issuer().as_raw().to_vec(),
            not_before: cert.validity().not_before.timestamp(),
            not_after: cert.validity().not_after.timestamp(),
            der: block.bytes.clone(),
        })
    }

    /// Whether this certificate is signed with the key whose public half this is.
    pub(super) fn is_signed_with(&self, public: &[u8]) -> bool {
        let Ok((_, cert)) = X509Certificate::from_der(&self.der) else {
            return false;
        };
        let Ok((_, key)) = x509_parser::x509::SubjectPublicKeyInfo::from_der(public) else {
            return false;
        };
        cert.verify_signature(Some(&key)).is_ok()
    }

    /// As the lines of a diff.
    pub(super) fn lines(&self) -> String {
        lines(&self.subject, &self.extensions)
    }
}

/// Subject and extensions as the lines of a diff.
pub(super) fn lines(subject: &Name, extensions: &[Extension]) -> String {
    let mut text = format!("subject: {}\n", subject.text());
    for extension in extensions {
        text.push_str(&extension.text());
    }
    text
}

/// The id of a public key: the SHA-1 of its bits (RFC 5280, 4.2.1.2).
pub(super) fn key_id(public: &[u8]) -> Vec<u8> {
    use sha1::{Digest, Sha1};
    let bits = x509_parser::x509::SubjectPublicKeyInfo::from_der(public)
        .map(|(_, key)| key.subject_public_key.data.to_vec())
        .unwrap_or_default();
    Sha1::digest(bits).to_vec()
}
