//! `ini`: values of INI files and of Java's properties.
//!
//! Source: Ansible's documentation, "ini lookup"; Python's documentation, "configparser: Supported INI File
//! Structure".

use super::{Lookup, Query};
use crate::template::charset;
use crate::template::filters::regex::{self, Flags};
use crate::value::{Value, str_of};

pub(super) const TABLE: &[(&str, Lookup)] = &[("ini", ini)];

/// What may be said in a term, and by which other name.
const OPTIONS: &[&str] = &[
    "section",
    "file",
    "type",
    "re",
    "default",
    "encoding",
    "case_sensitive",
    "allow_no_value",
    "allow_none",
    "interpolation",
];

/// The section of a file of properties.
const PROPERTIES: &str = "java_properties";

/// `ini(key, section='global', file='ansible.ini', type='ini', re=False, default='', ...)`.
fn ini(query: &mut Query) -> Result<Vec<Value>, String> {
    let mut out = Vec::new();
    for term in query.texts() {
        let mut key = term.clone();
        if term.contains('=') || term.trim().contains(' ') {
            let mut own_key = None;
            for part in parts(&term) {
                match part.split_once('=') {
                    None if own_key.is_none() => own_key = Some(part),
                    None => {}
                    Some((name, value)) if OPTIONS.contains(&name) => {
                        query.options.set(name, Value::str(value));
                    }
                    Some((name, _)) => return Err(format!("{name} is not a valid option.")),
                }
            }
            key = own_key.ok_or_else(|| {
                format!(
                    "No key to lookup was provided as first term with in string inline options: {term}"
                )
            })?;
        }
        let original = query.options.clone();
        one(query, &key, &mut out)?;
        query.options = original;
    }
    Ok(out)
}

/// The parts of a term: a word without `=`, or with an option that is unknown, belongs to the one before.
fn parts(term: &str) -> Vec<String> {
    let mut parts: Vec<(&str, String)> = Vec::new();
    let mut current = "key";
    for (index, word) in term.split_whitespace().enumerate() {
        for name in OPTIONS.iter().chain(&["key"]) {
            if word.contains('=') && word.contains(&format!("{name}=")) {
                current = name;
            }
        }
        match parts.iter_mut().find(|(name, _)| *name == current) {
            Some((_, text)) if index > 0 => {
                text.push(' ');
                text.push_str(word);
            }
            _ => parts.push((current, word.to_owned())),
        }
    }
    parts.into_iter().map(|(_, text)| text).collect()
}

fn one(query: &mut Query, key: &str, out: &mut Vec<Value>) -> Result<(), String> {
    let name = query.text_option("file", "ansible.ini");
    let properties = query.text_option("type", "ini") == "properties";
    let section = if properties {
        query.option("section");
        PROPERTIES.to_owned()
    } else {
        query.text_option("section", "global")
    };
    let by_regex = query.flag("re", false);
    let without_value = query.flag("allow_none", false) | query.flag("allow_no_value", false);
    let reader = Reader {
        name: &name,
        case: query.flag("case_sensitive", false),
        without_value,
    };
    let interpolation = query.flag("interpolation", true);
    let encoding = query.text_option("encoding", "utf-8");
    let default = query.option("default").unwrap_or_else(|| Value::data(""));
    let path = query
        .file("files", &name)
        .ok_or_else(|| format!("could not find `{name}`"))?;
    let text = charset::decode(&query.read_bytes(&path)?, &encoding)?;
    let file = reader.read(&text, properties.then_some(PROPERTIES))?;
    let members = file
        .members(&section)
        .ok_or_else(|| format!("No section '{section}' in {name}"))?;
    let finished = |value: &Option<String>| match value {
        Some(text) if interpolation => {
            interpolated(text, &members, reader.case, 0).map(|text| Some(Value::data(text)))
        }
        other => Ok(other.as_deref().map(Value::data)),
    };
    if by_regex {
        for (known, value) in &members {
            if regex::is_match(&format!("^(?:{key})"), Flags::default(), known)
                .map_err(|error| error.to_string())?
            {
                out.push(finished(value)?.unwrap_or_default());
            }
        }
        return Ok(());
    }
    let wanted = reader.folded(key);
    match members.iter().find(|(known, _)| *known == wanted) {
        Some((_, value)) => out.extend(finished(value)?),
        None => match default {
            Value::List(items) => out.extend(items.iter().cloned()),
            Value::Null => {}
            other => out.push(Value::data(str_of(&other))),
        },
    }
    Ok(())
}

