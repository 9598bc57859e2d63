//! Lookups of variables, settings, hosts and the environment.

use super::{Lookup, Query};
use crate::template::context::Resolved;
use crate::template::filters::regex::{self, Flags};
use crate::template::resolve::resolve;
use crate::value::{Value, str_of};

/// Marks a message that says that something is undefined.
pub(crate) const UNDEFINED: &str = "\0undefined: ";

pub(super) const TABLE: &[(&str, Lookup)] = &[
    ("vars", vars),
    ("varnames", |q| {
        let mut out = Vec::new();
        for term in &q.terms {
            let Value::Str(pattern) = term else {
                return Err(format!(
                    "Invalid setting identifier, \"{}\" is not a string",
                    str_of(term)
                ));
            };
            for name in q.render.session.scope.names() {
                if regex::is_match(pattern, Flags::default(), &name).map_err(|error| {
                    let why = error.detail().unwrap_or_default().to_owned();
                    format!("Unable to use \"{pattern}\" as a search parameter: {why}")
                })? {
                    out.push(Value::data(&*name));
                }
            }
        }
        Ok(out)
    }),
    ("env", |q| {
        let default = q.option("default");
        let mut out = Vec::new();
        for name in q.texts() {
            // the first word is the name
            let name = name
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            match std::env::var(&name) {
                Ok(value) => out.push(Value::data(value)),
                Err(_) => out.push(default.clone().unwrap_or_else(|| Value::data(""))),
            }
        }
        Ok(out)
    }),
    ("config", |q| {
        let on_missing = q.text_option("on_missing", "error");
        if !matches!(on_missing.as_str(), "error" | "warn" | "skip") {
            return Err(format!(
                "`on_missing` is `{on_missing}`, valid values are: error, warn, skip"
            ));
        }
        let show_origin = q.flag("show_origin", false);
        let plugin = match (q.option("plugin_type"), q.option("plugin_name")) {
            (None, None) => None,
            (Some(kind), Some(_)) => Some(str_of(&kind)),
            _ => {
                return Err(
                    "Both plugin_type and plugin_name are required, cannot use one without the other"
                        .into(),
                );
            }
        };
        let mut out = Vec::new();
        for term in q.terms.clone() {
            let Value::Str(name) = &term else {
                return Err(format!(
                    "Invalid setting identifier, \"{}\" is not a string",
                    str_of(&term)
                ));
            };
            let found = q
                .render
                .templar
                .options()
                .setting
                .as_ref()
                .and_then(|setting| setting(name));
            let found = match &plugin {
                Some(kind) => of_plugin(q, kind, name)?,
                None => found.map(|value| (value, "default".to_owned())),
            };
            match found {
                Some((value, origin)) if show_origin => {
                    out.push(Value::list(vec![value, Value::data(origin)]));
                }
                Some((value, _)) => out.push(value),
                None if on_missing == "error" => {
                    return Err(format!("Unable to find setting {name}"));
                }
                None => {
                    if on_missing == "warn"
                        && let Some(warn) = &q.render.templar.options().warn
                    {
                        warn(&format!("Skipping, did not find setting {name}"));
                    }
                }
            }
        }
        Ok(out)
    }),
    ("inventory_hostnames", |q| {
        let Some(hosts) = q.render.templar.options().hosts.clone() else {
            return Err("there is no inventory here".into());
        };
        let pattern: Vec<String> = q.texts();
        Ok(hosts(&pattern.join(","))?
            .into_iter()
            .map(Value::data)
            .collect())
    }),
];

/// Options of connections and shells, with the variables that set them (the last one that is there counts).
const PLUGIN_OPTIONS: &[(&str, &str, &[&str])] = &[
    (
        "connection",
        "host",
        &["inventory_hostname", "ansible_host", "ansible_ssh_host"],
    ),
    (
        "connection",
        "remote_user",
        &["ansible_user", "ansible_ssh_user"],
    ),
    ("connection", "port", &["ansible_port", "ansible_ssh_port"]),
    (
        "connection",
        "password",
        &[
            "ansible_password",
            "ansible_ssh_pass",
            "ansible_ssh_password",
        ],
    ),
    (
        "connection",
        "private_key_file",
        &["ansible_private_key_file", "ansible_ssh_private_key_file"],
    ),
    ("shell", "remote_tmp", &["ansible_remote_tmp"]),
];

/// The value of a plugin's option, and what set it.
fn of_plugin(query: &Query, kind: &str, name: &str) -> Result<Option<(Value, String)>, String> {
    let Some((_, _, variables)) = PLUGIN_OPTIONS
        .iter()
        .find(|(known, option, _)| *known == kind && *option == name)
    else {
        return Ok(None);
    };
    for variable in variables.iter().rev() {
        if let Some(Ok(Resolved::Value(value))) =
            resolve(&query.render.templar, &query.render.session, variable)
        {
            let value = query.render.unseal(value).map_err(|e| e.to_string())?;
            let value = match (name, &value) {
                ("port", Value::Str(text)) => text.trim().parse().map_or(value, Value::Int),
                _ => value,
            };
            return Ok(Some((value, format!("var: {variable}"))));
        }
    }
    let default = match name {
        "remote_tmp" => Value::data("~/.ansible/tmp"),
        _ => Value::Null,
    };
    Ok(Some((default, "default".to_owned())))
}

/// `vars(*names, default=...)`.
fn vars(query: &mut Query) -> Result<Vec<Value>, String> {
    let default = query.option("default");
    let mut out = Vec::new();
    for term in query.terms.clone() {
        let Value::Str(name) = &term else {
            return Err(format!(
                "Invalid setting identifier, \"{}\" is not a string",
                str_of(&term)
            ));
        };
        match resolve(&query.render.templar, &query.render.session, name) {
            Some(Ok(Resolved::Value(value))) => {
                out.push(query.render.unseal(value).map_err(|e| e.to_string())?);
            }
            Some(Ok(_)) => return Err(format!("the variable {name} cannot be looked up this way")),
            Some(Err(error)) if !error.is_undefined() => return Err(error.to_string()),
            other => match (&default, other) {
                (Some(default), _) => out.push(default.clone()),
                (None, Some(Err(error))) => return Err(format!("{UNDEFINED}{error}")),
                (None, _) => {
                    return Err(format!(
                        "{UNDEFINED}No variable found with this name: {name}"
                    ));
                }
            },
        }
    }
    Ok(out)
}
