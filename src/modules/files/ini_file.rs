//! `ini_file`: options in the sections of an INI file.
//!
//! Source: the documentation of `community.general.ini_file`.

use super::attrs::FileAttrs;
use super::edit::{Edited, missing, read};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{ArgRule, Map, Value, str_of};
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
        section_has_values: Option<Vec<Map>> => optional;
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
        /// Write through a symbolic link, instead of replacing it.
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
        let conditions = conditions(args)?;
        let mut values: Vec<String> = Vec::new();
        for value in args.values.iter().flatten().chain(&args.value) {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        if args.state == State::Present && values.is_empty() && !args.allow_no_value {
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
        // as Python reads a text: other ends of lines make no difference
        let old = text.clone().unwrap_or_default().replace("\r\n", "\n");
        let (new_text, message) = edit(args, &conditions, values, &old);
        plan.returns("msg", message);
        if new_text == old || (old.is_empty() && new_text == "\n") {
            if text.is_some() {
                args.attrs.plan(sys, &mut plan, &path, args.follow)?;
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
            follow: args.follow,
        }
        .steps(sys, &mut plan, &new_text, true)?;
        Ok(plan)
    }
}

/// What a section must have to be the one that is meant.
struct Condition {
    option: String,
    /// One of these is its value; none if any will do.
    values: Vec<String>,
}

fn conditions(args: &Args) -> ModuleResult<Vec<Condition>> {
    let one = |map: &Map| {
        let given = |name: &str| map.get(name).filter(|value| !value.is_null());
        let known = ["option", "value", "values"];
        if let Some(name) = map.iter().find_map(|(key, _)| {
            let name = str_of(key);
            (!known.contains(&name.as_str())).then_some(name)
        }) {
            return Err(Failure::new(format!(
                "Unsupported parameters for section_has_values: {name}. Supported parameters include: {}.",
                known.join(", ")
            )));
        }
        let option = given("option").map(str_of).ok_or_else(|| {
            Failure::new("missing required arguments: option found in section_has_values")
        })?;
        let values = match (given("value"), given("values")) {
            (Some(_), Some(_)) => {
                return Err(Failure::new(
                    "parameters are mutually exclusive: value|values found in section_has_values",
                ));
            }
            (Some(value), None) => vec![str_of(value)],
            (None, Some(Value::List(items))) => items.iter().map(str_of).collect(),
            (None, Some(other)) => str_of(other).split(',').map(str::to_owned).collect(),
            (None, None) => Vec::new(),
        };
        Ok(Condition { option, values })
    };
    args.section_has_values.iter().flatten().map(one).collect()
}

/// The name of the section that a line begins.
fn header(line: &str) -> Option<&str> {
    let (name, _) = line.strip_prefix('[')?.split_once(']')?;
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

/// The lines of the section that is meant, without its header: the first of that name in which the conditions hold.
/// Without a name, those before the first section.
fn section_of(args: &Args, conditions: &[Condition], lines: &[String]) -> Option<(usize, usize)> {
    let name = args.section.as_deref().map(str::trim).unwrap_or_default();
    let mut from = 0;
    loop {
        let start = if name.is_empty() {
            0
        } else {
            let is_it = |line: &String| header(line) == Some(name);
            from + lines.iter().skip(from).position(is_it)? + 1
        };
        let end = lines
            .iter()
            .skip(start)
            .position(|line| line.starts_with('['))
            .map_or(lines.len(), |next| start + next);
        let section = lines.get(start..end).unwrap_or_default();
        let holds = |condition: &Condition| {
            section.iter().any(|line| {
                find(line, &condition.option).is_some_and(|found| {
                    condition.values.is_empty()
                        || (condition.values.iter()).any(|v| v == found.value.unwrap_or_default())
                })
            })
        };
        if conditions.iter().all(holds) {
            return Some((start, end));
        }
        if name.is_empty() {
            return None;
        }
        from = start;
    }
}

/// The new text, and what to say of it.
fn edit(
    args: &Args,
    conditions: &[Condition],
    mut values: Vec<String>,
    text: &str,
) -> (String, &'static str) {
    let mut lines: Vec<String> = text.lines().map(|line| format!("{line}\n")).collect();
    // nothing at all is an empty line
    if lines.is_empty() {
        lines.push("\n".to_owned());
    }
    let found = section_of(args, conditions, &lines);
    if found.is_none() && args.state == State::Present {
        return (
            with_section(args, conditions, &mut values, lines),
            match &args.option {
                Some(_) => "section and option added",
                None => "only section added",
            },
        );
    }
    let (start, end) = found.unwrap_or_default();
    let there = found.is_some();
    let Some(option) = &args.option else {
        return match (args.state, there) {
            (State::Absent, true) => {
                let header = usize::from(start > 0);
                lines.drain(start.saturating_sub(header)..end);
                (lines.concat(), "section removed")
            }
            _ => (lines.concat(), "OK"),
        };
    };
    if args.state == State::Absent {
        let all = lines.clone();
        let kept: Vec<String> = lines
            .into_iter()
            .enumerate()
            .filter(|(at, line)| {
                let gone = (start..end).contains(at)
                    && find(line, option).is_some_and(|found| {
                        let named = found
                            .value
                            .is_some_and(|value| values.iter().any(|v| v == value));
                        !found.inactive && (args.exclusive || named)
                    });
                !gone
            })
            .map(|(_, line)| line)
            .collect();
        let message = if kept == all { "OK" } else { "option changed" };
        return (kept.concat(), message);
    }
    let mut wanted: Vec<Option<&str>> = values.iter().map(|v| Some(v.as_str())).collect();
    if wanted.is_empty() {
        wanted.push(None);
    }
    let section: Vec<String> = lines.drain(start..end).collect();
    let (section, message) = set(args, option, wanted, section);
    lines.splice(start..start, section);
    (lines.concat(), message)
}

/// The text with a new section in which the conditions hold.
fn with_section(
    args: &Args,
    conditions: &[Condition],
    values: &mut Vec<String>,
    mut lines: Vec<String>,
) -> String {
    let section = args.section.as_deref().unwrap_or_default();
    lines.push(format!("[{section}]\n"));
    for condition in conditions {
        if args.option.as_ref() == Some(&condition.option) {
            if !args.exclusive {
                let more = condition.values.iter().filter(|v| !values.contains(v));
                let more: Vec<String> = more.cloned().collect();
                values.extend(more);
            }
        } else if !condition.values.is_empty() {
            let new = condition.values.iter();
            lines.extend(new.map(|value| assignment(args, &condition.option, Some(value))));
        } else if args.allow_no_value {
            lines.push(assignment(args, &condition.option, None));
        }
    }
    if let Some(option) = &args.option {
        lines.extend(
            values
                .iter()
                .map(|value| assignment(args, option, Some(value))),
        );
        if values.is_empty() {
            lines.push(assignment(args, option, None));
        }
    }
    lines.concat()
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
    let mut message = "OK";
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
    if !new.is_empty() {
        message = "option added";
    }
    lines.splice(at..at, new);
    (lines, message)
}
