//! What is to be done with packages: from what the task wants and what dpkg and apt say, to calls of `apt-get`.

use super::get::Call;
use super::spec::{Spec, Version, expand};
use super::status::{Database, automatic};
use super::{Args, State, Upgrade};
use crate::modules::streams::set_output;
use crate::modules::{Failure, ModuleResult};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Map;
use std::path::Path;

/// One call and what it changes.
#[derive(Clone, Debug)]
pub(super) struct Action {
    pub call: Call,
    pub diff: Diff,
}

impl Action {
    /// Does it, and keeps what apt printed for the result.
    pub fn run(&self, args: &Args, sys: &mut Sys, data: &mut Map) -> ModuleResult<()> {
        let output = self.call.run(args, sys)?;
        set_output(data, &output, false);
        Ok(())
    }
}

/// Finds what is to be done. `stale` says that the package index is to be refreshed first: what apt does not know
/// now it may know then.
pub(super) fn decide(args: &Args, sys: &Sys, stale: bool) -> ModuleResult<Vec<Action>> {
    let mut actions = Vec::new();
    let names = args.names();
    let everything = args.name.iter().flatten().any(|name| name.trim() == "*");
    let upgrade = if args.state == State::Latest && everything {
        if !names.is_empty() {
            return Err(
                "unable to install additional packages when upgrading all installed packages"
                    .into(),
            );
        }
        Upgrade::Yes
    } else {
        args.upgrade
    };
    let verb: Option<&[&str]> = match upgrade {
        Upgrade::No => None,
        Upgrade::Yes | Upgrade::Safe => Some(&["--with-new-pkgs", "upgrade"]),
        Upgrade::Full | Upgrade::Dist => Some(&["dist-upgrade"]),
    };
    if let Some(verb) = verb {
        let call = Call::new(args, &with_autoremove(args, verb), &[]);
        actions.extend(foresee(call, sys)?);
    }
    if names.is_empty() {
        if args.state == State::Fixed {
            let call = Call::new(args, &["--fix-broken", "install"], &[]);
            actions.extend(foresee(call, sys)?);
        }
        return Ok(actions);
    }
    let database = Database::read(sys)?;
    let removing = args.state == State::Absent;
    let specs = match expand(&names, removing, &database, sys) {
        Ok(specs) => specs,
        Err(_) if stale => names
            .iter()
            .filter_map(|name| Spec::parse(name).ok())
            .collect(),
        Err(failure) => return Err(failure),
    };
    let action = match args.state {
        State::Absent => remove(args, &specs, &database, sys)?,
        State::BuildDep => {
            let call = Call::new(args, &with_autoremove(args, &["build-dep"]), &names);
            foresee_or_guess(call, &specs, &database, sys, stale)?
        }
        State::Present | State::Latest | State::Fixed => {
            install(args, &specs, &database, sys, stale)?
        }
    };
    actions.extend(action);
    Ok(actions)
}

fn with_autoremove<'a>(args: &Args, verb: &[&'a str]) -> Vec<&'a str> {
    args.autoremove
        .then_some("--auto-remove")
        .into_iter()
        .chain(verb.iter().copied())
        .collect()
}

fn install(
    args: &Args,
    specs: &[Spec],
    database: &Database,
    sys: &Sys,
    stale: bool,
) -> ModuleResult<Option<Action>> {
    let latest = args.state == State::Latest;
    let wanted: Vec<Spec> = specs
        .iter()
        .filter(|spec| {
            let known = database.get(&spec.name);
            let there = known.is_some_and(super::status::Known::installed);
            (there || !args.only_upgrade) && (latest || !spec.satisfied_by(known))
        })
        .cloned()
        .collect();
    if wanted.is_empty() {
        return Ok(None);
    }
    let mut words = Vec::new();
    for spec in &wanted {
        match spec.argument(sys) {
            Ok(word) => words.push(word),
            Err(_) if stale => words.push(spec.name.clone()),
            Err(failure) => return Err(failure),
        }
    }
    let mut verb = with_autoremove(args, &["install"]);
    for (given, switch) in [
        (args.only_upgrade, "--only-upgrade"),
        (args.state == State::Fixed, "--fix-broken"),
    ] {
        if given {
            verb.insert(0, switch);
        }
    }
    let call = Call::new(args, &verb, &words);
    foresee_or_guess(call, &wanted, database, sys, stale)
}