type Members = Vec<(String, Option<String>)>;

struct Reader<'a> {
    name: &'a str,
    case: bool,
    without_value: bool,
}

struct Sections(Vec<(String, Members)>);

impl Sections {
    /// A section's members, with those of `[DEFAULT]` before them.
    fn members(&self, section: &str) -> Option<Members> {
        let find = |name: &str| self.0.iter().find(|(known, _)| known == name);
        let own = match section {
            "DEFAULT" => Members::new(),
            _ => find(section)?.1.clone(),
        };
        let mut members = find("DEFAULT").map_or_else(Members::new, |(_, m)| m.clone());
        for (key, value) in own {
            match members.iter_mut().find(|(known, _)| *known == key) {
                Some(member) => member.1 = value,
                None => members.push((key, value)),
            }
        }
        Some(members)
    }
}

impl Reader<'_> {
    fn folded(&self, key: &str) -> String {
        if self.case {
            key.to_owned()
        } else {
            key.to_lowercase()
        }
    }

    fn read(&self, text: &str, first: Option<&str>) -> Result<Sections, String> {
        let mut sections: Vec<(String, Members)> = Vec::new();
        if let Some(first) = first {
            sections.push((first.to_owned(), Members::new()));
        }
        // how far the last key stands in, and how many empty lines came since
        let mut hanging: Option<usize> = None;
        let mut empty = 0;
        for (index, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            if trimmed.starts_with(['#', ';']) {
                continue;
            }
            if trimmed.is_empty() {
                empty += 1;
                continue;
            }
            let indent = line.chars().take_while(|c| c.is_whitespace()).count();
            let last = sections.last_mut().and_then(|(_, m)| m.last_mut());
            if let (Some(depth), Some((_, Some(value)))) = (hanging, last)
                && indent > depth
            {
                for _ in 0..=empty {
                    value.push('\n');
                }
                value.push_str(trimmed);
                empty = 0;
                continue;
            }
            empty = 0;
            if let Some(section) = trimmed
                .strip_prefix('[')
                .and_then(|rest| rest.rsplit_once(']'))
                .map(|(section, _)| section)
                .filter(|section| !section.is_empty())
            {
                if section != "DEFAULT" && sections.iter().any(|(known, _)| known == section) {
                    return Err(format!(
                        "Duplicate section in '{}': line {}: section '{section}' already exists",
                        self.name,
                        index + 1
                    ));
                }
                sections.push((section.to_owned(), Members::new()));
                hanging = None;
                continue;
            }
            let (key, value) = match trimmed.split_once(['=', ':']) {
                Some((key, value)) => (key.trim(), Some(value.trim().to_owned())),
                None if self.without_value => (trimmed, None),
                None => {
                    return Err(format!(
                        "Source contains parsing errors: '{}' line {}: {trimmed}",
                        self.name,
                        index + 1
                    ));
                }
            };
            let key = self.folded(key);
            let Some((section, members)) = sections.last_mut() else {
                return Err(format!(
                    "File contains no section headers: '{}' line {}: {trimmed}",
                    self.name,
                    index + 1
                ));
            };
            if members.iter().any(|(known, _)| *known == key) {
                return Err(format!(
                    "Duplicate option in '{}': line {}: option '{key}' in section '{section}' already exists",
                    self.name,
                    index + 1
                ));
            }
            members.push((key, value));
            hanging = Some(indent);
        }
        Ok(Sections(sections))
    }
}

/// The value with `%(name)s` replaced by the member of that name.
fn interpolated(text: &str, members: &Members, case: bool, depth: usize) -> Result<String, String> {
    if depth > 10 {
        return Err(format!("values refer to each other too deep: {text}"));
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        if let Some(after) = after.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let (name, after) = after
            .strip_prefix('(')
            .and_then(|inner| inner.split_once(")s"))
            .ok_or_else(|| format!("'%' must be followed by '%' or '(', found: '%{after}'"))?;
        let name = if case {
            name.to_owned()
        } else {
            name.to_lowercase()
        };
        let value = members
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| {
                format!("Bad value substitution: `{text}` refers to `{name}`, which there is not")
            })?;
        out.push_str(&interpolated(
            value.1.as_deref().unwrap_or_default(),
            members,
            case,
            depth + 1,
        )?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}
