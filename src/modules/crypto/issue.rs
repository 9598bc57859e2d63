//! Signing.

use super::key::PrivateKey;
use super::names::{Sans, Subject, add_sans};
use super::seen::Seen;
use super::usage::{Purpose, Usage};
use rcgen::{
    BasicConstraints, CertificateParams, IsCa, Issuer, KeyUsagePurpose, SerialNumber,
    SubjectPublicKeyInfo,
};
use time::OffsetDateTime;

/// What is to be certified.
pub(super) struct Wish<'a> {
    pub(super) subject: &'a Subject,
    pub(super) sans: &'a Sans,
    pub(super) usages: &'a [Usage],
    pub(super) purposes: &'a [Purpose],
    pub(super) not_before: i64,
    pub(super) not_after: i64,
}

impl Wish<'_> {
    fn params(&self) -> Result<CertificateParams, String> {
        let at = |seconds: i64| {
            OffsetDateTime::from_unix_timestamp(seconds)
                .map_err(|e| format!("an impossible time: {e}"))
        };
        let mut params = CertificateParams::default();
        params.distinguished_name = self.subject.to_name()?;
        params.not_before = at(self.not_before)?;
        params.not_after = at(self.not_after)?;
        params.key_usages = self.usages.iter().map(|usage| usage.to_rcgen()).collect();
        params.extended_key_usages = self
            .purposes
            .iter()
            .map(|purpose| purpose.to_rcgen())
            .collect();
        add_sans(&mut params, self.sans)?;
        let mut serial = [0_u8; 16];
        getrandom::fill(&mut serial).map_err(|e| format!("no randomness: {e}"))?;
        if let Some(first) = serial.first_mut() {
            // positive, and never shorter
            *first = (*first & 0x7f) | 0x40;
        }
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        Ok(params)
    }
}

/// A certificate for a public key, signed by a CA, in PEM.
///
/// # Errors
/// When something of it cannot be written, or the key is of an unknown kind.
pub(super) fn leaf(
    wish: &Wish<'_>,
    public: &[u8],
    ca: &Seen,
    ca_key: &PrivateKey,
) -> Result<String, String> {
    let mut params = wish.params()?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.use_authority_key_identifier_extension = true;
    let public = SubjectPublicKeyInfo::from_der(public)
        .map_err(|e| format!("the public key cannot be certified: {e}"))?;
    let ca_der = ca.der.clone().into();
    let issuer = Issuer::from_ca_cert_der(&ca_der, &ca_key.pair)
        .map_err(|e| format!("the CA's certificate cannot be used: {e}"))?;
    let cert = params
        .signed_by(&public, &issuer)
        .map_err(|e| format!("signing failed: {e}"))?;
    Ok(super::der::pem("CERTIFICATE", cert.der()))
}

/// A CA's own certificate, in PEM.
///
/// # Errors
/// When something of it cannot be written.
pub(super) fn ca(
    wish: &Wish<'_>,
    path_length: Option<u8>,
    key: &PrivateKey,
) -> Result<String, String> {
    let mut params = wish.params()?;
    params.is_ca = IsCa::Ca(path_length.map_or(
        BasicConstraints::Unconstrained,
        BasicConstraints::Constrained,
    ));
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
    ];
    let cert = params
        .self_signed(&key.pair)
        .map_err(|e| format!("signing failed: {e}"))?;
    Ok(super::der::pem("CERTIFICATE", cert.der()))
}

/// A request for a certificate, in PEM.
///
/// # Errors
/// When something of it cannot be written.
pub(super) fn request(wish: &Wish<'_>, key: &PrivateKey) -> Result<String, String> {
    let mut params = wish.params()?;
    params.serial_number = None;
    let request = params
        .serialize_request(&key.pair)
        .map_err(|e| format!("the request cannot be written: {e}"))?;
    Ok(super::der::pem("CERTIFICATE REQUEST", request.der()))
}
