//! `k8s`: definitions in files and templates of the controller go to the machine that speaks with the cluster.

use super::content::bytes_of;
use super::template::rendered;
use super::{Error, Input, RemoteCall, Result, Step, shared};
use crate::value::{Map, Value, str_of, to_bool};

/// What a template of definitions is said to be written to.
const DEST: &str = "the cluster";

pub(super) fn k8s(input: &Input<'_>) -> Result<Step> {
    let mut args = input.args.clone();
    let given = |name: &str| input.args.get(name).filter(|value| !value.is_null());
    let there = given("remote_src").is_some_and(|flag| to_bool(flag) == Some(true));
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    match (given("src").filter(|_| !there), given("template")) {
        (Some(_), Some(_)) => {
            return Err("k8s: `src` and `template` exclude each other"
                .to_owned()
                .into());
        }
        (Some(src), None) => {
            for name in listed(src) {
                let name = str_of(&name);
                let path = input.cx.files().find("files", &name).ok_or_else(|| {
                    Error::Failed(format!(
                        "there is no file `{name}` on the controller; with `remote_src: true` it is looked for on the \
                         machine"
                    ))
                })?;
                found.push((name, bytes_of(input, &path)?));
            }
            args.take("src");
        }
        (None, Some(template)) => {
            for one in listed(template) {
                let options = match &one {
                    Value::Map(options) => (**options).clone(),
                    path => Map::new().with("path", path.clone()),
                };
                let name = options
                    .get("path")
                    .map(str_of)
                    .ok_or_else(|| Error::Failed("k8s: a template needs a `path`".to_owned()))?;
                let (_, text) = rendered(input, &options, &name, DEST)?;
                found.push((name, text.into_bytes()));
            }
            args.take("template");
        }
        (None, None) => return Ok(Step::Call(RemoteCall::new("k8s", args))),
    }
    let mut call = RemoteCall::new("k8s", Map::new());
    let mut sources = Vec::new();
    for (name, bytes) in found {
        let (sha256, content) = shared(bytes);
        let source = Map::new()
            .with("name", Value::data(name))
            .with("sha256", Value::data(sha256.as_str()));
        sources.push(Value::map(source));
        call.contents.push((sha256, content));
    }
    args.set("_sources", sources);
    call.args = args;
    Ok(Step::Call(call))
}

fn listed(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        other => vec![other.clone()],
    }
}
