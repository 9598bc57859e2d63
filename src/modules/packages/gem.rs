//! `gem`: packages of Ruby, by the program `gem`.
//!
//! Source: Ansible's documentation of `community.general.gem`; RubyGems' documentation, "Command Reference".

use super::npm::State;
use crate::module_args;
use crate::modules::streams::command_failed;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, Sys};
use crate::value::{ArgRule, Value};
use std::path::{Path, PathBuf};

module_args! {
    /// Arguments of `gem`.
    pub struct Args {
        /// The package.
        name: String => required;
        /// What becomes of it.
        state: State => default("present");
        /// A file that it is installed from.
        gem_source: Option<PathBuf> => optional;
        /// Also what it depends on.
        include_dependencies: bool => default(true);
        /// Where it comes from.
        repository: Option<String> => optional, aliases ["source"];
        /// For the user alone.
        user_install: bool => default(true);
        /// The program, if it is not on the path; words after it are its first arguments.
        executable: Option<String> => optional;
        /// A directory of its own. Needs `user_install: false`.
        install_dir: Option<PathBuf> => optional;
        /// Where its programs go.
        bindir: Option<PathBuf> => optional;
        /// Read no `.gemrc`.
        norc: bool => default(true);
        /// Let its programs look for Ruby on the path.
        env_shebang: bool => default(false);
        /// Its version.
        version: Option<String> => optional;
        /// Take versions that are not finished, too.
        pre_release: bool => default(false);
        /// Install its documentation.
        include_doc: bool => default(false);
        /// Words for building it.
        build_flags: Option<String> => optional;
        /// Do it whatever depends on it.
        force: bool => default(false);
    }
}

/// The module.
pub struct Gem;

impl Module for Gem {
    const NAME: &'static str = "gem";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Install, upgrade and remove packages of Ruby.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["gem_source", "repository"]),
        ArgRule::Exclusive(&["gem_source", "version"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.version.is_some() && args.state == State::Latest {
            return Err("Cannot specify version when state=latest".into());
        }
        if args.gem_source.is_some() && args.state == State::Latest {
            return Err("Cannot maintain state=latest when installing from local source".into());
        }
        if args.user_install && args.install_dir.is_some() {
            return Err("install_dir requires user_install=false".into());
        }
        let tool = Tool::new(args, sys)?;
        let version = match args.state {
            State::Latest => tool.versions(sys, true)?.into_iter().next(),
            _ => args.version.clone(),
        };
        let installed = tool.versions(sys, false)?;
        let is_there = match &version {
            Some(version) => installed.contains(version),
            None => !installed.is_empty(),
        };
        let mut plan = Plan::new();
        plan.returns("name", args.name.as_str());
        plan.returns("state", args.state.word());
        if let Some(version) = &version {
            plan.returns("version", Value::data(version.as_str()));
        }
        let wanted = args.state != State::Absent;
        if is_there == wanted {
            return Ok(plan);
        }
        let now = (!installed.is_empty()).then(|| format!("{}\n", installed.join("\n")));
        let after = match (wanted, &version) {
            (true, Some(version)) => Some(format!("{version}\n")),
            (true, None) => Some("installed\n".to_owned()),
            (false, _) => None,
        };
        let words = if wanted {
            tool.install(sys, version.as_deref())
        } else {
            tool.uninstall(sys, version.as_deref())
        };
        let command = tool.command(words);
        let diff = Diff::new(args.name.as_str(), now, after);
        plan.act(format!("gem {}", args.name), Some(diff), move |sys, _| {
            let output = sys.run(&command)?;
            if output.ok() {
                Ok(())
            } else {
                Err(command_failed("gem", &command, &output))
            }
        });
        Ok(plan)
    }
}

/// `gem` as it is started.
struct Tool<'a> {
    args: &'a Args,
    program: Vec<String>,
    /// RubyGems' own version.
    own: Vec<u64>,
    home: Option<String>,
}

impl<'a> Tool<'a> {
    fn new(args: &'a Args, sys: &Sys) -> ModuleResult<Self> {
        let program: Vec<String> = match &args.executable {
            Some(line) => line.split(' ').map(str::to_owned).collect(),
            None => vec!["gem".into()],
        };
        let first = program.first().map(String::as_str).unwrap_or_default();
        if sys.which(first).is_none() {
            return Err(Failure::new(format!(
                "{first} is not there: install Ruby, or say where gem is with `executable`"
            )));
        }
        let home = args.install_dir.as_ref().map(|dir| shown(sys, dir));
        let mut tool = Self {
            args,
            program,
            own: Vec::new(),
            home,
        };
        let said = tool.ask(sys, vec!["--version".into()])?;
        tool.own = said
            .trim()
            .split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect();
        Ok(tool)
    }

