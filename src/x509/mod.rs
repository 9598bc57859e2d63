//! What certificates, requests and public keys say, as values: for the modules and filters of `community.crypto` that
//! describe them. Nothing here writes, signs or trusts anything.
//!
//! Whole numbers that are longer than 64 bits (serial numbers, a key's modulus) are texts of their digits.
//!
//! Source: Ansible's documentation of `community.crypto.x509_certificate_info` and `openssl_csr_info`, return values.

mod certificate;
mod extensions;
mod names;
mod numbers;
mod public_key;
mod request;

pub use certificate::{certificate_info, presented_info};
pub use public_key::{fingerprints, public_key_info, public_key_of};
pub use request::request_info;

use x509_parser::pem::Pem;

/// The bytes of the first PEM block with one of these labels.
fn block(content: &[u8], labels: &[&str]) -> Option<Vec<u8>> {
    Pem::iter_from_buffer(content)
        .map_while(Result::ok)
        .find(|pem| labels.contains(&pem.label.as_str()))
        .map(|pem| pem.contents)
}
