//! Requests and their answers.

use super::url::{clean, host_of, join, without_credentials};
use crate::sys::{Error, Result, Sys};
use crate::value::Secret;
use base64::Engine;
use std::io::Read;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use ureq::config::AutoHeaderValue;
use ureq::http::{Request, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};

/// Redirects that are followed at most.
const MAX_REDIRECTS: usize = 10;

/// Which redirects are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Follow {
    /// None.
    None,
    /// Those of GET and HEAD.
    #[default]
    Safe,
    /// All; what posts becomes a GET where the answer asks for it.
    All,
    /// Those of GET and HEAD, and those of POST as GET.
    Browser,
}

/// A request.
#[derive(Clone, Default)]
pub struct HttpRequest {
    /// Where to; it may hold user and password.
    pub url: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// What is sent.
    pub body: Option<Vec<u8>>,
    /// How long to wait for a connection, for the answer's beginning, and for each piece of it.
    pub timeout: Duration,
    /// Redirects.
    pub follow: Follow,
    /// Whether the server must prove who it is.
    pub validate_certs: bool,
    /// A file of authorities to trust instead of the machine's.
    pub ca_path: Option<PathBuf>,
    /// A certificate to show.
    pub client_cert: Option<PathBuf>,
    /// Its key, if it is not in the same file.
    pub client_key: Option<PathBuf>,
    /// Authorities to trust instead of the machine's, in PEM; before those of a file.
    pub ca_pem: Option<Vec<u8>>,
    /// A certificate to show and its key, in PEM; before those of files.
    pub client_pem: Option<Secret<(Vec<u8>, Vec<u8>)>>,
    /// Whether proxies of the environment are used.
    pub use_proxy: bool,
    /// How the program names itself.
    pub agent: String,
    /// Whether compressed transfers are asked for and undone.
    pub decompress: bool,
    /// User and password.
    pub auth: Option<(String, String)>,
    /// Send them at once instead of when the server asks.
    pub force_basic_auth: bool,
    /// Whether passwords are looked up in netrc.
    pub use_netrc: bool,
    /// Names of headers that are not sent again after a redirect.
    pub unredirected_headers: Vec<String>,
}

/// An answer.
pub struct HttpResponse {
    /// `200`, …
    pub status: u16,
    /// `OK`, …
    pub reason: String,
    /// Where it came from in the end.
    pub url: String,
    /// Headers with names in lower case; those that came more than once are joined.
    pub headers: Vec<(String, String)>,
    /// Cookies that were set on the way, by name.
    pub cookies: Vec<(String, String)>,
    /// Its content.
    pub body: Box<dyn Read + Send>,
}

impl HttpResponse {
    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// One line about it, as Ansible's results have it in `msg`.
    pub fn message(&self) -> String {
        if self.status >= 300 {
            return format!("HTTP Error {}: {}", self.status, self.reason);
        }
        let length = self.header("content-length").unwrap_or("unknown");
        format!("{} ({length} bytes)", self.reason)
    }
}

/// Addresses that were looked up before: the library's own way would be the C library's.
#[derive(Debug)]
struct Looked {
    host: String,
    addresses: Vec<IpAddr>,
}

impl Resolver for Looked {
    fn resolve(
        &self,
        uri: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> std::result::Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri
            .host()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_ascii_lowercase();
        let port = uri
            .port_u16()
            .unwrap_or(if uri.scheme_str() == Some("https") {
                443
            } else {
                80
            });
        if host != self.host || self.addresses.is_empty() {
            return Err(ureq::Error::HostNotFound);
        }
        let mut found = self.empty();
        for address in self.addresses.iter().take(16) {
            found.push(SocketAddr::new(*address, port));
        }
        Ok(found)
    }
}

/// Where a request is on its way through redirects.
struct Stage {
    url: String,
    method: String,
    body: Option<Vec<u8>>,
    headers: Vec<(String, String)>,
    auth: Option<(String, String)>,
    send_auth: bool,
    cookies: Vec<(String, String)>,
}

