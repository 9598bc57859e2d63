//! Extensions of certificates and requests (RFC 5280, 4.2).

use super::names::{general, purpose};
use super::numbers::{colons, whole};
use crate::value::{Map, Value};
use base64::Engine;
use x509_parser::extensions::{
    AuthorityInfoAccess, GeneralName, GeneralSubtree, KeyUsage, ParsedExtension, X509Extension,
};
use x509_parser::x509::X509Version;

const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
/// `status_request` as its only feature.
const MUST_STAPLE: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x05];
const OCSP: &str = "1.3.6.1.5.5.7.48.1";
const ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

/// The version as people count it.
pub(super) fn version(version: X509Version) -> Value {
    Value::from(i64::from(version.0) + 1)
}

/// What the extensions say, in the order of the results.
pub(super) fn facts(extensions: &[&X509Extension<'_>]) -> Map {
    let mut facts = Map::new();
    for (name, empty) in [
        ("key_usage", Value::Null),
        ("extended_key_usage", Value::Null),
        ("basic_constraints", Value::Null),
        ("ocsp_must_staple", Value::Null),
        ("subject_alt_name", Value::Null),
    ] {
        facts.set(name, empty);
        facts.set(&format!("{name}_critical"), false);
    }
    for name in [
        "subject_key_identifier",
        "authority_key_identifier",
        "authority_cert_issuer",
        "authority_cert_serial_number",
    ] {
        facts.set(name, Value::Null);
    }
    let mut by_id = Map::new();
    for extension in extensions {
        let id = extension.oid.to_id_string();
        let value = base64::engine::general_purpose::STANDARD.encode(extension.value);
        let entry = Map::new()
            .with("critical", extension.critical)
            .with("value", Value::data(value));
        by_id.set(&id, Value::map(entry));
        let mut tell = |name: &str, value: Value| {
            facts.set(name, value);
            facts.set(&format!("{name}_critical"), extension.critical);
        };
        match extension.parsed_extension() {
            ParsedExtension::KeyUsage(usage) => tell("key_usage", uses(usage)),
            ParsedExtension::ExtendedKeyUsage(_) => {
                tell("extended_key_usage", purposes(extension.value));
            }
            ParsedExtension::BasicConstraints(found) => {
                let mut all = vec![Value::data(if found.ca { "CA:TRUE" } else { "CA:FALSE" })];
                all.extend(
                    found
                        .path_len_constraint
                        .map(|length| Value::data(format!("pathlen:{length}"))),
                );
                tell("basic_constraints", Value::list(all));
            }
            ParsedExtension::SubjectAlternativeName(names) => {
                tell("subject_alt_name", listed(&names.general_names));
            }
            ParsedExtension::SubjectKeyIdentifier(id) => {
                facts.set("subject_key_identifier", colons(id.0));
            }
            ParsedExtension::AuthorityKeyIdentifier(found) => {
                let id = found.key_identifier.as_ref().map(|id| colons(id.0));
                facts.set("authority_key_identifier", id);
                let issuer = found
                    .authority_cert_issuer
                    .as_ref()
                    .map(|names| listed(names));
                facts.set("authority_cert_issuer", issuer);
                facts.set(
                    "authority_cert_serial_number",
                    found.authority_cert_serial.map(whole),
                );
            }
            _ if id == TLS_FEATURE => {
                tell(
                    "ocsp_must_staple",
                    Value::from(extension.value == MUST_STAPLE),
                );
            }
            _ => {}
        }
    }
    facts.set("extensions_by_oid", Value::map(by_id));
    facts
}

/// Where a certificate's state and its issuer's certificate are told.
pub(super) fn addresses(extensions: &[&X509Extension<'_>]) -> [(&'static str, Option<Value>); 2] {
    let access = extensions
        .iter()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::AuthorityInfoAccess(found) => Some(found),
            _ => None,
        });
    [
        ("ocsp_uri", access.and_then(|access| at(access, OCSP))),
        ("issuer_uri", access.and_then(|access| at(access, ISSUERS))),
    ]
}

/// What names an authority may put into certificates.
pub(super) fn constraints(extensions: &[&X509Extension<'_>]) -> [(&'static str, Value); 3] {
    let found = extensions
        .iter()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::NameConstraints(found) => Some((found, extension.critical)),
            _ => None,
        });
    let trees = |trees: Option<&Vec<GeneralSubtree<'_>>>| -> Value {
        let all = trees.into_iter().flatten().map(|tree| general(&tree.base));
        Value::list(all.collect())
    };
    match found {
        None => [
            ("name_constraints_permitted", Value::Null),
            ("name_constraints_excluded", Value::Null),
            ("name_constraints_critical", Value::from(false)),
        ],
        Some((found, critical)) => [
            (
                "name_constraints_permitted",
                trees(found.permitted_subtrees.as_ref()),
            ),
            (
                "name_constraints_excluded",
                trees(found.excluded_subtrees.as_ref()),
            ),
            ("name_constraints_critical", Value::from(critical)),
        ],
    }
}

fn at(access: &AuthorityInfoAccess<'_>, method: &str) -> Option<Value> {
    access
        .accessdescs
        .iter()
        .find_map(|one| match &one.access_location {
            GeneralName::URI(uri) if one.access_method.to_id_string() == method => {
                Some(Value::data(*uri))
            }
            _ => None,
        })
}

fn listed(names: &[GeneralName<'_>]) -> Value {
    Value::list(names.iter().map(general).collect())
}

fn uses(usage: &KeyUsage) -> Value {
    let agrees = usage.key_agreement();
    // sorted by their names
    let all = [
        (usage.crl_sign(), "CRL Sign"),
        (usage.key_cert_sign(), "Certificate Sign"),
        (usage.data_encipherment(), "Data Encipherment"),
        (agrees && usage.decipher_only(), "Decipher Only"),
        (usage.digital_signature(), "Digital Signature"),
        (agrees && usage.encipher_only(), "Encipher Only"),
        (agrees, "Key Agreement"),
        (usage.key_encipherment(), "Key Encipherment"),
        (usage.non_repudiation(), "Non Repudiation"),
    ];
    let given = all.iter().filter(|(set, _)| *set);
    Value::list(given.map(|(_, name)| Value::data(*name)).collect())
}

/// All purposes by their numbers: the parser keeps no order and no name of what it does not know.
fn purposes(value: &[u8]) -> Value {
    use x509_parser::asn1_rs::{FromDer, Oid, SequenceOf};
    let all = SequenceOf::<Oid<'_>>::from_der(value).map(|(_, all)| all);
    let mut names: Vec<String> = all
        .iter()
        .flat_map(|all| all.iter())
        .map(|id| purpose(&id.to_id_string()).to_string())
        .collect();
    names.sort();
    Value::list(names.into_iter().map(Value::data).collect())
}
