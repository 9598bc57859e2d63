//! Which certificates a server shows.

use super::{Error, Result, Sys, reason};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore,
    SignatureScheme, SupportedProtocolVersion,
};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;
use x509_parser::prelude::{FromDer, X509Certificate};

/// An answer of a proxy, or a greeting, ends here, in bytes.
const MAX_GREETING: usize = 8192;

/// MySQL's request for a secure connection: what the client can do, the largest packet, the character set, and 23 bytes
/// that are kept free (MySQL's documentation of `SSLRequest`).
const MYSQL_REQUEST: &[u8] = &[
    32, 0, 0, 1, 0x85, 0xae, 0x7f, 0, 0, 0, 0, 1, 33, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0,
];

/// A server, and how it is asked.
#[derive(Clone, Debug, Default)]
pub struct TlsPeer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The name that it is called by.
    pub server_name: String,
    /// The authorities that its certificate must come from, in PEM; its name is not looked at. Any certificate is taken
    /// without.
    pub ca_pem: Option<Vec<u8>>,
    /// A proxy (HTTP) in between.
    pub proxy: Option<(String, u16)>,
    /// It speaks MySQL's protocol before.
    pub mysql: bool,
    /// The cipher suites of TLS 1.2 to offer, by the names of OpenSSL; all that are known if not given.
    pub ciphers: Option<Vec<String>>,
    /// Without TLS 1.2.
    pub no_tls12: bool,
    /// Without TLS 1.3.
    pub no_tls13: bool,
    /// How long to wait for the connection, and for each answer.
    pub timeout: Duration,
}

