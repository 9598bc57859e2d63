//! Lookups in CSV files.

use super::{Lookup, Query};
use crate::template::charset;
use crate::value::{Value, split_free_form};

pub(super) const TABLE: &[(&str, Lookup)] = &[("csvfile", csvfile)];

/// What may be said in a term.
const OPTIONS: &[&str] = &["file", "delimiter", "col", "keycol", "default", "encoding"];

/// `csvfile(key, file='ansible.csv', delimiter='TAB', col=1, keycol=0, default=None)`.
fn csvfile(query: &mut Query) -> Result<Vec<Value>, String> {
    const MISSING: &str = "Search key is required but was not found";
    let mut out = Vec::new();
    if query.terms.is_empty() {
        return Err(MISSING.into());
    }
    for term in query.texts() {
        let (key, options) = split_free_form(&term, None)?;
        if key.is_empty() {
            return Err(MISSING.into());
        }
        // what a term says counts for those that follow, too
        for (name, value) in options.str_iter() {
            if !OPTIONS.contains(&name) {
                return Err(format!("{name} is not a valid option"));
            }
            query.options.set(name, value.clone());
        }
        let original = query.options.clone();
        let name = query.text_option("file", "ansible.csv");
        let delimiter = match query.text_option("delimiter", "TAB").as_str() {
            "TAB" | "t" | "\\t" => '\t',
            other => other.chars().next().unwrap_or(','),
        };
        let column =
            usize::try_from(query.int_option("col", 1)).map_err(|_| "col must not be negative")?;
        let key_column = usize::try_from(query.int_option("keycol", 0))
            .map_err(|_| "keycol must not be negative")?;
        let encoding = query.text_option("encoding", "utf-8");
        let default = query.option("default").filter(|value| !value.is_null());
        let path = query
            .file("files", &name)
            .ok_or_else(|| format!("csvfile: No such file or directory: '{name}'"))?;
        let text = charset::decode(&query.read_bytes(&path)?, &encoding)?;
        let rows = rows(&text, delimiter);
        let row = rows
            .iter()
            .find(|row| row.get(key_column).is_some_and(|cell| *cell == key));
        match (row, default) {
            (Some(row), _) => match row.get(column) {
                Some(cell) => out.push(Value::data(cell.as_str())),
                None => {
                    return Err(format!(
                        "csvfile: list index out of range: the row of `{key}` has no column {column}"
                    ));
                }
            },
            (None, Some(Value::List(items))) => out.extend(items.iter().cloned()),
            (None, Some(default)) => out.push(default),
            (None, None) => {}
        }
        query.options = original;
    }
    Ok(out)
}

/// The rows of a CSV text; cells in double quotes may hold delimiters, quotes (doubled) and line breaks.
pub(crate) fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
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
