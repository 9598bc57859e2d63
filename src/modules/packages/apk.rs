//! `apk`.
//!
//! Source: Ansible's documentation of `community.general.apk`; apk(8).

use super::transaction::{State, ask, ask_well, diff, foretell, line, listed, run};
use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Map};
use std::path::PathBuf;

module_args! {
    /// Arguments of `apk`.
    pub struct Args {
        /// The packages.
        name: Option<Vec<String>> => optional;
        /// What they are to be.
        state: State => default("present");
        /// Refresh the package index first. Without packages that is all, and counts as a change.
        update_cache: bool => default(false);
        /// Upgrade all packages.
        upgrade: bool => default(false);
        /// With `upgrade`: replace also packages that no repository has in that version.
        available: bool => default(false);
        /// Use no cache on the machine.
        no_cache: bool => default(false);
        /// Repositories to use instead of the machine's.
        repository: Option<Vec<String>> => optional;
        /// The file that lists the packages that are wanted for themselves.
        world: PathBuf => default("/etc/apk/world");
    }
}

/// The module.
pub struct Apk;

impl Module for Apk {
    const NAME: &'static str = "apk";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Install, upgrade and remove packages of Alpine Linux.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::OneOf(&["name", "update_cache", "upgrade"]),
        ArgRule::Exclusive(&["name", "upgrade"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("apk").is_none() {
            return Err("apk is not there".into());
        }
        let names: Vec<String> = args
            .name
            .iter()
            .flatten()
            .map(|name| name.trim().to_owned())
            .collect();
        if names.iter().any(String::is_empty) {
            return Err("Package name(s) cannot be empty or whitespace-only".into());
        }
        let mut base = vec!["apk".to_owned()];
        if args.no_cache {
            base.push("--no-cache".into());
        }
        for repository in args.repository.iter().flatten() {
            let words = [
                "--repository",
                repository,
                "--repositories-file",
                "/dev/null",
            ];
            base.extend(words.map(str::to_owned));
        }
        if !args.update_cache {
            return work(args, &base, &names, sys);
        }
        let mut plan = Plan::new();
        let words = line(&base, &["update"], &[]);
        let failure = "could not update package db";
        if names.is_empty() && !args.upgrade {
            plan.returns("msg", "updated repository indexes");
            plan.act(words.join(" "), None, move |sys, data| {
                run(sys, &words, failure, data).map(drop)
            });
            plan.repeats();
            return Ok(plan);
        }
        foretell(&mut plan, work(args, &base, &names, sys));
        plan.always(
            "refresh the package index, and go by it",
            move |sys, data| {
                run(sys, &words, failure, data)?;
                work(args, &base, &names, sys)?.apply_within(sys, data)
            },
        );
        Ok(plan)
    }
}

/// Plans by the package index as it is.
fn work<'a>(
    args: &'a Args,
    base: &[String],
    names: &[String],
    sys: &Sys,
) -> ModuleResult<Plan<'a>> {
    if args.upgrade {
        return upgrade(args, base, sys);
    }
    if args.state.is_absent() {
        return remove(base, names, sys);
    }
    let latest = args.state == State::Latest;
    let world = sys.read_text(&sys.expand(&args.world))?.unwrap_or_default();
    let (mut missing, mut old) = (Vec::new(), Vec::new());
    for name in names {
        let is_virtual = ask(
            sys,
            &line(base, &["-v", "info", "--description", name], &[]),
        )?
        .text()
        .lines()
        .any(|line| line.starts_with(&format!("{name}: virtual meta package")));
        if is_virtual {
            let needs = ask(sys, &line(base, &["-v", "info", "--depends", name], &[]))?.text();
            for needed in needs.split_whitespace().skip(1).filter(|_| latest) {
                if is_outdated(base, needed, sys)? {
                    old.push(needed.to_owned());
                }
            }
        } else if !world.split_whitespace().any(|entry| is_of(entry, name)) {
            missing.push(name.clone());
        } else if latest && is_outdated(base, name, sys)? {
            old.push(name.clone());
        }
    }
    let mut plan = Plan::new();
    if missing.is_empty() && old.is_empty() {
        plan.returns("msg", "package(s) already installed");
        return Ok(plan);
    }
    let verb: &[&str] = if old.is_empty() {
        &["add"]
    } else {
        &["add", "--upgrade"]
    };
    let after: Vec<String> = missing
        .iter()
        .cloned()
        .chain(old.iter().map(|name| format!("{name} (newest)")))
        .collect();
    let shown = diff(&old, &after);
    let all = [missing, old].concat();
    let told = all.join(" ");
    plan.returns("msg", format!("installed {told} package(s)"));
    change(
        &mut plan,
        line(base, verb, &all),
        format!("failed to install {told}"),
        shown,
        Vec::new(),
    );
    Ok(plan)
}