/// Names of cipher suites: OpenSSL's, and rustls'.
const SUITES: &[(&str, &str)] = &[
    (
        "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    ),
    (
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
    (
        "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    ),
    (
        "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    ),
    (
        "ECDHE-RSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ),
];

/// Names of groups that all of them are in.
const GROUPS: &[&str] = &[
    "ALL",
    "DEFAULT",
    "COMPLEMENTOFDEFAULT",
    "HIGH",
    "ECDHE",
    "EECDH",
    "kEECDH",
    "AEAD",
    "TLSv1.2",
];

impl TlsPeer {
    fn provider(&self) -> Result<CryptoProvider> {
        let mut provider = rustls::crypto::ring::default_provider();
        let Some(ciphers) = &self.ciphers else {
            return Ok(provider);
        };
        let words: Vec<&str> = ciphers
            .iter()
            .flat_map(|words| words.split([':', ',', ' ']))
            .collect();
        let has = |name: &str| words.contains(&name);
        let all = GROUPS.iter().any(|group| has(group));
        provider.cipher_suites.retain(|suite| {
            let name = format!("{:?}", suite.suite());
            let known = SUITES.iter().find(|(_, theirs)| *theirs == name);
            // those of TLS 1.3 are not chosen by this list, as with OpenSSL
            known.is_none_or(|(name, _)| !has(&format!("!{name}")) && (all || has(name)))
        });
        if !provider
            .cipher_suites
            .iter()
            .any(|suite| suite.tls13().is_none())
        {
            let known: Vec<&str> = SUITES.iter().map(|(name, _)| *name).collect();
            return Err(Error::Other(format!(
                "No cipher can be selected: of the ciphers of TLS 1.2 these are built: {}",
                known.join(", ")
            )));
        }
        Ok(provider)
    }

    fn versions(&self) -> Result<Vec<&'static SupportedProtocolVersion>> {
        let mut versions = Vec::new();
        if !self.no_tls13 {
            versions.push(&rustls::version::TLS13);
        }
        if !self.no_tls12 {
            versions.push(&rustls::version::TLS12);
        }
        if versions.is_empty() {
            return Err(Error::Other(
                "no version of TLS is left: 1.2 and 1.3 are built".into(),
            ));
        }
        Ok(versions)
    }
}

impl Sys {
    /// The certificates that a server shows, in DER, its own first.
    ///
    /// # Errors
    /// When there is no connection, no TLS that both know, or the certificate is not from one of the authorities.
    pub fn shown_certificates(&self, peer: &TlsPeer) -> Result<Vec<Vec<u8>>> {
        let other = |what: String| Error::Other(what);
        let (host, port) = match &peer.proxy {
            Some((host, port)) => (host, *port),
            None => (&peer.host, peer.port),
        };
        let mut stream = self.connect(host, port, peer.timeout)?;
        let io = |error: std::io::Error| Error::Other(reason(&error));
        stream.set_read_timeout(Some(peer.timeout)).map_err(io)?;
        stream.set_write_timeout(Some(peer.timeout)).map_err(io)?;
        let mut greeting = vec![0; MAX_GREETING];
        if peer.proxy.is_some() {
            let ask = format!("CONNECT {}:{} HTTP/1.0\r\n\r\n", peer.host, peer.port);
            stream.write_all(ask.as_bytes()).map_err(io)?;
            let length = stream.read(&mut greeting).map_err(io)?;
            let answer = String::from_utf8_lossy(greeting.get(..length).unwrap_or_default());
            let status = answer.split_whitespace().nth(1).unwrap_or_default();
            if status != "200" {
                let line = answer.lines().next().unwrap_or_default().to_owned();
                return Err(other(format!("the proxy said: {line}")));
            }
        }
        if peer.mysql {
            // whatever it greets with
            let _ = stream.read(&mut greeting).map_err(io)?;
            stream.write_all(MYSQL_REQUEST).map_err(io)?;
        }
        let provider = Arc::new(peer.provider()?);
        let verifier = Arc::new(Verifier::new(&provider, peer.ca_pem.as_deref())?);
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&peer.versions()?)
            .map_err(|e| other(format!("TLS cannot be used: {e}")))?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        let name = peer.server_name.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(name)
            .map_err(|_| other(format!("`{}` is no name of a server", peer.server_name)))?;
        let mut session = ClientConnection::new(Arc::new(config), name)
            .map_err(|e| other(format!("the secure connection failed: {e}")))?;
        while session.is_handshaking() {
            session.complete_io(&mut stream).map_err(io)?;
        }
        let shown = session.peer_certificates().unwrap_or_default();
        if shown.is_empty() {
            return Err(other("the server shows no certificate".into()));
        }
        Ok(shown.iter().map(|der| der.to_vec()).collect())
    }
}

/// Takes any certificate, or any from certain authorities.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    authorities: Option<(Arc<WebPkiServerVerifier>, Vec<CertificateDer<'static>>)>,
}

impl Verifier {
    fn new(provider: &Arc<CryptoProvider>, ca_pem: Option<&[u8]>) -> Result<Self> {
        let unusable = |why: String| {
            Error::Other(format!("the authority's certificate cannot be used: {why}"))
        };
        let authorities = match ca_pem {
            None => None,
            Some(pem) => {
                let all: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(pem)
                    .collect::<std::result::Result<_, _>>()
                    .map_err(|e| unusable(e.to_string()))?;
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(all.iter().cloned());
                let inner = WebPkiServerVerifier::builder_with_provider(
                    Arc::new(roots),
                    Arc::clone(provider),
                )
                .build()
                .map_err(|e| unusable(e.to_string()))?;
                Some((inner, all))
            }
        };
        Ok(Self {
            provider: Arc::clone(provider),
            authorities,
        })
    }
}

/// Whether the certificate's time has come, and is not over.
fn is_timely(der: &[u8], now: UnixTime) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else {
        return false;
    };
    let validity = certificate.validity();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let Some((inner, all)) = &self.authorities else {
            return Ok(ServerCertVerified::assertion());
        };
        // one that is named itself needs nobody else
        if all
            .iter()
            .any(|known| known.as_ref() == end_entity.as_ref())
            && is_timely(end_entity, now)
        {
            return Ok(ServerCertVerified::assertion());
        }
        match inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // the name is looked at last, and it does not matter here
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        if self.authorities.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        if self.authorities.is_none() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
