//! `get_certificate`: what a server shows.
//!
//! Source: Ansible's documentation of `community.crypto.get_certificate`.

use crate::modules::crypto::der::pem;
use crate::modules::crypto::seen::Seen;
use crate::modules::kit::CheckSupport;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::{Sys, TlsPeer};
use crate::value::Value;
use crate::{choices, module_args, x509};
use std::path::PathBuf;
use std::time::Duration;

/// Bits of OpenSSL's options that leave out a version of TLS.
const NO_TLS12: i64 = 0x0800_0000;
const NO_TLS13: i64 = 0x2000_0000;

/// OpenSSL's options that ask for nothing here: they leave out what is not built, or allow what always is.
const WITHOUT_EFFECT: &[&str] = &[
    "OP_ALL",
    "OP_CIPHER_SERVER_PREFERENCE",
    "OP_ENABLE_KTLS",
    "OP_ENABLE_MIDDLEBOX_COMPAT",
    "OP_IGNORE_UNEXPECTED_EOF",
    "OP_LEGACY_SERVER_CONNECT",
    "OP_NO_COMPRESSION",
    "OP_NO_RENEGOTIATION",
    "OP_NO_SSLv2",
    "OP_NO_SSLv3",
    "OP_NO_TICKET",
    "OP_NO_TLSv1",
    "OP_NO_TLSv1_1",
    "OP_SINGLE_DH_USE",
    "OP_SINGLE_ECDH_USE",
];

choices! {
    /// Protocols that begin without TLS.
    pub enum StartTls {
        /// MySQL's.
        Mysql = "mysql",
    }
}

choices! {
    /// Without effect.
    #[allow(missing_docs)]
    pub enum Backend {
        Auto = "auto",
        Cryptography = "cryptography",
    }
}

module_args! {
    /// Arguments of `get_certificate`.
    pub struct Args {
        /// The server's name or address.
        host: String => required;
        /// The server's port.
        port: i64 => required;
        /// The name that the server is called by (SNI); `host` if not given.
        server_name: Option<String> => optional;
        /// A file of certificates: the server's must come from one of them. Its name is not looked at.
        ca_cert: Option<PathBuf> => optional;
        /// An HTTP proxy to go through.
        proxy_host: Option<String> => optional;
        /// The proxy's port.
        proxy_port: i64 => default(8080);
        /// The protocol that the server speaks before.
        starttls: Option<StartTls> => optional;
        /// Seconds to wait for the connection, and for each answer.
        timeout: i64 => default(10);
        /// Return also what the server shows beside its certificate, and the way to an authority.
        get_certificate_chain: bool => default(false);
        /// Return `asn1_data` of extensions in base64. Without it the bytes are returned as far as a text can have them.
        asn1_base64: Option<bool> => optional;
        /// Ciphers of TLS 1.2, in OpenSSL's words. Built are those with ECDHE and AES-GCM or ChaCha20.
        ciphers: Option<Vec<String>> => optional;
        /// OpenSSL's options by names or numbers. TLS 1.2 and 1.3 can be left out; older versions and what they need are
        /// not built.
        tls_ctx_options: Option<Vec<Value>> => optional;
        /// Without effect: runbook needs no library on the machine.
        select_crypto_backend: Backend => default("auto");
    }
}

/// The module.
pub struct GetCertificate;

