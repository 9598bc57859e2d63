//! `git_config`: options of git.
//!
//! Source: git-config(1), and the documentation of `community.general.git_config`.

use crate::modules::streams::command_failed;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, Sys};
use crate::value::{ArgRule, Map, Value};
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// Whether an option is to be there.
    pub enum State {
        /// It is.
        Present = "present",
        /// It is not.
        Absent = "absent",
    }
}

choices! {
    /// Which file it is about.
    pub enum Scope {
        /// The one that is named.
        File = "file",
        /// The repository's.
        Local = "local",
        /// The user's.
        Global = "global",
        /// The machine's.
        System = "system",
    }
}

choices! {
    /// What becomes of other values.
    pub enum AddMode {
        /// They stay.
        Add = "add",
        /// They go.
        ReplaceAll = "replace-all",
    }
}

module_args! {
    /// Arguments of `git_config`.
    pub struct Args {
        /// The option, e.g. `user.email`.
        name: Option<String> => optional;
        /// Its value; without one it is only read.
        value: Option<String> => optional;
        /// Whether it is to be there.
        state: State => default("present");
        /// What becomes of other values.
        add_mode: AddMode => default("replace-all");
        /// Which file it is about; the machine's, or with `list_all` all of them, where nothing says so.
        scope: Option<Scope> => optional;
        /// The file, for the scope `file`.
        file: Option<PathBuf> => optional;
        /// The repository, for the scope `local`.
        repo: Option<PathBuf> => optional;
        /// List all options, without changing any.
        list_all: bool => default(false);
    }
}

/// The module.
pub struct GitConfig;

impl Module for GitConfig {
    const NAME: &'static str = "git_config";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Set, remove and list options of git.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["list_all", "name"]),
        ArgRule::Exclusive(&["list_all", "value"]),
        ArgRule::If("scope", "local", &["repo"]),
        ArgRule::If("scope", "file", &["file"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("git").is_none() {
            return Err("there is no `git` on this machine: install it first".into());
        }
        let mut plan = Plan::new();
        if args.list_all {
            let output = sys.query(&command(args, &["--list"], sys))?;
            let mut values = Map::new();
            for line in output.text().lines() {
                if let Some((name, value)) = line.split_once('=') {
                    values.insert(Value::data(name), Value::data(value));
                }
            }
            plan.returns("config_values", values);
            return Ok(plan);
        }
        let Some(name) = args.name.as_deref() else {
            return Err("one of the following is required: name, list_all".into());
        };
        let asked = command(args, &["--get-all", name], sys);
        let output = sys.query(&asked)?;
        if output.rc >= 2 {
            return Err(command_failed("the option cannot be read", &asked, &output));
        }
        let text = output.text();
        let now: Vec<&str> = text.lines().collect();
        if args.state == State::Present && args.value.is_none() {
            plan.returns(
                "config_value",
                Value::data(now.last().copied().unwrap_or("")),
            );
            return Ok(plan);
        }
        let lines = |values: &[&str]| values.iter().map(|v| format!("{v}\n")).collect::<String>();
        let after: Vec<&str> = match (args.state, args.value.as_deref(), args.add_mode) {
            (State::Absent, ..) => Vec::new(),
            (State::Present, Some(value), AddMode::ReplaceAll) => vec![value],
            (State::Present, Some(value), AddMode::Add) if !now.contains(&value) => {
                now.iter().copied().chain([value]).collect()
            }
            (State::Present, ..) => now.clone(),
        };
        if after == now {
            return Ok(plan);
        }
        let words = match (args.state, args.value.as_deref(), args.add_mode) {
            (State::Present, Some(value), AddMode::ReplaceAll) => {
                command(args, &["--replace-all", name, value], sys)
            }
            (State::Present, Some(value), AddMode::Add) => {
                command(args, &["--add", name, value], sys)
            }
            _ => command(args, &["--unset-all", name], sys),
        };
        let side = |values: &[&str]| (!values.is_empty()).then(|| lines(values));
        let diff = Diff::new(name, side(&now), side(&after));
        plan.act(format!("set {name}"), Some(diff), move |sys, _| {
            let output = sys.run(&words)?;
            if output.ok() {
                Ok(())
            } else {
                Err(command_failed("the option cannot be set", &words, &output))
            }
        });
        Ok(plan)
    }
}

fn command(args: &Args, rest: &[&str], sys: &Sys) -> Command {
    let mut words = vec![
        "git".to_owned(),
        "config".to_owned(),
        "--includes".to_owned(),
    ];
    let scope = args.scope.or((!args.list_all).then_some(Scope::System));
    match (scope, &args.file) {
        (Some(Scope::File), Some(file)) => {
            words.push("--file".into());
            words.push(sys.expand(file).to_string_lossy().into_owned());
        }
        (Some(scope), _) => words.push(format!("--{}", scope.word())),
        (None, _) => {}
    }
    words.extend(rest.iter().map(|word| (*word).to_owned()));
    let command = sys.tool(words);
    match (&args.repo, scope) {
        (Some(repo), None | Some(Scope::Local)) => command.cwd(sys.real_path(&sys.expand(repo))),
        // outside of any repository
        _ => command.cwd("/"),
    }
}
