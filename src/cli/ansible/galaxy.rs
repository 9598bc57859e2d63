//! The servers of collections, as the configuration names them (`galaxy.server_list`, `[galaxy_server.NAME]`).

use crate::config::{Config, known};
use crate::value::Value;

/// What can be said of a server: its name, its type, what it is when nobody says.
const KEYS: [(&str, &str); 9] = [
    ("api_version", "int"),
    ("auth_url", "str"),
    ("client_id", "str"),
    ("password", "str"),
    ("timeout", "int"),
    ("token", "str"),
    ("url", "str"),
    ("username", "str"),
    ("validate_certs", "bool"),
];

/// A setting of a server.
pub struct ServerSetting {
    pub name: &'static str,
    pub value: Value,
    pub origin: String,
}

impl ServerSetting {
    /// As `ansible-config` writes it.
    pub fn as_value(&self) -> Value {
        Value::list(vec![
            Value::data(self.name),
            self.value.clone(),
            Value::data(self.origin.as_str()),
            Value::Null,
        ])
    }
}

fn names(config: &Config, env: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    known::setting("GALAXY_SERVER_LIST")
        .map(|list| config.known(list, env).0)
        .and_then(|list| {
            let names = list.as_list()?.iter().filter_map(Value::as_str);
            Some(
                names
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect(),
            )
        })
        .unwrap_or_default()
}

/// All servers with their settings.
pub fn servers(
    config: &Config,
    env: &dyn Fn(&str) -> Option<String>,
) -> Vec<(String, Vec<ServerSetting>)> {
    let file = config.file.as_ref().map(|file| file.display().to_string());
    let settings = |server: &str| {
        KEYS.iter()
            .map(|(name, kind)| {
                let section = format!("galaxy_server.{server}");
                let line = config
                    .lines()
                    .find(|(s, key, _)| *s == section && key == name)
                    .map(|(_, _, value)| (value.to_owned(), file.clone().unwrap_or_default()));
                let variable = format!(
                    "ANSIBLE_GALAXY_SERVER_{}_{}",
                    server.to_uppercase(),
                    name.to_uppercase()
                );
                let set = env(&variable)
                    .map(|value| (value, format!("env: {variable}")))
                    .or(line);
                let (value, origin) = match (set, *name) {
                    (Some((text, origin)), _) => {
                        (known::typed(kind, &Value::data(text), env), origin)
                    }
                    (None, "timeout") => (Value::Int(60), "default".to_owned()),
                    (None, "url") => (Value::Null, "REQUIRED".to_owned()),
                    (None, _) => (Value::Null, "default".to_owned()),
                };
                ServerSetting {
                    name,
                    value,
                    origin,
                }
            })
            .collect()
    };
    let mut servers: Vec<(String, Vec<ServerSetting>)> = names(config, env)
        .into_iter()
        .map(|name| {
            let list = settings(&name);
            (name, list)
        })
        .collect();
    servers.sort_by(|a, b| a.0.cmp(&b.0));
    servers
}

/// Whether a line of the configuration file is a setting of a server in the list; `None` if it is about no such server.
pub fn knows(config: &Config, section: &str, key: &str) -> Option<bool> {
    let env = |name: &str| std::env::var(name).ok();
    let server = section.strip_prefix("galaxy_server.")?;
    names(config, &env)
        .iter()
        .any(|known| known == server)
        .then(|| KEYS.iter().any(|(known, _)| *known == key))
}
