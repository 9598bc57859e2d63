//! The body of a request, written as the arguments ask.

use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use crate::value::{Value, str_of};
use std::io::Read;
use std::path::Path;

/// JSON of a value; text is taken to be JSON already.
pub(super) fn json(body: &Value) -> Vec<u8> {
    match body {
        Value::Str(text) => text.as_bytes().to_vec(),
        other => other.to_json().to_string().into_bytes(),
    }
}

/// `a=1&b=2` of a mapping or a list of pairs; a list as value repeats its name.
///
/// # Errors
/// When the list has something else in it than pairs.
pub(super) fn form(body: &Value) -> ModuleResult<Vec<u8>> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    let mut add = |name: &Value, value: &Value| match value {
        Value::List(items) => pairs.extend(items.iter().map(|item| (str_of(name), str_of(item)))),
        other => pairs.push((str_of(name), str_of(other))),
    };
    match body {
        Value::Str(text) => return Ok(text.as_bytes().to_vec()),
        Value::Map(map) => map.iter().for_each(|(name, value)| add(name, value)),
        Value::List(items) => {
            for item in items.iter() {
                let [name, value] = item.as_list().unwrap_or_default() else {
                    return Err(
                        "failed to parse body as form_urlencoded: a list of pairs is needed".into(),
                    );
                };
                add(name, value);
            }
        }
        _ => {
            return Err(
                "failed to parse body as form_urlencoded: a mapping or a list of pairs is needed"
                    .into(),
            );
        }
    }
    let all: Vec<_> = pairs
        .iter()
        .map(|(k, v)| format!("{}={}", encode(k), encode(v)))
        .collect();
    Ok(all.join("&").into_bytes())
}

fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) {
            out.push(char::from(byte));
        } else if byte == b' ' {
            out.push('+');
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// A multipart form: each field is a text, or a mapping with `content` or `filename` (a file on the machine) and
/// `mime_type`. Returns its content type and its bytes.
///
/// # Errors
/// When it is no mapping, or a file cannot be read.
pub(super) fn multipart(sys: &Sys, body: &Value) -> ModuleResult<(String, Vec<u8>)> {
    let fields = body
        .as_map()
        .ok_or("failed to parse body as form-multipart: a mapping of fields is needed")?;
    let mut random = [0_u8; 16];
    getrandom::fill(&mut random).map_err(|e| Failure::new(e.to_string()))?;
    let boundary = format!("=={}==", crate::sys::hex(&random));
    let mut out = Vec::new();
    for (name, value) in fields.str_iter() {
        let (file, kind, content) = part(sys, name, value)?;
        let quoted = |text: &str| text.replace(['"', '\r', '\n'], "_");
        let mut head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
            quoted(name)
        );
        if let Some(file) = file {
            head.push_str(&format!("; filename=\"{}\"", quoted(&file)));
        }
        head.push_str(&format!("\r\nContent-Type: {}\r\n\r\n", quoted(&kind)));
        out.extend(head.into_bytes());
        out.extend(content);
        out.extend(b"\r\n");
    }
    out.extend(format!("--{boundary}--\r\n").into_bytes());
    Ok((format!("multipart/form-data; boundary=\"{boundary}\""), out))
}

fn part(sys: &Sys, name: &str, value: &Value) -> ModuleResult<(Option<String>, String, Vec<u8>)> {
    let Value::Map(options) = value else {
        return Ok((None, "text/plain".to_owned(), str_of(value).into_bytes()));
    };
    let text = |key: &str| options.get(key).filter(|v| !v.is_null()).map(str_of);
    let file = text("filename");
    let content = match (text("content"), &file) {
        (Some(content), _) => content.into_bytes(),
        // the controller's half sent it
        _ if options.get("_sha256").is_some() => {
            let mut bytes = Vec::new();
            sys.open_blob(&text("_sha256").unwrap_or_default())?
                .read_to_end(&mut bytes)
                .map_err(|e| Failure::new(format!("the file of the field {name}: {e}")))?;
            bytes
        }
        (None, Some(path)) => {
            let path = sys.expand(Path::new(path));
            let content = sys.read(&path)?;
            content.ok_or_else(|| {
                Failure::new(format!(
                    "there is no file {} for the field {name}",
                    path.display()
                ))
            })?
        }
        (None, None) => {
            return Err(format!("the field {name} needs a content or a filename").into());
        }
    };
    let kind = text("mime_type").unwrap_or_else(|| {
        if file.is_some() {
            "application/octet-stream"
        } else {
            "text/plain"
        }
        .to_owned()
    });
    let short = file.map(|file| file.rsplit('/').next().unwrap_or_default().to_owned());
    Ok((short, kind, content))
}
