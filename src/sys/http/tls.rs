//! Whom to trust.

use super::HttpRequest;
use crate::sys::{Error, Result, Sys};
use std::path::{Path, PathBuf};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

/// Where systems keep the certificates of the authorities that they trust, in one file.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

impl Sys {
    /// What the request asks for; the machine's authorities, or those built in where it has none.
    ///
    /// # Errors
    /// When a file that was named cannot be used.
    pub(super) fn tls(&self, request: &HttpRequest) -> Result<TlsConfig> {
        let mut config = TlsConfig::builder();
        if !request.validate_certs {
            config = config.disable_verification(true);
        } else if let Some(pem) = &request.ca_pem {
            let all = certificates(pem, "the authority's certificate")?;
            config = config.root_certs(RootCerts::new_with_certs(&all));
        } else if let Some(path) = &request.ca_path {
            config = config.root_certs(RootCerts::new_with_certs(&self.certificates(path)?));
        } else {
            let found = self
                .bundles()
                .find_map(|path| self.certificates(&path).ok());
            config = config
                .root_certs(found.map_or(RootCerts::WebPki, |all| RootCerts::new_with_certs(&all)));
        }
        if let Some(pem) = &request.client_pem {
            let (chain, key) = pem.reveal();
            let chain = certificates(chain, "the client's certificate")?;
            let key = private_key(key, "the client's key")?;
            config = config.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        } else if let Some(path) = &request.client_cert {
            let chain = self.certificates(path)?;
            let key = self.private_key(request.client_key.as_ref().unwrap_or(path))?;
            config = config.client_cert(Some(ClientCert::new_with_certs(&chain, key)));
        }
        Ok(config.build())
    }

    /// Where this machine may keep the authorities that it trusts.
    fn bundles(&self) -> impl Iterator<Item = PathBuf> {
        let named = self.env("SSL_CERT_FILE").map(PathBuf::from);
        named.into_iter().chain(BUNDLES.iter().map(PathBuf::from))
    }

    /// The authorities that this machine trusts, in PEM; nothing if it has none.
    pub fn trusted_authorities(&self) -> Vec<u8> {
        self.bundles()
            .find_map(|path| self.read(&path).ok().flatten())
            .unwrap_or_default()
    }

    fn pem_of(&self, path: &Path) -> Result<Vec<u8>> {
        let content = self.read(path)?;
        content.ok_or_else(|| Error::Other(format!("there is no file {}", path.display())))
    }

    fn certificates(&self, path: &Path) -> Result<Vec<Certificate<'static>>> {
        certificates(&self.pem_of(path)?, &path.to_string_lossy())
    }

    fn private_key(&self, path: &Path) -> Result<PrivateKey<'static>> {
        private_key(&self.pem_of(path)?, &path.to_string_lossy())
    }
}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<Certificate<'static>>> {
    let found: Vec<_> = parse_pem(pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if found.is_empty() {
        return Err(Error::Other(format!("{what} has no certificates")));
    }
    Ok(found)
}

fn private_key(pem: &[u8], what: &str) -> Result<PrivateKey<'static>> {
    PrivateKey::from_pem(pem)
        .map_err(|_| Error::Other(format!("{what} has no private key that can be used")))
}
