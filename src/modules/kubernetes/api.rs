//! Speaking with an API server: requests, what they are about, and its complaints.
//!
//! Source: Kubernetes' documentation, "API concepts".

use super::access::Target;
use crate::modules::{Failure, ModuleResult};
use crate::sys::{Follow, HttpRequest, Sys};
use crate::value::Value;
use serde_json::Value as Json;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::Read;
use std::time::Duration;

/// Answers end here, in bytes.
const MAX_ANSWER: u64 = 256 << 20;
/// How often a request is sent again to a server that asks for patience.
const TRIES: u32 = 6;

/// Where objects of a kind are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) plural: String,
    pub(super) namespaced: bool,
}

impl Resource {
    /// The path of all of them, in one namespace or everywhere.
    pub(super) fn path(&self, namespace: Option<&str>) -> String {
        let root = root_of(&self.api_version);
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{}/{}", quoted(namespace), self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// The path of one.
    pub(super) fn object(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{}", self.path(namespace), quoted(name))
    }
}

fn root_of(api_version: &str) -> String {
    if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    }
}

/// A text as a part of a URL.
pub(super) fn quoted(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// An answer.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: Json,
}

impl Reply {
    pub(super) fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The server's own words.
    pub(super) fn message(&self) -> String {
        let text = self
            .body
            .get("message")
            .and_then(Json::as_str)
            .map(str::to_owned);
        text.or_else(|| self.body.as_str().map(str::to_owned))
            .filter(|text| !text.is_empty())
            .unwrap_or_else(|| format!("HTTP status {}", self.status))
    }

    /// Its complaint as a failure of the task.
    pub(super) fn failure(&self, what: &str) -> Failure {
        let mut failure = Failure::new(format!("{what}: {}", self.message()))
            .with("status", i64::from(self.status));
        if let Some(reason) = self.body.get("reason").and_then(Json::as_str) {
            failure = failure.with("reason", Value::data(reason));
        }
        failure
    }

    /// The answer, if it is a good one.
    ///
    /// # Errors
    /// The server's complaint.
    pub(super) fn good(self, what: &str) -> ModuleResult<Json> {
        if self.ok() {
            Ok(self.body)
        } else {
            Err(self.failure(what))
        }
    }
}

/// A cluster to speak with. What was learned about its resources is kept as long as the task runs.
pub(super) struct Api {
    target: Target,
    known: RefCell<HashMap<String, Vec<Json>>>,
    minor: Cell<Option<u64>>,
}

