//! Lookups of variables, settings, hosts and the environment.

use super::{Lookup, Query};
use crate::template::context::Resolved;
use crate::template::filters::regex::{self, Flags};
use crate::template::resolve::resolve;
use crate::value::{Value, str_of};

/// Marks a message that says that something is undefined.
pub(crate) const UNDEFINED: &str = "\0undefined: ";
/// The same of a failure that is a recursion.
pub(crate) const RECURSION: &str = "\0recursion: ";

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
    ("config", config),
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

/// `config(*names, on_missing=..., plugin_type=..., plugin_name=..., show_origin=...)`.
fn config(query: &mut Query) -> Result<Vec<Value>, String> {
    let on_missing = query.text_option("on_missing", "error");
    if !matches!(on_missing.as_str(), "error" | "warn" | "skip") {
        return Err(format!(
            "\"on_missing\" must be a string and valid values are error, warn and skip, not {on_missing}"
        ));
    }
    let kind = query.text_option("plugin_type", "");
    let plugin = query.text_option("plugin_name", "");
    if kind.is_empty() != plugin.is_empty() {
        return Err(
            "Both plugin_type and plugin_name are required, cannot use one without the other"
                .into(),
        );
    }
    let origins = query
        .option("show_origin")
        .as_ref()
        .and_then(crate::value::to_bool)
        .unwrap_or(false);
    let options = query.render.templar.options().clone();
    let mut out = Vec::new();
    for term in query.terms.clone() {
        let Value::Str(name) = &term else {
            return Err(format!(
                "Invalid setting identifier, \"{}\" is not a string, it is a {}",
                str_of(&term),
                term.type_name()
            ));
        };
        let of = (!kind.is_empty()).then_some((kind.as_str(), plugin.as_str()));
        let found = options
            .setting
            .as_ref()
            .and_then(|setting| setting(of, name));
        let Some(found) = found else {
            let missing = format!("Unable to find setting {name}");
            match on_missing.as_str() {
                "error" => return Err(format!("Invalid setting \"{name}\": {missing}")),
                "warn" => {
                    if let Some(warn) = &options.warn {
                        warn(&format!("Skipping, did not find setting {name}"));
                    }
                }
                _ => {}
            }
            continue;
        };
        let (mut value, mut origin) = (found.value, found.origin);
        for name in found.vars {
            if let Some(Ok(Resolved::Value(set))) =
                resolve(&query.render.templar, &query.render.session, name)
            {
                let set = query.render.unseal(set).map_err(|e| e.to_string())?;
                value = (found.typed)(found.kind, &set);
                origin = format!("var: {name}");
            }
        }
        out.push(if origins {
            Value::list(vec![value, Value::data(origin)])
        } else {
            value
        });
    }
    Ok(out)
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
