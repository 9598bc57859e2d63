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
        let width = specs
            .iter()
            .map(|spec| spec.module.len())
            .max()
            .unwrap_or(0);
        for spec in &specs {
            outln!("{:width$}  {}", spec.module, summary(spec));
        }
        return Ok(Exit::Ok);
    };
    let short = name.rsplit('.').next().unwrap_or(name);
    let found = specs
        .iter()
        .find(|spec| spec.module == short || spec.aliases.contains(&short));
    let Some(spec) = found else {
        let mut failure = CommandFailure::new(Exit::Error, format!("there is no module `{name}`"));
        failure.diagnostic.hint = did_you_mean(short, specs.iter().map(|spec| spec.module));
        return Err(failure);
    };
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
