//! `sudoers`: a rule for sudo in a file of its own.
//!
//! Source: the documentation of `community.general.sudoers`.

use crate::modules::files::attrs::{FileAttrs, Mode};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Value};
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// Whether the rule is there.
    pub enum State {
        /// It is.
        Present = "present",
        /// It is not.
        Absent = "absent",
    }
}

choices! {
    /// Whether `visudo` looks at the rule.
    pub enum Validation {
        /// No.
        Absent = "absent",
        /// If it is there.
        Detect = "detect",
        /// It must.
        Required = "required",
    }
}

module_args! {
    /// Arguments of `sudoers`.
    pub struct Args {
        /// The file's name.
        name: String => required;
        /// Whether it is there.
        state: State => default("present");
        /// Commands that may be run; `ALL` is any.
        commands: Option<Vec<String>> => optional;
        /// The user who may.
        user: Option<String> => optional;
        /// The group that may.
        group: Option<String> => optional;
        /// The machine on which they may.
        host: String => default("ALL");
        /// As whom they may, e.g. `root` or `ALL:ALL`.
        runas: Option<String> => optional;
        /// No password is asked for.
        nopassword: bool => default(true);
        /// What is run cannot run more.
        noexec: bool => default(false);
        /// The environment may be kept.
        setenv: bool => default(false);
        /// The directory of the file.
        sudoers_path: PathBuf => default("/etc/sudoers.d");
        /// Whether `visudo` looks at the rule before it is written.
        validation: Validation => default("detect");
    }
}

impl Args {
    fn rule(&self) -> ModuleResult<String> {
        let owner = match (&self.user, &self.group) {
            (Some(user), _) => user.clone(),
            (None, Some(group)) => format!("%{group}"),
            (None, None) => {
                return Err(
                    "state is present but any of the following are missing: user, group".into(),
                );
            }
        };
        let Some(commands) = &self.commands else {
            return Err("state is present but all of the following are missing: commands".into());
        };
        let runas = self.runas.as_ref().map(|runas| format!("({runas})"));
        Ok(format!(
            "{owner} {}={}{}{}{} {}\n",
            self.host,
            runas.unwrap_or_default(),
            if self.noexec { "NOEXEC:" } else { "" },
            if self.nopassword { "NOPASSWD:" } else { "" },
            if self.setenv { "SETENV:" } else { "" },
            commands.join(", ")
        ))
    }
}

/// The module.
pub struct Sudoers;

impl Module for Sudoers {
    const NAME: &'static str = "sudoers";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "A rule for sudo in a file of its own.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&["user", "group"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.name.contains('/') {
            return Err("name: it is the name of a file, without directories".into());
        }
        let path = sys.expand(&args.sudoers_path).join(&args.name);
        let mut plan = Plan::new();
        if args.state == State::Absent {
            if sys.exists(&path) {
                let before = sys.read_text(&path)?;
                let diff = Diff::new(path.to_string_lossy(), before, None::<String>);
                plan.step(diff, move |sys| sys.remove_file(&path));
            }
            return Ok(plan);
        }
        let rule = args.rule()?;
        let attrs = FileAttrs {
            mode: Mode::parse("0440").ok(),
            ..FileAttrs::nothing()
        };
        let old = sys.read_text(&path)?;
        if old.as_deref() == Some(rule.as_str()) {
            attrs.plan(sys, &mut plan, &path, true)?;
            return Ok(plan);
        }
        validate(args, sys, &rule)?;
        let options = attrs.write_options(sys, &path)?;
        let diff = Diff::new(path.to_string_lossy(), old, Some(rule.clone()));
        plan.step(diff, move |sys| sys.write(&path, rule.as_bytes(), &options));
        Ok(plan)
    }
}

fn validate(args: &Args, sys: &Sys, rule: &str) -> ModuleResult<()> {
    match (args.validation, sys.which("visudo")) {
        (Validation::Absent, _) | (Validation::Detect, None) => return Ok(()),
        (Validation::Required, None) => {
            return Err("Failed to find required executable \"visudo\"".into());
        }
        (_, Some(_)) => {}
    }
    let command = sys.tool(["visudo", "-c", "-f", "-"]).stdin(rule);
    let output = sys.query(&command)?;
    if output.ok() {
        return Ok(());
    }
    let said = output.text();
    let complaint = if said.trim().is_empty() {
        output.complaint()
    } else {
        said.clone()
    };
    Err(
        Failure::new(format!("Failed to validate sudoers rule:\n{complaint}"))
            .with("stdout", Value::data(said)),
    )
}
