//! `pacman`.
//!
//! Source: Ansible's documentation of `community.general.pacman`; pacman(8).

use super::transaction::{State, ask, ask_well, diff, foretell, line, listed, run, step};
use crate::modules::streams::command_failed;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{ArgRule, shell_words};
use crate::{choices, module_args};
use std::collections::{BTreeMap, BTreeSet};

choices! {
    /// Why a package is installed.
    pub enum Reason {
        /// For itself.
        Explicit = "explicit",
        /// For another one.
        Dependency = "dependency",
    }
}

choices! {
    /// Whose reason is set.
    pub enum ReasonFor {
        /// Of packages that are installed now.
        New = "new",
        /// Of all that are named.
        All = "all",
    }
}

module_args! {
    /// Arguments of `pacman`.
    pub struct Args {
        /// Packages, groups, files or addresses.
        name: Option<Vec<String>> => optional, aliases ["package", "pkg"];
        /// What they are to be.
        state: State => default("present");
        /// Remove a package whatever needs it; refresh the package database even if it is new.
        force: bool => default(false);
        /// Remove also configuration that was changed.
        remove_nosave: bool => default(false);
        /// The program.
        executable: String => default("pacman");
        /// Options for installing and removing.
        extra_args: String => default("");
        /// Upgrade all packages.
        upgrade: bool => default(false);
        /// Options for upgrading.
        upgrade_extra_args: String => default("");
        /// Refresh the package database first. In check mode that counts as a change.
        update_cache: bool => default(false);
        /// Options for refreshing.
        update_cache_extra_args: String => default("");
        /// Why the packages are to be installed.
        reason: Option<Reason> => optional;
        /// Whose reason is set.
        reason_for: ReasonFor => default("new");
    }
}

/// The module.
pub struct Pacman;

impl Module for Pacman {
    const NAME: &'static str = "pacman";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Install, upgrade and remove packages of Arch Linux.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::OneOf(&["name", "update_cache", "upgrade"]),
        ArgRule::Exclusive(&["name", "upgrade"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which(&args.executable).is_none() {
            return Err(Failure::new(format!("{} is not there", args.executable)));
        }
        let base = vec![args.executable.clone()];
        let is_all = args.name.is_none() && !args.upgrade;
        if !args.update_cache {
            return work(args, &base, sys);
        }
        let mut plan = Plan::new();
        let mut words = line(
            &base,
            &["--sync", "--refresh"],
            &split(&args.update_cache_extra_args)?,
        );
        if args.force {
            words.push("--refresh".into());
        }
        plan.returns("cache_updated", true);
        if !is_all {
            foretell(&mut plan, work(args, &base, sys));
        }
        plan.perhaps(words.join(" "), move |sys, data| {
            let list = line(&base, &["--sync", "--list"], &[]);
            let before = ask(sys, &list)?.stdout;
            run(sys, &words, "could not update package db", data)?;
            let is_new = args.force || ask(sys, &list)?.stdout != before;
            data.set("cache_updated", is_new);
            let changed = !is_all && work(args, &base, sys)?.apply_within(sys, data)?;
            Ok(is_new || changed)
        });
        plan.repeats();
        Ok(plan)
    }
}

/// What is installed and what there is.
struct Inventory {
    /// Names and versions.
    installed: BTreeMap<String, String>,
    available: BTreeSet<String>,
    /// Groups and their packages.
    groups: BTreeMap<String, BTreeSet<String>>,
    /// Names with the old and the new version.
    outdated: BTreeMap<String, (String, String)>,
    reasons: BTreeMap<String, Reason>,
}

/// A package: its name, and what pacman is told to install.
struct Package {
    name: String,
    source: String,
    /// A file or an address.
    is_file: bool,
}

fn pairs(text: &str) -> impl Iterator<Item = (String, String)> + '_ {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    })
}

