//! TLS of these connections.

use super::GrpcServer;
use crate::sys::{Error, Result, Stream};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::sync::Arc;

/// A connection, secure or not.
pub(super) trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>> {
    let found: std::result::Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found
        .ok()
        .filter(|all| !all.is_empty())
        .ok_or_else(|| Error::Other(format!("{what} has no certificates")))
}

/// Makes the connection secure: the server must prove that it is `host`, by one of the authorities.
///
/// # Errors
/// When a certificate or the key cannot be used. What the server says of them comes with the first call.
pub(super) fn secure(stream: Stream, server: &GrpcServer, host: &str) -> Result<Box<dyn Wire>> {
    let other = |what: String| Error::Other(what);
    let ca = server.ca_pem.as_ref().ok_or_else(|| {
        other("the authority of the server's certificate is not named".to_owned())
    })?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca, "the authority's certificate")? {
        roots
            .add(certificate)
            .map_err(|e| other(format!("the authority's certificate cannot be used: {e}")))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| other(format!("TLS cannot be used: {e}")))?
        .with_root_certificates(roots);
    let mut config = match &server.client_pem {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let (chain, key) = pair.reveal();
            let chain = certificates(chain, "the client's certificate")?;
            let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
                other("the client's key cannot be used: it is no private key".to_owned())
            })?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|e| other(format!("the client's certificate cannot be used: {e}")))?
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
        .map_err(|_| other(format!("`{host}` is no name that a certificate can have")))?;
    let session = ClientConnection::new(Arc::new(config), name)
        .map_err(|e| other(format!("the secure connection failed: {e}")))?;
    Ok(Box::new(StreamOwned::new(session, stream)))
}
