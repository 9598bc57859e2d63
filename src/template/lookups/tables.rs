//! Lookups in CSV and INI files.

use super::{Lookup, Query};
use crate::template::filters::regex::{self, Flags};
use crate::value::Value;

pub(super) const TABLE: &[(&str, Lookup)] = &[("csvfile", csvfile), ("ini", ini)];

/// A term such as `key file=x delimiter=,`: what is no option is the key.
fn key_and_options(query: &mut Query, term: &str, names: &[&str]) -> String {
    let mut key = Vec::new();
    for word in term.split_whitespace() {
        match word.split_once('=') {
            Some((name, value)) if names.contains(&name) => {
                query.options.set(name, Value::str(value));
            }
            _ => key.push(word),
        }
    }
    key.join(" ")
}

/// `csvfile(key, file='ansible.csv', delimiter='TAB', col=1, keycol=0, default=None)`.
fn csvfile(query: &mut Query) -> Result<Vec<Value>, String> {
    let mut out = Vec::new();
    let original = query.options.clone();
    for term in query.texts() {
        query.options = original.clone();
        let key = key_and_options(
            query,
            &term,
            &["file", "delimiter", "col", "keycol", "default", "encoding"],
        );
        let name = query.text_option("file", "ansible.csv");
        let delimiter = match query.text_option("delimiter", "TAB").as_str() {
            "TAB" | "t" | "\\t" => '\t',
            other => other.chars().next().unwrap_or(','),
        };
        let column =
            usize::try_from(query.int_option("col", 1)).map_err(|_| "col must not be negative")?;
        let key_column = usize::try_from(query.int_option("keycol", 0))
            .map_err(|_| "keycol must not be negative")?;
        let default = query.option("default");
        let path = query
            .file("files", &name)
            .ok_or_else(|| format!("could not find `{name}`"))?;
        let text = query.read(&path)?;
        let row = rows(&text, delimiter)
            .into_iter()
            .find(|row| row.get(key_column).is_some_and(|cell| *cell == key));
        match (row, default) {
            (Some(row), _) => match row.get(column) {
                Some(cell) => out.push(Value::data(cell.clone())),
                None => return Err(format!("the row of `{key}` has no column {column}")),
            },
            (None, Some(default)) => out.push(default),
            (None, None) => {}
        }
    }
    Ok(out)
}

/// The rows of a CSV text; cells in double quotes may hold delimiters, quotes (doubled) and line breaks.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            c if c == delimiter && !quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

/// `ini(key, section='global', file='ansible.ini', type='ini', re=False, default='', ...)`.
fn ini(query: &mut Query) -> Result<Vec<Value>, String> {
    let mut out = Vec::new();
    let original = query.options.clone();
    for term in query.texts() {
        query.options = original.clone();
        let names = [
            "section",
            "file",
            "type",
            "re",
            "default",
            "encoding",
            "case_sensitive",
            "allow_no_value",
        ];
        let key = key_and_options(query, &term, &names);
        let name = query.text_option("file", "ansible.ini");
        let section = query.text_option("section", "global");
        let properties = query.text_option("type", "ini") == "properties";
        let by_regex = query.flag("re", false);
        let case = query.flag("case_sensitive", false);
        let default = query.option("default");
        let path = query
            .file("files", &name)
            .ok_or_else(|| format!("could not find `{name}`"))?;
        let text = query.read(&path)?;
        let members = section_of(&text, if properties { None } else { Some(&section) }, case);
        if members.is_none() && default.is_none() && !properties {
            return Err(format!("No section: '{section}' in {name}"));
        }
        let members = members.unwrap_or_default();
        if by_regex {
            for (known, value) in &members {
                if regex::is_match(&format!("^(?:{key})"), Flags::default(), known)
                    .map_err(|error| error.to_string())?
                {
                    out.push(Value::data(value.clone()));
                }
            }
            continue;
        }
        let wanted = if case {
            key.clone()
        } else {
            key.to_lowercase()
        };
        match members.iter().rev().find(|(known, _)| *known == wanted) {
            Some((_, value)) => out.push(Value::data(value.clone())),
            None => match &default {
                Some(default) => out.push(default.clone()),
                None if properties => {}
                None => out.push(Value::data("")),
            },
        }
    }
    Ok(out)
}

/// The members of a section, with those of `[DEFAULT]` before them; of the whole text without a section.
fn section_of(text: &str, section: Option<&str>, case: bool) -> Option<Vec<(String, String)>> {
    let mut members: Vec<(String, String)> = Vec::new();
    let mut own: Vec<(String, String)> = Vec::new();
    let mut found = section.is_none();
    let mut current = String::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            name.0.clone_into(&mut current);
            found |= section == Some(name.0);
            continue;
        }
        let wanted = section.is_none_or(|section| section == current);
        let list = if wanted {
            &mut own
        } else if current == "DEFAULT" {
            &mut members
        } else {
            continue;
        };
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = list.last_mut()
        {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        let (key, value) = match trimmed.find(['=', ':']) {
            Some(at) => {
                let (key, rest) = trimmed.split_at(at);
                (key.trim(), rest.get(1..).unwrap_or_default().trim())
            }
            None => (trimmed, ""),
        };
        list.push((
            if case {
                key.to_owned()
            } else {
                key.to_lowercase()
            },
            value.to_owned(),
        ));
    }
    members.extend(own);
    found.then_some(members)
}
