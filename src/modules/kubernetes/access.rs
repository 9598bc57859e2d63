//! How to get to a cluster: by a kubeconfig, or by a URL and files.

use super::config_file::{Kubeconfigs, bytes_of};
use crate::module_args;
use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use crate::value::{Secret, str_of};
use std::path::{Path, PathBuf};

module_args! {
    /// Arguments of all modules that speak with an API server.
    pub struct Access {
        /// The kubeconfig on the machine that runs the task; without it `$KUBECONFIG`, then `~/.kube/config`.
        kubeconfig: Option<PathBuf> => optional;
        /// A context of the kubeconfig instead of its current one.
        context: Option<String> => optional;
        /// The API server's URL, instead of a kubeconfig's.
        host: Option<String> => optional;
        /// A file of authorities that the server's certificate must come from.
        ca_cert: Option<PathBuf> => optional, aliases ["ssl_ca_cert"];
        /// A certificate to log in with.
        client_cert: Option<PathBuf> => optional, aliases ["cert_file"];
        /// Its key: PKCS#8, PKCS#1 or SEC1.
        client_key: Option<PathBuf> => optional, aliases ["key_file"];
        /// A bearer token to log in with.
        api_key: Option<Secret<String>> => optional, secret;
        /// Accepted for playbooks that say it; the server must always prove who it is.
        validate_certs: bool => default(true), aliases ["verify_ssl"];
        /// Seconds to wait for an answer.
        request_timeout: i64 => default(30_i64);
    }
}

/// Who a request comes from.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    pub(super) certificate: Option<Secret<(Vec<u8>, Vec<u8>)>>,
    pub(super) token: Option<Secret<String>>,
    pub(super) basic: Option<Secret<(String, String)>>,
}

/// A cluster as it is reached.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) server: String,
    pub(super) ca: Option<Vec<u8>>,
    pub(super) identity: Identity,
    /// The namespace of the context.
    pub(super) namespace: Option<String>,
    pub(super) timeout: u64,
}

impl Access {
    /// Reads what is needed to reach the cluster.
    ///
    /// # Errors
    /// When nothing says where it is, or a file is missing or wrong.
    pub(super) fn target(&self, sys: &Sys) -> ModuleResult<Target> {
        if !self.validate_certs {
            return Err("validate_certs=false is not built: the API server must prove who it is; name its authority \
                        in ca_cert or in the kubeconfig"
                .into());
        }
        let timeout = u64::try_from(self.request_timeout.max(1)).unwrap_or(30);
        let mut target = match &self.host {
            Some(host) => Target {
                server: host.clone(),
                ca: None,
                identity: Identity::default(),
                namespace: None,
                timeout,
            },
            None => self.of_files(sys, timeout)?,
        };
        if let Some(path) = &self.ca_cert {
            target.ca = Some(read(sys, path, "ca_cert")?);
        }
        match (&self.client_cert, &self.client_key) {
            (Some(cert), Some(key)) => {
                let pair = (
                    read(sys, cert, "client_cert")?,
                    read(sys, key, "client_key")?,
                );
                target.identity.certificate = Some(Secret::new(pair));
            }
            (None, None) => {}
            _ => return Err("client_cert and client_key belong together".into()),
        }
        if let Some(token) = &self.api_key {
            target.identity.token = Some(token.clone());
        }
        target.server = target.server.trim_end_matches('/').to_owned();
        if !target.server.starts_with("https://") {
            return Err(Failure::new(format!(
                "the API server's URL must begin with https://, not `{}`",
                target.server
            )));
        }
        Ok(target)
    }

    fn of_files(&self, sys: &Sys, timeout: u64) -> ModuleResult<Target> {
        let (configs, place) = self.configs(sys)?;
        let named = self.context.clone().or_else(|| configs.current());
        let name = named.ok_or_else(|| {
            Failure::new(format!(
                "{place} has no current context; name one with `context`, or the server with `host`"
            ))
        })?;
        let context = configs
            .entry("contexts", "context", &name)
            .ok_or_else(|| Failure::new(format!("{place} has no context `{name}`")))?;
        let member = |what: &str| {
            let value = context.value.get(what).filter(|v| !v.is_null());
            value.map(str_of).filter(|text| !text.is_empty())
        };
        let cluster_name = member("cluster").unwrap_or_default();
        let cluster = configs.entry("clusters", "cluster", &cluster_name).ok_or_else(|| {
            Failure::new(format!(
                "the context `{name}` of {place} names the cluster `{cluster_name}`, which is not there"
            ))
        })?;
        let text = |what: &str| {
            let value = cluster.value.get(what).filter(|v| !v.is_null());
            value.map(str_of).filter(|text| !text.is_empty())
        };
        if cluster
            .value
            .get("insecure-skip-tls-verify")
            .is_some_and(crate::value::Value::truthy)
        {
            return Err(Failure::new(format!(
                "the cluster `{cluster_name}` of {place} says insecure-skip-tls-verify, which is not built: give its \
                 certificate-authority"
            )));
        }
        for option in ["tls-server-name", "proxy-url"] {
            if text(option).is_some() {
                return Err(Failure::new(format!(
                    "{option} in {place} is not built yet"
                )));
            }
        }
        let user = member("user").unwrap_or_default();
        let identity = match configs.entry("users", "user", &user) {
            Some(user) => user.identity(sys)?,
            None if user.is_empty() => Identity::default(),
            None => {
                return Err(Failure::new(format!(
                    "the context `{name}` of {place} names the user `{user}`, which is not there"
                )));
            }
        };
        Ok(Target {
            server: text("server").ok_or_else(|| {
                Failure::new(format!(
                    "the cluster `{cluster_name}` of {place} has no server"
                ))
            })?,
            ca: bytes_of(sys, &cluster, "certificate-authority")?,
            identity,
            namespace: member("namespace"),
            timeout,
        })
    }

    /// The kubeconfigs that count, and what to call them.
    fn configs(&self, sys: &Sys) -> ModuleResult<(Kubeconfigs, String)> {
        let paths: Vec<PathBuf> = if let Some(path) = &self.kubeconfig {
            let path = sys.expand(path);
            if !sys.exists(&path) {
                return Err(Failure::new(format!(
                    "there is no kubeconfig {}",
                    path.display()
                )));
            }
            vec![path]
        } else if let Some(list) = sys.env("KUBECONFIG").filter(|list| !list.is_empty()) {
            let parts = list.split(':').filter(|part| !part.is_empty());
            parts.map(|part| sys.expand(Path::new(part))).collect()
        } else {
            vec![sys.expand(Path::new("~/.kube/config"))]
        };
        let there: Vec<PathBuf> = paths
            .iter()
            .filter(|path| sys.exists(path))
            .cloned()
            .collect();
        let place: Vec<String> = there
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        if there.is_empty() {
            let looked: Vec<_> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            return Err(Failure::new(format!(
                "there is no kubeconfig ({}); name one with `kubeconfig`, or the server with `host`",
                looked.join(", ")
            )));
        }
        Ok((Kubeconfigs::read(sys, &there)?, place.join(":")))
    }
}

fn read(sys: &Sys, path: &Path, argument: &str) -> ModuleResult<Vec<u8>> {
    let path = sys.expand(path);
    sys.read(&path)?
        .ok_or_else(|| Failure::new(format!("there is no file {} ({argument})", path.display())))
}