impl Module for GetCertificate {
    const NAME: &'static str = "get_certificate";
    const COLLECTION: &'static str = "community.crypto";
    const DOC: &'static str = "Tell which certificate a server shows, with the results of community.crypto.\nNumbers of more \
                               than 64 bits, like most serial numbers, are texts of their digits. Servers that know \
                               nothing newer than TLS 1.1 cannot be asked.";
    const CHECK: CheckSupport = CheckSupport::None;
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let ca_pem = match &args.ca_cert {
            None => None,
            Some(path) => Some(
                sys.read(&sys.expand(path))?
                    .ok_or("ca_cert file does not exist")?,
            ),
        };
        let port = |port: i64, name: &str| {
            u16::try_from(port).map_err(|_| Failure::new(format!("{name}: {port} is no port")))
        };
        let options = options(args.tls_ctx_options.as_deref().unwrap_or_default())?;
        let proxy = match &args.proxy_host {
            Some(host) => Some((host.clone(), port(args.proxy_port, "proxy_port")?)),
            None => None,
        };
        let peer = TlsPeer {
            host: args.host.clone(),
            port: port(args.port, "port")?,
            server_name: args
                .server_name
                .clone()
                .unwrap_or_else(|| args.host.clone()),
            ca_pem,
            proxy,
            mysql: args.starttls.is_some(),
            ciphers: args.ciphers.clone(),
            no_tls12: options & NO_TLS12 != 0,
            no_tls13: options & NO_TLS13 != 0,
            timeout: Duration::from_secs(u64::try_from(args.timeout).unwrap_or(1).max(1)),
        };
        let shown = sys.shown_certificates(&peer).map_err(|error| {
            let via = peer
                .proxy
                .as_ref()
                .map_or_else(String::new, |(host, port)| {
                    format!("via proxy {host}:{port} ")
                });
            Failure::new(format!(
                "Failed to get cert {via}from {}:{}, error: {error}",
                args.host, args.port
            ))
        })?;
        let first = shown.first().ok_or("the server shows no certificate")?;
        let now = sys.local_time().timestamp().as_second();
        let info = x509::presented_info(first, now, args.asn1_base64 == Some(true))
            .map_err(Failure::new)?;
        let mut plan = Plan::new();
        plan.returns("cert", Value::data(pem("CERTIFICATE", first)));
        for (name, value) in info.str_iter() {
            plan.returns(name, value.clone());
        }
        if args.get_certificate_chain {
            let roots = peer.ca_pem.unwrap_or_else(|| sys.trusted_authorities());
            let listed = |all: &[Vec<u8>]| -> Vec<Value> {
                all.iter()
                    .map(|der| Value::data(pem("CERTIFICATE", der)))
                    .collect()
            };
            plan.returns("verified_chain", listed(&chain(&shown, &roots)));
            plan.returns("unverified_chain", listed(&shown));
        }
        Ok(plan)
    }
}

/// The bits of the options that matter here.
fn options(given: &[Value]) -> ModuleResult<i64> {
    let mut bits = 0;
    for option in given {
        bits |= match (option.as_str(), option) {
            (Some("OP_NO_TLSv1_2"), _) => NO_TLS12,
            (Some("OP_NO_TLSv1_3"), _) => NO_TLS13,
            (Some(name), _) if WITHOUT_EFFECT.contains(&name) => 0,
            (Some(name), _) => {
                return Err(Failure::new(format!(
                    "Failed to determine the numeric value for {name}"
                )));
            }
            (None, Value::Int(number)) => *number,
            (None, other) => {
                return Err(Failure::new(format!(
                    "tls_ctx_options must be a string or integer, got {}",
                    other.type_name()
                )));
            }
        };
    }
    Ok(bits)
}

