//! All settings as a table, for whoever shows them.

use super::{DuplicateKeys, Gathering, GroupNameRule, HashBehaviour, Origin, PatternMismatch};
use crate::value::Value;
use std::path::PathBuf;

/// A setting as it is shown.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its field in [`super::Config`].
    pub field: &'static str,
    /// What it means.
    pub doc: String,
    /// Its names in the file, `section.key`; of several the last one counts.
    pub ini: &'static [&'static str],
    /// Its environment variables.
    pub env: &'static [&'static str],
    /// Its value.
    pub value: Value,
    /// Who set it.
    pub origin: Origin,
}

/// Names that are not the field in capitals, or that with `DEFAULT_` before it: see [`Row::constant`].
const NAMES: &[(&str, &str)] = &[
    ("inventory", "DEFAULT_HOST_LIST"),
    ("library", "DEFAULT_MODULE_PATH"),
    ("module_utils", "DEFAULT_MODULE_UTILS_PATH"),
    ("interpreter_python", "INTERPRETER_PYTHON"),
    ("become_", "DEFAULT_BECOME"),
    ("collections_path", "COLLECTIONS_PATHS"),
    ("nocolor", "ANSIBLE_NOCOLOR"),
    ("force_color", "ANSIBLE_FORCE_COLOR"),
    ("bin_ansible_callbacks", "DEFAULT_LOAD_CALLBACK_PLUGINS"),
    ("ansible_managed", "DEFAULT_MANAGED_STR"),
    ("error_on_undefined_vars", "DEFAULT_UNDEFINED_VAR_BEHAVIOR"),
    ("fact_caching", "CACHE_PLUGIN"),
    ("fact_caching_connection", "CACHE_PLUGIN_CONNECTION"),
    ("fact_caching_prefix", "CACHE_PLUGIN_PREFIX"),
    ("fact_caching_timeout", "CACHE_PLUGIN_TIMEOUT"),
    ("inventory_ignore_extensions", "INVENTORY_IGNORE_EXTS"),
    ("group_name_rule", "TRANSFORM_INVALID_GROUP_CHARS"),
    ("inventory_unparsed_warning", "INVENTORY_UNPARSED_WARNING"),
    ("duplicate_dict_key", "DUPLICATE_YAML_DICT_KEY"),
];

/// Fields whose names in Ansible begin with `DEFAULT_`.
const DEFAULTS: &[&str] = &[
    "roles_path",
    "forks",
    "remote_user",
    "remote_port",
    "private_key_file",
    "timeout",
    "transport",
    "ask_pass",
    "gathering",
    "hash_behaviour",
    "become_method",
    "become_user",
    "become_exe",
    "become_flags",
    "become_ask_pass",
    "log_path",
    "verbosity",
    "stdout_callback",
    "force_handlers",
    "no_log",
    "strategy",
    "poll_interval",
    "private_role_vars",
    "jinja2_extensions",
    "jinja2_native",
    "vault_password_file",
    "vault_identity",
    "vault_identity_list",
    "vault_encrypt_identity",
    "vault_id_match",
    "ask_vault_pass",
];

impl Row {
    /// What `ansible-config` calls it.
    pub fn constant(&self) -> String {
        if let Some((_, name)) = NAMES.iter().find(|(field, _)| *field == self.field) {
            return (*name).to_owned();
        }
        let name = self.field.to_uppercase();
        if DEFAULTS.contains(&self.field) {
            format!("DEFAULT_{name}")
        } else {
            name
        }
    }
}

/// A value for a table.
pub(super) trait Shown {
    fn shown(&self) -> Value;
}

impl Shown for bool {
    fn shown(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Shown for u64 {
    fn shown(&self) -> Value {
        Value::Int(i64::try_from(*self).unwrap_or(i64::MAX))
    }
}

impl Shown for String {
    fn shown(&self) -> Value {
        Value::data(self.as_str())
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> Value {
        Value::data(self.display().to_string())
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> Value {
        self.as_ref().map_or(Value::Null, Shown::shown)
    }
}

impl<T: Shown> Shown for Vec<T> {
    fn shown(&self) -> Value {
        Value::list(self.iter().map(Shown::shown).collect())
    }
}

impl Shown for Gathering {
    fn shown(&self) -> Value {
        Value::data(match self {
            Self::Implicit => "implicit",
            Self::Explicit => "explicit",
            Self::Smart => "smart",
        })
    }
}

impl Shown for HashBehaviour {
    fn shown(&self) -> Value {
        Value::data(match self {
            Self::Replace => "replace",
            Self::Merge => "merge",
        })
    }
}

impl Shown for DuplicateKeys {
    fn shown(&self) -> Value {
        Value::data(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Ignore => "ignore",
        })
    }
}

impl Shown for GroupNameRule {
    fn shown(&self) -> Value {
        Value::data(match self {
            Self::Never => "never",
            Self::Ignore => "ignore",
            Self::Always => "always",
            Self::Silently => "silently",
        })
    }
}

impl Shown for PatternMismatch {
    fn shown(&self) -> Value {
        Value::data(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Ignore => "ignore",
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;

    #[test]
    fn names_are_ansibles() {
        let rows = Config::defaults().table();
        let name = |field: &str| {
            let row = rows.iter().find(|row| row.field == field);
            row.map(super::Row::constant)
        };
        assert_eq!(name("forks").as_deref(), Some("DEFAULT_FORKS"));
        assert_eq!(
            name("host_key_checking").as_deref(),
            Some("HOST_KEY_CHECKING")
        );
        assert_eq!(name("inventory").as_deref(), Some("DEFAULT_HOST_LIST"));
    }
}
