//! `set_stats`: what a run counts besides tasks.
//!
//! Source: Ansible's documentation of the module `set_stats`.

use super::{Input, Result, Step};
use crate::result::Outcome;
use crate::value::{Map, Value, to_bool};

pub(super) fn set_stats(input: &Input<'_>) -> Result<Step> {
    let flag = |name: &str, default: bool| {
        let value = input.args.get(name);
        value.and_then(to_bool).unwrap_or(default)
    };
    let (per_host, aggregate) = (flag("per_host", false), flag("aggregate", true));
    let mut data = Map::new();
    if let Some(given) = input.args.get("data").filter(|value| !value.is_null()) {
        let Some(given) = given.as_map() else {
            return Err("The 'data' option needs to be a dictionary/hash"
                .to_owned()
                .into());
        };
        for (key, value) in given {
            let name = key.to_string();
            let mut chars = name.chars();
            let good = chars
                .next()
                .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
                && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !good {
                return Err(format!(
                    "The variable name '{name}' is not valid. Variables must start with a letter or underscore \
                     character, and contain only letters, numbers and underscores."
                )
                .into());
            }
            data.set(&name, value.clone());
        }
    }
    let stats = Map::new()
        .with("data", data)
        .with("per_host", per_host)
        .with("aggregate", aggregate);
    Ok(Step::done(
        Outcome::ok().with("ansible_stats", Value::map(stats)),
    ))
}
