//! Starting `helm`: where it is, and which cluster it speaks with.

use crate::module_args;
use crate::modules::streams::set_output;
use crate::modules::{Failure, ModuleResult};
use crate::sys::{Command, Output, PrivateDir, Sys};
use crate::value::{Map, Secret, Value, to_bool};
use crate::yaml::values_of;
use std::path::{Path, PathBuf};

module_args! {
    /// Arguments of all modules that start `helm`.
    pub struct HelmAccess {
        /// The program, if it is not on the path.
        binary_path: Option<PathBuf> => optional;
        /// A context of the kubeconfig instead of its current one; else `$K8S_AUTH_CONTEXT`.
        context: Option<String> => optional, aliases ["kube_context"];
        /// The kubeconfig: its path, or its content as a mapping; else `$K8S_AUTH_KUBECONFIG`.
        kubeconfig: Option<Secret<Value>> => optional, aliases ["kubeconfig_path"], secret;
        /// The API server's URL; else `$K8S_AUTH_HOST`.
        host: Option<String> => optional;
        /// A token to log in with; else `$K8S_AUTH_API_KEY`.
        api_key: Option<Secret<String>> => optional, secret;
        /// Whether the API server must prove who it is; else `$K8S_AUTH_VERIFY_SSL`. `no` needs helm 3.10.
        validate_certs: Option<bool> => optional, aliases ["verify_ssl"];
        /// A file of authorities that the server's certificate must come from; else `$K8S_AUTH_SSL_CA_CERT`. Needs helm
        /// 3.5.
        ca_cert: Option<PathBuf> => optional, aliases ["ssl_ca_cert"];
    }
}

/// `helm`, ready to be started.
pub(super) struct Program {
    path: String,
    env: Vec<(String, String)>,
    _held: Option<PrivateDir>,
}

impl HelmAccess {
    /// # Errors
    /// When there is no `helm`, or one too old for what is asked of it.
    pub(super) fn program(&self, sys: &Sys, namespace: Option<&str>) -> ModuleResult<Program> {
        let path = match &self.binary_path {
            Some(path) => {
                let path = sys.expand(path).to_string_lossy().into_owned();
                sys.which(&path).map(|_| path)
            }
            None => sys.which("helm").map(|_| "helm".to_owned()),
        };
        let path = path.ok_or_else(|| {
            let named = self.binary_path.as_deref().unwrap_or(Path::new("helm"));
            Failure::new(format!(
                "{} is not there: install helm, or say where it is with `binary_path`",
                named.display()
            ))
        })?;
        let given = |own: &Option<String>, name: &str| {
            own.clone()
                .or_else(|| sys.env(name))
                .filter(|text| !text.is_empty())
        };
        let token = self.api_key.as_ref().map(|token| token.reveal().clone());
        let mut env = Vec::new();
        for (name, value) in [
            ("HELM_KUBECONTEXT", given(&self.context, "K8S_AUTH_CONTEXT")),
            ("HELM_NAMESPACE", namespace.map(str::to_owned)),
            ("HELM_KUBETOKEN", given(&token, "K8S_AUTH_API_KEY")),
            ("HELM_KUBEAPISERVER", given(&self.host, "K8S_AUTH_HOST")),
        ] {
            if let Some(value) = value {
                env.push((name.to_owned(), value));
            }
        }
        let (kubeconfig, held) = self.kubeconfig(sys)?;
        env.extend(kubeconfig.map(|path| ("KUBECONFIG".to_owned(), path)));
        let mut program = Program {
            path,
            env,
            _held: held,
        };
        let authority = self
            .ca_cert
            .as_ref()
            .map(|path| path.to_string_lossy().into_owned());
        if let Some(path) = given(&authority, "K8S_AUTH_SSL_CA_CERT") {
            program.needs(sys, [3, 5, 0], "ca_cert")?;
            let path = sys.expand(Path::new(&path));
            program.set("HELM_KUBECAFILE", path.to_string_lossy());
        }
        let verify = sys.env("K8S_AUTH_VERIFY_SSL").map(Value::data);
        let verify = self.validate_certs.or_else(|| to_bool(&verify?));
        if verify == Some(false) {
            program.needs(sys, [3, 10, 0], "validate_certs=false")?;
            program.set("HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "true");
        }
        Ok(program)
    }

    /// The path of the kubeconfig, and what keeps it if its content was given.
    fn kubeconfig(&self, sys: &Sys) -> ModuleResult<(Option<String>, Option<PrivateDir>)> {
        let given = self.kubeconfig.as_ref().map(Secret::reveal).cloned();
        match given.or_else(|| sys.env("K8S_AUTH_KUBECONFIG").map(Value::data)) {
            Some(Value::Map(content)) => {
                let dir = sys.private_dir()?;
                let text = Value::Map(content).to_json().to_string();
                let path = dir.add("kubeconfig", text.as_bytes(), 0o600)?;
                Ok((Some(path.to_string_lossy().into_owned()), Some(dir)))
            }
            Some(path) if !path.is_null() && !path.to_string().is_empty() => {
                let path = sys.expand(Path::new(&path.to_string()));
                Ok((Some(path.to_string_lossy().into_owned()), None))
            }
            _ => Ok((None, None)),
        }
    }
}

impl Program {
    fn set(&mut self, name: &str, value: impl Into<String>) {
        self.env.push((name.to_owned(), value.into()));
    }

