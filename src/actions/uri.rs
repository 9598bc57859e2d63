//! `uri`: files that are to be sent go to the machine unless they are there already.

use super::content::{REMOTE_SRC, file_to_send};
use super::{Input, RemoteCall, Result, Step};
use crate::value::{Map, Value, to_bool};
use std::sync::Arc;

pub(super) fn uri(input: &Input<'_>) -> Result<Step> {
    let mut args = input.args.clone();
    let given = |name: &str| args.get(name).filter(|value| !value.is_null()).cloned();
    let mut contents = Vec::new();
    let there = given("remote_src").is_some_and(|flag| to_bool(&flag) == Some(true));
    if !there && !input.check {
        if let Some(src) = given("src") {
            let (_, sha256, content) = file_to_send(input, &src.to_string(), REMOTE_SRC)?;
            args.set("_sha256", Value::data(sha256.as_str()));
            contents.push((sha256, content));
        } else if given("body_format").is_some_and(|form| form.to_string() == "form-multipart")
            && let Some(Value::Map(mut fields)) = given("body")
        {
            for (_, field) in Arc::make_mut(&mut fields).iter_mut() {
                if let Value::Map(options) = field
                    && let Some(name) = file_of(options)
                {
                    let (_, sha256, content) = file_to_send(input, &name, REMOTE_SRC)?;
                    Arc::make_mut(options).set("_sha256", Value::data(sha256.as_str()));
                    contents.push((sha256, content));
                }
            }
            args.set("body", Value::Map(fields));
        }
    }
    let mut call = RemoteCall::new("uri", args);
    call.contents = contents;
    Ok(Step::Call(call))
}

/// The file that a field of a form is to hold, if its content is not given.
fn file_of(options: &Map) -> Option<String> {
    let given = |name: &str| options.get(name).filter(|value| !value.is_null());
    match (given("content"), given("filename")) {
        (None, Some(name)) => Some(name.to_string()),
        _ => None,
    }
}
