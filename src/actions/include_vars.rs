//! `include_vars`.
//!
//! Source: Ansible's documentation of the module of that name.

use super::args::decode;
use super::{Effect, Error, Input, Result, Step};
use crate::module_args;
use crate::result::Outcome;
use crate::template::{Scope, Variable};
use crate::value::{Map, Value};
use crate::vars::merge_maps;
use crate::vault::Vault;
use std::path::{Path, PathBuf};

module_args! {
    /// Arguments of `include_vars`.
    pub struct IncludeVarsArgs {
        /// A file.
        file: Option<String> => optional, aliases ["_raw_params"];
        /// A directory; its files are read in the order of their names.
        dir: Option<String> => optional;
        /// The variable under which they are put; without it they are variables of their own.
        name: Option<String> => optional;
        /// How deep to go into the directory; 0 is all the way.
        depth: u64 => default(0);
        /// Only files whose names match this regular expression.
        files_matching: Option<String> => optional;
        /// Not files whose names end in one of these (regular expressions).
        ignore_files: Option<Vec<String>> => optional;
        /// Which endings are read.
        extensions: Vec<String> => default(vec!["yaml", "yml", "json"]);
        /// Pass over files with other endings instead of failing.
        ignore_unknown_extensions: bool => default(false);
        /// `merge` merges mappings with those that the host has under the same names.
        hash_behaviour: Option<String> => optional;
    }
}

pub(super) fn include_vars(input: &Input<'_>) -> Result<Step> {
    let args: IncludeVarsArgs = decode("include_vars", &input.args)?;
    let files = match (&args.file, &args.dir) {
        (Some(file), None) => {
            let found = input.cx.files().find("vars", file);
            let Some(found) = found.filter(|path| !path.is_dir()) else {
                let why = format!("Could not find file on the Ansible Controller: '{file}'");
                let outcome = Outcome::failure(why.as_str());
                return Ok(Step::done(outcome.with("message", Value::data(why))));
            };
            vec![found]
        }
        (None, Some(dir)) => match files_of(dir, &args, input) {
            Ok(files) => files,
            Err(Error::Failed(why)) => {
                let outcome = Outcome::failure(why.as_str());
                return Ok(Step::done(outcome.with("message", Value::data(why))));
            }
            Err(error) => return Err(error),
        },
        _ => {
            return Err("include_vars needs either `file` or `dir`"
                .to_owned()
                .into());
        }
    };
    let mut vars = Map::new();
    for file in &files {
        for (key, value) in read(file, input.templar.vault())? {
            vars.insert(key, value);
        }
    }
    let mut vars = match &args.name {
        Some(name) => Map::new().with(name, vars),
        None => vars,
    };
    if args.hash_behaviour.as_deref() == Some("merge") {
        vars = onto_existing(&vars, input.cx.scope().as_ref());
    }
    let names: Vec<Value> = files
        .iter()
        .map(|file| Value::data(file.display().to_string()))
        .collect();
    let mut data = Map::new()
        .with("ansible_facts", vars.clone())
        .with("ansible_included_var_files", Value::list(names));
    // what was encrypted is not shown
    let encrypted =
        |file: &PathBuf| std::fs::read(file).is_ok_and(|bytes| crate::vault::is_encrypted(&bytes));
    if files.iter().any(encrypted) {
        data.set("_ansible_no_log", true);
    }
    Ok(Step::Done(
        Outcome {
            data,
            ..Outcome::ok()
        },
        vec![Effect::IncludeVars(vars)],
    ))
}

/// The variables, mappings merged with those that the host has under the same names.
fn onto_existing(vars: &Map, scope: &dyn Scope) -> Map {
    let mut merged = Map::new();
    for (key, value) in vars {
        let existing = key.as_str().and_then(|name| scope.get(name));
        let both = match (existing, value) {
            (
                Some(Variable::Lazy(Value::Map(old)) | Variable::Final(Value::Map(old))),
                Value::Map(new),
            ) => Value::map(merge_maps(&old, new)),
            _ => value.clone(),
        };
        merged.insert(key.clone(), both);
    }
    merged
}

fn read(path: &Path, vault: &Vault) -> Result<Map> {
    crate::vars::load_vars_file(path, vault)
        .map(|(vars, _)| vars)
        .map_err(Error::File)
}

fn files_of(dir: &str, args: &IncludeVarsArgs, input: &Input<'_>) -> Result<Vec<PathBuf>> {
    let root = input
        .cx
        .files()
        .candidates("vars", dir)
        .into_iter()
        .find(|path| path.is_dir())
        .ok_or_else(|| Error::Failed(format!("include_vars: there is no directory `{dir}`")))?;
    let regex = |pattern: &str| {
        fancy_regex::Regex::new(pattern)
            .map_err(|e| Error::Failed(format!("include_vars: bad pattern `{pattern}`: {e}")))
    };
    let matching = args.files_matching.as_deref().map(regex).transpose()?;
    let ignored = args
        .ignore_files
        .iter()
        .flatten()
        .map(|pattern| regex(&format!("{pattern}$")))
        .collect::<Result<Vec<_>>>()?;
    let depth = match args.depth {
        0 => usize::MAX,
        n => usize::try_from(n).unwrap_or(usize::MAX),
    };
    let mut found = Vec::new();
    let walk = walkdir::WalkDir::new(&root)
        .follow_links(true)
        .max_depth(depth)
        .sort_by_file_name();
    for entry in walk
        .into_iter()
        .flatten()
        .filter(|e| e.file_type().is_file())
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || ignored.iter().any(|r| r.is_match(&name).unwrap_or(false)) {
            continue;
        }
        if matching
            .as_ref()
            .is_some_and(|r| !r.is_match(&name).unwrap_or(false))
        {
            continue;
        }
        let extension = entry
            .path()
            .extension()
            .unwrap_or_default()
            .to_string_lossy();
        if args.extensions.iter().any(|known| *known == extension) {
            found.push(entry.into_path());
        } else if !args.ignore_unknown_extensions {
            return Err(Error::Failed(format!(
                "{} does not have a valid extension: {}",
                entry.path().display(),
                args.extensions.join(", ")
            )));
        }
    }
    // the files of a directory come before those of the directories in it
    found.sort_by(|a, b| (a.parent(), a.file_name()).cmp(&(b.parent(), b.file_name())));
    Ok(found)
}