    /// A command of it.
    pub(super) fn command<S: AsRef<str>>(&self, words: impl IntoIterator<Item = S>) -> Command {
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        let mut command = Command::new(std::iter::once(self.path.clone()).chain(words)).c_locale();
        command.env.extend(self.env.iter().cloned());
        command
    }

    /// Looks, and gives what it printed.
    ///
    /// # Errors
    /// With what helm says.
    pub(super) fn ask(&self, sys: &Sys, words: &[&str]) -> ModuleResult<String> {
        let command = self.command(words);
        let output = sys.query(&command)?;
        if output.ok() {
            Ok(output.text())
        } else {
            Err(failed(&command, &output))
        }
    }

    /// Its version, if it says one.
    pub(super) fn version(&self, sys: &Sys) -> ModuleResult<Option<[u64; 3]>> {
        Ok(version_in(&self.ask(sys, &["version"])?))
    }

    /// # Errors
    /// When it is older.
    pub(super) fn needs(&self, sys: &Sys, least: [u64; 3], what: &str) -> ModuleResult<()> {
        let version = self.version(sys)?;
        if version.is_none_or(|version| version >= least) {
            return Ok(());
        }
        let text = |version: [u64; 3]| version.map(|part| part.to_string()).join(".");
        Err(Failure::new(format!(
            "{what} requires helm >= {}, current version is {}",
            text(least),
            version.map(text).unwrap_or_default()
        )))
    }
}

fn version_in(text: &str) -> Option<[u64; 3]> {
    let rest = text
        .split_once("ersion:\"v")
        .or_else(|| text.split_once("SemVer:\"v"))?
        .1;
    let version = rest.split(['"', '-', '+']).next()?;
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    Some([
        parts.next()?,
        parts.next().unwrap_or(0),
        parts.next().unwrap_or(0),
    ])
}

/// The version that starts a word like `3.9.12`, as numbers to compare.
pub(super) fn numbers(text: &str) -> [u64; 3] {
    version_in(&format!("Version:\"v{text}\"")).unwrap_or_default()
}

/// A command line for results.
pub(super) fn shown(command: &Command) -> String {
    command.words().join(" ")
}

/// The failure of a command.
pub(super) fn failed(command: &Command, output: &Output) -> Failure {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut failure = Failure::new(format!(
        "Failure when executing Helm command. Exited {}.\nstdout: {}\nstderr: {}",
        output.rc,
        text(&output.stdout),
        text(&output.stderr)
    ));
    set_output(&mut failure.returns, output, false);
    failure.returns.set("command", Value::data(shown(command)));
    failure
}

/// The first document of an answer.
///
/// # Errors
/// When it is no YAML.
pub(super) fn document(what: &str, text: &str) -> ModuleResult<Value> {
    let all = values_of(what, text).map_err(Failure::new)?;
    Ok(all.into_iter().next().unwrap_or_default())
}

/// All documents of an answer.
///
/// # Errors
/// When it is no YAML.
pub(super) fn documents(what: &str, text: &str) -> ModuleResult<Vec<Value>> {
    values_of(what, text).map_err(Failure::new)
}

/// A release as `helm list` tells of it, with the values that users gave; `None` if there is none of that name.
///
/// # Errors
/// With what helm says.
pub(super) fn release(
    program: &Program,
    sys: &Sys,
    name: &str,
    states: &[&str],
    all_values: bool,
) -> ModuleResult<Option<Map>> {
    let filter = format!("^{}$", name.replace('.', "\\."));
    let mut words = vec!["list", "--output=yaml", "--filter", filter.as_str()];
    words.extend(states);
    let listed = document("helm list", &program.ask(sys, &words)?)?;
    let found = listed
        .as_list()
        .unwrap_or_default()
        .iter()
        .find_map(|release| {
            let is_it = release
                .get("name")
                .is_some_and(|known| known.to_string() == name);
            release.as_map().filter(|_| is_it).cloned()
        });
    let Some(mut found) = found else {
        return Ok(None);
    };
    let mut words = vec!["get", "values", "--output=yaml", name];
    if all_values {
        words.push("-a");
    }
    let values = document("helm get values", &program.ask(sys, &words)?)?;
    let values = if values.is_null() {
        Value::map(Map::new())
    } else {
        values
    };
    found.set("values", values);
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn versions_of_all_helms() {
        for (text, version) in [
            (
                "version.BuildInfo{Version:\"v3.14.0\", GitCommit:\"x\"}",
                [3, 14, 0],
            ),
            ("version.BuildInfo{Version:\"v4.0.0-rc.1\", Git", [4, 0, 0]),
            (
                "Client: &version.Version{SemVer:\"v2.16.9\", GitCommit",
                [2, 16, 9],
            ),
        ] {
            assert_eq!(version_in(text), Some(version), "{text}");
        }
        assert_eq!(version_in("nothing"), None);
    }
}