impl Inventory {
    fn read(base: &[String], sys: &Sys) -> ModuleResult<Self> {
        let ask_for = |words: &[&str]| {
            ask_well(
                sys,
                &line(base, words, &[]),
                "the packages cannot be listed",
            )
        };
        let mut groups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (group, package) in pairs(&ask_for(&["--sync", "--groups", "--groups"])?) {
            groups.entry(group).or_default().insert(package);
        }
        let words = line(base, &["--query", "--upgrades"], &[]);
        let said = ask(sys, &words)?;
        if said.rc > 1 || (said.rc == 1 && !said.text().trim().is_empty()) {
            let what = "Couldn't get list of packages available for upgrade";
            return Err(command_failed(what, &sys.tool(&words), &said));
        }
        // `name old -> new`, and perhaps `[ignored]`
        let outdated = said.text();
        let outdated = outdated.lines().filter_map(|line| {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                [name, old, "->", new] => {
                    Some(((*name).to_owned(), ((*old).to_owned(), (*new).to_owned())))
                }
                _ => None,
            }
        });
        let mut reasons = BTreeMap::new();
        for (option, reason) in [
            ("--explicit", Reason::Explicit),
            ("--deps", Reason::Dependency),
        ] {
            // the code is 1 if there are none
            let found = ask(sys, &line(base, &["--query", option], &[]))?.text();
            reasons.extend(pairs(&found).map(|(name, _)| (name, reason)));
        }
        Ok(Self {
            installed: pairs(&ask_for(&["--query"])?).collect(),
            available: pairs(&ask_for(&["--sync", "--list"])?)
                .map(|(_, name)| name)
                .collect(),
            groups,
            outdated: outdated.collect(),
            reasons,
        })
    }

    /// The packages that a task names.
    fn packages(&self, args: &Args, base: &[String], sys: &Sys) -> ModuleResult<Vec<Package>> {
        let mut all = Vec::new();
        let plain = |name: &String| Package {
            name: name.clone(),
            source: name.clone(),
            is_file: false,
        };
        for name in args.name.iter().flatten().filter(|name| !name.is_empty()) {
            if name.starts_with('-') {
                return Err(Failure::new(format!("Failed to list package {name}")));
            }
            if let Some(group) = self.groups.get(name) {
                all.extend(group.iter().map(plain));
            } else if self.available.contains(name) || self.installed.contains_key(name) {
                all.push(plain(name));
            } else {
                let mut found = None;
                for (verb, is_file) in [("--sync", false), ("--upgrade", true)] {
                    let words = line(base, &[verb, "--print-format", "%n", name], &[]);
                    let said = ask(sys, &words)?;
                    let text = said.text();
                    if let Some(real) = text.lines().last().filter(|_| said.ok()) {
                        found = Some(Package {
                            name: real.trim().to_owned(),
                            source: name.clone(),
                            is_file,
                        });
                        break;
                    }
                    if is_file && !args.state.is_absent() {
                        let what = format!("Failed to list package {name}");
                        return Err(command_failed(&what, &sys.tool(&words), &said));
                    }
                }
                all.extend(found);
            }
        }
        Ok(all)
    }

    fn shown(&self, name: &str) -> String {
        let version = self.installed.get(name).map_or("", String::as_str);
        let reason = self.reasons.get(name).map_or("", |reason| reason.word());
        format!("{name}-{version}-{reason}")
    }
}

fn split(options: &str) -> ModuleResult<Vec<String>> {
    shell_words(options).map_err(Failure::new)
}

/// Plans by the package database as it is.
fn work<'a>(args: &'a Args, base: &[String], sys: &Sys) -> ModuleResult<Plan<'a>> {
    let inventory = Inventory::read(base, sys)?;
    if args.upgrade {
        return upgrade(args, base, &inventory);
    }
    let packages = inventory.packages(args, base, sys)?;
    let mut plan = Plan::new();
    if args.name.iter().flatten().all(String::is_empty) {
        plan.returns("msg", "Nothing to do");
        Ok(plan)
    } else if args.state.is_absent() {
        remove(args, base, &inventory, &packages, sys)
    } else {
        install(args, base, &inventory, &packages, sys)
    }
}

fn upgrade<'a>(args: &'a Args, base: &[String], inventory: &Inventory) -> ModuleResult<Plan<'a>> {
    let mut plan = Plan::new();
    if inventory.outdated.is_empty() {
        plan.returns("msg", "Nothing to upgrade");
        return Ok(plan);
    }
    let names: Vec<String> = inventory.outdated.keys().cloned().collect();
    plan.returns("packages", listed(&names));
    plan.returns("msg", "System upgraded");
    let before: Vec<String> = inventory
        .outdated
        .iter()
        .map(|(name, (old, _))| format!("{name}-{old}"))
        .collect();
    let after: Vec<String> = inventory
        .outdated
        .iter()
        .map(|(name, (_, new))| format!("{name}-{new}"))
        .collect();
    let verb = ["--sync", "--sysupgrade", "--quiet", "--noconfirm"];
    let words = line(base, &verb, &split(&args.upgrade_extra_args)?);
    step(&mut plan, words, "Could not upgrade", diff(&before, &after));
    Ok(plan)
}

