//! Extensions of requests and certificates (RFC 5280, 4.2).

use super::asn1::{flags, integer, oid, seq, tlv};
use crate::modules::crypto::names::{Sans, parse_sans, sans_of};
use std::net::IpAddr;
use x509_parser::extensions::{GeneralName, SubjectAlternativeName, X509Extension};
use x509_parser::prelude::FromDer;

pub(super) const SUBJECT_KEY_ID: &str = "2.5.29.14";
pub(super) const AUTHORITY_KEY_ID: &str = "2.5.29.35";
const KEY_USAGE: &str = "2.5.29.15";
const ALTERNATIVE_NAMES: &str = "2.5.29.17";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const PURPOSES: &str = "2.5.29.37";
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";

/// An extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extension {
    pub id: String,
    pub critical: bool,
    pub content: Vec<u8>,
}

/// Uses of a key in the order of their bits, with openssl's names beside the standard's.
const USES: [(&str, &str); 9] = [
    ("digitalSignature", "Digital Signature"),
    ("nonRepudiation", "Non Repudiation"),
    ("keyEncipherment", "Key Encipherment"),
    ("dataEncipherment", "Data Encipherment"),
    ("keyAgreement", "Key Agreement"),
    ("keyCertSign", "Certificate Sign"),
    ("cRLSign", "CRL Sign"),
    ("encipherOnly", "Encipher Only"),
    ("decipherOnly", "Decipher Only"),
];

/// Purposes, with openssl's names beside the standard's.
const PURPOSE_IDS: &[(&str, &str, &str)] = &[
    (
        "serverAuth",
        "TLS Web Server Authentication",
        "1.3.6.1.5.5.7.3.1",
    ),
    (
        "clientAuth",
        "TLS Web Client Authentication",
        "1.3.6.1.5.5.7.3.2",
    ),
    ("codeSigning", "Code Signing", "1.3.6.1.5.5.7.3.3"),
    ("emailProtection", "E-mail Protection", "1.3.6.1.5.5.7.3.4"),
    ("timeStamping", "Time Stamping", "1.3.6.1.5.5.7.3.8"),
    ("OCSPSigning", "OCSP Signing", "1.3.6.1.5.5.7.3.9"),
    (
        "anyExtendedKeyUsage",
        "Any Extended Key Usage",
        "2.5.29.37.0",
    ),
    ("ipsecEndSystem", "IPSec End System", "1.3.6.1.5.5.7.3.5"),
    ("ipsecTunnel", "IPSec Tunnel", "1.3.6.1.5.5.7.3.6"),
    ("ipsecUser", "IPSec User", "1.3.6.1.5.5.7.3.7"),
];

impl Extension {
    fn new(id: &str, critical: bool, content: Vec<u8>) -> Self {
        Self {
            id: id.to_owned(),
            critical,
            content,
        }
    }

    /// Of one that was parsed.
    pub(super) fn of(extension: &X509Extension<'_>) -> Self {
        Self::new(
            &extension.oid.to_id_string(),
            extension.critical,
            extension.value.to_vec(),
        )
    }

    /// What a key may be used for.
    ///
    /// # Errors
    /// When a use is not known.
    pub(super) fn key_usage(wanted: &[String], critical: bool) -> Result<Self, String> {
        let mut set = [false; USES.len()];
        for word in wanted {
            let at = USES.iter().position(|(name, long)| {
                name.eq_ignore_ascii_case(word)
                    || long.eq_ignore_ascii_case(word)
                    || (*name == "nonRepudiation" && word.eq_ignore_ascii_case("contentCommitment"))
            });
            match at.and_then(|at| set.get_mut(at)) {
                Some(flag) => *flag = true,
                None => return Err(format!("`{word}` is no use of a key (key_usage)")),
            }
        }
        Ok(Self::new(KEY_USAGE, critical, flags(&set)))
    }

    /// What a certificate is for.
    ///
    /// # Errors
    /// When a purpose is neither known nor an object identifier.
    pub(super) fn purposes(wanted: &[String], critical: bool) -> Result<Self, String> {
        let mut ids = Vec::new();
        for word in wanted {
            let known = PURPOSE_IDS.iter().find(|(name, long, _)| {
                name.eq_ignore_ascii_case(word) || long.eq_ignore_ascii_case(word)
            });
            let id = known.map_or(word.as_str(), |(.., id)| id);
            let id = oid(id).ok_or_else(|| {
                format!("`{word}` is no purpose that is known, and no OID (extended_key_usage)")
            })?;
            ids.push(id);
        }
        Ok(Self::new(PURPOSES, critical, seq(&ids)))
    }