impl Sys {
    /// Sends a request and gives the answer, whatever its status. Only looking is allowed to `&Sys`: that a request
    /// changes something elsewhere is the caller's affair.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn http(&self, request: &HttpRequest) -> Result<HttpResponse> {
        let tls = self.tls(request)?;
        let (url, in_url) = without_credentials(&request.url);
        let given = request.auth.clone().or(in_url);
        let from_netrc = || {
            host_of(&url)
                .filter(|_| request.use_netrc)
                .and_then(|host| self.netrc(&host))
        };
        let has_header = request
            .headers
            .iter()
            .any(|(k, _)| k.eq_ignore_ascii_case("authorization"));
        let (auth, send_auth) = match given {
            Some(auth) => (Some(auth), request.force_basic_auth),
            None if has_header => (None, false),
            None => (from_netrc(), true),
        };
        let mut stage = Stage {
            url,
            method: request.method.clone(),
            body: request.body.clone(),
            headers: request.headers.clone(),
            auth,
            send_auth,
            cookies: Vec::new(),
        };
        let mut redirects = 0;
        loop {
            if self.cancel().is_stopped() {
                return Err(Error::Cancelled);
            }
            let response = self.send(request, &stage, &tls)?;
            stage.cookies.clone_from(&response.cookies);
            let asks = response.status == 401
                && stage.auth.is_some()
                && !stage.send_auth
                && response
                    .header("www-authenticate")
                    .is_some_and(|kinds| kinds.to_ascii_lowercase().contains("basic"));
            if asks {
                stage.send_auth = true;
                continue;
            }
            let Some(target) = response.header("location").map(|to| join(&stage.url, to)) else {
                return Ok(response);
            };
            if !stage.redirect(request, response.status, target)? {
                return Ok(response);
            }
            redirects += 1;
            if redirects > MAX_REDIRECTS {
                return Err(Error::Other(format!(
                    "more than {MAX_REDIRECTS} redirects from {}",
                    request.url
                )));
            }
        }
    }

    fn send(
        &self,
        request: &HttpRequest,
        stage: &Stage,
        tls: &ureq::tls::TlsConfig,
    ) -> Result<HttpResponse> {
        let url = clean(&stage.url);
        let other = |what: String| Error::Other(what);
        let uri: Uri = url
            .parse()
            .map_err(|e| other(format!("`{}` is no URL: {e}", stage.url)))?;
        let scheme = uri.scheme_str().unwrap_or_default();
        if !["http", "https"].contains(&scheme) {
            return Err(other(format!("`{}` is neither http nor https", stage.url)));
        }
        let host = host_of(&url).ok_or_else(|| other(format!("`{}` has no host", stage.url)))?;
        let proxy = if request.use_proxy {
            self.proxy_for(scheme, &host)?
        } else {
            None
        };
        let lookup = match &proxy {
            Some(proxy) => proxy.host().trim_matches(['[', ']']).to_ascii_lowercase(),
            None => host,
        };
        let resolver = Looked {
            addresses: self.resolve(&lookup)?,
            host: lookup,
        };
        let timeout = Some(request.timeout).filter(|t| !t.is_zero());
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .allow_non_standard_methods(true)
            .user_agent(request.agent.as_str())
            .accept(AutoHeaderValue::None)
            .tls_config(tls.clone())
            .proxy(proxy)
            .timeout_connect(timeout)
            .timeout_recv_response(timeout)
            .timeout_per_read(timeout)
            .timeout_per_write(timeout);
        if !request.decompress {
            config = config.accept_encoding(AutoHeaderValue::None);
        }
        let agent = ureq::Agent::with_parts(config.build(), DefaultConnector::default(), resolver);
        let mut builder = Request::builder().method(stage.method.as_str()).uri(uri);
        for (name, value) in &stage.headers {
            builder = builder.header(name.as_str(), value.as_str());
        }
        if let Some((user, password)) = stage.auth.as_ref().filter(|_| stage.send_auth) {
            let text =
                base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            builder = builder.header("Authorization", format!("Basic {text}"));
        }
        if !stage.cookies.is_empty() {
            let all: Vec<_> = stage
                .cookies
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect();
            builder = builder.header("Cookie", all.join("; "));
        }
        let bad = |e: ureq::http::Error| other(format!("the request cannot be sent: {e}"));
        let answer = match &stage.body {
            Some(body) => agent.run(builder.body(body.as_slice()).map_err(bad)?),
            None => agent.run(builder.body(()).map_err(bad)?),
        };
        let answer = answer.map_err(|e| other(reason(e)))?;
        let (parts, body) = answer.into_parts();
        let mut headers: Vec<(String, String)> = Vec::new();
        let mut cookies = stage.cookies.clone();
        for (name, value) in &parts.headers {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            if name == "set-cookie"
                && let Some((key, rest)) = value.split_once('=')
            {
                let set = rest.split(';').next().unwrap_or_default().trim();
                cookies.retain(|(known, _)| known != key.trim());
                cookies.push((key.trim().to_owned(), set.to_owned()));
            }
            match headers.iter_mut().find(|(known, _)| known == name.as_str()) {
                Some((_, known)) => {
                    known.push_str(", ");
                    known.push_str(&value);
                }
                None => headers.push((name.as_str().to_owned(), value)),
            }
        }
        Ok(HttpResponse {
            status: parts.status.as_u16(),
            reason: parts
                .status
                .canonical_reason()
                .unwrap_or_default()
                .to_owned(),
            url: stage.url.clone(),
            headers,
            cookies,
            body: Box::new(body.into_with_config().limit(u64::MAX).reader()),
        })
    }
}

