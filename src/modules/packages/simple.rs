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

/// What dnf or yum say where there is something to do, and nobody agrees to it.
const TRANSACTION: &[&str] = &[
    "Transaction Summary",
    "Operation aborted",
    "Exiting on user",
];

/// What only some of them can do.
#[derive(Clone, Debug, Default)]
pub(super) struct Extra {
    /// Options for every command that looks at repositories.
    pub flags: Vec<String>,
    /// Options for upgrades alone.
    pub upgrade_flags: Vec<String>,
    /// Install nothing that is missing.
    pub update_only: bool,
    /// Remove also what nothing needs any more.
    pub autoremove: bool,
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
    /// All, in the order in which they are looked for.
    pub const ALL: [Self; 5] = [Self::Dnf, Self::Yum, Self::Apk, Self::Pacman, Self::Zypper];

    /// The one that the machine has.
    pub fn detect(sys: &Sys) -> Option<Self> {
        Self::ALL
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
        let mut output = sys.query(&sys.tool(words))?;
        // what is provided has no version in its name
        if !output.ok() && matches!(self, Self::Dnf | Self::Yum) && has_version(name) {
            output = sys.query(&sys.tool(["rpm", "-q", name]))?;
        }
        let text = output.text();
        let shown = text.lines().next().unwrap_or_default().trim();
        // apk ends well with nothing to say in some versions
        Ok((output.ok() && !shown.is_empty()).then(|| shown.to_owned()))
    }

    /// Those of the installed packages that have a newer version in the index.
    fn outdated(self, names: &[String], flags: &[String], sys: &Sys) -> ModuleResult<Vec<String>> {
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
        let flags = flags.iter().map(String::as_str);
        let output = sys.query(&sys.tool(words.into_iter().chain(flags).chain(given)))?;
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

    /// Upgrades everything.
    fn upgrade_all(self) -> &'static [&'static str] {
        match self {
            Self::Apk => &["apk", "upgrade"],
            Self::Pacman => &["pacman", "-Su", "--noconfirm"],
            Self::Dnf | Self::Yum | Self::Zypper => self.upgrade(),
        }
    }

    /// Whether anything at all has a newer version.
    fn is_anything_outdated(self, flags: &[String], sys: &Sys) -> ModuleResult<bool> {
        let words: &[&str] = match self {
            Self::Dnf => &["dnf", "-q", "check-update"],
            Self::Yum => &["yum", "-q", "check-update"],
            Self::Apk => &["apk", "version", "-l", "<"],
            Self::Pacman => &["pacman", "-Qu"],
            Self::Zypper => &["zypper", "--non-interactive", "--quiet", "list-updates"],
        };
        let flags = flags.iter().map(String::as_str);
        let command = sys.tool(words.iter().copied().chain(flags));
        let output = sys.query(&command)?;
        let text = output.text();
        match self {
            Self::Dnf | Self::Yum if output.rc == 100 => Ok(true),
            Self::Dnf | Self::Yum if output.rc == 0 => Ok(false),
            Self::Dnf | Self::Yum => Err(command_failed(
                "what is outdated is not known",
                &command,
                &output,
            )),
            Self::Apk => Ok(text
                .lines()
                .any(|line| line.contains('<') && line.contains('-'))),
            Self::Pacman => Ok(!text.trim().is_empty()),
            Self::Zypper => Ok(text.lines().any(|line| line.starts_with("v "))),
        }
    }

    /// Names that the list of what is installed does not answer: patterns; for dnf and yum also groups, files, URLs and
    /// conditions.
    fn is_odd(self, name: &str) -> bool {
        let is_more = name.starts_with('@') || name.contains(['/', '<', '>', '=']);
        name.contains(['*', '?', '[']) || (is_more && matches!(self, Self::Dnf | Self::Yum))
    }

    /// Plans for odd names: dnf and yum are asked what they would do.
    fn plan_odd(
        self,
        verb: &[&str],
        flags: &[String],
        names: &[String],
        plan: &mut Plan<'_>,
        sys: &Sys,
    ) -> ModuleResult<()> {
        if names.is_empty() {
            return Ok(());
        }
        if !matches!(self, Self::Dnf | Self::Yum) {
            let names = names.join(", ");
            return Err(Failure::new(format!(
                "{}: {names}: only names of packages are built, no patterns",
                self.program()
            )));
        }
        let asking: Vec<&str> = verb
            .iter()
            .map(|word| if *word == "-y" { "--assumeno" } else { *word })
            .collect();
        let command = sys.tool(line(&asking, flags, names));
        let output = sys.query(&command)?;
        let said = format!(
            "{}{}",
            output.text(),
            String::from_utf8_lossy(&output.stderr)
        );
        let has = |parts: &[&str]| parts.iter().any(|part| said.contains(part));
        if has(TRANSACTION) {
            let before = format!("{}\n", names.join("\n"));
            let diff = if verb.contains(&"remove") || verb.contains(&"autoremove") {
                Diff::new("packages", Some(before), None::<String>)
            } else {
                Diff::new("packages", None::<String>, Some(before))
            };
            step(plan, line(verb, flags, names), diff);
            return Ok(());
        }
        if output.ok()
            || has(&[
                "Nothing to do",
                "No Match for argument",
                "No packages marked for removal",
            ])
        {
            return Ok(());
        }
        Err(command_failed("packages", &command, &output))
    }

