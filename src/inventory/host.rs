//! A host of the inventory.

use crate::value::{Map, Value};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// Names that mean the controller itself; one of them works in patterns even when no inventory has it.
pub const LOCALHOST_NAMES: [&str; 3] = ["127.0.0.1", "localhost", "::1"];

/// Whether the name is one of [`LOCALHOST_NAMES`].
pub fn is_localhost(name: &str) -> bool {
    LOCALHOST_NAMES.contains(&name)
}

/// A host as the inventory declares it.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name, `inventory_hostname`.
    pub name: Arc<str>,
    /// The port, if its name was written with one (also in `vars` as `ansible_port`).
    pub port: Option<u16>,
    /// The variables that the inventory sets on the host itself.
    pub vars: Map,
    /// The groups that list it directly, in the order in which that was said.
    pub groups: Vec<Arc<str>>,
    /// Whether it is the controller, made up because a pattern asked for it.
    pub implicit: bool,
    /// The source that first named it (`inventory_file`); none for hosts added during a run.
    pub file: Option<PathBuf>,
}

/// The Python of the controller: the first `python3` on the `PATH`. Nothing here needs it; playbooks and `pip` may.
pub fn controller_python() -> &'static str {
    static FOUND: OnceLock<String> = OnceLock::new();
    FOUND.get_or_init(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join("python3"))
            .find(|python| python.is_file());
        found.map_or_else(
            || "/usr/bin/python3".to_owned(),
            |python| python.display().to_string(),
        )
    })
}

impl Host {
    /// A host without variables or groups.
    pub fn new(name: &str) -> Self {
        Self {
            name: Arc::from(name),
            port: None,
            vars: Map::new(),
            groups: Vec::new(),
            implicit: false,
            file: None,
        }
    }

    /// The controller, as Ansible makes it up ("Implicit 'localhost'").
    pub fn implicit_localhost(name: &str) -> Self {
        Self {
            implicit: true,
            vars: Map::new()
                .with("ansible_connection", "local")
                .with("ansible_python_interpreter", controller_python()),
            ..Self::new(name)
        }
    }

    /// `inventory_hostname_short`: the name up to its first dot, addresses unchanged.
    pub fn short_name(&self) -> &str {
        if super::is_ip_address(&self.name) {
            &self.name
        } else {
            self.name.split('.').next().unwrap_or(&self.name)
        }
    }

    /// `inventory_dir`: the directory of [`Host::file`].
    pub fn dir(&self) -> Option<PathBuf> {
        let file = self.file.as_ref()?;
        Some(if file.is_dir() {
            file.clone()
        } else {
            file.parent()?.to_path_buf()
        })
    }
}

/// Sets a variable of a host or group: a mapping set on a mapping replaces it, or is merged with it.
pub(super) fn set_variable(vars: &mut Map, name: &Value, value: Value, merge: bool) {
    let value = match (vars.get(name), value) {
        (Some(Value::Map(low)), Value::Map(high)) if merge => {
            let mut both = (**low).clone();
            for (key, value) in high.iter() {
                set_variable(&mut both, key, value.clone(), true);
            }
            Value::map(both)
        }
        (_, value) => value,
    };
    vars.insert(name.clone(), value);
}