    /// Alternative names, each with its kind before it.
    ///
    /// # Errors
    /// When one cannot be read, or is of a kind that is not built.
    pub(super) fn alternative_names(wanted: &[String], critical: bool) -> Result<Self, String> {
        let mut names = Vec::new();
        for name in wanted {
            let (kind, rest) = name.split_once(':').ok_or_else(|| {
                format!("Cannot parse Subject Alternative Name \"{name}\" (expected PREFIX:value)")
            })?;
            names.push(match kind.to_lowercase().as_str() {
                "dns" => {
                    // what is no host name is told
                    parse_sans(std::slice::from_ref(name))?;
                    tlv(0x82, rest.trim().to_lowercase().as_bytes())
                }
                "email" => tlv(0x81, rest.trim().as_bytes()),
                "uri" => tlv(0x86, rest.trim().as_bytes()),
                "ip" => match rest.trim().parse::<IpAddr>() {
                    Ok(IpAddr::V4(ip)) => tlv(0x87, &ip.octets()),
                    Ok(IpAddr::V6(ip)) => tlv(0x87, &ip.octets()),
                    Err(_) => return Err(format!("`{rest}` in subject_alt_name is no IP address")),
                },
                "rid" => {
                    let mut id = oid(rest.trim())
                        .ok_or_else(|| format!("`{rest}` in subject_alt_name is no OID"))?;
                    if let Some(tag) = id.first_mut() {
                        *tag = 0x88;
                    }
                    id
                }
                "dirname" | "othername" => {
                    return Err(format!("names of the kind `{kind}` in subject_alt_name are not built yet"));
                }
                _ => {
                    return Err(format!(
                        "Cannot parse Subject Alternative Name \"{name}\" (potentially unsupported by cryptography backend)"
                    ));
                }
            });
        }
        Ok(Self::new(ALTERNATIVE_NAMES, critical, seq(&names)))
    }

    /// Whether it is a CA: `CA:TRUE`, `pathlen:0`.
    ///
    /// # Errors
    /// When a part is none of these.
    pub(super) fn basic_constraints(parts: &[String], critical: bool) -> Result<Self, String> {
        let mut content = Vec::new();
        let mut length = None;
        for part in parts {
            let (key, value) = part.split_once(':').unwrap_or((part, ""));
            match (
                key.trim().to_lowercase().as_str(),
                value.trim().to_lowercase().as_str(),
            ) {
                ("ca", "true") => content = tlv(0x01, &[0xff]),
                ("ca", "false") => {}
                ("pathlen", number) => {
                    let number: u32 = number
                        .parse()
                        .map_err(|_| format!("Cannot parse path length constraint \"{value}\""))?;
                    length = Some(integer(&number.to_be_bytes()));
                }
                _ => return Err(format!("Unknown basic constraint \"{part}\"")),
            }
        }
        if content.is_empty() && length.is_some() {
            return Err("basic_constraints: a path length needs CA:TRUE".to_owned());
        }
        let parts = [content, length.unwrap_or_default()];
        Ok(Self::new(BASIC_CONSTRAINTS, critical, seq(&parts)))
    }

    /// Its server has to send what OCSP says of it.
    pub(super) fn must_staple(critical: bool) -> Self {
        Self::new(TLS_FEATURE, critical, seq(&[integer(&[5])]))
    }

    /// The id of its key.
    pub(super) fn subject_key_id(id: &[u8]) -> Self {
        Self::new(SUBJECT_KEY_ID, false, tlv(0x04, id))
    }

    /// The id of its issuer's key.
    pub(super) fn authority_key_id(id: &[u8]) -> Self {
        Self::new(AUTHORITY_KEY_ID, false, seq(&[tlv(0x80, id)]))
    }

    /// In DER.
    pub(super) fn der(&self) -> Vec<u8> {
        let critical = if self.critical {
            tlv(0x01, &[0xff])
        } else {
            Vec::new()
        };
        seq(&[
            oid(&self.id).unwrap_or_default(),
            critical,
            tlv(0x04, &self.content),
        ])
    }

    /// The same, where the order of names does not matter.
    fn is_same(&self, other: &Self) -> bool {
        if self.id != other.id || self.critical != other.critical {
            return false;
        }
        match (self.names(), other.names()) {
            (Some(own), Some(others)) => own == others,
            _ => self.content == other.content,
        }
    }

    fn names(&self) -> Option<Sans> {
        if self.id != ALTERNATIVE_NAMES {
            return None;
        }
        let (_, names) = SubjectAlternativeName::from_der(&self.content).ok()?;
        let is_known = |name: &GeneralName<'_>| {
            matches!(
                name,
                GeneralName::DNSName(_)
                    | GeneralName::RFC822Name(_)
                    | GeneralName::URI(_)
                    | GeneralName::IPAddress(_)
            )
        };
        names
            .general_names
            .iter()
            .all(is_known)
            .then(|| sans_of(&names.general_names))
    }

    /// What it says, for a diff.
    pub(super) fn text(&self) -> String {
        let name = match self.id.as_str() {
            KEY_USAGE => "key usage",
            PURPOSES => "extended key usage",
            ALTERNATIVE_NAMES => "alternative names",
            BASIC_CONSTRAINTS => "basic constraints",
            TLS_FEATURE => "must staple",
            SUBJECT_KEY_ID => "subject key id",
            AUTHORITY_KEY_ID => "authority key id",
            other => other,
        };
        let value = match self.names() {
            Some(names) => crate::modules::crypto::names::sans_text(&names),
            None => crate::sys::hex(&self.content),
        };
        let critical = if self.critical { " (critical)" } else { "" };
        format!("{name}{critical}: {value}\n")
    }
}

/// Whether both have the same extensions, in whatever order.
pub(super) fn same(own: &[Extension], others: &[Extension]) -> bool {
    own.len() == others.len()
        && own
            .iter()
            .all(|extension| others.iter().any(|other| extension.is_same(other)))
}
