//! `npm`: packages of Node.js, by the program `npm`.
//!
//! Source: Ansible's documentation of `community.general.npm`; npm's documentation, "npm ls", `--json`.

use crate::modules::files::parents::missing_directories;
use crate::modules::streams::command_failed;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, FileKind, Sys};
use crate::value::ArgRule;
use crate::{choices, module_args};
use serde_json::Value as Json;
use std::path::PathBuf;

choices! {
    /// What becomes of the package.
    pub enum State {
        /// It is there.
        Present = "present",
        /// It is not there.
        Absent = "absent",
        /// It is there, and the newest.
        Latest = "latest",
    }
}

module_args! {
    /// Arguments of `npm`.
    pub struct Args {
        /// The package; without it, what the `package.json` in `path` asks for.
        name: Option<String> => optional;
        /// The project's directory; it is made if it is missing.
        path: Option<PathBuf> => optional;
        /// The package's version.
        version: Option<String> => optional;
        /// For all users, in no project.
        global: bool => default(false);
        /// The program, if it is not on the path; words after it are its first arguments.
        executable: Option<String> => optional;
        /// Run no scripts of packages.
        ignore_scripts: bool => default(false);
        /// Run scripts of packages as the user that runs npm.
        unsafe_perm: bool => default(false);
        /// Install exactly what `package-lock.json` says, anew each time.
        ci: bool => default(false);
        /// Install nothing that is for development alone.
        production: bool => default(false);
        /// Where packages come from.
        registry: Option<String> => optional;
        /// What becomes of the package.
        state: State => default("present");
        /// Install nothing that is optional.
        no_optional: bool => default(false);
        /// Make no links to programs.
        no_bin_links: bool => default(false);
        /// Go on where npm would stop.
        force: bool => default(false);
    }
}

/// The module.
pub struct Npm;

impl Module for Npm {
    const NAME: &'static str = "npm";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Install, upgrade and remove packages of Node.js.";
    const RULES: &'static [ArgRule] = &[ArgRule::If("state", "absent", &["name"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.path.is_none() && !args.global {
            return Err("path must be specified when not using global".into());
        }
        let npm = Tool::new(args, sys)?;
        let mut plan = Plan::new();
        if args.ci {
            plan.repeats();
            npm.act(&mut plan, "ci", None);
            return Ok(plan);
        }
        let (installed, missing) = npm.list(sys)?;
        let what = npm.named().unwrap_or_else(|| "package.json".to_owned());
        if args.state == State::Absent {
            let name = args.name.as_deref().unwrap_or_default();
            if installed.iter().any(|known| known == name) {
                let diff = Diff::new(name, Some("installed\n"), None::<String>);
                npm.act(&mut plan, "uninstall", Some(diff));
            }
            return Ok(plan);
        }
        let outdated = args.state == State::Latest && npm.is_outdated(sys)?;
        if missing {
            let diff = Diff::new(what.as_str(), None::<String>, Some("installed\n"));
            npm.act(&mut plan, "install", Some(diff));
        }
        if outdated {
            let diff = Diff::new(what, Some("outdated\n"), Some("updated\n"));
            npm.act(&mut plan, "update", Some(diff));
        }
        Ok(plan)
    }
}

/// `npm` as it is started.
#[derive(Clone)]
struct Tool<'a> {
    args: &'a Args,
    program: Vec<String>,
    directory: Option<PathBuf>,
    is_there: bool,
}

impl<'a> Tool<'a> {
    fn new(args: &'a Args, sys: &Sys) -> ModuleResult<Self> {
        let program: Vec<String> = match &args.executable {
            Some(line) => line.split(' ').map(str::to_owned).collect(),
            None => vec!["npm".into()],
        };
        let first = program.first().map(String::as_str).unwrap_or_default();
        if sys.which(first).is_none() {
            return Err(Failure::new(format!(
                "{first} is not there: install Node.js, or say where npm is with `executable`"
            )));
        }
        let directory = args.path.as_ref().map(|path| sys.expand(path));
        let kind = match &directory {
            Some(path) => sys.stat(path, true)?.map(|meta| meta.kind),
            None => Some(FileKind::Directory),
        };
        if let (Some(path), Some(kind)) = (&directory, &kind)
            && *kind != FileKind::Directory
        {
            return Err(Failure::new(format!(
                "path {} is not a directory",
                path.display()
            )));
        }
        Ok(Self {
            args,
            program,
            directory,
            is_there: kind.is_some(),
        })
    }

