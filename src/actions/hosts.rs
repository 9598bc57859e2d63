//! `add_host` and `group_by`.

use super::{Effect, Error, Input, Result, Step};
use crate::result::Outcome;
use crate::value::{FromValue, Map, Value};

fn words(value: &Value) -> Result<Vec<String>> {
    Vec::<String>::from_value(value).map_err(|problem| Error::Failed(problem.0))
}

pub(super) fn add_host(input: &Input<'_>) -> Result<Step> {
    let mut name = None;
    let mut groups = Vec::new();
    let mut vars = Map::new();
    for (key, value) in &input.args {
        match key.as_str().unwrap_or_default() {
            "name" | "hostname" | "host" => name = Some(value.to_string()),
            "groups" | "groupname" | "group" => groups = words(value)?,
            _ => {
                vars.insert(key.clone(), value.clone());
            }
        }
    }
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Err("name, host or hostname needs to be provided"
            .to_owned()
            .into());
    };
    // `name:port`
    let (name, port) = match name.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => match port.parse::<i64>() {
            Ok(port) => (host.to_owned(), Some(port)),
            Err(_) => (name.clone(), None),
        },
        _ => (name.clone(), None),
    };
    if let Some(port) = port {
        vars.set("ansible_ssh_port", port);
    }
    let shown = Map::new()
        .with("host_name", Value::data(name.as_str()))
        .with("groups", groups.clone())
        .with("host_vars", vars.clone());
    Ok(Step::Done(
        Outcome {
            changed: true,
            data: Map::new().with("add_host", shown),
            ..Outcome::ok()
        },
        vec![Effect::AddHost { name, groups, vars }],
    ))
}

pub(super) fn group_by(input: &Input<'_>) -> Result<Step> {
    let key = input
        .args
        .get("key")
        .map(ToString::to_string)
        .ok_or("the 'key' param is required when using group_by".to_owned())?
        .replace(' ', "-");
    let parents = match input.args.get("parents") {
        Some(value) => words(value)?.iter().map(|p| p.replace(' ', "-")).collect(),
        None => vec!["all".to_owned()],
    };
    let data = Map::new()
        .with("add_group", Value::data(key.as_str()))
        .with("parent_groups", parents.clone());
    Ok(Step::Done(
        Outcome {
            changed: true,
            data,
            ..Outcome::ok()
        },
        vec![Effect::GroupBy { key, parents }],
    ))
}
