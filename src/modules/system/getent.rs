//! `getent`: lines of the machine's databases (users, hosts, services, …) as facts.

use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{Map, Value};
use std::path::Path;

module_args! {
    /// Arguments of `getent`.
    pub struct Args {
        /// The database: `passwd`, `group`, `hosts`, `services`, ….
        database: String => required;
        /// What to look up; all if it is not given.
        key: Option<String> => optional;
        /// Where to look, if not where the machine's configuration says (`files`, `sss`, …).
        service: Option<String> => optional;
        /// What separates the fields of a line; by default the database's own.
        split: Option<String> => optional;
        /// Fail if the key is not found.
        fail_key: bool => default(true);
    }
}

/// The module.
pub struct Getent;

impl Module for Getent {
    const NAME: &'static str = "getent";
    const DOC: &'static str = "Look up users, groups, hosts, services and the like; they become the fact `getent_<database>`.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let database = args.database.as_str();
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if database.is_empty() || !database.chars().all(fits) {
            return Err(format!("`{database}` is no database's name").into());
        }
        if args.key.as_deref().is_some_and(|key| key.starts_with('-')) {
            return Err("a key cannot begin with a hyphen".into());
        }
        let colon = matches!(database, "passwd" | "shadow" | "group" | "gshadow");
        let split = args
            .split
            .as_deref()
            .or(colon.then_some(":"))
            .filter(|split| !split.is_empty());
        let (rc, text) = ask(args, sys)?;
        let mut found = Map::new();
        let mut plan = Plan::new();
        match rc {
            0 => collect(&text, split, &mut found),
            2 if !args.fail_key => {
                found.set(args.key.as_deref().unwrap_or_default(), Value::Null);
                plan.returns("msg", missing());
            }
            2 => return Err(Failure::new(missing())),
            1 => return Err("Missing arguments, or database unknown.".into()),
            3 => return Err("Enumeration not supported on this database.".into()),
            _ => return Err("Unexpected failure!".into()),
        }
        plan.returns(
            "ansible_facts",
            Map::new().with(&format!("getent_{database}"), found),
        );
        Ok(plan)
    }
}

fn missing() -> &'static str {
    "One or more supplied key could not be found in the database."
}

/// What `getent` answers; without it, what the machine's own file says.
fn ask(args: &Args, sys: &Sys) -> ModuleResult<(i32, String)> {
    if sys.which("getent").is_some() {
        let mut words = vec!["getent", &args.database];
        words.extend(args.key.as_deref());
        if let Some(service) = &args.service {
            words.extend(["-s", service]);
        }
        let output = sys.query(&sys.tool(words))?;
        return Ok((output.rc, output.text()));
    }
    let path = Path::new("/etc").join(&args.database);
    let Some(text) = sys.read_text(&path)? else {
        return Ok((1, String::new()));
    };
    let lines: String = text
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default().trim_end())
        .filter(|line| !line.is_empty())
        .filter(|line| {
            args.key.as_deref().is_none_or(|key| {
                line.split(|c: char| c == ':' || c.is_whitespace())
                    .any(|word| word == key)
            })
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let rc = if lines.is_empty() && args.key.is_some() {
        2
    } else {
        0
    };
    Ok((rc, lines))
}

/// The fields of each line under its first one; lines with the same first field become a list.
fn collect(text: &str, split: Option<&str>, found: &mut Map) {
    let mut many: Vec<String> = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = match split {
            Some(split) => line.split(split).collect(),
            None => line.split_whitespace().collect(),
        };
        let Some((key, rest)) = fields.split_first() else {
            continue;
        };
        let record = Value::list(rest.iter().copied().map(Value::data).collect());
        match found.get(*key).cloned() {
            None => {
                found.insert(Value::data(*key), record);
            }
            Some(before) => {
                let mut records = match before.as_list() {
                    Some(list) if many.iter().any(|k| k == key) => list.to_vec(),
                    _ => vec![before],
                };
                many.push((*key).to_owned());
                records.push(record);
                found.insert(Value::data(*key), Value::list(records));
            }
        }
    }
}
