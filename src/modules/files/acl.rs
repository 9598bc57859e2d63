//! `acl`: access control lists of files.
//!
//! Source: Ansible's documentation of `ansible.posix.acl`; setfacl(1), `--test`.

use crate::modules::steps::ask_tool;
use crate::modules::streams::command_failed;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Value;
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// What becomes of the entry.
    pub enum State {
        /// It is not there.
        Absent = "absent",
        /// It is there.
        Present = "present",
        /// The list is only read.
        Query = "query",
    }
}

choices! {
    /// Whom an entry is about.
    pub enum Kind {
        /// A group.
        Group = "group",
        /// The most that any but the owner and others have.
        Mask = "mask",
        /// All others.
        Other = "other",
        /// A user.
        User = "user",
    }
}

choices! {
    /// What becomes of the mask.
    pub enum Recalculate {
        /// As `setfacl` does it.
        Default = "default",
        /// It is computed anew.
        Mask = "mask",
        /// It stays.
        NoMask = "no_mask",
    }
}

module_args! {
    /// Arguments of `acl`.
    pub struct Args {
        /// The file or directory.
        path: PathBuf => required, aliases ["name"];
        /// What becomes of the entry.
        state: State => default("query");
        /// Whether links are followed.
        follow: bool => default(true);
        /// The entry is for what will be made in the directory.
        default: bool => default(false);
        /// The user or group; the owner's without it.
        entity: String => default("");
        /// Whom the entry is about.
        etype: Option<Kind> => optional;
        /// What is allowed: `r`, `w`, `x`, `X`.
        permissions: Option<String> => optional;
        /// The old way to write an entry: `[d:]etype:entity[:permissions]`.
        entry: Option<String> => optional;
        /// The same for everything in the directory.
        recursive: bool => default(false), aliases ["recurse"];
        /// Lists as NFSv4 has them, by `nfs4_setfacl`.
        use_nfsv4_acls: bool => default(false);
        /// What becomes of the mask.
        recalculate_mask: Recalculate => default("default");
    }
}

/// The module.
pub struct Acl;

/// An entry that is wished for or away.
struct Entry {
    default: bool,
    text: String,
}

impl Module for Acl {
    const NAME: &'static str = "acl";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Read, set and remove entries of a file's access control list.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        if sys.stat(&path, true)?.is_none() {
            return Err("Path not found or not accessible.".into());
        }
        let path = path.to_string_lossy().into_owned();
        let entry = entry(args)?;
        let default = entry.as_ref().map_or(args.default, |entry| entry.default);
        let read = read_words(args, default, &path);
        let mut plan = Plan::new();
        let Some(entry) = entry else {
            plan.returns("msg", "current acl");
            plan.returns("acl", list(sys, &read)?);
            return Ok(plan);
        };
        let (word, mode) = match (args.state, args.use_nfsv4_acls) {
            (State::Absent, _) => ("absent", "-x"),
            (_, true) => ("present", "-a"),
            (_, false) => ("present", "-m"),
        };
        plan.returns("msg", Value::data(format!("{} is {word}", entry.text)));
        let test = set_words(args, &entry, mode, true, &path);
        let change = set_words(args, &entry, mode, false, &path);
        let foreseen = asked(sys, &test)?;
        if !changes(&foreseen, args.use_nfsv4_acls, &entry.text) {
            plan.returns("acl", list(sys, &read)?);
            return Ok(plan);
        }
        let now = list(sys, &read)?;
        let text = |lines: &[Value]| {
            lines
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>()
        };
        let diff = Diff::new(
            path.as_str(),
            Some(text(&now)),
            Some(format!("{}{}: {word}\n", text(&now), entry.text)),
        );
        plan.returns("acl", now);
        plan.act(
            format!("{} of {path}", entry.text),
            Some(diff),
            move |sys, data| {
                let command = sys.tool(change.iter().map(String::as_str));
                let output = sys.run(&command)?;
                if !output.ok() {
                    return Err(command_failed(
                        "the list cannot be changed",
                        &command,
                        &output,
                    ));
                }
                data.set("acl", list(sys, &read)?);
                Ok(())
            },
        );
        Ok(plan)
    }
}

fn entry(args: &Args) -> ModuleResult<Option<Entry>> {
    if args.state == State::Query {
        if args.recursive {
            return Err("'recursive' MUST NOT be set when 'state=query'.".into());
        }
        if args.recalculate_mask != Recalculate::Default {
            return Err(
                "'recalculate_mask' MUST NOT be set to 'mask' or 'no_mask' when 'state=query'."
                    .into(),
            );
        }
    }
    let word = args.state.word();
    if let Some(text) = args.entry.as_deref().filter(|text| !text.is_empty()) {
        let colons = text.matches(':').count();
        let has_parts =
            args.etype.is_some() || !args.entity.is_empty() || args.permissions.is_some();
        return match args.state {
            _ if has_parts => Err(
                "'entry' MUST NOT be set when 'entity', 'etype' or 'permissions' are set.".into(),
            ),
            State::Present if !matches!(colons, 2 | 3) => {
                Err("'entry' MUST have 3 or 4 sections divided by ':' when 'state=present'.".into())
            }
            State::Absent if !matches!(colons, 1 | 2) => {
                Err("'entry' MUST have 2 or 3 sections divided by ':' when 'state=absent'.".into())
            }
            State::Query => Err("'entry' MUST NOT be set when 'state=query'.".into()),
            _ => split(text, args).map(Some),
        };
    }
    if args.state == State::Query {
        return Ok(None);
    }
    if args.state == State::Absent && args.permissions.is_some() && !args.use_nfsv4_acls {
        return Err("'permissions' MUST NOT be set when 'state=absent'.".into());
    }
    if args.state == State::Absent && args.entity.is_empty() {
        return Err("'entity' MUST be set when 'state=absent'.".into());
    }
    let Some(kind) = args.etype else {
        return Err(Failure::new(format!(
            "'etype' MUST be set when 'state={word}'."
        )));
    };
    built(
        args,
        args.default,
        kind.word(),
        &args.entity,
        args.permissions.as_deref(),
    )
    .map(Some)
}

