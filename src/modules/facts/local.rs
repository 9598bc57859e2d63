//! Facts that the machine's owner provides: `*.fact` files, read or run.
//!
//! Source: Ansible's documentation, "facts.d or local facts".

use super::look::Look;
use crate::sys::{Command, FileKind};
use crate::value::{Map, Value};
use std::path::Path;

/// Fact `local`, with warnings for files that cannot be used.
pub(super) fn local(look: Look<'_>, dir: &Path, warnings: &mut Vec<String>) -> Map {
    let mut facts = Map::new();
    for name in look.names(dir) {
        let Some(key) = name
            .strip_suffix(".fact")
            .filter(|key| !key.starts_with('.'))
        else {
            continue;
        };
        let fact = read(look, &dir.join(&name)).unwrap_or_else(|problem| {
            warnings.push(problem.clone());
            Value::data(problem)
        });
        facts.set(key, fact.into_data());
    }
    Map::new().with("local", facts)
}

fn read(look: Look<'_>, path: &Path) -> Result<Value, String> {
    let shown = path.display();
    let Some(meta) = look.0.stat(path, true).ok().flatten() else {
        return Err(format!(
            "Could not stat fact ({shown}): there is no such file"
        ));
    };
    if meta.kind == FileKind::Directory {
        return Err(format!(
            "error loading facts as JSON or ini - please check content: {shown} is a directory"
        ));
    }
    let text = if meta.mode & 0o100 != 0 {
        let output = look
            .0
            .query(&Command::new([path.as_os_str()]))
            .map_err(|e| format!("Failure executing fact script ({shown}): {e}"))?;
        if !output.ok() {
            return Err(format!(
                "Failure executing fact script ({shown}), rc: {}, err: {}",
                output.rc,
                output.complaint()
            ));
        }
        output.text()
    } else {
        look.text(path).unwrap_or_default()
    };
    match serde_json::from_str(&text) {
        Ok(json) => Ok(Value::from_json(&json)),
        Err(_) => ini(&text)
            .map(|facts| {
                filled(&facts)
                    .map_err(|why| {
                        format!(
                            "error loading facts as ini - please check content: {shown} ({why})"
                        )
                    })
                    .map(Value::map)
            })
            .ok_or_else(|| {
                format!("error loading facts as JSON or ini - please check content: {shown}")
            })?,
    }
}

/// The options with `%(name)s` filled in from the same section, and `%%` for a percent sign.
fn filled(sections: &Map) -> Result<Map, String> {
    let mut all = Map::new();
    for (name, section) in sections.str_iter() {
        let Some(options) = section.as_map() else {
            continue;
        };
        let mut out = Map::new();
        for (key, value) in options.str_iter() {
            let text = value.as_str().unwrap_or_default();
            out.set(key, expanded(text, options, 0)?);
        }
        all.set(name, out);
    }
    Ok(all)
}

fn expanded(text: &str, options: &Map, depth: usize) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let named = after.strip_prefix('(').and_then(|a| a.split_once(")s"));
        let Some((name, after)) = named else {
            return Err(format!(
                "'%' must be followed by '%' or '(', found: '%{after}'"
            ));
        };
        let value = options
            .get(name.to_lowercase().as_str())
            .and_then(Value::as_str);
        match value {
            Some(value) if depth < 10 => out.push_str(&expanded(value, options, depth + 1)?),
            _ => return Err(format!("`%({name})s` cannot be filled in")),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Sections of an INI file; option names in lower case, continued lines joined.
fn ini(text: &str) -> Option<Map> {
    let mut sections: Vec<(String, Map)> = Vec::new();
    let mut last: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = trimmed.strip_prefix('[').and_then(|s| s.strip_suffix(']')) {
            sections.push((section.to_owned(), Map::new()));
            last = None;
            continue;
        }
        let (_, options) = sections.last_mut()?;
        if line.starts_with([' ', '\t'])
            && let Some(key) = &last
        {
            let before = options
                .get(key.as_str())
                .and_then(Value::as_str)
                .unwrap_or_default();
            let joined = format!("{before}\n{trimmed}");
            options.set(key, joined);
            continue;
        }
        let at = trimmed.find(['=', ':'])?;
        let (key, value) = trimmed.split_at(at);
        let key = key.trim().to_lowercase();
        options.set(&key, value.get(1..).unwrap_or_default().trim());
        last = Some(key);
    }
    let mut all = Map::new();
    for (section, options) in sections {
        all.set(&section, options);
    }
    Some(all)
}