    /// Plans to remove what nothing needs any more.
    pub fn plan_unneeded(
        self,
        flags: &[String],
        plan: &mut Plan<'_>,
        sys: &Sys,
    ) -> ModuleResult<()> {
        let asking = line(&[self.program(), "--assumeno", "autoremove"], flags, &[]);
        let output = sys.query(&sys.tool(asking))?;
        let said = format!(
            "{}{}",
            output.text(),
            String::from_utf8_lossy(&output.stderr)
        );
        if TRANSACTION.iter().any(|part| said.contains(part)) {
            let diff = Diff::new("packages", Some("unneeded\n"), None::<String>);
            step(
                plan,
                line(&[self.program(), "-y", "autoremove"], flags, &[]),
                diff,
            );
        }
        Ok(())
    }

    /// Plans for it.
    pub fn plan<'a>(self, args: &PackageArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        self.plan_with(args, &Extra::default(), sys)
    }

    /// The same with what only some managers can do.
    pub fn plan_with<'a>(
        self,
        args: &PackageArgs,
        extra: &Extra,
        sys: &Sys,
    ) -> ModuleResult<Plan<'a>> {
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
            let words = line(self.refresh(), &extra.flags, &[]);
            plan.always("refresh the package index", move |sys, _| {
                run(&words, sys, &mut Map::new()).map(|()| false)
            });
        }
        let flags = extra.flags.as_slice();
        let upgrade_flags = [flags, &extra.upgrade_flags].concat();
        let clean = [self.program(), "-y", "autoremove"];
        let remove = if extra.autoremove {
            clean.as_slice()
        } else {
            self.remove()
        };
        let (odd, names): (Vec<String>, Vec<String>) =
            names.into_iter().partition(|name| self.is_odd(name));
        let (all, odd): (Vec<String>, Vec<String>) = odd.into_iter().partition(|name| name == "*");
        if !all.is_empty() {
            if args.state != State::Latest {
                return Err(
                    "the name `*` is built for `state: latest`, which upgrades everything".into(),
                );
            }
            if self.is_anything_outdated(&upgrade_flags, sys)? {
                let diff = Diff::new("packages", Some("outdated\n"), Some("newest\n"));
                step(
                    &mut plan,
                    line(self.upgrade_all(), &upgrade_flags, &[]),
                    diff,
                );
            }
        }
        match args.state {
            State::Absent => self.plan_odd(remove, flags, &odd, &mut plan, sys)?,
            State::Present => self.plan_odd(self.install(), flags, &odd, &mut plan, sys)?,
            State::Latest => {
                if !extra.update_only {
                    self.plan_odd(self.install(), flags, &odd, &mut plan, sys)?;
                }
                self.plan_odd(self.upgrade(), &upgrade_flags, &odd, &mut plan, sys)?;
            }
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
            if !gone.is_empty() {
                step(&mut plan, line(remove, flags, &gone), diff);
            }
            return Ok(plan);
        }
        let lines = |names: &[String]| names.iter().map(|n| format!("{n}\n")).collect::<String>();
        let diff = Diff::new("packages", None::<String>, Some(lines(&missing)));
        if !missing.is_empty() && !extra.update_only {
            step(&mut plan, line(self.install(), flags, &missing), diff);
        }
        if args.state == State::Latest && !there.is_empty() {
            let installed: Vec<String> = there.iter().map(|(name, _)| name.clone()).collect();
            let old = self.outdated(&installed, &upgrade_flags, sys)?;
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
            if !old.is_empty() {
                step(&mut plan, line(self.upgrade(), &upgrade_flags, &old), diff);
            }
        }
        Ok(plan)
    }
}

/// A command, its options, and what it is about.
fn line(verb: &[&str], flags: &[String], names: &[String]) -> Vec<String> {
    let verb = verb.iter().map(|&word| word.to_owned());
    verb.chain(flags.iter().chain(names).cloned()).collect()
}

fn step(plan: &mut Plan<'_>, words: Vec<String>, diff: Diff) {
    plan.act(words.join(" "), Some(diff), move |sys, data| {
        run(&words, sys, data)
    });
}

fn run(words: &[String], sys: &mut Sys, data: &mut Map) -> ModuleResult<()> {
    let command = sys.tool(words.iter().map(String::as_str));
    let output = sys.run(&command)?;
    if output.ok() {
        set_output(data, &output, false);
        return Ok(());
    }
    let what = format!("'{}' failed", command.words().join(" "));
    let failure: Failure = command_failed(&what, &command, &output);
    Err(failure)
}

/// Whether a name may have a version behind it: `nginx-1.24`.
fn has_version(name: &str) -> bool {
    name.rsplit('-')
        .any(|part| part.starts_with(|c: char| c.is_ascii_digit()))
}
