//! `ini_file`: options in the sections of an INI file.
//!
//! Source: the documentation of `community.general.ini_file`.

use super::attrs::FileAttrs;
use super::edit::{Edited, missing, read};
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{ArgRule, Value};
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// Whether an option or section is to be there.
    pub enum State {
        /// It is not.
        Absent = "absent",
        /// It is.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `ini_file`.
    pub struct Args {
        /// The file.
        path: PathBuf => required, aliases ["dest"];
        /// The section; without it, the lines before the first one.
        section: Option<String> => optional;
        /// Only a section that has these values.
        section_has_values: Option<Value> => optional;
        /// The option; without it, the section as a whole.
        option: Option<String> => optional;
        /// Its value.
        value: Option<String> => optional;
        /// Its values, for an option that stands several times.
        values: Option<Vec<String>> => optional;
        /// Whether it is to be there.
        state: State => default("present");
        /// The values given are all values; others are removed.
        exclusive: bool => default(true);
        /// Put no blanks around `=`.
        no_extra_spaces: bool => default(false);
        /// Blanks around `=` make no difference.
        ignore_spaces: bool => default(false);
        /// Make the file if it is not there.
        create: bool => default(true);
        /// The option stands without a value.
        allow_no_value: bool => default(false);
        /// An option in a comment is used for the new value.
        modify_inactive_option: bool => default(true);
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        /// Write through a symbolic link (which is always done).
        follow: bool => default(false);
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct IniFile;

impl Module for IniFile {
    const NAME: &'static str = "ini_file";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Set and remove options in the sections of an INI file.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&["value", "values"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.section_has_values.is_some() {
            return Err("section_has_values is not built yet".into());
        }
        let values: Vec<String> = match (&args.values, &args.value) {
            (Some(values), _) => values.clone(),
            (None, Some(value)) => vec![value.clone()],
            (None, None) => Vec::new(),
        };
        if args.state == State::Present
            && args.option.is_some()
            && values.is_empty()
            && !args.allow_no_value
        {
            return Err(
                "Parameter 'value(s)' must be defined if state=present and allow_no_value=False."
                    .into(),
            );
        }
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        plan.returns("path", Value::data(path.to_string_lossy().as_ref()));
        let text = read(sys, &path)?;
        if text.is_none() && !args.create {
            return Err(missing("Destination", &path));
        }
        let old = text.clone().unwrap_or_default();
        let (new_text, message) = edit(args, &values, &old);
        if new_text == old {
            plan.returns("msg", "OK");
            if text.is_some() {
                args.attrs.plan(sys, &mut plan, &path, true)?;
            }
            return Ok(plan);
        }
        Edited {
            path,
            text,
            attrs: &args.attrs,
            backup: args.backup,
            validate: None,
            backup_key: "backup_file",
        }
        .plan(sys, &mut plan, &new_text, message.into())?;
        Ok(plan)
    }
}

/// The name of the section that a line begins.
fn header(line: &str) -> Option<&str> {
    let rest = line.trim().strip_prefix('[')?;
    let (name, _) = rest.split_once(']')?;
    Some(name.trim())
}

/// An option's line: whether it is in a comment, and its value if it has one.
struct Found<'a> {
    inactive: bool,
    value: Option<&'a str>,
}

fn find<'a>(line: &'a str, option: &str) -> Option<Found<'a>> {
    let text = line.trim();
    let active = text.trim_start_matches(['#', ';']);
    // only one mark: more of them is prose
    let marks = text.len() - active.len();
    if marks > 1 {
        return None;
    }
    let rest = active.trim_start().strip_prefix(option)?.trim_start();
    let value = match rest.strip_prefix('=') {
        Some(value) => Some(value.trim()),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(Found {
        inactive: marks == 1,
        value,
    })
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with(['#', ';'])
}