fn remove(
    args: &Args,
    specs: &[Spec],
    database: &Database,
    sys: &Sys,
) -> ModuleResult<Option<Action>> {
    let names: Vec<String> = specs
        .iter()
        .filter(|spec| {
            let known = database.get(&spec.name);
            let half = known.is_some_and(|known| {
                !known.installed()
                    && known.state != "config-files"
                    && known.state != "not-installed"
            });
            let left = known.is_some_and(|known| known.state == "config-files");
            spec.satisfied_by(known) || half || (left && args.purge)
        })
        .map(|spec| spec.name.clone())
        .collect();
    if names.is_empty() {
        return Ok(None);
    }
    let mut verb = with_autoremove(args, &["remove"]);
    if args.purge {
        verb.insert(0, "--purge");
    }
    foresee(Call::new(args, &verb, &names), sys)
}

/// The call, if it would change something.
fn foresee(call: Call, sys: &Sys) -> ModuleResult<Option<Action>> {
    let foretold = call.simulate(sys)?;
    if let Some(name) = &foretold.guessed {
        return Err(format!("No package matching '{name}' is available").into());
    }
    Ok((!foretold.is_empty()).then(|| Action {
        diff: foretold.diff(),
        call,
    }))
}

/// The same; if apt cannot tell before the index is refreshed, the names alone are foretold.
fn foresee_or_guess(
    call: Call,
    specs: &[Spec],
    database: &Database,
    sys: &Sys,
    stale: bool,
) -> ModuleResult<Option<Action>> {
    match foresee(call.clone(), sys) {
        Err(_) if stale => {
            let mut before = String::new();
            let mut after = String::new();
            for spec in specs {
                if let Some(known) = database.get(&spec.name).filter(|k| k.installed()) {
                    before.push_str(&format!("{} {}\n", spec.name, known.version));
                }
                let version = match &spec.version {
                    Version::Any => "(newest)",
                    Version::Is(version) | Version::AtLeast(version) => version,
                };
                after.push_str(&format!("{} {version}\n", spec.name));
            }
            let before = (!before.is_empty()).then_some(before);
            Ok(Some(Action {
                diff: Diff::new("packages", before, Some(after)),
                call,
            }))
        }
        other => other,
    }
}

/// Named packages that are there only because others need them: apt would remove them with those.
pub(super) fn to_mark(args: &Args, sys: &Sys) -> ModuleResult<Vec<String>> {
    if !matches!(args.state, State::Present | State::Latest | State::Fixed) {
        return Ok(Vec::new());
    }
    let names = args.names();
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let (database, automatic) = (Database::read(sys)?, automatic(sys)?);
    Ok(names
        .iter()
        .filter_map(|name| Spec::parse(name).ok())
        .filter(|spec| {
            let bare = spec.name.split(':').next().unwrap_or_default();
            automatic.contains(bare) && spec.satisfied_by(database.get(&spec.name))
        })
        .map(|spec| spec.name)
        .collect())
}

/// Cleaning up: `autoremove`, `autoclean`, `clean`, each if it has something to do.
pub(super) fn clean_up(args: &Args, sys: &Sys) -> ModuleResult<Vec<Action>> {
    let mut actions = Vec::new();
    if args.clean {
        let archives = Path::new("/var/cache/apt/archives");
        let kept: String = sys
            .list(archives)
            .unwrap_or_default()
            .iter()
            .map(|name| name.to_string_lossy())
            .filter(|name| name.ends_with(".deb"))
            .map(|name| format!("{name}\n"))
            .collect();
        if !kept.is_empty() {
            actions.push(Action {
                call: Call::new(args, &["clean"], &[]),
                diff: Diff::new("/var/cache/apt/archives", Some(kept), None::<String>),
            });
        }
    }
    // with packages named, autoremove goes with their installation or removal
    if !args.names().is_empty() || args.upgrade != Upgrade::No {
        return Ok(actions);
    }
    for (asked, verb) in [
        (args.autoclean, "autoclean"),
        (args.autoremove, "autoremove"),
    ] {
        if asked {
            let purge = (args.purge && verb == "autoremove").then_some("--purge");
            let verb: Vec<_> = purge.into_iter().chain([verb]).collect();
            actions.extend(foresee(Call::new(args, &verb, &[]), sys)?);
        }
    }
    Ok(actions)
}

/// Runs `apt-mark manual`.
pub(super) fn mark(names: &[String], sys: &mut Sys) -> ModuleResult<bool> {
    let words = ["apt-mark", "manual"]
        .into_iter()
        .chain(names.iter().map(String::as_str));
    let command = sys.tool(words);
    let output = sys.run(&command)?;
    if output.ok() {
        Ok(false)
    } else {
        let failure: Failure = crate::modules::streams::command_failed(
            "the packages cannot be marked as installed by hand",
            &command,
            &output,
        );
        Err(failure)
    }
}
