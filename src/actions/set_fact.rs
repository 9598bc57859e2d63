//! `set_fact`.

use super::{Effect, Error, Input, Result, Step};
use crate::result::Outcome;
use crate::value::{Map, Value, to_bool};

pub(super) fn set_fact(input: &Input<'_>) -> Result<Step> {
    let mut facts = Map::new();
    let mut cacheable = false;
    for (key, value) in &input.args {
        let name = key.to_string();
        if name == "cacheable" {
            cacheable =
                to_bool(value).ok_or("set_fact: `cacheable` must be yes or no".to_owned())?;
            continue;
        }
        let mut chars = name.chars();
        let good = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && chars.all(|c| c.is_alphanumeric() || c == '_');
        if !good {
            return Err(Error::Failed(format!(
                "set_fact: `{name}` is not a variable name (letters, digits and underscores)"
            )));
        }
        // texts that say yes or no become booleans here, as Ansible does without jinja2_native
        let value = match value {
            Value::Str(text) if !input.templar.is_native() => {
                match text.to_ascii_lowercase().as_str() {
                    "true" | "yes" => Value::Bool(true),
                    "false" | "no" => Value::Bool(false),
                    _ => value.clone(),
                }
            }
            other => other.clone(),
        };
        facts.set(&name, value);
    }
    if facts.is_empty() {
        return Err("set_fact: no variables were given".to_owned().into());
    }
    let data = Map::new().with("ansible_facts", facts.clone());
    Ok(Step::Done(
        Outcome {
            data,
            ..Outcome::ok()
        },
        vec![Effect::SetFacts { facts, cacheable }],
    ))
}
