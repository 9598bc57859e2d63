//! Lookups of files on the controller.

use super::{Lookup, Query};
use crate::template::templar::with_stack;
use crate::template::{FileOptions, TemplateError, TemplateErrorKind, file_variables};
use crate::value::{Map, Text, TextClass, Value, str_of, to_bool};
use std::path::{Path, PathBuf};

pub(super) const TABLE: &[(&str, Lookup)] = &[
    ("file", file),
    ("unvault", |q| {
        let mut out = Vec::new();
        for name in flat(&q.terms) {
            let path = find(q, "files", &name)?;
            out.push(Value::data(q.read(&path)?));
        }
        Ok(out)
    }),
    ("fileglob", fileglob),
    ("first_found", first_found),
    ("template", template),
];

fn flat(terms: &[Value]) -> Vec<String> {
    terms
        .iter()
        .flat_map(|term| match term {
            Value::List(items) => items.iter().map(str_of).collect(),
            other => vec![str_of(other)],
        })
        .collect()
}

fn find(query: &Query, kind: &str, name: &str) -> Result<PathBuf, String> {
    query.file(kind, name).ok_or_else(|| {
        let places: Vec<String> = query
            .render
            .session
            .files
            .candidates(kind, name)
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        if kind == "templates" {
            return format!(
                "the template file {name} could not be found for the lookup; looked for {}",
                places.join(", ")
            );
        }
        format!(
            "The 'file' lookup had an issue accessing the file '{name}'. file not found; looked for {}",
            places.join(", ")
        )
    })
}

/// `file(*names, lstrip=False, rstrip=True)`.
fn file(query: &mut Query) -> Result<Vec<Value>, String> {
    let (lstrip, rstrip) = (query.flag("lstrip", false), query.flag("rstrip", true));
    let mut out = Vec::new();
    for name in flat(&query.terms) {
        let path = find(query, "files", &name)?;
        let text = query.read(&path)?;
        let mut text = text.as_str();
        if lstrip {
            text = text.trim_start();
        }
        if rstrip {
            text = text.trim_end();
        }
        out.push(Value::data(text));
    }
    Ok(out)
}

/// `fileglob(*patterns)`: files, not directories.
fn fileglob(query: &mut Query) -> Result<Vec<Value>, String> {
    let mut out: Vec<PathBuf> = Vec::new();
    for pattern in flat(&query.terms) {
        let dir = crate::template::filters::dirname(&pattern);
        let name = pattern.rsplit('/').next().unwrap_or_default();
        let dirs = if dir.is_empty() {
            let files = &query.render.session.files;
            files
                .search_path
                .iter()
                .chain(std::iter::once(&files.basedir))
                .flat_map(|base| [base.join("files"), base.clone()])
                .collect()
        } else {
            query.render.session.files.candidates("files", dir)
        };
        let mut found: Vec<PathBuf> = Vec::new();
        for dir in dirs {
            let pattern = format!("{}/{name}", escape(&dir.to_string_lossy()));
            found = glob(&pattern)
                .into_iter()
                .filter(|path| path.is_file())
                .collect();
            if !found.is_empty() {
                break;
            }
        }
        for path in found {
            if !out.contains(&path) {
                out.push(path);
            }
        }
    }
    Ok(out
        .iter()
        .map(|path| Value::data(path.to_string_lossy()))
        .collect())
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        if matches!(c, '*' | '?' | '[') {
            out.push('[');
            out.push(c);
            out.push(']');
        } else {
            out.push(c);
        }
        out
    })
}

