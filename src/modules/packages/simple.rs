//! Package managers other than apt, in what they have in common: present, absent, latest.

use crate::choices;
use crate::module_args;
use crate::modules::streams::{command_failed, set_output};
use crate::modules::{Failure, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Map;

choices! {
    /// What packages are to be.
    pub enum State {
        /// Installed.
        Present = "present" | "installed",
        /// Installed in the newest version.
        Latest = "latest",
        /// Not installed.
        Absent = "absent" | "removed",
    }
}

module_args! {
    /// Arguments that these managers share.
    pub struct PackageArgs {
        /// The packages.
        name: Option<Vec<String>> => optional, aliases ["pkg", "package"];
        /// What they are to be.
        state: State => default("present");
        /// Refresh the package index first.
        update_cache: bool => default(false), aliases ["update-cache", "refresh"];
    }
}

/// A package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manager {
    Dnf,
    Yum,
    Apk,
    Pacman,
    Zypper,
}

impl Manager {
    /// The one that the machine has.
    pub fn detect(sys: &Sys) -> Option<Self> {
        [Self::Dnf, Self::Yum, Self::Apk, Self::Pacman, Self::Zypper]
            .into_iter()
            .find(|manager| sys.which(manager.program()).is_some())
    }

    pub fn program(self) -> &'static str {
        match self {
            Self::Dnf => "dnf",
            Self::Yum => "yum",
            Self::Apk => "apk",
            Self::Pacman => "pacman",
            Self::Zypper => "zypper",
        }
    }

    /// Asks whether a package is installed; it is if the command ends well.
    fn query(self) -> &'static [&'static str] {
        match self {
            Self::Dnf | Self::Yum | Self::Zypper => &["rpm", "-q", "--whatprovides"],
            Self::Apk => &["apk", "info", "-e"],
            Self::Pacman => &["pacman", "-Q"],
        }
    }

    fn refresh(self) -> &'static [&'static str] {
        match self {
            Self::Dnf => &["dnf", "-y", "makecache"],
            Self::Yum => &["yum", "-y", "makecache"],
            Self::Apk => &["apk", "update"],
            Self::Pacman => &["pacman", "-Sy", "--noconfirm"],
            Self::Zypper => &["zypper", "--non-interactive", "refresh"],
        }
    }

    fn install(self) -> &'static [&'static str] {
        match self {
            Self::Dnf => &["dnf", "-y", "install"],
            Self::Yum => &["yum", "-y", "install"],
            Self::Apk => &["apk", "add"],
            Self::Pacman => &["pacman", "-S", "--noconfirm", "--needed"],
            Self::Zypper => &["zypper", "--non-interactive", "install"],
        }
    }

    fn upgrade(self) -> &'static [&'static str] {
        match self {
            Self::Dnf => &["dnf", "-y", "upgrade"],
            Self::Yum => &["yum", "-y", "update"],
            Self::Apk => &["apk", "add", "--upgrade"],
            Self::Pacman => &["pacman", "-S", "--noconfirm", "--needed"],
            Self::Zypper => &["zypper", "--non-interactive", "update"],
        }
    }

    fn remove(self) -> &'static [&'static str] {
        match self {
            Self::Dnf => &["dnf", "-y", "remove"],
            Self::Yum => &["yum", "-y", "remove"],
            Self::Apk => &["apk", "del"],
            Self::Pacman => &["pacman", "-R", "--noconfirm"],
            Self::Zypper => &["zypper", "--non-interactive", "remove"],
        }
    }

    /// The installed package of that name, as the manager shows it (`name-version`).
    fn installed(self, name: &str, sys: &Sys) -> ModuleResult<Option<String>> {
        let words = self.query().iter().copied().chain([name]);
        let output = sys.query(&sys.tool(words))?;
        let text = output.text();
        let shown = text.lines().next().unwrap_or_default().trim();
        // apk ends well with nothing to say in some versions
        Ok((output.ok() && !shown.is_empty()).then(|| shown.to_owned()))
    }

    /// Those of the installed packages that have a newer version in the index.
    fn outdated(self, names: &[String], sys: &Sys) -> ModuleResult<Vec<String>> {
        let (words, wanted): (Vec<&str>, bool) = match self {
            // the code is 100 if there are some
            Self::Dnf => (vec!["dnf", "-q", "check-update"], true),
            Self::Yum => (vec!["yum", "-q", "check-update"], true),
            Self::Apk => (vec!["apk", "version", "-l", "<"], false),
            Self::Pacman => (vec!["pacman", "-Qu"], true),
            Self::Zypper => (
                vec!["zypper", "--non-interactive", "--quiet", "list-updates"],
                false,
            ),
        };
        let given = names.iter().map(String::as_str).filter(|_| wanted);
        let output = sys.query(&sys.tool(words.into_iter().chain(given)))?;
        let text = output.text();
        Ok(names
            .iter()
            .filter(|name| {
                text.lines().any(|line| match self {
                    // `name.arch  version  repository`
                    Self::Dnf | Self::Yum => line
                        .split_whitespace()
                        .next()
                        .and_then(|word| word.rsplit_once('.'))
                        .is_some_and(|(package, _)| package == name.as_str()),
                    // `name-version < newer`
                    Self::Apk => line
                        .split_whitespace()
                        .next()
                        .and_then(|word| word.strip_prefix(name.as_str()))
                        .is_some_and(|rest| {
                            rest.strip_prefix('-')
                                .is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
                        }),
                    Self::Pacman => line.split_whitespace().next() == Some(name),
                    // `v | repository | name | …`
                    Self::Zypper => line.split('|').nth(2).map(str::trim) == Some(name),
                })
            })
            .cloned()
            .collect())
    }

    /// Plans for it.
    pub fn plan<'a>(self, args: &'a PackageArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which(self.program()).is_none() {
            return Err(format!("{} is not there", self.program()).into());
        }
        let mut plan = Plan::new();
        let names: Vec<String> = args
            .name
            .iter()
            .flatten()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        if let Some(name) = names.iter().find(|name| name.starts_with('-')) {
            return Err(format!("No package matching '{name}' is available").into());
        }
        if args.update_cache {
            plan.always("refresh the package index", move |sys, _| {
                run(self.refresh(), &[], sys, &mut Map::new()).map(|()| false)
            });
        }
        let mut there = Vec::new();
        let mut missing = Vec::new();
        for name in &names {
            match self.installed(name, sys)? {
                Some(shown) => there.push((name.clone(), shown)),
                None => missing.push(name.clone()),
            }
        }
        if args.state == State::Absent {
            let gone: Vec<String> = there.iter().map(|(name, _)| name.clone()).collect();
            let before: String = there
                .iter()
                .map(|(_, shown)| format!("{shown}\n"))
                .collect();
            let diff = Diff::new("packages", Some(before), None::<String>);
            step(&mut plan, self.remove(), gone, diff);
            return Ok(plan);
        }
        let lines = |names: &[String]| names.iter().map(|n| format!("{n}\n")).collect::<String>();
        let diff = Diff::new("packages", None::<String>, Some(lines(&missing)));
        step(&mut plan, self.install(), missing, diff);
        if args.state == State::Latest && !there.is_empty() {
            let installed: Vec<String> = there.iter().map(|(name, _)| name.clone()).collect();
            let old = self.outdated(&installed, sys)?;
            let before: String = there
                .iter()
                .filter(|(name, _)| old.contains(name))
                .map(|(_, shown)| format!("{shown}\n"))
                .collect();
            let after = old
                .iter()
                .map(|n| format!("{n} (newest)\n"))
                .collect::<String>();
            let diff = Diff::new("packages", Some(before), Some(after));
            step(&mut plan, self.upgrade(), old, diff);
        }
        Ok(plan)
    }
}

fn step(plan: &mut Plan<'_>, verb: &'static [&'static str], names: Vec<String>, diff: Diff) {
    if names.is_empty() {
        return;
    }
    let what = format!("{} {}", verb.join(" "), names.join(" "));
    plan.act(what, Some(diff), move |sys, data| {
        run(verb, &names, sys, data)
    });
}

fn run(verb: &[&str], names: &[String], sys: &mut Sys, data: &mut Map) -> ModuleResult<()> {
    let words = verb.iter().copied().chain(names.iter().map(String::as_str));
    let command = sys.tool(words);
    let output = sys.run(&command)?;
    if output.ok() {
        set_output(data, &output, false);
        return Ok(());
    }
    let what = format!("'{}' failed", command.words().join(" "));
    let failure: Failure = command_failed(&what, &command, &output);
    Err(failure)
}