/// The way from the server's certificate to an authority, as far as it can be gone.
fn chain(shown: &[Vec<u8>], roots: &[u8]) -> Vec<Vec<u8>> {
    let read = |der: &Vec<u8>| Seen::parse(pem("CERTIFICATE", der).as_bytes()).ok();
    let between: Vec<Seen> = shown.iter().skip(1).filter_map(read).collect();
    // each by itself: one that cannot be read is no reason to trust none
    let roots: Vec<Seen> = crate::modules::crypto::der::blocks(roots)
        .iter()
        .filter_map(|block| read(&block.bytes))
        .collect();
    let Some(mut last) = shown.first().and_then(read) else {
        return Vec::new();
    };
    let mut way = vec![last.der.clone()];
    while !roots.iter().any(|root| root.der == last.der) {
        let next = roots
            .iter()
            .chain(&between)
            .find(|next| last.is_signed_by(next) && !way.contains(&next.der));
        let Some(next) = next else { break };
        way.push(next.der.clone());
        last = next.clone();
    }
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::{Registry, RunMode};
    use crate::result::Outcome;
    use crate::value::Map;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use std::io::{Read, Write};
    use std::sync::Arc;

    fn given(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/pkcs12")
            .join(name)
    }

    /// A server that shows the certificate of the fixtures; `greets` in the way of MySQL.
    fn server(greets: bool) -> u16 {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = vec![CertificateDer::from_pem_file(given("certificate.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(given("key.pem")).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        let config = Arc::new(config);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                if greets {
                    let mut request = [0; 36];
                    let _ = stream.write_all(b"hello");
                    let _ = stream.read_exact(&mut request);
                }
                let mut session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                while session.is_handshaking() && session.complete_io(&mut stream).is_ok() {}
            }
        });
        port
    }

    fn ask(args: Map, check: bool) -> Outcome {
        let entry = Registry.find("community.crypto.get_certificate").unwrap();
        let mode = RunMode {
            check,
            ..RunMode::default()
        };
        (entry.run)(&args, &mut Sys::real(), mode)
    }

    #[test]
    fn a_server_is_asked() {
        let port = i64::from(server(false));
        let args = || {
            Map::new()
                .with("host", "127.0.0.1")
                .with("port", port)
                .with("asn1_base64", true)
        };
        let authority = |name: &str| args().with("ca_cert", given(name).to_string_lossy().as_ref());
        let told = ask(
            args()
                .with("server_name", "other.example")
                .with("get_certificate_chain", true),
            false,
        );
        assert!(!told.failed && !told.changed, "{told:?}");
        let text = std::fs::read_to_string(given("certificate.pem")).unwrap();
        let alone = Value::list(vec![Value::data(text.as_str())]);
        assert_eq!(told.data.get("cert"), Some(&Value::data(text)));
        assert_eq!(told.data.get("version"), Some(&Value::from(2)));
        assert_eq!(told.data.get("unverified_chain"), Some(&alone));
        assert_eq!(
            told.data.get("subject"),
            Some(&Value::map(Map::new().with("CN", "leaf")))
        );
        let constraints = Map::new()
            .with("critical", true)
            .with("asn1_data", "MAMBAf8=")
            .with("name", "basicConstraints");
        let Some(Value::List(extensions)) = told.data.get("extensions") else {
            panic!("{told:?}");
        };
        assert!(
            extensions.contains(&Value::map(constraints)),
            "{extensions:?}"
        );
        // its own authority, another one, and options
        assert!(!ask(authority("certificate.pem"), false).failed);
        let foreign = ask(authority("authority.pem"), false);
        assert!(
            foreign
                .message()
                .unwrap()
                .starts_with("Failed to get cert from 127.0.0.1:"),
            "{foreign:?}"
        );
        let options = |words: Vec<Value>| args().with("tls_ctx_options", Value::list(words));
        assert!(
            !ask(
                options(vec![
                    "OP_ALL".into(),
                    Value::from(4),
                    "OP_NO_TLSv1_3".into()
                ]),
                false
            )
            .failed
        );
        let none = ask(
            options(vec![Value::from(NO_TLS12), "OP_NO_TLSv1_3".into()]),
            false,
        );
        assert!(
            none.message()
                .unwrap()
                .contains("no version of TLS is left"),
            "{none:?}"
        );
        let ciphers = |word: &str| {
            let words = options(vec!["OP_NO_TLSv1_3".into()])
                .with("ciphers", Value::list(vec![word.into()]));
            ask(words, false)
        };
        assert!(!ciphers("ECDHE-ECDSA-AES128-GCM-SHA256").failed);
        // not with this kind of key
        assert!(ciphers("ECDHE-RSA-AES128-GCM-SHA256").failed);
        assert!(
            ciphers("RC4-SHA")
                .message()
                .unwrap()
                .contains("No cipher can be selected")
        );
        assert!(ask(args(), true).skipped);
    }

    #[test]
    fn a_database_greets_first() {
        let port = i64::from(server(true));
        let args = Map::new()
            .with("host", "127.0.0.1")
            .with("port", port)
            .with("starttls", "mysql");
        let told = ask(args, false);
        assert!(!told.failed && told.data.get("cert").is_some(), "{told:?}");
    }
}
