//! Every setting that Ansible has, those that mean nothing here too: for whoever asks for one by its name.

use super::ini::Entry;
use super::read::{expand, unquote};
use crate::value::Value;
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// A setting by its name in Ansible.
#[derive(Clone, Debug)]
pub struct Known {
    /// `DEFAULT_FORKS`; of a plugin's option `connection.ssh.port`.
    pub name: &'static str,
    /// `boolean`, `integer`, `list`, `path`, …
    pub kind: &'static str,
    /// When nobody sets it.
    pub default: Value,
    /// Its environment variables; of several the last that is set counts.
    pub env: Vec<&'static str>,
    /// Its places in the file, `section.key`; of several the last counts.
    pub ini: Vec<&'static str>,
    /// Its variables; of several the last counts.
    pub vars: Vec<&'static str>,
    /// The words that it may be; empty for any.
    pub choices: Vec<&'static str>,
}

static SETTINGS: LazyLock<Vec<Known>> = LazyLock::new(|| read(include_str!("known_settings.tsv")));
static OPTIONS: LazyLock<Vec<Known>> = LazyLock::new(|| read(include_str!("known_options.tsv")));

fn read(table: &'static str) -> Vec<Known> {
    let words = |text: Option<&'static str>| -> Vec<&'static str> {
        let text = text.unwrap_or_default();
        text.split(',').filter(|word| !word.is_empty()).collect()
    };
    table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut cells = line.split('\t');
            let name = cells.next().filter(|name| !name.is_empty())?;
            let kind = cells.next()?;
            let default = cells.next().unwrap_or_default();
            Some(Known {
                name,
                kind,
                default: serde_json::from_str::<serde_json::Value>(default)
                    .map(|json| Value::from_json(&json))
                    .unwrap_or_default(),
                env: words(cells.next()),
                ini: words(cells.next()),
                vars: words(cells.next()),
                choices: words(cells.next()),
            })
        })
        .collect()
}

/// All settings, by name.
pub fn settings() -> &'static [Known] {
    &SETTINGS
}

/// All options of plugins that can be set by more than arguments, by name.
pub fn options() -> &'static [Known] {
    &OPTIONS
}

/// The setting of that name.
pub fn setting(name: &str) -> Option<&'static Known> {
    SETTINGS.iter().find(|known| known.name == name)
}

/// An option of a plugin.
pub fn option(kind: &str, plugin: &str, name: &str) -> Option<&'static Known> {
    let plugin = plugin.rsplit('.').next().unwrap_or(plugin);
    OPTIONS.iter().find(|known| {
        let mut parts = known.name.splitn(3, '.');
        parts.next() == Some(kind) && parts.next() == Some(plugin) && parts.next() == Some(name)
    })
}

impl crate::config::Config {
    /// The value of a setting or option by its entry here, and where it is from.
    pub fn known(&self, known: &Known, env: &dyn Fn(&str) -> Option<String>) -> (Value, String) {
        known.resolve(&self.entries, self.file.as_deref(), env)
    }

    /// The lines of the configuration file: section, key, value.
    pub fn lines(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.entries.iter().map(|entry| {
            (
                entry.section.as_str(),
                entry.key.as_str(),
                entry.value.as_str(),
            )
        })
    }
}

impl Known {
    /// The value that the file and the environment give, and where it is from: `default`, the file's path or
    /// `env: NAME`.
    pub(super) fn resolve(
        &self,
        entries: &[Entry],
        file: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> (Value, String) {
        let mut found = None;
        for place in &self.ini {
            let Some((section, key)) = place.split_once('.') else {
                continue;
            };
            let entry = entries
                .iter()
                .find(|entry| entry.section == section && entry.key == key);
            if let Some(entry) = entry {
                let path = file.map(|path| path.display().to_string());
                found = Some((unquote(&entry.value).to_owned(), path.unwrap_or_default()));
            }
        }
        for name in &self.env {
            if let Some(value) = env(name) {
                found = Some((value, format!("env: {name}")));
            }
        }
        match found {
            Some((text, origin)) => (typed(self.kind, &Value::data(text), env), origin),
            None => (typed(self.kind, &self.default, env), "default".to_owned()),
        }
    }
}

/// A value as a type of settings wants it.
pub fn typed(kind: &str, value: &Value, env: &dyn Fn(&str) -> Option<String>) -> Value {
    let path = |text: &str| Value::data(expand(text, env));
    match (kind, value) {
        (_, Value::Null) => Value::Null,
        ("bool" | "boolean", value) => Value::Bool(crate::value::to_bool(value).unwrap_or(false)),
        ("int" | "integer", Value::Str(text)) => match text.trim().parse() {
            Ok(number) => Value::Int(number),
            Err(_) => value.clone(),
        },
        ("float", Value::Str(text)) => match text.trim().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => value.clone(),
        },
        ("list", Value::Str(text)) => Value::list(
            text.split(',')
                .map(str::trim)
                .map(|part| Value::data(Arc::from(unquote(part))))
                .collect(),
        ),
        ("pathspec", Value::Str(text)) => Value::list(text.split(':').map(path).collect()),
        ("pathlist", Value::Str(text)) => {
            Value::list(text.split(',').map(|part| path(part.trim())).collect())
        }
        ("pathspec" | "pathlist", Value::List(items)) => Value::list(
            items
                .iter()
                .map(|item| item.as_str().map_or_else(|| item.clone(), path))
                .collect(),
        ),
        ("path" | "tmp" | "tmppath", Value::Str(text)) => path(text),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn settings_in_use_are_ansibles_under_the_same_names() {
        // what Ansible keeps with a plugin, or has under other circumstances
        let elsewhere = ["ANSIBLE_FORCE_COLOR", "ANSIBLE_NOCOLOR"];
        let wrong: Vec<String> = Config::defaults()
            .table()
            .iter()
            .filter(|row| {
                let name = row.constant();
                let inside = |known: &Known| row.ini.iter().all(|ini| known.ini.contains(ini));
                let option = OPTIONS
                    .iter()
                    .any(|known| inside(known) && !row.ini.is_empty());
                !elsewhere.contains(&name.as_str()) && setting(&name).is_none() && !option
            })
            .map(super::super::Row::constant)
            .collect();
        assert_eq!(wrong, [""; 0]);
    }

    #[test]
    fn values_come_from_the_last_name_that_is_set() {
        let port = option("connection", "ansible.builtin.ssh", "port").unwrap();
        assert_eq!(port.vars, ["ansible_port", "ansible_ssh_port"]);
        let env = |name: &str| (name == "ANSIBLE_REMOTE_PORT").then(|| "2222".to_owned());
        let (value, origin) = port.resolve(&[], None, &env);
        assert_eq!(value, Value::Int(2222));
        assert_eq!(origin, "env: ANSIBLE_REMOTE_PORT");
        let cows = setting("ANSIBLE_COW_SELECTION").unwrap();
        let (value, origin) = cows.resolve(&[], None, &|_| None);
        assert_eq!((value, origin.as_str()), (Value::str("default"), "default"));
        assert!(settings().len() > 200 && options().len() > 100);
    }
}
