//! `runbook doc`.

use super::args::DocArgs;
use super::exit::{CommandFailure, CommandResult, Exit};
use super::streams::outln;
use super::vocabulary::Actions;
use crate::diag::did_you_mean;
use crate::value::{ArgRule, ArgSpec, repr};

pub fn doc(args: &DocArgs) -> CommandResult {
    let specs = Actions::default().specs();
    let Some(name) = &args.module else {
        if args.json {
            let all: Vec<_> = specs.iter().map(json).collect();
            outln!("{}", serde_json::to_string_pretty(&all).unwrap_or_default());
            return Ok(Exit::Ok);
        }
        let names: Vec<String> = specs.iter().map(|spec| called(&specs, spec)).collect();
        let width = names.iter().map(String::len).max().unwrap_or(0);
        for (name, spec) in names.iter().zip(&specs) {
            outln!("{name:width$}  {}", summary(spec));
        }
        return Ok(Exit::Ok);
    };
    let spec = find(&specs, name)?;
    if args.json {
        outln!(
            "{}",
            serde_json::to_string_pretty(&json(spec)).unwrap_or_default()
        );
    } else {
        print(spec);
    }
    Ok(Exit::Ok)
}

/// The modules as `ansible-doc -l` lists them: full names and summaries in columns.
pub fn ansible_list(filters: &[String], as_json: bool) -> CommandResult {
    let specs = Actions::default().specs();
    let full = |spec: &ArgSpec| format!("{}.{}", spec.collection, spec.module);
    let wanted = |name: &str| {
        filters.is_empty()
            || filters
                .iter()
                .any(|filter| name.starts_with(filter.as_str()))
    };
    let mut rows: Vec<(String, &str)> = specs
        .iter()
        .map(|spec| (full(spec), summary(spec)))
        .filter(|(name, _)| wanted(name))
        .collect();
    rows.sort();
    if as_json {
        let map: serde_json::Map<String, serde_json::Value> = rows
            .into_iter()
            .map(|(name, text)| (name, text.into()))
            .collect();
        outln!("{}", serde_json::to_string_pretty(&map).unwrap_or_default());
        return Ok(Exit::Ok);
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, text) in rows {
        outln!("{name:width$} {text}");
    }
    Ok(Exit::Ok)
}

/// A task with that module, to copy.
pub fn snippet(name: &str) -> CommandResult {
    let specs = Actions::default().specs();
    let spec = find(&specs, name)?;
    outln!("- name: {}", summary(spec).trim_end_matches('.'));
    outln!("  {}:", called(&specs, spec));
    let mut fields: Vec<_> = spec
        .fields
        .iter()
        .filter(|field| !field.name.starts_with('_'))
        .collect();
    fields.sort_by_key(|field| field.name);
    for field in fields {
        let needed = if field.required { "(required) " } else { "" };
        let doc = field.doc.lines().next().unwrap_or_default();
        outln!("      {}:   # {needed}{doc}", field.name);
    }
    Ok(Exit::Ok)
}

/// The spec of that name or alias, with or without its collection. Where two collections have one of that name, the short
/// name is the first one's.
fn find<'a>(specs: &'a [ArgSpec], name: &str) -> Result<&'a ArgSpec, CommandFailure> {
    let (collection, short) = name.rsplit_once('.').unwrap_or(("", name));
    let fits = |spec: &&ArgSpec| spec.module == short || spec.aliases.contains(&short);
    specs
        .iter()
        .filter(fits)
        .find(|spec| spec.collection == collection)
        .or_else(|| specs.iter().find(fits))
        .ok_or_else(|| {
            let mut failure =
                CommandFailure::new(Exit::Error, format!("there is no module `{name}`"));
            failure.diagnostic.hint = did_you_mean(short, specs.iter().map(|spec| spec.module));
            failure
        })
}