impl Stage {
    /// Goes where the answer points to, if it is to be followed.
    fn redirect(&mut self, request: &HttpRequest, status: u16, target: String) -> Result<bool> {
        let safe = matches!(self.method.as_str(), "GET" | "HEAD");
        let follows = match (request.follow, status) {
            (_, 0..=300 | 304..=306 | 309..) | (Follow::None, _) => false,
            (Follow::Safe, _) => safe,
            (Follow::All, _) => true,
            (Follow::Browser, 307 | 308) => safe,
            (Follow::Browser, _) => safe || self.method == "POST",
        };
        if !follows {
            return Ok(false);
        }
        if !target.starts_with("http://") && !target.starts_with("https://") {
            return Err(Error::Other(format!(
                "a redirect leads to `{target}`, which is not followed"
            )));
        }
        let becomes_get = match status {
            303 | 302 => self.method != "HEAD",
            301 => self.method == "POST",
            _ => false,
        };
        if becomes_get && self.method != "GET" {
            "GET".clone_into(&mut self.method);
            self.body = None;
            self.headers
                .retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
        }
        self.headers.retain(|(name, _)| {
            !request
                .unredirected_headers
                .iter()
                .any(|other| other.eq_ignore_ascii_case(name))
        });
        let (target, _) = without_credentials(&target);
        let downgrade = self.url.starts_with("https://") && target.starts_with("http://");
        if host_of(&target) != host_of(&self.url) || downgrade {
            // another host must not get to know the passwords for this one
            self.auth = None;
            self.cookies.clear();
            self.headers.retain(|(name, _)| {
                !["authorization", "cookie"].contains(&name.to_ascii_lowercase().as_str())
            });
        }
        self.url = target;
        Ok(true)
    }
}

/// Why there is no answer, in words that say what to look at.
fn reason(error: ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => match error.kind() {
            std::io::ErrorKind::ConnectionRefused => "Connection refused".to_owned(),
            std::io::ErrorKind::TimedOut => "timed out".to_owned(),
            _ => crate::sys::reason(&error),
        },
        ureq::Error::Timeout(_) => "timed out".to_owned(),
        ureq::Error::ConnectionFailed => "cannot connect".to_owned(),
        ureq::Error::Rustls(error) => format!("the secure connection failed: {error}"),
        other => other.to_string(),
    }
}
