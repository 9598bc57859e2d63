//! `capabilities`: what of root's powers a program has.
//!
//! Source: Ansible's documentation of `community.general.capabilities`; setcap(8).

use crate::modules::steps::run_tool;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Value;
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// Whether the program is to have it.
    pub enum State {
        /// It has not.
        Absent = "absent",
        /// It has.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `capabilities`.
    pub struct Args {
        /// The program.
        path: PathBuf => required, aliases ["key"];
        /// The capability with its sets, e.g. `cap_net_bind_service+ep`.
        capability: String => required, aliases ["cap"];
        /// Whether it is to have it.
        state: State => default("present");
    }
}

/// A capability: its name, an operator, its sets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Cap {
    name: String,
    operator: char,
    sets: String,
}

fn parse(text: &str) -> Option<Cap> {
    let at = text.find(['=', '+', '-'])?;
    let (name, rest) = text.split_at(at);
    let mut chars = rest.chars();
    let operator = chars.next()?;
    let mut sets: Vec<char> = chars.collect();
    sets.sort_unstable();
    Some(Cap {
        name: name.trim().to_ascii_lowercase(),
        operator,
        sets: sets.into_iter().collect(),
    })
}

/// The module.
pub struct Capabilities;

impl Module for Capabilities {
    const NAME: &'static str = "capabilities";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Give programs single powers of root, and take them.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.expand(&args.path);
        let shown = path.to_string_lossy().into_owned();
        let wanted = parse(&args.capability)
            .filter(|cap| !cap.name.is_empty())
            .ok_or_else(|| {
                format!(
                    "Couldn't find operator (one of: =, -, +) in {}",
                    args.capability
                )
            })?;
        if !sys.exists(&path) {
            return Err(format!("{shown} does not exist").into());
        }
        let text = crate::modules::steps::ask_tool(sys, &["getcap", &shown])?;
        let now = of_output(&text, &shown);
        let same = |cap: &Cap| cap.name == wanted.name && cap.sets == wanted.sets;
        let named = now.iter().any(|cap| cap.name == wanted.name);
        let mut plan = Plan::new();
        plan.returns("msg", "capabilities unchanged");
        let change = match args.state {
            State::Present => !now.iter().any(same),
            State::Absent => named,
        };
        if !change {
            return Ok(plan);
        }
        plan.returns("msg", "capabilities changed");
        let mut new: Vec<Cap> = now
            .iter()
            .filter(|cap| cap.name != wanted.name)
            .cloned()
            .collect();
        if args.state == State::Present {
            new.push(wanted);
        }
        let words: Vec<String> = new
            .iter()
            .map(|cap| format!("{}{}{}", cap.name, cap.operator, cap.sets))
            .collect();
        let joined = words.join(" ");
        let before = text.trim().to_owned();
        let diff = Diff::new(
            shown.as_str(),
            Some(format!("{before}\n")),
            Some(format!("{shown} {joined}\n")),
        );
        plan.act(
            format!("set the capabilities of {shown}"),
            Some(diff),
            move |sys, data| {
                let argument = if joined.is_empty() {
                    "-r"
                } else {
                    joined.as_str()
                };
                let output = run_tool(sys, &["setcap", argument, &shown])?;
                data.set("stdout", Value::data(output.text()));
                Ok(())
            },
        );
        Ok(plan)
    }
}

/// What `getcap` prints: `path cap_a,cap_b=ep cap_c+i`, in older versions with ` = ` after the path.
fn of_output(text: &str, path: &str) -> Vec<Cap> {
    let rest = text.trim().strip_prefix(path).unwrap_or_default().trim();
    let rest = rest.strip_prefix("= ").unwrap_or(rest);
    rest.split_whitespace()
        .filter_map(parse)
        .flat_map(|cap| {
            cap.name
                .split(',')
                .map(|name| Cap {
                    name: name.to_owned(),
                    ..cap.clone()
                })
                .collect::<Vec<_>>()
        })
        .collect()
}
