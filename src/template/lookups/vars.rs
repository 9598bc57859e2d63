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
        for pattern in q.texts() {
            for name in q.render.session.scope.names() {
                if regex::is_match(&pattern, Flags::default(), &name)
                    .map_err(|error| error.to_string())?
                {
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
        let mut out = Vec::new();
        for name in q.texts() {
            let found = q
                .render
                .templar
                .options()
                .setting
                .as_ref()
                .and_then(|setting| setting(&name));
            match found {
                Some(value) => out.push(value),
                None if on_missing == "error" => {
                    return Err(format!("unable to find setting {name}"));
                }
                None => {}
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
                        "{UNDEFINED}No variable found with this name: {name}: '{name}' is undefined"
                    ));
                }
            },
        }
    }
    Ok(out)
}
