//! Kubeconfigs as files: reading them, and what their entries hold.
//!
//! Source: Kubernetes' documentation, "kubeconfig (v1)": lists of named clusters, users and contexts.

use super::access::Identity;
use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use crate::value::{Map, Secret, Value, str_of};
use crate::yaml::values_of;
use base64::Engine;
use std::path::{Path, PathBuf};

/// One or more files, the first that names something wins.
pub(super) struct Kubeconfigs {
    files: Vec<(PathBuf, Value)>,
}

/// A cluster, user or context.
pub(super) struct Named {
    pub(super) value: Value,
    /// The directory of its file: relative paths begin there.
    base: PathBuf,
}

impl Kubeconfigs {
    /// Reads them.
    ///
    /// # Errors
    /// When one is not YAML.
    pub(super) fn read(sys: &Sys, paths: &[PathBuf]) -> ModuleResult<Self> {
        let mut files = Vec::new();
        for path in paths {
            files.push((
                path.clone(),
                Value::map(document(sys, path)?.unwrap_or_default()),
            ));
        }
        Ok(Self { files })
    }

    /// The current context.
    pub(super) fn current(&self) -> Option<String> {
        self.files
            .iter()
            .filter_map(|(_, file)| file.get("current-context").filter(|v| !v.is_null()))
            .map(str_of)
            .find(|name| !name.is_empty())
    }

    /// An entry of a list, by its name.
    pub(super) fn entry(&self, list: &str, member: &str, name: &str) -> Option<Named> {
        self.files.iter().find_map(|(path, file)| {
            let items = file.get(list).and_then(Value::as_list)?;
            let found = items
                .iter()
                .find(|item| item.get("name").map(str_of).as_deref() == Some(name))?;
            Some(Named {
                value: found.get(member).cloned().unwrap_or_default(),
                base: path.parent().unwrap_or(Path::new("/")).to_owned(),
            })
        })
    }
}

impl Named {
    fn text(&self, name: &str) -> Option<String> {
        let value = self.value.get(name).filter(|v| !v.is_null());
        value.map(str_of).filter(|text| !text.is_empty())
    }

    /// Who this user is.
    ///
    /// # Errors
    /// When it logs in in a way that is not built, or a file is missing.
    pub(super) fn identity(&self, sys: &Sys) -> ModuleResult<Identity> {
        for way in ["exec", "auth-provider"] {
            if self.value.get(way).is_some_and(|v| !v.is_null()) {
                return Err(Failure::new(format!(
                    "the kubeconfig's user logs in by `{way}`, which is not built; give it a certificate or a token"
                )));
            }
        }
        let mut identity = Identity::default();
        let cert = bytes_of(sys, self, "client-certificate")?;
        let key = bytes_of(sys, self, "client-key")?;
        match (cert, key) {
            (Some(cert), Some(key)) => identity.certificate = Some(Secret::new((cert, key))),
            (None, None) => {}
            _ => {
                return Err(
                    "the kubeconfig's user has a certificate without a key, or the other way round"
                        .into(),
                );
            }
        }
        if let Some(token) = self.text("token") {
            identity.token = Some(Secret::new(token));
        } else if let Some(path) = self.text("tokenFile") {
            let bytes = self.file(sys, &path)?;
            let token = String::from_utf8_lossy(&bytes).trim().to_owned();
            identity.token = Some(Secret::new(token));
        }
        if let (Some(user), Some(password)) = (self.text("username"), self.text("password")) {
            identity.basic = Some(Secret::new((user, password)));
        }
        Ok(identity)
    }

    fn file(&self, sys: &Sys, path: &str) -> ModuleResult<Vec<u8>> {
        let path = self.base.join(path);
        sys.read(&path)?.ok_or_else(|| {
            Failure::new(format!(
                "there is no file {}, which the kubeconfig names",
                path.display()
            ))
        })
    }
}

/// What is embedded as `<name>-data`, or in the file that `<name>` names.
///
/// # Errors
/// When it is not base64, or there is no such file.
pub(super) fn bytes_of(sys: &Sys, entry: &Named, name: &str) -> ModuleResult<Option<Vec<u8>>> {
    if let Some(data) = entry.text(&format!("{name}-data")) {
        let data: String = data.split_whitespace().collect();
        let bytes = base64::engine::general_purpose::STANDARD.decode(data);
        return bytes
            .map(Some)
            .map_err(|_| Failure::new(format!("{name}-data in the kubeconfig is not base64")));
    }
    entry
        .text(name)
        .map(|path| entry.file(sys, &path))
        .transpose()
}

/// The one document of a file; `None` if there is no file.
///
/// # Errors
/// When it is not YAML, or not a mapping.
pub(super) fn document(sys: &Sys, path: &Path) -> ModuleResult<Option<Map>> {
    let Some(text) = sys.read_text(path)? else {
        return Ok(None);
    };
    let name = path.to_string_lossy();
    match values_of(&name, &text)?.as_slice() {
        [] => Ok(Some(Map::new())),
        [Value::Map(map)] => Ok(Some((**map).clone())),
        _ => Err(Failure::new(format!(
            "{name} is not a kubeconfig: it should be one mapping"
        ))),
    }
}