/// The paths that match a shell pattern, sorted.
pub(crate) fn glob(pattern: &str) -> Vec<PathBuf> {
    let expanded = crate::template::expand_home(pattern);
    let text = expanded.to_string_lossy().into_owned();
    let mut paths = vec![PathBuf::from(if text.starts_with('/') { "/" } else { "" })];
    for part in text.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for base in &paths {
            if !part.contains(['*', '?', '[']) {
                let path = base.join(part);
                if path.symlink_metadata().is_ok() {
                    next.push(path);
                }
                continue;
            }
            let dir = if base.as_os_str().is_empty() {
                Path::new(".")
            } else {
                base.as_path()
            };
            let mut names: Vec<String> = std::fs::read_dir(dir)
                .map(|entries| {
                    entries
                        .flatten()
                        .map(|entry| entry.file_name().to_string_lossy().into_owned())
                        .collect()
                })
                .unwrap_or_default();
            names.sort();
            let hidden = part.starts_with('.');
            let pattern: Vec<char> = part.chars().collect();
            for name in names {
                let chars: Vec<char> = name.chars().collect();
                if (hidden || !name.starts_with('.')) && matches(&pattern, &chars) {
                    next.push(base.join(name));
                }
            }
        }
        paths = next;
    }
    paths
}

/// Whether a name matches a pattern of `*`, `?` and `[...]`.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return name.is_empty();
    };
    match first {
        '*' => {
            let rest_pattern: &[char] = rest;
            // runs of stars are one star, so that the cost stays low
            if rest_pattern.first() == Some(&'*') {
                return matches(rest_pattern, name);
            }
            (0..=name.len()).any(|i| {
                name.get(i..)
                    .is_some_and(|tail| matches(rest_pattern, tail))
            })
        }
        '[' => {
            let Some((c, tail)) = name.split_first() else {
                return false;
            };
            let negated = matches!(rest.first(), Some('!' | '^'));
            let from = usize::from(negated);
            let Some(close) = rest
                .iter()
                .skip(from + 1)
                .position(|c| *c == ']')
                .map(|i| i + from + 1)
            else {
                return *c == '[' && matches(rest, tail);
            };
            let set = rest.get(from..close).unwrap_or_default();
            let mut found = false;
            let mut i = 0;
            while let Some(low) = set.get(i) {
                if let (Some('-'), Some(high)) = (set.get(i + 1), set.get(i + 2)) {
                    found |= (low..=high).contains(&c);
                    i += 3;
                } else {
                    found |= low == c;
                    i += 1;
                }
            }
            found != negated && matches(rest.get(close + 1..).unwrap_or_default(), tail)
        }
        '?' => name
            .split_first()
            .is_some_and(|(_, tail)| matches(rest, tail)),
        c => name
            .split_first()
            .is_some_and(|(n, tail)| n == c && matches(rest, tail)),
    }
}

const FILE_SIGNS: &[char] = &[',', ';'];
const PATH_SIGNS: &[char] = &[',', ':', ';'];

/// The names in an option, which are set apart by any of these signs too.
fn words(value: Option<&Value>, signs: &[char]) -> Vec<String> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::List(items)) => items
            .iter()
            .flat_map(|item| words(Some(item), signs))
            .collect(),
        Some(other) => str_of(other)
            .split(signs)
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect(),
    }
}

/// `first_found(files, paths, skip=False)`.
fn first_found(query: &mut Query) -> Result<Vec<Value>, String> {
    let mut candidates = Vec::new();
    let mut skip = query.flag("skip", false);
    let base = query.options.clone();
    collect_candidates(&query.terms, &base, &mut candidates, &mut skip);
    if query.terms.is_empty() {
        collect_candidates(
            &[Value::map(base.clone())],
            &base,
            &mut candidates,
            &mut skip,
        );
    }
    let kind = query.text_option("_subdir", "files");
    for name in &candidates {
        if let Some(path) = query.file(&kind, name) {
            let path = crate::template::filters::normal_path(&path.to_string_lossy());
            return Ok(vec![Value::data(path)]);
        }
    }
    if skip {
        return Ok(Vec::new());
    }
    Err(format!(
        "No file was found when using first_found. Looked for: {}",
        candidates.join(", ")
    ))
}

