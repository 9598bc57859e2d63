//! A certificate as it is found.

use super::der::blocks;
use super::lifetime::moment;
use super::names::{Sans, Subject, sans_of, sans_text};
use super::usage::{self, Names};
use crate::sys::hex;
use crate::value::{Map, Value};
use sha2::{Digest, Sha256};
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::{FromDer, X509Certificate};

/// What a certificate says.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) der: Vec<u8>,
    pub(super) subject: Subject,
    pub(super) subject_raw: Vec<u8>,
    pub(super) issuer: Subject,
    pub(super) issuer_raw: Vec<u8>,
    pub(super) sans: Sans,
    pub(super) usages: Names,
    pub(super) purposes: Names,
    pub(super) is_ca: bool,
    pub(super) path_length: Option<u32>,
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    pub(super) public: Vec<u8>,
    pub(super) key_id: Option<Vec<u8>>,
    pub(super) authority_id: Option<Vec<u8>>,
    pub(super) serial: Vec<u8>,
}

impl Seen {
    /// The first certificate of a PEM file.
    ///
    /// # Errors
    /// When there is none that can be read.
    pub(super) fn parse(content: &[u8]) -> Result<Self, String> {
        let all = Self::parse_all(content)?;
        all.into_iter()
            .next()
            .ok_or_else(|| "there is no certificate in it".to_owned())
    }

    /// All certificates of a PEM file.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(super) fn parse_all(content: &[u8]) -> Result<Vec<Self>, String> {
        blocks(content)
            .into_iter()
            .filter(|block| {
                matches!(
                    block.label.as_str(),
                    "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE"
                )
            })
            .map(|block| Self::of(block.bytes))
            .collect()
    }

    fn of(der: Vec<u8>) -> Result<Self, String> {
        let (_, cert) =
            X509Certificate::from_der(&der).map_err(|e| format!("it cannot be read: {e}"))?;
        let mut seen = Self {
            der: Vec::new(),
            subject: Subject::of(cert.subject()),
            subject_raw: cert.subject().as_raw().to_vec(),
            issuer: Subject::of(cert.issuer()),
            issuer_raw: cert.issuer().as_raw().to_vec(),
            sans: Sans::new(),
            usages: Names::new(),
            purposes: Names::new(),
            is_ca: false,
            path_length: None,
            not_before: cert.validity().not_before.timestamp(),
            not_after: cert.validity().not_after.timestamp(),
            public: cert.public_key().raw.to_vec(),
            key_id: None,
            authority_id: None,
            serial: cert.raw_serial().to_vec(),
        };
        for extension in cert.iter_extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => {
                    seen.sans = sans_of(&names.general_names);
                }
                ParsedExtension::KeyUsage(found) => seen.usages = usage::usages_of(found),
                ParsedExtension::ExtendedKeyUsage(found) => {
                    seen.purposes = usage::purposes_of(found);
                }
                ParsedExtension::BasicConstraints(found) => {
                    seen.is_ca = found.ca;
                    seen.path_length = found.path_len_constraint;
                }
                ParsedExtension::SubjectKeyIdentifier(id) => seen.key_id = Some(id.0.to_vec()),
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    seen.authority_id = id.key_identifier.as_ref().map(|id| id.0.to_vec());
                }
                _ => {}
            }
        }
        seen.der = der;
        Ok(seen)
    }

    /// Whether it was signed by that one: the name, the key's id and the signature fit.
    pub(super) fn is_signed_by(&self, issuer: &Self) -> bool {
        if self.issuer_raw != issuer.subject_raw {
            return false;
        }
        if let (Some(wanted), Some(id)) = (&self.authority_id, &issuer.key_id)
            && wanted != id
        {
            return false;
        }
        let (Ok((_, cert)), Ok((_, ca))) = (
            X509Certificate::from_der(&self.der),
            X509Certificate::from_der(&issuer.der),
        ) else {
            return false;
        };
        cert.verify_signature(Some(ca.public_key())).is_ok()
    }

    /// Whether it signed itself, by its names.
    pub(super) fn is_self_signed(&self) -> bool {
        self.issuer_raw == self.subject_raw
    }

    /// SHA-256 of the whole, in hexadecimal.
    pub(super) fn fingerprint(&self) -> String {
        hex(&Sha256::digest(&self.der))
    }

    /// As return values.
    pub(super) fn facts(&self, now: i64) -> Map {
        let list =
            |names: &Names| Value::list(names.iter().map(|n| Value::data(n.as_str())).collect());
        let subject = |subject: &Subject| {
            let organizations: Vec<Value> = subject
                .organizations
                .iter()
                .map(|o| Value::data(o.as_str()))
                .collect();
            Map::new()
                .with("common_name", subject.common_name.clone())
                .with("organization", organizations)
                .with("text", subject.text())
        };
        Map::new()
            .with("subject", subject(&self.subject))
            .with("issuer", subject(&self.issuer))
            .with("san", list(&self.sans))
            .with("key_usage", list(&self.usages))
            .with("extended_key_usage", list(&self.purposes))
            .with("is_ca", self.is_ca)
            .with("path_length", self.path_length)
            .with("self_signed", self.is_self_signed())
            .with("not_before", moment(self.not_before))
            .with("not_after", moment(self.not_after))
            .with("expired", self.not_after < now)
            .with("days_left", (self.not_after - now).div_euclid(86_400))
            .with("seconds_left", self.not_after - now)
            .with("serial", hex(&self.serial))
            .with("fingerprint", self.fingerprint())
            .with("public_key_fingerprint", hex(&Sha256::digest(&self.public)))
            .with("subject_key_identifier", self.key_id.as_deref().map(hex))
            .with(
                "authority_key_identifier",
                self.authority_id.as_deref().map(hex),
            )
    }

    /// As the lines of a diff.
    pub(super) fn lines(&self) -> String {
        lines(
            &self.subject,
            &self.issuer.text(),
            &self.sans,
            &self.usages,
            &self.purposes,
            self.not_after,
        )
    }
}

/// The lines of a diff for a certificate with this in it.
pub(super) fn lines(
    subject: &Subject,
    issuer: &str,
    sans: &Sans,
    usages: &Names,
    purposes: &Names,
    not_after: i64,
) -> String {
    format!(
        "subject: {}\nissuer: {issuer}\nsan: {}\nkey usage: {}\nextended key usage: {}\nnot after: {}\n",
        subject.text(),
        sans_text(sans),
        usage::text(usages),
        usage::text(purposes),
        super::lifetime::day(not_after),
    )
}
