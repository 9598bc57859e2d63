//! What a key may be used for.

use crate::choices;
use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose};
use std::collections::BTreeSet;
use x509_parser::extensions::{ExtendedKeyUsage, KeyUsage};

choices! {
    /// Uses of a key.
    #[allow(missing_docs)]
    pub enum Usage {
        DigitalSignature = "digital_signature" | "digitalSignature",
        ContentCommitment = "content_commitment" | "nonRepudiation" | "contentCommitment",
        KeyEncipherment = "key_encipherment" | "keyEncipherment",
        DataEncipherment = "data_encipherment" | "dataEncipherment",
        KeyAgreement = "key_agreement" | "keyAgreement",
        KeyCertSign = "key_cert_sign" | "keyCertSign",
        CrlSign = "crl_sign" | "cRLSign",
    }
}

choices! {
    /// Purposes of a certificate.
    #[allow(missing_docs)]
    pub enum Purpose {
        ServerAuth = "server_auth" | "serverAuth",
        ClientAuth = "client_auth" | "clientAuth",
        CodeSigning = "code_signing" | "codeSigning",
        EmailProtection = "email_protection" | "emailProtection",
        TimeStamping = "time_stamping" | "timeStamping",
        OcspSigning = "ocsp_signing" | "OCSPSigning",
    }
}

impl Usage {
    pub(super) fn to_rcgen(self) -> KeyUsagePurpose {
        match self {
            Self::DigitalSignature => KeyUsagePurpose::DigitalSignature,
            Self::ContentCommitment => KeyUsagePurpose::ContentCommitment,
            Self::KeyEncipherment => KeyUsagePurpose::KeyEncipherment,
            Self::DataEncipherment => KeyUsagePurpose::DataEncipherment,
            Self::KeyAgreement => KeyUsagePurpose::KeyAgreement,
            Self::KeyCertSign => KeyUsagePurpose::KeyCertSign,
            Self::CrlSign => KeyUsagePurpose::CrlSign,
        }
    }
}

impl Purpose {
    pub(super) fn to_rcgen(self) -> ExtendedKeyUsagePurpose {
        match self {
            Self::ServerAuth => ExtendedKeyUsagePurpose::ServerAuth,
            Self::ClientAuth => ExtendedKeyUsagePurpose::ClientAuth,
            Self::CodeSigning => ExtendedKeyUsagePurpose::CodeSigning,
            Self::EmailProtection => ExtendedKeyUsagePurpose::EmailProtection,
            Self::TimeStamping => ExtendedKeyUsagePurpose::TimeStamping,
            Self::OcspSigning => ExtendedKeyUsagePurpose::OcspSigning,
        }
    }
}

/// Names of uses, sorted.
pub(super) type Names = BTreeSet<String>;

/// The words of the uses that are wished.
pub(super) fn usage_names(wanted: &[Usage]) -> Names {
    wanted.iter().map(|usage| usage.word().to_owned()).collect()
}

/// The words of the purposes that are wished.
pub(super) fn purpose_names(wanted: &[Purpose]) -> Names {
    wanted
        .iter()
        .map(|purpose| purpose.word().to_owned())
        .collect()
}

/// Those of a certificate.
pub(super) fn usages_of(usage: &KeyUsage) -> Names {
    let flags = [
        (usage.digital_signature(), "digital_signature"),
        (usage.non_repudiation(), "content_commitment"),
        (usage.key_encipherment(), "key_encipherment"),
        (usage.data_encipherment(), "data_encipherment"),
        (usage.key_agreement(), "key_agreement"),
        (usage.key_cert_sign(), "key_cert_sign"),
        (usage.crl_sign(), "crl_sign"),
        (usage.encipher_only(), "encipher_only"),
        (usage.decipher_only(), "decipher_only"),
    ];
    flags
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| (*name).to_owned())
        .collect()
}

/// Those of a certificate.
pub(super) fn purposes_of(usage: &ExtendedKeyUsage<'_>) -> Names {
    let flags = [
        (usage.any, "any"),
        (usage.server_auth, "server_auth"),
        (usage.client_auth, "client_auth"),
        (usage.code_signing, "code_signing"),
        (usage.email_protection, "email_protection"),
        (usage.time_stamping, "time_stamping"),
        (usage.ocsp_signing, "ocsp_signing"),
    ];
    let known = flags
        .iter()
        .filter(|(set, _)| *set)
        .map(|(_, name)| (*name).to_owned());
    known
        .chain(
            usage
                .other
                .iter()
                .map(x509_parser::asn1_rs::Oid::to_id_string),
        )
        .collect()
}

/// As text.
pub(super) fn text(names: &Names) -> String {
    names
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
