//! `locale_gen`: the locales that the machine has.
//!
//! Source: Ansible's documentation of `community.general.locale_gen`; locale-gen(8).

use crate::modules::steps::{rewrite, run_tool};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Value;
use crate::{choices, module_args};
use std::path::Path;

choices! {
    /// Whether the locales are to be there.
    pub enum State {
        /// They are not.
        Absent = "absent",
        /// They are.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `locale_gen`.
    pub struct Args {
        /// The locales, e.g. `de_CH.UTF-8`.
        name: Vec<String> => required;
        /// Whether they are to be there.
        state: State => default("present");
    }
}

const FILE: &str = "/etc/locale.gen";

/// A locale's name as `locale -a` and the file both may write it.
fn plain(name: &str) -> String {
    let (lang, rest) = name.split_once('.').unwrap_or((name, ""));
    let (charset, modifier) = rest.split_once('@').unwrap_or((rest, ""));
    let charset: String = charset
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!("{lang}.{}@{modifier}", charset.to_ascii_lowercase())
}

/// The locale of a line of the file, and whether it is in force.
fn entry(line: &str) -> Option<(&str, bool)> {
    let line = line.trim();
    let (text, on) = match line.strip_prefix('#') {
        Some(rest) => (rest.trim(), false),
        None => (line, true),
    };
    let mut words = text.split_whitespace();
    let name = words.next()?;
    // comments in prose have more words than a locale and its charset
    (words.next().is_some() && words.next().is_none() && name.contains('_')).then_some((name, on))
}

/// The module.
pub struct LocaleGen;

impl Module for LocaleGen {
    const NAME: &'static str = "locale_gen";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Make and remove locales.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = Path::new(FILE);
        let Some(text) = sys.read_text(path)? else {
            return Err("/etc/locale.gen is missing. Is the package \"locales\" installed?".into());
        };
        let there: Vec<String> = crate::modules::steps::ask_tool(sys, &["locale", "-a"])?
            .lines()
            .map(plain)
            .collect();
        let on = args.state == State::Present;
        let mut new = text.clone();
        for name in &args.name {
            let known = text.lines().filter_map(entry).any(|(have, _)| have == name);
            if !known && on {
                let supported = sys
                    .read_text(Path::new("/usr/share/i18n/SUPPORTED"))?
                    .unwrap_or_default();
                let line = supported
                    .lines()
                    .find(|line| line.split_whitespace().next() == Some(name));
                let Some(line) = line else {
                    return Err(Failure::new(format!(
                        "The following locales you have entered are not available on your system: {name}"
                    )));
                };
                if !new.is_empty() && !new.ends_with('\n') {
                    new.push('\n');
                }
                new.push_str(line);
                new.push('\n');
            }
            new = new
                .split_inclusive('\n')
                .map(|line| match entry(line) {
                    Some((have, is_on)) if have == name && is_on != on => {
                        if on {
                            line.trim_start()
                                .trim_start_matches('#')
                                .trim_start()
                                .to_owned()
                        } else {
                            format!("# {line}")
                        }
                    }
                    _ => line.to_owned(),
                })
                .collect();
        }
        let mut plan = Plan::new();
        plan.returns(
            "name",
            Value::list(args.name.iter().map(|n| Value::data(n.as_str())).collect()),
        );
        rewrite(sys, &mut plan, path, new, false)?;
        let open: Vec<&str> = args
            .name
            .iter()
            .map(String::as_str)
            .filter(|name| there.contains(&plain(name)) != on)
            .collect();
        if !open.is_empty() {
            let list = format!("{}\n", open.join("\n"));
            let (before, after) = if on {
                (None, Some(list))
            } else {
                (Some(list), None)
            };
            plan.act(
                "make the locales",
                Some(Diff::new("locales", before, after)),
                move |sys, _| {
                    let words: &[&str] = if on {
                        &["locale-gen"]
                    } else {
                        &["locale-gen", "--purge"]
                    };
                    run_tool(sys, words).map(drop)
                },
            );
        }
        Ok(plan)
    }
}
