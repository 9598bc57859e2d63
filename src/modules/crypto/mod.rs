//! Keys and certificates, without openssl: `x509_private_key`, `x509_csr`, `x509_ca`, `x509_certificate`, `x509_info`.
//!
//! A certificate is issued anew only for a reason that is named. Key material never gets into results or diffs.

mod ca;
mod certificate;
mod community;
mod csr;
mod der;
mod info;
mod issue;
mod key;
mod lifetime;
mod names;
mod output;
mod private_key;
mod seen;
#[cfg(test)]
mod tests;
mod usage;

use super::Entry;

/// The family's modules.
pub const MODULES: &[Entry] = &[
    Entry::of::<private_key::X509PrivateKey>(),
    Entry::of::<csr::X509Csr>(),
    Entry::of::<ca::X509Ca>(),
    Entry::of::<certificate::X509Certificate>(),
    Entry::of::<info::X509Info>(),
    Entry::of::<community::OpensslPrivateKey>(),
    Entry::of::<community::OpensslPublicKey>(),
    Entry::of::<community::OpensslCsr>(),
    Entry::of::<community::X509Certificate>(),
    Entry::of::<community::X509CertificateInfo>(),
    Entry::of::<community::OpensslCsrInfo>(),
    Entry::of::<community::OpensslPrivateKeyInfo>(),
    Entry::of::<community::OpensslPublicKeyInfo>(),
    Entry::of::<community::OpensshKeypair>(),
    Entry::of::<community::OpensslDhparam>(),
    Entry::of::<community::OpensslPkcs12>(),
    Entry::of::<community::GetCertificate>(),
];
