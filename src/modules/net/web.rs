//! The arguments that modules which speak HTTP have in common.

use crate::module_args;
use crate::modules::ModuleResult;
use crate::sys::{Follow, HttpRequest, Sys};
use crate::value::{Map, Secret, str_of};
use std::path::PathBuf;
use std::time::Duration;

module_args! {
    /// What is asked for, and as whom.
    pub struct Web {
        /// Where: `http://`, `https://`; user and password may be in it.
        url: String => required;
        /// Headers of the request.
        headers: Map => default(Map::new());
        /// Names of headers that are not sent again after a redirect.
        unredirected_headers: Vec<String> => default(Vec::<String>::new());
        /// How the program names itself.
        http_agent: String => default("ansible-httpget");
        /// User for the server.
        url_username: Option<String> => optional, aliases ["username", "user"];
        /// Password for the server.
        url_password: Option<Secret<String>> => optional, aliases ["password"], secret;
        /// Send user and password at once instead of when the server asks.
        force_basic_auth: bool => default(false);
        /// Whether the server must prove who it is.
        validate_certs: bool => default(true);
        /// A certificate to show to the server, in PEM; its key may be in the same file.
        client_cert: Option<PathBuf> => optional;
        /// The key of that certificate.
        client_key: Option<PathBuf> => optional;
        /// Whether the proxies that the environment names are used.
        use_proxy: bool => default(true);
        /// Whether passwords are looked up in the user's netrc file.
        use_netrc: bool => default(true);
        /// Log in with Kerberos. Not built.
        use_gssapi: bool => default(false);
        /// Ciphers to use. Not built.
        ciphers: Vec<String> => default(Vec::<String>::new());
        /// Whether compressed transfers are undone.
        decompress: bool => default(true);
    }
}

impl Web {
    /// The request, a GET so far.
    ///
    /// # Errors
    /// When something is asked for that is not built.
    pub(super) fn request(&self, sys: &Sys, timeout: i64) -> ModuleResult<HttpRequest> {
        if self.use_gssapi {
            return Err("use_gssapi is not built yet".into());
        }
        if !self.ciphers.is_empty() {
            return Err(
                "ciphers cannot be chosen: TLS 1.2 and 1.3 with their secure ciphers are used"
                    .into(),
            );
        }
        let password = self.url_password.as_ref().map(|p| p.reveal().clone());
        Ok(HttpRequest {
            url: self.url.clone(),
            method: "GET".to_owned(),
            headers: self
                .headers
                .str_iter()
                .map(|(k, v)| (k.to_owned(), str_of(v)))
                .collect(),
            body: None,
            timeout: Duration::from_secs(u64::try_from(timeout).unwrap_or_default()),
            follow: Follow::Safe,
            validate_certs: self.validate_certs,
            ca_path: None,
            client_cert: self.client_cert.as_ref().map(|path| sys.expand(path)),
            client_key: self.client_key.as_ref().map(|path| sys.expand(path)),
            use_proxy: self.use_proxy,
            agent: self.http_agent.clone(),
            decompress: self.decompress,
            auth: self
                .url_username
                .clone()
                .map(|user| (user, password.unwrap_or_default())),
            force_basic_auth: self.force_basic_auth,
            use_netrc: self.use_netrc,
            unredirected_headers: self.unredirected_headers.clone(),
            ..HttpRequest::default()
        })
    }
}
