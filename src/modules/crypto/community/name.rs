//! Subjects with all their attributes, in their order.

use super::asn1::{oid, seq, tlv};
use crate::value::{Map, Value, str_of};
use x509_parser::x509::X509Name;

/// Attributes by their short and long names.
const ATTRIBUTES: &[(&str, &str, &str)] = &[
    ("C", "countryName", "2.5.4.6"),
    ("ST", "stateOrProvinceName", "2.5.4.8"),
    ("L", "localityName", "2.5.4.7"),
    ("O", "organizationName", "2.5.4.10"),
    ("OU", "organizationalUnitName", "2.5.4.11"),
    ("CN", "commonName", "2.5.4.3"),
    ("emailAddress", "Email", "1.2.840.113549.1.9.1"),
    ("SN", "surname", "2.5.4.4"),
    ("GN", "givenName", "2.5.4.42"),
    ("serialNumber", "serialNumber", "2.5.4.5"),
    ("street", "streetAddress", "2.5.4.9"),
    ("title", "title", "2.5.4.12"),
    ("postalCode", "postalCode", "2.5.4.17"),
    ("businessCategory", "businessCategory", "2.5.4.15"),
    ("dnQualifier", "dnQualifier", "2.5.4.46"),
    ("pseudonym", "pseudonym", "2.5.4.65"),
    ("DC", "domainComponent", "0.9.2342.19200300.100.1.25"),
    ("UID", "userId", "0.9.2342.19200300.100.1.1"),
];

/// A name: object identifiers and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name(Vec<(String, String)>);

impl Name {
    /// Adds an attribute; nothing if there is no value.
    ///
    /// # Errors
    /// When there is no such attribute.
    pub(super) fn push(&mut self, attribute: &str, value: Option<&str>) -> Result<(), String> {
        let Some(value) = value else { return Ok(()) };
        let known = ATTRIBUTES.iter().find(|(short, long, _)| {
            short.eq_ignore_ascii_case(attribute) || long.eq_ignore_ascii_case(attribute)
        });
        let id = match known {
            Some((.., id)) => *id,
            None if oid(attribute).is_some() => attribute,
            None => {
                return Err(format!(
                    "`{attribute}` is no attribute of a subject that is known"
                ));
            }
        };
        self.0.push((id.to_owned(), value.to_owned()));
        Ok(())
    }

    /// Adds those of a mapping, whose values may be lists.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub(super) fn extend(&mut self, attributes: &Map) -> Result<(), String> {
        for (attribute, value) in attributes.str_iter() {
            match value {
                Value::List(values) => {
                    for value in values.iter() {
                        self.push(attribute, Some(&str_of(value)))?;
                    }
                }
                value => self.push(attribute, Some(&str_of(value)))?,
            }
        }
        Ok(())
    }

    /// Of a name that was parsed.
    pub(super) fn of(name: &X509Name<'_>) -> Self {
        Self(
            name.iter_attributes()
                .map(|attribute| {
                    let value = attribute.as_str().unwrap_or("?").to_owned();
                    (attribute.attr_type().to_id_string(), value)
                })
                .collect(),
        )
    }

    /// The first common name.
    pub(super) fn common_name(&self) -> Option<&str> {
        let found = self.0.iter().find(|(id, _)| id == "2.5.4.3");
        found.map(|(_, value)| value.as_str())
    }

    /// Whether both have the same attributes, in whatever order.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let sorted = |name: &Self| {
            let mut all = name.0.clone();
            all.sort();
            all
        };
        sorted(self) == sorted(other)
    }

    /// As text: `C=DE, O=Example, CN=www`.
    pub(super) fn text(&self) -> String {
        let parts: Vec<String> = self.pairs().map(|(k, v)| format!("{k}={v}")).collect();
        parts.join(", ")
    }

    /// As a return value: pairs.
    pub(super) fn value(&self) -> Value {
        Value::list(
            self.pairs()
                .map(|(k, v)| Value::list(vec![Value::data(long(k)), Value::data(v)]))
                .collect(),
        )
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(id, value)| {
            let known = ATTRIBUTES.iter().find(|(.., known)| known == id);
            (
                known.map_or(id.as_str(), |(short, ..)| short),
                value.as_str(),
            )
        })
    }

    /// In DER (RFC 5280, 4.1.2.4).
    pub(super) fn der(&self) -> Vec<u8> {
        let parts: Vec<Vec<u8>> = self
            .0
            .iter()
            .filter_map(|(id, value)| {
                let tag = match id.as_str() {
                    // printable strings, and what mail and domain names are
                    "2.5.4.6" | "2.5.4.5" | "2.5.4.46" => 0x13,
                    "1.2.840.113549.1.9.1" | "0.9.2342.19200300.100.1.25" => 0x16,
                    _ => 0x0c,
                };
                Some(tlv(0x31, &seq(&[oid(id)?, tlv(tag, value.as_bytes())])))
            })
            .collect();
        seq(&parts)
    }
}

fn long(short: &str) -> &str {
    let known = ATTRIBUTES.iter().find(|(name, ..)| *name == short);
    match known {
        Some(("emailAddress", ..)) | None => short,
        Some((_, long, _)) => long,
    }
}