fn collect_candidates(terms: &[Value], base: &Map, out: &mut Vec<String>, skip: &mut bool) {
    for term in terms {
        match term {
            Value::List(items) => collect_candidates(items, base, out, skip),
            Value::Map(map) => {
                if let Some(flag) = map.get("skip") {
                    *skip |= to_bool(flag).unwrap_or(false);
                }
                let files = words(map.get("files"), FILE_SIGNS);
                let paths = words(map.get("paths"), PATH_SIGNS);
                if paths.is_empty() {
                    out.extend(files);
                } else {
                    for path in &paths {
                        out.extend(
                            files
                                .iter()
                                .map(|file| format!("{}/{file}", path.trim_end_matches('/'))),
                        );
                    }
                }
            }
            other => {
                let paths = words(base.get("paths"), PATH_SIGNS);
                for name in words(Some(other), FILE_SIGNS) {
                    if paths.is_empty() {
                        out.push(name);
                    } else {
                        out.extend(
                            paths
                                .iter()
                                .map(|path| format!("{}/{name}", path.trim_end_matches('/'))),
                        );
                    }
                }
            }
        }
    }
}

/// `template(*names, template_vars={}, convert_data=True, ...)`.
fn template(query: &mut Query) -> Result<Vec<Value>, String> {
    let vars = match query.option("template_vars") {
        Some(Value::Map(vars)) => (*vars).clone(),
        _ => Map::new(),
    };
    let convert = query.flag("convert_data", true);
    let native = query.flag("jinja2_native", false);
    let defaults = FileOptions::default();
    let options = FileOptions {
        trim_blocks: query.flag("trim_blocks", true),
        lstrip_blocks: query.flag("lstrip_blocks", false),
        variable_delimiters: (
            query.text_option("variable_start_string", &defaults.variable_delimiters.0),
            query.text_option("variable_end_string", &defaults.variable_delimiters.1),
        ),
        comment_delimiters: (
            query.text_option("comment_start_string", &defaults.comment_delimiters.0),
            query.text_option("comment_end_string", &defaults.comment_delimiters.1),
        ),
        ..defaults
    };
    let mut out = Vec::new();
    for name in flat(&query.terms) {
        let path = find(query, "templates", &name)?;
        let text = query.read(&path)?;
        let mut options = options.clone();
        options.path = Some(path.clone());
        let outer = crate::template::Context {
            session: std::sync::Arc::clone(&query.render.session),
        };
        let setting = query.render.templar.options().setting.as_ref();
        let managed = setting
            .and_then(|setting| setting(None, "DEFAULT_MANAGED_STR"))
            .map_or_else(
                || "Ansible managed".to_owned(),
                |found| str_of(&found.value),
            );
        let mut known = file_variables(&path, &name, Value::Null, &managed);
        known.extend(vars.iter().map(|(k, v)| (k.clone(), v.clone())));
        let cx = outer.with_vars(known);
        let templar = query.render.templar.clone();
        // a variable of the file and the file itself, at most
        let rendered = (cx.session.shared)
            .in_file(&name, || {
                with_stack(&cx.session, 2, || templar.render_file(&text, &options, &cx))
            })
            .map_err(|error: TemplateError| message(&name, &error))?;
        let structured = (convert && rendered.starts_with(['{', '[']))
            .then(|| crate::template::literal::eval(&rendered))
            .flatten();
        let value = structured.unwrap_or_else(|| Value::data(rendered));
        // where it is not to be converted, what it looks like does not count later either
        let stays = !convert || (templar.is_native() && !native);
        out.push(if stays {
            Value::Str(Text::data(str_of(&value)).of_class(TextClass::Native))
        } else {
            value
        });
    }
    Ok(out)
}

fn message(name: &str, error: &TemplateError) -> String {
    if error.kind == TemplateErrorKind::Recursion {
        return format!("{}{}", super::vars::RECURSION, error.message);
    }
    if error.is_undefined() {
        return format!(
            "{}{} (in the template {name})",
            super::vars::UNDEFINED,
            error
        );
    }
    format!("{name}: {error}")
}