fn upgrade<'a>(args: &'a Args, base: &[String], sys: &Sys) -> ModuleResult<Plan<'a>> {
    let more: &[&str] = if args.available {
        &["--available"]
    } else {
        &[]
    };
    let verb = |word| [word, more].concat();
    let failure = "failed to upgrade packages";
    let said = ask_well(
        sys,
        &line(base, &verb(&["upgrade", "--simulate"]), &[]),
        failure,
    )?;
    let mut plan = Plan::new();
    if said.starts_with("OK") {
        plan.returns("msg", "packages already upgraded");
        return Ok(plan);
    }
    let names = packages(&said);
    plan.returns("packages", listed(&names));
    plan.returns("msg", "upgraded packages");
    let after: Vec<String> = names
        .iter()
        .map(|name| format!("{name} (newest)"))
        .collect();
    change(
        &mut plan,
        line(base, &verb(&["upgrade"]), &[]),
        failure.to_owned(),
        diff(&names, &after),
        Vec::new(),
    );
    Ok(plan)
}

fn remove<'a>(base: &[String], names: &[String], sys: &Sys) -> ModuleResult<Plan<'a>> {
    let mut there = Vec::new();
    for name in names {
        if is_installed(base, name, sys)? {
            there.push(name.clone());
        }
    }
    let mut plan = Plan::new();
    if there.is_empty() {
        plan.returns("msg", "package(s) already removed");
        return Ok(plan);
    }
    let told = there.join(" ");
    plan.returns("msg", format!("removed {told} package(s)"));
    let words = line(base, &["del", "--purge"], &there);
    // others may need them, and then they stay
    let gone: Vec<Vec<String>> = there
        .iter()
        .map(|name| line(base, &["-v", "info", "--installed", name], &[]))
        .collect();
    let failure = format!("failed to remove {told} package(s)");
    change(&mut plan, words, failure, diff(&there, &[]), gone);
    Ok(plan)
}

/// Plans a command; none of `gone` may end well afterwards.
fn change(
    plan: &mut Plan<'_>,
    words: Vec<String>,
    failure: String,
    shown: Diff,
    gone: Vec<Vec<String>>,
) {
    plan.act(
        words.join(" "),
        Some(shown),
        move |sys: &mut Sys, data: &mut Map| {
            let said = run(sys, &words, &failure, data)?.text();
            data.set("packages", listed(&packages(&said)));
            for words in gone {
                if ask(sys, &words)?.ok() {
                    return Err(Failure::new(failure)
                        .with("stdout", said)
                        .with("changed", true));
                }
            }
            Ok(())
        },
    );
}

fn is_installed(base: &[String], name: &str, sys: &Sys) -> ModuleResult<bool> {
    Ok(ask(sys, &line(base, &["-v", "info", "--installed", name], &[]))?.ok())
}

/// `name-version-release < newer`.
fn is_outdated(base: &[String], name: &str, sys: &Sys) -> ModuleResult<bool> {
    let said = ask(sys, &line(base, &["version", name], &[]))?.text();
    Ok(said.lines().any(|line| {
        let mut words = line.split_whitespace();
        let is_it = words
            .next()
            .and_then(|word| word.strip_prefix(name)?.strip_prefix('-'))
            .is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit()));
        is_it && words.next() == Some("<")
    }))
}

/// Whether an entry of the world is of that package, with or without a repository or a version.
fn is_of(entry: &str, name: &str) -> bool {
    entry.strip_prefix(name).is_some_and(|rest| {
        rest.is_empty() || (rest.len() > 1 && rest.starts_with(['@', '=', '<', '>', '~']))
    })
}

/// The packages of `(1/2) Installing name (version)`.
fn packages(said: &str) -> Vec<String> {
    said.lines()
        .filter_map(|line| {
            let (count, rest) = line.strip_prefix('(')?.split_once(')')?;
            count.split_once('/')?;
            rest.split_whitespace().nth(1).map(str::to_owned)
        })
        .collect()
}