fn remove<'a>(
    args: &'a Args,
    base: &[String],
    inventory: &Inventory,
    packages: &[Package],
    sys: &Sys,
) -> ModuleResult<Plan<'a>> {
    let there: Vec<String> = packages
        .iter()
        .filter(|package| inventory.installed.contains_key(&package.name))
        .map(|package| package.name.clone())
        .collect();
    let mut plan = Plan::new();
    if there.is_empty() {
        plan.returns("packages", listed(&[]));
        plan.returns("msg", "package(s) already absent");
        return Ok(plan);
    }
    let mut base = line(
        base,
        &["--remove", "--noconfirm", "--noprogressbar"],
        &split(&args.extra_args)?,
    );
    if args.force {
        base.extend(["--nodeps", "--nodeps"].map(str::to_owned));
    }
    let listing = line(&base, &["--print-format", "%n-%v"], &there);
    let gone = ask_well(sys, &listing, "failed to list package(s) to remove")?;
    let gone: Vec<String> = gone.split_whitespace().map(str::to_owned).collect();
    plan.returns("packages", listed(&gone));
    plan.returns("msg", format!("Removed {} package(s)", gone.len()));
    let nosave: &[&str] = if args.remove_nosave {
        &["--nosave"]
    } else {
        &[]
    };
    let words = line(&base, nosave, &there);
    step(
        &mut plan,
        words,
        "failed to remove package(s)",
        diff(&gone, &[]),
    );
    Ok(plan)
}

fn install<'a>(
    args: &'a Args,
    base: &[String],
    inventory: &Inventory,
    packages: &[Package],
    sys: &Sys,
) -> ModuleResult<Plan<'a>> {
    let mut marked: Vec<String> = Vec::new();
    let (mut named, mut files) = (Vec::new(), Vec::new());
    for package in packages {
        if let Some(reason) = args.reason {
            let now = inventory.reasons.get(&package.name);
            let differs = args.reason_for == ReasonFor::All && now != Some(&reason);
            if now.is_none() || differs {
                marked.push(package.name.clone());
            }
        }
        let is_old = args.state == State::Latest && inventory.outdated.contains_key(&package.name);
        if package.is_file {
            files.push(package.source.clone());
        } else if is_old || !inventory.installed.contains_key(&package.name) {
            named.push(package.source.clone());
        }
    }
    let options = line(
        base,
        &["--noconfirm", "--noprogressbar", "--needed"],
        &split(&args.extra_args)?,
    );
    let (mut before, mut after, mut new) = (Vec::new(), Vec::new(), Vec::new());
    for (verb, sources) in [("--sync", &named), ("--upgrade", &files)] {
        if sources.is_empty() {
            continue;
        }
        // pacman knows what else comes with them
        let listing = line(&options, &[verb, "--print-format", "%n %v"], sources);
        let said = ask_well(sys, &listing, "Failed to list package(s) to install")?;
        let is_noise = |line: &str| {
            [
                "loading packages",
                "there is nothing to do",
                "Avoid running",
            ]
            .iter()
            .any(|noise| line.contains(noise))
        };
        for text in said.lines().filter(|line| !is_noise(line)) {
            let Some((name, version)) = text.trim().split_once(' ') else {
                continue;
            };
            if inventory.installed.contains_key(name) {
                before.push(inventory.shown(name));
            }
            let reason = match args
                .reason
                .filter(|_| marked.iter().any(|marked| marked == name))
            {
                Some(reason) => Some(reason),
                None => inventory.reasons.get(name).copied(),
            };
            after.push(match reason {
                Some(reason) => format!("{name}-{version}-{}", reason.word()),
                None => format!("{name}-{version}"),
            });
            new.push(name.to_owned());
        }
    }
    let mut plan = Plan::new();
    if new.is_empty() && marked.is_empty() {
        plan.returns("packages", listed(&[]));
        plan.returns("msg", "package(s) already installed");
        return Ok(plan);
    }
    let only_marked: Vec<String> = marked
        .iter()
        .filter(|name| !new.contains(name))
        .cloned()
        .collect();
    let mut all = [new, only_marked.clone()].concat();
    all.sort();
    plan.returns("packages", listed(&all));
    plan.returns("msg", format!("Installed {} package(s)", all.len()));
    before.sort();
    after.sort();
    let mut shown = Some(diff(&before, &after));
    for (verb, sources) in [("--sync", named), ("--upgrade", files)] {
        if !sources.is_empty() {
            let shown = shown.take().unwrap_or_else(|| diff(&[], &[]));
            step(
                &mut plan,
                line(&options, &[verb], &sources),
                "Failed to install package(s)",
                shown,
            );
        }
    }
    if let Some(reason) = args.reason.filter(|_| !marked.is_empty()) {
        let option = match reason {
            Reason::Explicit => "--asexplicit",
            Reason::Dependency => "--asdeps",
        };
        let before: Vec<String> = only_marked
            .iter()
            .map(|name| inventory.shown(name))
            .collect();
        let after: Vec<String> = only_marked
            .iter()
            .map(|name| format!("{name}: {}", reason.word()))
            .collect();
        let words = line(base, &["--noconfirm", "--database", option], &marked);
        step(
            &mut plan,
            words,
            "Failed to install package(s)",
            diff(&before, &after),
        );
    }
    Ok(plan)
}