/// The new text, and what to say of it.
fn edit(args: &Args, values: &[String], text: &str) -> (String, &'static str) {
    let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    let (mut start, mut end) = (0, lines.len());
    let mut there = args.section.is_none();
    if let Some(section) = &args.section {
        if let Some(at) = lines.iter().position(|line| header(line) == Some(section)) {
            there = true;
            start = at + 1;
        } else {
            start = lines.len();
        }
    }
    if let Some(next) = lines
        .iter()
        .skip(start)
        .position(|line| header(line).is_some())
    {
        end = start + next;
    }
    let Some(option) = &args.option else {
        return match (args.state, there, &args.section) {
            (State::Present, false, Some(section)) => {
                lines.push(format!("[{section}]\n"));
                (lines.concat(), "only section added")
            }
            (State::Absent, true, Some(_)) => {
                lines.drain(start.saturating_sub(1)..end);
                (lines.concat(), "section removed")
            }
            _ => (text.to_owned(), "OK"),
        };
    };
    if args.state == State::Absent {
        if !there {
            return (text.to_owned(), "OK");
        }
        let kept: Vec<String> = lines
            .into_iter()
            .enumerate()
            .filter(|(at, line)| {
                let gone = (start..end).contains(at)
                    && find(line, option).is_some_and(|found| {
                        let named = found
                            .value
                            .is_some_and(|value| values.iter().any(|v| v == value));
                        !found.inactive && (args.exclusive || values.is_empty() || named)
                    });
                !gone
            })
            .map(|(_, line)| line)
            .collect();
        return (same_end(text, kept.concat()), "option changed");
    }
    let mut wanted: Vec<Option<&str>> = values.iter().map(|v| Some(v.as_str())).collect();
    if wanted.is_empty() {
        wanted.push(None);
    }
    if !there {
        if let Some(section) = &args.section {
            lines.push(format!("[{section}]\n"));
        }
        lines.extend(wanted.iter().map(|value| assignment(args, option, *value)));
        return (lines.concat(), "section and option added");
    }
    let section: Vec<String> = lines.drain(start..end).collect();
    let (section, message) = set(args, option, wanted, section);
    lines.splice(start..start, section);
    (same_end(text, lines.concat()), message)
}

/// A text without a line break at its end stays so if nothing else changes.
fn same_end(old: &str, new: String) -> String {
    if !old.ends_with('\n') && new.strip_suffix('\n') == Some(old) {
        old.to_owned()
    } else {
        new
    }
}

fn assignment(args: &Args, option: &str, value: Option<&str>) -> String {
    match value {
        None => format!("{option}\n"),
        Some(value) if args.no_extra_spaces => format!("{option}={value}\n"),
        Some(value) => format!("{option} = {value}\n"),
    }
}

/// Sets the option in the lines of its section: first where the value stands already, then in place of other values,
/// then in place of comments, at last after the section's last option.
fn set(
    args: &Args,
    option: &str,
    mut wanted: Vec<Option<&str>>,
    section: Vec<String>,
) -> (Vec<String>, &'static str) {
    let mut message = "option added";
    let mut lines: Vec<Option<String>> = Vec::new();
    let mut open = Vec::new();
    for line in section {
        let Some(found) = find(&line, option) else {
            lines.push(Some(line));
            continue;
        };
        let known = wanted.iter().position(|value| *value == found.value);
        if let Some(at) = known.filter(|_| !found.inactive) {
            let new = assignment(args, option, wanted.remove(at));
            if new != line && !args.ignore_spaces {
                message = "option changed";
                lines.push(Some(new));
            } else {
                lines.push(Some(line));
            }
        } else {
            open.push((lines.len(), found.inactive));
            lines.push(Some(line));
        }
    }
    // values that stand in a comment are better than other values
    open.sort_by_key(|(_, inactive)| *inactive);
    for (at, inactive) in open {
        let usable = if inactive {
            args.modify_inactive_option
        } else {
            args.exclusive
        };
        if !usable {
            continue;
        }
        let Some(line) = lines.get_mut(at) else {
            continue;
        };
        if !wanted.is_empty() {
            *line = Some(assignment(args, option, wanted.remove(0)));
            message = "option changed";
        } else if !inactive {
            *line = None;
            message = "option changed";
        }
    }
    let mut lines: Vec<String> = lines.into_iter().flatten().collect();
    let at = lines
        .iter()
        .rposition(|line| !is_blank_or_comment(line))
        .map_or(0, |last| last + 1);
    let new: Vec<String> = wanted
        .into_iter()
        .map(|value| assignment(args, option, value))
        .collect();
    lines.splice(at..at, new);
    (lines, message)
}