impl Api {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            known: RefCell::default(),
            minor: Cell::default(),
        }
    }

    /// The second part of the server's version: 20 of 1.20.2.
    ///
    /// # Errors
    /// When the server does not say it.
    pub(super) fn minor(&self, sys: &Sys) -> ModuleResult<u64> {
        if let Some(minor) = self.minor.get() {
            return Ok(minor);
        }
        let version = self
            .call(sys, "GET", "/version", None)?
            .good("the server's version")?;
        let text = text_at(&version, &["minor"]);
        // some say "20+"
        let minor = text
            .trim_end_matches(|c: char| !c.is_ascii_digit())
            .parse()
            .map_err(|_| Failure::new(format!("`{text}` is no version of an API server")))?;
        self.minor.set(Some(minor));
        Ok(minor)
    }

    /// The namespace of objects that name none.
    pub(super) fn default_namespace(&self) -> &str {
        self.target.namespace.as_deref().unwrap_or("default")
    }

    /// Sends a request. That the server asks for patience (429, 503) is waited for a few times.
    ///
    /// # Errors
    /// When there is no answer, or the task is stopped.
    pub(super) fn call(
        &self,
        sys: &Sys,
        method: &str,
        path: &str,
        body: Option<(&str, &Json)>,
    ) -> ModuleResult<Reply> {
        let identity = &self.target.identity;
        let mut headers = vec![("Accept".to_owned(), "application/json".to_owned())];
        if let Some((kind, _)) = body {
            headers.push(("Content-Type".to_owned(), kind.to_owned()));
        }
        if let Some(token) = &identity.token {
            headers.push((
                "Authorization".to_owned(),
                format!("Bearer {}", token.reveal()),
            ));
        }
        let request = HttpRequest {
            url: format!("{}{path}", self.target.server),
            method: method.to_owned(),
            headers,
            body: body.map(|(_, json)| json.to_string().into_bytes()),
            timeout: Duration::from_secs(self.target.timeout),
            follow: Follow::None,
            validate_certs: true,
            ca_pem: self.target.ca.clone(),
            client_pem: identity.certificate.clone(),
            use_proxy: true,
            agent: concat!("runbook/", env!("CARGO_PKG_VERSION")).to_owned(),
            decompress: true,
            auth: identity.basic.as_ref().map(|pair| pair.reveal().clone()),
            force_basic_auth: true,
            ..HttpRequest::default()
        };
        let mut tries = 0;
        loop {
            let mut answer = sys.http(&request).map_err(|error| {
                Failure::new(format!(
                    "the API server {} does not answer: {error}",
                    self.target.server
                ))
            })?;
            tries += 1;
            if matches!(answer.status, 429 | 503) && tries < TRIES {
                let wait = answer
                    .header("retry-after")
                    .and_then(|text| text.parse().ok());
                sys.sleep(Duration::from_secs(wait.unwrap_or(1).clamp(1, 10)))?;
                continue;
            }
            let mut bytes = Vec::new();
            let read = answer
                .body
                .by_ref()
                .take(MAX_ANSWER)
                .read_to_end(&mut bytes);
            read.map_err(|e| Failure::new(format!("the API server's answer broke off: {e}")))?;
            let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| {
                Json::String(String::from_utf8_lossy(&bytes).trim().to_owned())
            });
            if answer.status == 401 {
                return Err(Failure::new(format!(
                    "the API server {} does not know who asks: look at the certificate, its end and its authority, or \
                     at the token",
                    self.target.server
                ))
                .with("status", 401));
            }
            return Ok(Reply {
                status: answer.status,
                body,
            });
        }
    }

    /// Reads something that may not be there.
    ///
    /// # Errors
    /// When the server complains about anything but that.
    pub(super) fn get(&self, sys: &Sys, path: &str) -> ModuleResult<Option<Json>> {
        let reply = self.call(sys, "GET", path, None)?;
        if reply.status == 404 {
            return Ok(None);
        }
        reply.good(&format!("GET {path}")).map(Some)
    }

    /// Where objects of this kind are found; `None` if the server does not know the kind. A kind is found by its name,
    /// its plural or a short name.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub(super) fn resource(
        &self,
        sys: &Sys,
        api_version: &str,
        kind: &str,
    ) -> ModuleResult<Option<Resource>> {
        if !self.known.borrow().contains_key(api_version) {
            let Some(list) = self.get(sys, &root_of(api_version))? else {
                return Ok(None);
            };
            let all = list
                .get("resources")
                .and_then(Json::as_array)
                .cloned()
                .unwrap_or_default();
            self.known.borrow_mut().insert(api_version.to_owned(), all);
        }
        let known = self.known.borrow();
        let all = known
            .get(api_version)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let text = |item: &Json, name: &str| {
            item.get(name)
                .and_then(Json::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let own = || all.iter().filter(|item| !text(item, "name").contains('/'));
        let lower = kind.to_ascii_lowercase();
        let by_other = |item: &&Json| {
            let short = item.get("shortNames").and_then(Json::as_array);
            text(item, "name") == lower
                || text(item, "singularName") == lower
                || text(item, "kind").to_ascii_lowercase() == lower
                || short.is_some_and(|names| names.iter().any(|n| n.as_str() == Some(&lower)))
        };
        let found = own()
            .find(|item| text(item, "kind") == kind)
            .or_else(|| own().find(by_other));
        Ok(found.map(|item| Resource {
            api_version: api_version.to_owned(),
            kind: text(item, "kind"),
            plural: text(item, "name"),
            namespaced: item
                .get("namespaced")
                .and_then(Json::as_bool)
                .unwrap_or(false),
        }))
    }

    /// Forgets what the server knows: it may have learned something.
    pub(super) fn forget(&self) {
        self.known.borrow_mut().clear();
    }

    /// All objects of a resource that fit the query, in all pieces that the server hands them out.
    ///
    /// # Errors
    /// The server's complaint.
    pub(super) fn list(
        &self,
        sys: &Sys,
        path: &str,
        query: &[(&str, String)],
    ) -> ModuleResult<Vec<Json>> {
        let mut all = Vec::new();
        let mut more = String::new();
        loop {
            let mut pairs: Vec<String> = vec!["limit=500".to_owned()];
            pairs.extend(
                query
                    .iter()
                    .map(|(name, value)| format!("{name}={}", quoted(value))),
            );
            if !more.is_empty() {
                pairs.push(format!("continue={}", quoted(&more)));
            }
            let url = format!("{path}?{}", pairs.join("&"));
            let mut list = self
                .call(sys, "GET", &url, None)?
                .good(&format!("GET {path}"))?;
            let kind = text_at(&list, &["kind"])
                .trim_end_matches("List")
                .to_owned();
            let version = text_at(&list, &["apiVersion"]).to_owned();
            more = text_at(&list, &["metadata", "continue"]).to_owned();
            if let Some(Json::Array(items)) = list.get_mut("items").map(Json::take) {
                // items of a list do not say what they are
                all.extend(items.into_iter().map(|mut item| {
                    if let Some(object) = item.as_object_mut() {
                        object
                            .entry("apiVersion")
                            .or_insert_with(|| version.clone().into());
                        object.entry("kind").or_insert_with(|| kind.clone().into());
                    }
                    item
                }));
            }
            if more.is_empty() {
                return Ok(all);
            }
        }
    }
}

/// The text at a path of member names, empty if there is none.
pub(super) fn text_at<'a>(json: &'a Json, path: &[&str]) -> &'a str {
    let found = path.iter().try_fold(json, |json, name| json.get(name));
    found.and_then(Json::as_str).unwrap_or_default()
}

/// A server's JSON as a variable's value: data that no template expands.
pub(super) fn value_of(json: &Json) -> Value {
    Value::from_json(json).into_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let resource = |api_version: &str, namespaced| Resource {
            api_version: api_version.to_owned(),
            kind: "X".to_owned(),
            plural: "xs".to_owned(),
            namespaced,
        };
        assert_eq!(
            resource("v1", false).object(Some("a"), "b/c"),
            "/api/v1/xs/b%2Fc"
        );
        assert_eq!(
            resource("apps/v1", true).object(Some("a"), "system:x"),
            "/apis/apps/v1/namespaces/a/xs/system%3Ax"
        );
        assert_eq!(resource("apps/v1", true).path(None), "/apis/apps/v1/xs");
    }
}
