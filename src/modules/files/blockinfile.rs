//! `blockinfile`: lines between two markers.
//!
//! Source: Ansible's documentation of `ansible.builtin.blockinfile`.

use super::attrs::FileAttrs;
use super::edit::{Edited, headers, missing, read};
use super::pyregex::{Flags, PyRegex};
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{ArgRule, Value};
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// Whether the block is to be there.
    pub enum State {
        /// It is not.
        Absent = "absent",
        /// It is.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `blockinfile`.
    pub struct Args {
        /// The file.
        path: PathBuf => required, aliases ["dest", "destfile", "name"];
        /// The lines. Without any the block is removed.
        block: String => default(""), aliases ["content"];
        /// Whether the block is to be there.
        state: State => default("present");
        /// The lines before and after the block; `{mark}` is replaced.
        marker: String => default("# {mark} ANSIBLE MANAGED BLOCK");
        /// What replaces `{mark}` before the block.
        marker_begin: String => default("BEGIN");
        /// What replaces `{mark}` after the block.
        marker_end: String => default("END");
        /// Where a new block goes: after the last line that matches, or `EOF`.
        insertafter: Option<String> => optional;
        /// Where a new block goes: before the last line that matches, or `BOF`.
        insertbefore: Option<String> => optional;
        /// Have an empty line after the block.
        append_newline: bool => default(false);
        /// Have an empty line before the block.
        prepend_newline: bool => default(false);
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
pub struct Blockinfile;

impl Module for Blockinfile {
    const NAME: &'static str = "blockinfile";
    const DOC: &'static str =
        "Make sure that a block of lines is in a file, between markers, or that it is not.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&["insertbefore", "insertafter"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let mut plan = Plan::new();
        let text = read(sys, &path)?;
        if text.is_none() && !args.create {
            return Err(missing("Path", &path));
        }
        if text.is_none() && args.state == State::Absent {
            let message = format!("File {} not present", path.display());
            plan.returns("msg", Value::data(message));
            return Ok(plan);
        }
        let (new_text, has_block) = edit(args, text.as_deref().unwrap_or_default())?;
        let message = match (&text, has_block) {
            (None, _) => "File created",
            (Some(_), true) => "Block inserted",
            (Some(_), false) => "Block removed",
        };
        plan.returns("diff", headers(&path));
        Edited {
            path,
            text,
            attrs: &args.attrs,
            backup: args.backup,
            validate: args.validate.as_deref(),
            backup_key: "backup_file",
            follow: true,
        }
        .plan(sys, &mut plan, &new_text, message.into())?;
        Ok(plan)
    }
}

/// Lines with their ends: `\n`, `\r\n` or `\r`.
fn split_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        line.push(c);
        let ends = c == '\n' || (c == '\r' && chars.peek() != Some(&'\n'));
        if ends {
            lines.push(std::mem::take(&mut line));
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// The new text, and whether it has the block.
fn edit(args: &Args, text: &str) -> ModuleResult<(String, bool)> {
    let mut lines = split_lines(text);
    let is_present = args.state == State::Present;
    let marker = |word: &str| format!("{}\n", args.marker.replace("{mark}", word));
    let (begin, end) = (marker(&args.marker_begin), marker(&args.marker_end));
    let mut block = Vec::new();
    if is_present && !args.block.is_empty() {
        block.push(begin.clone());
        let mut inner = args.block.clone();
        if !inner.ends_with('\n') {
            inner.push('\n');
        }
        block.extend(split_lines(&inner));
        block.push(end.clone());
    }
    let first = lines.iter().rposition(|line| *line == begin);
    let last = lines.iter().rposition(|line| *line == end);
    let mut at = match (first, last) {
        (Some(first), Some(last)) => {
            let (from, to) = (first.min(last), first.max(last));
            lines.drain(from..=to);
            from
        }
        _ => insertion(args, text, &lines)?,
    };
    if let Some(before) = at.checked_sub(1).and_then(|i| lines.get_mut(i))
        && !before.ends_with('\n')
    {
        before.push('\n');
    }
    let is_blank = |lines: &[String], i: usize| lines.get(i).is_none_or(|line| line == "\n");
    if args.prepend_newline && is_present && at > 0 && !is_blank(&lines, at - 1) {
        lines.insert(at, "\n".into());
        at += 1;
    }
    let has_block = !block.is_empty();
    let after = at + block.len();
    lines.splice(at..at, block);
    if args.append_newline && is_present && !is_blank(&lines, after) {
        lines.insert(after, "\n".into());
    }
    Ok((lines.concat(), has_block))
}

/// Before which line a new block goes.
fn insertion(args: &Args, text: &str, lines: &[String]) -> ModuleResult<usize> {
    let after = args.insertafter.as_ref().filter(|place| *place != "EOF");
    let before = args.insertbefore.as_ref().filter(|place| *place != "BOF");
    let Some((pattern, is_after)) = after
        .map(|pattern| (pattern, true))
        .or(before.map(|pattern| (pattern, false)))
    else {
        let at_start = args.insertbefore.is_some();
        return Ok(if at_start { 0 } else { lines.len() });
    };
    let name = if is_after {
        "insertafter"
    } else {
        "insertbefore"
    };
    let regex = PyRegex::new(pattern, Flags::default(), name)?;
    let mut found = None;
    if regex.is_multiline() {
        let place = regex.find(text)?;
        let whole = place.as_ref().and_then(|groups| groups.get(0));
        found = whole.map(|whole| {
            let until = if is_after { whole.end() } else { whole.start() };
            let before = text.get(..until).unwrap_or_default();
            before.matches('\n').count()
        });
    } else {
        for (number, line) in lines.iter().enumerate() {
            if regex.is_found(line)? {
                found = Some(number);
            }
        }
    }
    let at = found.map_or(lines.len(), |number| number + usize::from(is_after));
    Ok(at.min(lines.len()))
}