    fn is_older(&self, than: [u64; 3]) -> bool {
        !self.own.is_empty() && self.own.as_slice() < than.as_slice()
    }

    fn command(&self, words: Vec<String>) -> Command {
        let command = Command::new(self.program.iter().cloned().chain(words)).c_locale();
        match &self.home {
            Some(home) => command.env("GEM_HOME", home.as_str()),
            None => command,
        }
    }

    fn ask(&self, sys: &Sys, words: Vec<String>) -> ModuleResult<String> {
        let command = self.command(words);
        let output = sys.query(&command)?;
        if output.ok() {
            Ok(output.text())
        } else {
            Err(command_failed("gem", &command, &output))
        }
    }

    /// A command with what all have.
    fn words(&self, verb: &str) -> Vec<String> {
        let mut words = vec![verb.to_owned()];
        if self.args.norc && !self.is_older([2, 5, 2]) {
            words.push("--norc".into());
        }
        words
    }

    /// Versions that are installed, or that there are; the newest first.
    fn versions(&self, sys: &Sys, remote: bool) -> ModuleResult<Vec<String>> {
        let mut words = self.words("list");
        if remote {
            words.push("--remote".into());
            if let Some(repository) = &self.args.repository {
                words.extend(["--source".to_owned(), repository.clone()]);
            }
        }
        words.push(format!("^{}$", self.args.name));
        let mut found = Vec::new();
        for line in self.ask(sys, words)?.lines() {
            // `rake (default: 13.0.6, 12.3.3 ruby java)`
            let Some((_, versions)) = line.trim_end().trim_end_matches(')').split_once(" (") else {
                continue;
            };
            let versions = versions
                .split(", ")
                .map(|version| version.trim_start_matches("default: "));
            found.extend(
                versions
                    .filter_map(|version| version.split_whitespace().next())
                    .map(str::to_owned),
            );
        }
        Ok(found)
    }

    fn places(&self, sys: &Sys, words: &mut Vec<String>) {
        for (option, path) in [
            ("--install-dir", &self.args.install_dir),
            ("--bindir", &self.args.bindir),
        ] {
            if let Some(path) = path {
                words.extend([option.to_owned(), shown(sys, path)]);
            }
        }
    }

    fn install(&self, sys: &Sys, version: Option<&str>) -> Vec<String> {
        let args = self.args;
        let mut words = self.words("install");
        for (option, value) in [
            ("--version", version),
            ("--source", args.repository.as_deref()),
        ] {
            if let Some(value) = value {
                words.extend([option.to_owned(), value.to_owned()]);
            }
        }
        let old = self.is_older([2, 0, 0]);
        let mut flag = |given: bool, option: &str| {
            if given {
                words.push(option.to_owned());
            }
        };
        flag(!args.include_dependencies, "--ignore-dependencies");
        flag(args.include_dependencies && old, "--include-dependencies");
        flag(args.user_install, "--user-install");
        flag(!args.user_install, "--no-user-install");
        self.places(sys, &mut words);
        let mut flag = |given: bool, option: &str| {
            if given {
                words.push(option.to_owned());
            }
        };
        flag(args.pre_release, "--pre");
        flag(!args.include_doc && !old, "--no-document");
        flag(!args.include_doc && old, "--no-rdoc");
        flag(!args.include_doc && old, "--no-ri");
        flag(args.env_shebang, "--env-shebang");
        flag(args.force, "--force");
        words.push(match &args.gem_source {
            Some(file) => shown(sys, file),
            None => args.name.clone(),
        });
        if let Some(flags) = &args.build_flags {
            words.extend(["--".to_owned(), flags.clone()]);
        }
        words
    }

    fn uninstall(&self, sys: &Sys, version: Option<&str>) -> Vec<String> {
        let mut words = self.words("uninstall");
        self.places(sys, &mut words);
        match version {
            Some(version) => words.extend(["--version".to_owned(), version.to_owned()]),
            None => words.push("--all".into()),
        }
        words.push("--executable".into());
        if self.args.force {
            words.push("--force".into());
        }
        words.push(self.args.name.clone());
        words
    }
}

fn shown(sys: &Sys, path: &Path) -> String {
    sys.expand(path).to_string_lossy().into_owned()
}