/// The name that a task calls it by: short, unless that is another one's.
fn called(specs: &[ArgSpec], spec: &ArgSpec) -> String {
    let first = specs.iter().find(|other| other.module == spec.module);
    if first.is_some_and(|first| first.collection == spec.collection) {
        spec.module.to_owned()
    } else {
        format!("{}.{}", spec.collection, spec.module)
    }
}

fn summary(spec: &ArgSpec) -> &str {
    spec.doc.lines().next().unwrap_or_default().trim()
}

fn print(spec: &ArgSpec) {
    outln!("{} ({}.{})", spec.module, spec.collection, spec.module);
    if !spec.aliases.is_empty() {
        outln!("also: {}", spec.aliases.join(", "));
    }
    outln!("\n{}\n\nARGUMENTS", spec.doc.trim());
    for field in spec
        .fields
        .iter()
        .filter(|field| !field.name.starts_with('_'))
    {
        let mut kind = field.kind.name().to_owned();
        if let Some(elements) = field.elements {
            kind = format!("{kind} of {}", elements.name());
        }
        let mut about = vec![kind];
        if field.required {
            about.push("required".into());
        }
        if let Some(default) = &field.default {
            about.push(format!("default {}", repr(default)));
        }
        if !field.aliases.is_empty() {
            about.push(format!("also {}", field.aliases.join(", ")));
        }
        if field.secret {
            about.push("never shown".into());
        }
        outln!("  {}  ({})", field.name, about.join("; "));
        if !field.choices.is_empty() {
            outln!("      one of: {}", field.choices.join(", "));
        }
        for line in field.doc.lines() {
            outln!("      {line}");
        }
    }
    if let Some(free) = spec.free_form {
        let what = if free.starts_with('_') {
            "the command line"
        } else {
            free
        };
        outln!("\nThe free form is {what}.");
    }
    for rule in spec.rules {
        match rule {
            ArgRule::Exclusive(names) => outln!("At most one of: {}", names.join(", ")),
            ArgRule::OneOf(names) => outln!("At least one of: {}", names.join(", ")),
            ArgRule::Together(names) => outln!("All or none of: {}", names.join(", ")),
            ArgRule::If(name, value, needed) => {
                outln!(
                    "With {name}={value} these are needed: {}",
                    needed.join(", ")
                );
            }
        }
    }
}

fn json(spec: &ArgSpec) -> serde_json::Value {
    let fields: Vec<_> = spec
        .fields
        .iter()
        .filter(|field| !field.name.starts_with('_'))
        .map(|field| {
            serde_json::json!({
                "name": field.name,
                "aliases": field.aliases,
                "type": field.kind.name(),
                "elements": field.elements.map(crate::value::ArgKind::name),
                "required": field.required,
                "default": field.default.as_ref().map(crate::value::Value::to_json),
                "choices": field.choices,
                "secret": field.secret,
                "description": field.doc,
            })
        })
        .collect();
    serde_json::json!({
        "module": spec.module,
        "collection": spec.collection,
        "aliases": spec.aliases,
        "description": spec.doc,
        "arguments": fields,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_two_collections_have_is_told_apart() {
        let specs = Actions::default().specs();
        let of = |name: &str| find(&specs, name).ok().map(|spec| spec.collection);
        assert_eq!(
            of("community.crypto.x509_certificate"),
            Some("community.crypto")
        );
        assert_eq!(of("runbook.core.x509_certificate"), Some("runbook.core"));
        assert_eq!(of("x509_certificate"), Some("runbook.core"));
        assert_eq!(of("ansible.builtin.copy"), of("copy"));
        assert_eq!(of("no_such_module"), None);
        let task = |name: &str| find(&specs, name).ok().map(|spec| called(&specs, spec));
        let full = "community.crypto.x509_certificate";
        assert_eq!(task(full).as_deref(), Some(full));
        assert_eq!(task("ansible.builtin.copy").as_deref(), Some("copy"));
    }
}
