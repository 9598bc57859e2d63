//! Lookups that run programs or ask servers.

use super::{Lookup, Query};
use crate::value::{Value, str_of};
use std::process::{Command, Stdio};
use std::time::Duration;

pub(super) const TABLE: &[(&str, Lookup)] = &[("pipe", pipe), ("lines", lines), ("url", url)];

fn output(query: &Query, command: &str) -> Result<String, String> {
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(command)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let basedir = &query.render.session.files.basedir;
    if basedir.is_dir() {
        shell.current_dir(basedir);
    }
    let output = shell
        .output()
        .map_err(|error| format!("cannot run `{command}`: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "`{command}` returned {}",
            output.status.code().unwrap_or(-1)
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `pipe(*commands)`: the output without the line breaks at its end.
fn pipe(query: &mut Query) -> Result<Vec<Value>, String> {
    let commands = query.texts();
    commands
        .iter()
        .map(|command| Ok(Value::data(output(query, command)?.trim_end().to_owned())))
        .collect()
}

/// `lines(*commands)`: a result per line.
fn lines(query: &mut Query) -> Result<Vec<Value>, String> {
    let mut out = Vec::new();
    for command in query.texts() {
        out.extend(output(query, &command)?.lines().map(Value::data));
    }
    Ok(out)
}

/// `url(*urls, split_lines=True, headers={}, username=..., password=..., timeout=10, ...)`.
fn url(query: &mut Query) -> Result<Vec<Value>, String> {
    let split = query.flag("split_lines", true);
    let timeout = u64::try_from(query.int_option("timeout", 10)).unwrap_or(10);
    let headers = query.option("headers");
    let username = query.option("username").map(|v| str_of(&v));
    let password = query
        .option("password")
        .map(|v| str_of(&v))
        .unwrap_or_default();
    if !query.flag("validate_certs", true) {
        return Err("validate_certs=False is not supported".into());
    }
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(timeout)))
        .build()
        .into();
    let mut out = Vec::new();
    for url in query.texts() {
        let mut request = agent.get(&url);
        if let Some(Value::Map(headers)) = &headers {
            for (name, value) in headers.iter() {
                request = request.header(str_of(name), str_of(value));
            }
        }
        if let Some(user) = &username {
            use base64::Engine;
            let login =
                base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            request = request.header("Authorization", format!("Basic {login}"));
        }
        let text = request
            .call()
            .and_then(|mut response| response.body_mut().read_to_string())
            .map_err(|error| format!("cannot get {url}: {error}"))?;
        if split {
            out.extend(text.lines().map(Value::data));
        } else {
            out.push(Value::data(text));
        }
    }
    Ok(out)
}