fn split(text: &str, args: &Args) -> ModuleResult<Entry> {
    let mut parts: Vec<&str> = text.split(':').collect();
    let is_default = text.to_lowercase().starts_with('d');
    if is_default {
        parts.remove(0);
    }
    let [kind, entity, rest @ ..] = parts.as_slice() else {
        return Err(Failure::new(format!("`{text}` is no entry of a list")));
    };
    let kind = match kind.chars().next().map(|c| c.to_ascii_lowercase()) {
        Some('u') => "user",
        Some('g') => "group",
        Some('m') => "mask",
        Some('o') => "other",
        _ => {
            return Err(Failure::new(format!(
                "`{kind}` in the entry `{text}` is none of user, group, mask, other"
            )));
        }
    };
    built(
        args,
        is_default || args.default,
        kind,
        entity,
        rest.first().copied(),
    )
}

fn built(
    args: &Args,
    default: bool,
    kind: &str,
    entity: &str,
    permissions: Option<&str>,
) -> ModuleResult<Entry> {
    let permissions = permissions.filter(|text| !text.is_empty());
    let text = if args.use_nfsv4_acls {
        let Some(permissions) = permissions else {
            return Err("'permissions' MUST be set for lists of NFSv4".into());
        };
        let group = if kind == "group" { "g" } else { "" };
        format!("A:{group}:{entity}:{permissions}tcy")
    } else {
        match permissions.filter(|_| args.state == State::Present) {
            Some(permissions) => format!("{kind}:{entity}:{permissions}"),
            None => format!("{kind}:{entity}"),
        }
    };
    Ok(Entry { default, text })
}

fn set_words(args: &Args, entry: &Entry, mode: &str, test: bool, path: &str) -> Vec<String> {
    let nfs = args.use_nfsv4_acls;
    let mut words = vec![if nfs { "nfs4_setfacl" } else { "setfacl" }];
    let mut flag = |given: bool, option: &'static str| words.extend(given.then_some(option));
    flag(test, "--test");
    flag(entry.default, "-d");
    words.extend([mode, entry.text.as_str()]);
    let mut flag = |given: bool, option: &'static str| words.extend(given.then_some(option));
    flag(args.recursive && !nfs, "--recursive");
    flag(args.recalculate_mask == Recalculate::Mask, "--mask");
    flag(args.recalculate_mask == Recalculate::NoMask, "--no-mask");
    flag(!args.follow && !nfs, "--physical");
    words.push(path);
    words.into_iter().map(str::to_owned).collect()
}

fn read_words(args: &Args, default: bool, path: &str) -> Vec<String> {
    let mut words = if args.use_nfsv4_acls {
        vec!["nfs4_getfacl"]
    } else {
        vec!["getfacl", "--absolute-names", "--omit-header"]
    };
    let mut flag = |given: bool, option: &'static str| words.extend(given.then_some(option));
    flag(args.recursive && !args.use_nfsv4_acls, "--recursive");
    flag(!args.follow && !args.use_nfsv4_acls, "--physical");
    if default {
        words.insert(1, "-d");
    }
    words.push(path);
    words.into_iter().map(str::to_owned).collect()
}

fn asked(sys: &Sys, words: &[String]) -> ModuleResult<String> {
    let program = words.first().map(String::as_str).unwrap_or_default();
    if sys.which(program).is_none() {
        let package = if program.starts_with("nfs4") {
            "nfs4-acl-tools"
        } else {
            "acl"
        };
        return Err(Failure::new(format!(
            "{program} is not there: install the package {package}"
        )));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    ask_tool(sys, &words)
}

fn list(sys: &Sys, words: &[String]) -> ModuleResult<Vec<Value>> {
    let text = asked(sys, words)?;
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::trim);
    let mut lines: Vec<Value> = lines.map(Value::data).collect();
    if lines.last().is_some_and(|line| line.to_string().is_empty()) {
        lines.pop();
    }
    Ok(lines)
}

/// What a test says: `setfacl` writes `*,*` for a file that stays as it is; `nfs4_setfacl` shows the list as it would be,
/// with the entry twice if it is there already.
fn changes(foreseen: &str, nfs: bool, entry: &str) -> bool {
    let mut lines = foreseen
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    if nfs {
        return lines.filter(|line| *line == entry).count() < 2;
    }
    lines.any(|line| !line.ends_with("*,*"))
}