    /// The package with its version.
    fn named(&self) -> Option<String> {
        let name = self.args.name.as_ref()?;
        Some(match &self.args.version {
            Some(version) if self.args.state != State::Absent => format!("{name}@{version}"),
            _ => name.clone(),
        })
    }

    fn command(&self, words: &[&str], named: bool) -> Command {
        let args = self.args;
        let mut all = self.program.clone();
        all.extend(words.iter().map(|&word| word.to_owned()));
        let installs = words
            .iter()
            .any(|word| matches!(*word, "install" | "update" | "ci"));
        let mut flag = |given: bool, option: &str| {
            if given {
                all.push(option.to_owned());
            }
        };
        flag(args.global, "--global");
        flag(args.production && installs, "--production");
        flag(args.ignore_scripts, "--ignore-scripts");
        flag(args.unsafe_perm, "--unsafe-perm");
        if named {
            all.extend(self.named());
        }
        if let Some(registry) = &args.registry {
            all.extend(["--registry".to_owned(), registry.clone()]);
        }
        let mut flag = |given: bool, option: &str| {
            if given {
                all.push(option.to_owned());
            }
        };
        flag(args.no_optional, "--no-optional");
        flag(args.no_bin_links, "--no-bin-links");
        flag(args.force, "--force");
        let mut command = Command::new(all).c_locale();
        command.cwd.clone_from(&self.directory);
        command
    }

    /// What is installed (names, and names with versions), and whether something is missing.
    fn list(&self, sys: &Sys) -> ModuleResult<(Vec<String>, bool)> {
        if !self.is_there {
            return Ok((Vec::new(), true));
        }
        // it ends with 1 where something is missing
        let text = sys
            .query(&self.command(&["list", "--json", "--long"], false))?
            .text();
        let text = if text.trim().is_empty() {
            "{}"
        } else {
            text.as_str()
        };
        let listed: Json = serde_json::from_str(text).map_err(|error| {
            Failure::new(format!("Failed to parse NPM output with error {error}"))
        })?;
        let Some(all) = listed.get("dependencies").and_then(Json::as_object) else {
            return Ok((Vec::new(), true));
        };
        let mut installed = Vec::new();
        let mut missing = false;
        for (name, about) in all {
            let is = |flag: &str| match about.get(flag) {
                None | Some(Json::Null | Json::Bool(false)) => false,
                Some(Json::String(text)) => !text.is_empty(),
                Some(_) => true,
            };
            if is("missing") || is("invalid") {
                missing = true;
                continue;
            }
            installed.push(name.clone());
            if let Some(version) = about.get("version").and_then(Json::as_str) {
                installed.push(format!("{name}@{version}"));
            }
        }
        missing |= self.named().is_some_and(|name| !installed.contains(&name));
        Ok((installed, missing))
    }

    fn is_outdated(&self, sys: &Sys) -> ModuleResult<bool> {
        if !self.is_there {
            return Ok(false);
        }
        let output = sys.query(&self.command(&["outdated"], true))?;
        Ok(!output.text().trim().is_empty())
    }

    fn act(&self, plan: &mut Plan<'a>, verb: &'static str, diff: Option<Diff>) {
        let tool = self.clone();
        plan.act(format!("npm {verb}"), diff, move |sys, _| {
            if let Some(directory) = tool.directory.as_ref().filter(|_| !tool.is_there) {
                for missing in missing_directories(sys, directory)? {
                    sys.make_dir(&missing, 0o755)?;
                }
            }
            let command = tool.command(&[verb], true);
            let output = sys.run(&command)?;
            if output.ok() {
                Ok(())
            } else {
                Err(command_failed("npm", &command, &output))
            }
        });
    }
}
