//! Paths, as text; a few look at the controller's files.

use super::Filter;
use crate::template::call::{fail, type_name};
use crate::template::expand_home;
use crate::template::objects::List;
use crate::template::print;
use minijinja::Error;
use minijinja::value::{Tuple, Value as Val};

pub(super) const TABLE: &[(&str, Filter)] = &[
    ("basename", |c| {
        let path = c.text()?;
        Ok(Val::from(path.rsplit('/').next().unwrap_or_default()))
    }),
    ("dirname", |c| Ok(Val::from(dirname(&c.text()?)))),
    ("expanduser", |c| {
        Ok(Val::from(
            expand_home(&c.text()?).to_string_lossy().into_owned(),
        ))
    }),
    ("expandvars", |c| Ok(Val::from(expandvars(&c.text()?)))),
    ("path_join", |c| {
        let parts = if c.input.as_str().is_some() {
            std::iter::once(c.input.clone())
                .chain(c.args.rest())
                .collect()
        } else {
            let got = type_name(&c.input);
            let Ok(parts) = c.items() else {
                return fail(format!(
                    "|path_join expects string or sequence, got <class '{got}'> instead"
                ));
            };
            parts
        };
        Ok(Val::from(join(
            &parts.iter().map(print::str_of).collect::<Vec<_>>(),
        )))
    }),
    ("realpath", |c| {
        let text = c.text()?;
        let path = absolute(&text);
        let real =
            std::fs::canonicalize(&path).map_or(path, |real| real.to_string_lossy().into_owned());
        Ok(Val::from(real))
    }),
    ("relpath", |c| {
        let start = c.args.opt_text("start")?.unwrap_or_else(|| ".".into());
        Ok(Val::from(relative(
            &absolute(&c.text()?),
            &absolute(&start),
        )))
    }),
    ("splitext", |c| {
        let (root, ext) = splitext(&c.text()?);
        Ok(Val::from(Tuple::from([Val::from(root), Val::from(ext)])))
    }),
    ("commonpath", |c| {
        let paths: Vec<String> = c.items()?.iter().map(print::str_of).collect();
        commonpath(&paths)
    }),
    ("normpath", |c| Ok(Val::from(normal(&c.text()?)))),
    ("fileglob", |c| {
        let mut found = crate::template::lookups::glob(&c.text()?);
        found.retain(|path| path.is_file());
        Ok(List::of(
            found
                .iter()
                .map(|path| Val::from(path.to_string_lossy().into_owned()))
                .collect(),
        ))
    }),
    ("win_basename", |c| {
        let path = c.text()?;
        Ok(Val::from(
            path.rsplit(['\\', '/']).next().unwrap_or_default(),
        ))
    }),
    ("win_dirname", |c| {
        let path = c.text()?;
        let (drive, rest) = splitdrive(&path);
        let head = rest
            .rfind(['\\', '/'])
            .map_or("", |at| rest.get(..=at).unwrap_or_default());
        let trimmed = head.trim_end_matches(['\\', '/']);
        Ok(Val::from(format!(
            "{drive}{}",
            if trimmed.is_empty() { head } else { trimmed }
        )))
    }),
    ("win_splitdrive", |c| {
        let path = c.text()?;
        let (drive, rest) = splitdrive(&path);
        Ok(Val::from(Tuple::from([Val::from(drive), Val::from(rest)])))
    }),
];

/// Python's `os.path.dirname`.
pub(crate) fn dirname(path: &str) -> &str {
    let Some(at) = path.rfind('/') else { return "" };
    let head = path.get(..=at).unwrap_or_default();
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head } else { trimmed }
}

/// Python's `os.path.join`.
fn join(parts: &[String]) -> String {
    let mut out = String::new();
    for part in parts {
        if part.starts_with('/') {
            out.clear();
        } else if !out.is_empty() && !out.ends_with('/') {
            out.push('/');
        }
        out.push_str(part);
    }
    out
}

fn splitext(path: &str) -> (String, String) {
    let name_at = path.rfind('/').map_or(0, |at| at + 1);
    let name = path.get(name_at..).unwrap_or_default();
    let leading = name.len() - name.trim_start_matches('.').len();
    match name.rfind('.').filter(|dot| *dot >= leading && *dot > 0) {
        Some(dot) => {
            let (root, ext) = path.split_at(name_at + dot);
            (root.to_owned(), ext.to_owned())
        }
        None => (path.to_owned(), String::new()),
    }
}

fn splitdrive(path: &str) -> (&str, &str) {
    if path.chars().nth(1) == Some(':') {
        let len = path.chars().take(2).map(char::len_utf8).sum();
        return path.split_at(len);
    }
    ("", path)
}

/// Python's `os.path.normpath`.
pub(crate) fn normal(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let slashes = match path.len() - path.trim_start_matches('/').len() {
        0 => "",
        2 => "//",
        _ => "/",
    };
    let text = format!("{slashes}{}", parts.join("/"));
    if text.is_empty() { ".".into() } else { text }
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        return normal(path);
    }
    let here = std::env::current_dir().unwrap_or_default();
    normal(&format!("{}/{path}", here.to_string_lossy()))
}

fn relative(path: &str, start: &str) -> String {
    let steps = |path: &str| -> Vec<String> {
        path.split('/')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (to, from) = (steps(path), steps(start));
    let common = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let parts: Vec<&str> = std::iter::repeat_n("..", from.len() - common)
        .chain(to.iter().skip(common).map(String::as_str))
        .collect();
    if parts.is_empty() {
        ".".into()
    } else {
        parts.join("/")
    }
}

fn commonpath(paths: &[String]) -> Result<Val, Error> {
    let Some(first) = paths.first() else {
        return fail("commonpath() arg is an empty sequence");
    };
    let rooted = first.starts_with('/');
    if paths.iter().any(|path| path.starts_with('/') != rooted) {
        return fail("Can't mix absolute and relative paths");
    }
    let split: Vec<Vec<&str>> = paths
        .iter()
        .map(|path| {
            path.split('/')
                .filter(|part| !part.is_empty() && *part != ".")
                .collect()
        })
        .collect();
    let mut common: Vec<&str> = split.first().cloned().unwrap_or_default();
    for parts in &split {
        let shared = common.iter().zip(parts).take_while(|(a, b)| a == b).count();
        common.truncate(shared);
    }
    Ok(Val::from(format!(
        "{}{}",
        if rooted { "/" } else { "" },
        common.join("/")
    )))
}

/// `$NAME` and `${NAME}` from the environment; unknown names stay.
fn expandvars(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        let (name, len) = if let Some(braced) = after.strip_prefix('{') {
            match braced.find('}') {
                Some(close) => (braced.get(..close).unwrap_or_default(), close + 2),
                None => ("", 0),
            }
        } else {
            let len = after
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(after.len());
            (after.get(..len).unwrap_or_default(), len)
        };
        match std::env::var(name) {
            Ok(value) if !name.is_empty() => out.push_str(&value),
            _ => {
                out.push('$');
                out.push_str(after.get(..len).unwrap_or_default());
            }
        }
        rest = after.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}
