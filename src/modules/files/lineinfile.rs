//! `lineinfile`: a line is in a file, or is not.
//!
//! Source: Ansible's documentation of `ansible.builtin.lineinfile`.

use super::attrs::FileAttrs;
use super::edit::{Edited, headers, lines, missing, read};
use super::pyregex::{Flags, PyRegex};
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::ArgRule;
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// Whether the line is to be there.
    pub enum State {
        /// It is not.
        Absent = "absent",
        /// It is.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `lineinfile`.
    pub struct Args {
        /// The file.
        path: PathBuf => required, aliases ["dest", "destfile", "name"];
        /// Which line to replace or remove: the last that matches.
        regexp: Option<String> => optional, aliases ["regex"];
        /// The same by a text that is in the line.
        search_string: Option<String> => optional;
        /// The line.
        line: Option<String> => optional, aliases ["value"];
        /// Whether it is to be there.
        state: State => default("present");
        /// Fill in the groups of `regexp` in the line; without a match nothing is done.
        backrefs: bool => default(false);
        /// Where a new line goes: after the last line that matches, or `EOF`.
        insertafter: Option<String> => optional;
        /// Where a new line goes: before the last line that matches, or `BOF`.
        insertbefore: Option<String> => optional;
        /// The first match counts, not the last.
        firstmatch: bool => default(false);
        /// Make the file if it is not there.
        create: bool => default(false);
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        /// A command that must accept the new file before it is put in place; `%s` in it is the file.
        validate: Option<String> => optional;
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct Lineinfile;

impl Module for Lineinfile {
    const NAME: &'static str = "lineinfile";
    const DOC: &'static str = "Make sure that a line is in a file, or that it is not.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["insertbefore", "insertafter"]),
        ArgRule::Exclusive(&["regexp", "search_string"]),
        ArgRule::Exclusive(&["backrefs", "search_string"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        plan.returns("backup", "");
        let text = read(sys, &path)?;
        let (new_text, message) = match args.state {
            State::Present => {
                check_present(args)?;
                if text.is_none() && !args.create {
                    return Err(missing("Destination", &path));
                }
                present(args, text.as_deref().unwrap_or_default())?
            }
            State::Absent => {
                if args.regexp.is_none() && args.search_string.is_none() && args.line.is_none() {
                    return Err(
                        "one of line, search_string, or regexp is required with state=absent"
                            .into(),
                    );
                }
                let Some(text) = &text else {
                    plan.returns("msg", "file not present");
                    return Ok(plan);
                };
                let (new_text, found) = absent(args, text)?;
                plan.returns("found", found);
                (new_text, format!("{found} line(s) removed"))
            }
        };
        if args.regexp.as_deref() == Some("") {
            plan.warn(
                "The regular expression is an empty string, which will match every line in the file. \
                 This may have unintended consequences, such as replacing the last line in the file rather than appending. \
                 If this is desired, use '^' to match every line in the file and avoid this warning.",
            );
        }
        if args.search_string.as_deref() == Some("") {
            plan.warn(
                "The search string is an empty string, which will match every line in the file. \
                 This may have unintended consequences, such as replacing the last line in the file rather than appending.",
            );
        }
        if text.is_none() && new_text.is_empty() {
            // backrefs without a match: not even the file is made
            plan.returns("msg", "");
            return Ok(plan);
        }
        plan.returns("diff", headers(&path));
        Edited {
            path,
            text,
            attrs: &args.attrs,
            backup: args.backup,
            validate: args.validate.as_deref(),
            backup_key: "backup",
            follow: true,
        }
        .plan(sys, &mut plan, &new_text, message)?;
        Ok(plan)
    }
}

fn check_present(args: &Args) -> ModuleResult<()> {
    if args.backrefs && args.regexp.is_none() {
        return Err("regexp is required with backrefs=true".into());
    }
    if args.line.is_none() {
        return Err("line is required with state=present".into());
    }
    Ok(())
}

fn regex(text: Option<&String>, name: &str) -> ModuleResult<Option<PyRegex>> {
    text.map(|text| PyRegex::new(text, Flags::default(), name))
        .transpose()
}

/// The first or last of the lines for which it holds.
fn pick(
    lines: &[&str],
    first: bool,
    mut holds: impl FnMut(&str) -> ModuleResult<bool>,
) -> ModuleResult<Option<usize>> {
    let mut picked = None;
    for (number, line) in lines.iter().enumerate() {
        if holds(line)? {
            picked = Some(number);
            if first {
                break;
            }
        }
    }
    Ok(picked)
}

fn without_end(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

/// The text with the line in it, and the message.
fn present(args: &Args, text: &str) -> ModuleResult<(String, String)> {
    let lines = lines(text);
    let line = args.line.as_deref().unwrap_or_default();
    let regexp = regex(args.regexp.as_ref(), "regexp")?;
    let found = match (&regexp, &args.search_string) {
        (Some(regexp), _) => pick(&lines, args.firstmatch, |l| regexp.is_found(l))?,
        (None, Some(part)) => pick(&lines, args.firstmatch, |l| Ok(l.contains(part.as_str())))?,
        (None, None) => None,
    };
    let exact = match found {
        Some(_) => None,
        None => pick(&lines, false, |l| Ok(without_end(l) == line))?,
    };
    if let Some(number) = found.or(exact) {
        let mut new_line = line.to_owned();
        if args.backrefs
            && found.is_some()
            && let (Some(regexp), Some(old)) = (&regexp, lines.get(number))
            && let Some(groups) = regexp.find(old)?
        {
            new_line = regexp.expand(&groups, line)?;
        }
        if !new_line.ends_with('\n') {
            new_line.push('\n');
        }
        let mut new_lines = lines;
        if let Some(old) = new_lines.get_mut(number) {
            *old = &new_line;
        }
        return Ok((new_lines.concat(), "line replaced".into()));
    }
    if args.backrefs {
        return Ok((text.to_owned(), String::new()));
    }
    let at = insertion(args, &lines)?;
    Ok((inserted(&lines, at, line), "line added".into()))
}

/// Before which line a new one goes.
fn insertion(args: &Args, lines: &[&str]) -> ModuleResult<usize> {
    if [&args.insertbefore, &args.insertafter]
        .into_iter()
        .any(|place| place.as_deref() == Some("BOF"))
    {
        return Ok(0);
    }
    let after = args.insertafter.as_ref().filter(|place| *place != "EOF");
    let place = match (after, &args.insertbefore) {
        (Some(after), _) => {
            let regex = PyRegex::new(after, Flags::default(), "insertafter")?;
            pick(lines, args.firstmatch, |l| regex.is_found(l))?.map(|number| number + 1)
        }
        (None, Some(before)) => {
            let regex = PyRegex::new(before, Flags::default(), "insertbefore")?;
            pick(lines, args.firstmatch, |l| regex.is_found(l))?
        }
        (None, None) => None,
    };
    Ok(place.unwrap_or(lines.len()))
}

fn inserted(lines: &[&str], at: usize, line: &str) -> String {
    let (before, after) = lines.split_at_checked(at).unwrap_or((lines, &[]));
    let mut text = before.concat();
    if !text.is_empty() && !text.ends_with(['\n', '\r']) {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
    text.push_str(&after.concat());
    text
}

/// The text without the lines, and how many there were.
fn absent(args: &Args, text: &str) -> ModuleResult<(String, usize)> {
    let regexp = regex(args.regexp.as_ref(), "regexp")?;
    let mut kept = String::with_capacity(text.len());
    let mut found = 0_usize;
    for line in lines(text) {
        let is_meant = match (&regexp, &args.search_string, &args.line) {
            (Some(regexp), ..) => regexp.is_found(line)?,
            (None, Some(part), _) => line.contains(part.as_str()),
            (None, None, Some(wanted)) => without_end(line) == wanted,
            (None, None, None) => false,
        };
        if is_meant {
            found += 1;
        } else {
            kept.push_str(line);
        }
    }
    Ok((kept, found))
}
