//! `replace`: every match of a regular expression in a file.
//!
//! Source: Ansible's documentation of `ansible.builtin.replace`.

use super::attrs::FileAttrs;
use super::edit::{Edited, missing, read};
use super::pyregex::{Flags, PyRegex, check_replacement};
use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::Value;
use std::path::PathBuf;

module_args! {
    /// Arguments of `replace`.
    pub struct Args {
        /// The file.
        path: PathBuf => required, aliases ["dest", "destfile", "name"];
        /// What to replace; `^` and `$` mean lines.
        regexp: String => required;
        /// What replaces it, with references to groups (`\1`, `\g<name>`). Without it matches are removed.
        replace: String => default("");
        /// Replace only what follows a match of this.
        after: Option<String> => optional;
        /// Replace only what comes before a match of this.
        before: Option<String> => optional;
        /// The file's encoding; only UTF-8 is built.
        encoding: String => default("utf-8");
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        /// A command that must accept the new file before it is put in place; `%s` in it is the file.
        validate: Option<String> => optional;
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct Replace;

impl Module for Replace {
    const NAME: &'static str = "replace";
    const DOC: &'static str = "Replace every match of a regular expression in a file.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let encoding = args.encoding.to_ascii_lowercase().replace(['-', '_'], "");
        if !matches!(encoding.as_str(), "utf8" | "ascii" | "usascii") {
            return Err(Failure::new(format!(
                "encoding: `{}` is not built yet, only utf-8",
                args.encoding
            )));
        }
        check_replacement(&args.replace).map_err(|why| {
            Failure::new(format!(
                "Unable to process replace due to error: {}",
                why.message
            ))
        })?;
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        plan.returns("rc", 0);
        let Some(text) = read(sys, &path)? else {
            return Err(missing("Path", &path));
        };
        let Some(section) = section(args, &text)? else {
            let message = format!(
                "Pattern for before/after params did not match the given file: {}",
                pattern(args).unwrap_or_default()
            );
            plan.returns("msg", Value::data(message));
            return Ok(plan);
        };
        let flags = Flags {
            multiline: true,
            dotall: false,
        };
        let regex = PyRegex::new(&args.regexp, flags, "regexp")?;
        let part = text.get(section.clone()).unwrap_or_default();
        let (new_part, count) = regex.replace_all(part, &args.replace)?;
        let new_text = format!(
            "{}{new_part}{}",
            text.get(..section.start).unwrap_or_default(),
            text.get(section.end..).unwrap_or_default()
        );
        Edited {
            path,
            text: Some(text),
            attrs: &args.attrs,
            backup: args.backup,
            validate: args.validate.as_deref(),
            backup_key: "backup_file",
            follow: true,
        }
        .plan(
            sys,
            &mut plan,
            &new_text,
            format!("{count} replacements made"),
        )?;
        Ok(plan)
    }
}

/// The expression that finds the part that `after` and `before` limit.
fn pattern(args: &Args) -> Option<String> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (given(&args.after), given(&args.before)) {
        (Some(after), Some(before)) => Some(format!("{after}(?P<subsection>.*?){before}")),
        (Some(after), None) => Some(format!("{after}(?P<subsection>.*)")),
        (None, Some(before)) => Some(format!("(?P<subsection>.*){before}")),
        (None, None) => None,
    }
}

/// The part of the text that is looked at; `None` if the limits are not found.
fn section(args: &Args, text: &str) -> ModuleResult<Option<std::ops::Range<usize>>> {
    let Some(pattern) = pattern(args) else {
        return Ok(Some(0..text.len()));
    };
    let flags = Flags {
        multiline: false,
        dotall: true,
    };
    let regex = PyRegex::new(&pattern, flags, "after/before")?;
    let found = regex.find(text)?;
    Ok(found
        .as_ref()
        .and_then(|groups| groups.name("subsection"))
        .map(|part| part.start()..part.end()))
}
