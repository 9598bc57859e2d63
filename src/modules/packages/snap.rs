//! `snap`.
//!
//! Source: Ansible's documentation of `community.general.snap`; `snap help`.

use super::transaction::{ask, ask_well, diff, listed};
use crate::modules::streams::{command_failed, set_output};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{Map, Value};
use crate::{choices, module_args};

choices! {
    /// What snaps are to be.
    pub enum State {
        /// Not installed.
        Absent = "absent",
        /// Installed, from the channel.
        Present = "present",
        /// Usable.
        Enabled = "enabled",
        /// Installed, but not usable.
        Disabled = "disabled",
    }
}

module_args! {
    /// Arguments of `snap`.
    pub struct Args {
        /// The snaps, or files of snaps.
        name: Vec<String> => required;
        /// What they are to be.
        state: State => default("present");
        /// The channel that they come from; `stable` if not given, and one that is there may come from any.
        channel: Option<String> => optional;
        /// Let a snap have the whole system.
        classic: bool => default(false);
        /// Install a file that nobody has signed.
        dangerous: bool => default(false);
        /// Settings, `key=value` for all snaps or `snap:key=value` for one.
        options: Option<Vec<String>> => optional;
    }
}

/// The module.
pub struct Snap;

impl Module for Snap {
    const NAME: &'static str = "snap";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Install, remove, enable and disable snaps, and set their options.\nOptions of a snap that is \
                               not there yet are set right after it is installed.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("snap").is_none() {
            return Err("snap is not there".into());
        }
        if let Some(name) = args.name.iter().find(|name| name.starts_with('-')) {
            return Err(Failure::new(format!("Snaps not found: {name}.")));
        }
        let mut plan = Plan::new();
        plan.returns("version", Value::map(versions(sys)?));
        plan.returns("classic", args.classic);
        plan.returns("channel", args.channel.as_deref().unwrap_or("stable"));
        let installed = installed(sys)?;
        let channel_of = |name: &str| {
            let found = installed.iter().find(|(known, _)| known == name);
            found.map(|(_, channel)| channel.as_str())
        };
        match args.state {
            State::Present => present(args, sys, &channel_of, &mut plan)?,
            State::Absent => {
                let there = args.name.iter().filter(|name| channel_of(name).is_some());
                let there: Vec<String> = there.cloned().collect();
                act(&mut plan, "remove", "snaps_removed", there);
            }
            State::Enabled => {
                let names = sorted_out(args, sys, |enabled| enabled != Some(true))?;
                act(&mut plan, "enable", "snaps_enabled", names);
            }
            State::Disabled => {
                let names = sorted_out(args, sys, |enabled| enabled == Some(true))?;
                act(&mut plan, "disable", "snaps_disabled", names);
            }
        }
        Ok(plan)
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Versions of snap's parts.
fn versions(sys: &Sys) -> ModuleResult<Map> {
    let said = ask(sys, &words(&["snap", "version"]))?.text();
    let mut all = Map::new();
    for line in said.lines() {
        if let [name, version] = line.split_whitespace().collect::<Vec<_>>().as_slice() {
            all.set(name, Value::data(*version));
        }
    }
    Ok(all)
}

/// Names and channels of what is installed.
fn installed(sys: &Sys) -> ModuleResult<Vec<(String, String)>> {
    let said = ask_well(sys, &words(&["snap", "list"]), "the snaps cannot be listed")?;
    let rows = said.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.nth(2)?.to_owned()))
    });
    Ok(rows.collect())
}

/// The names of snaps, also of those in files.
fn real_names(names: &[String], sys: &Sys) -> ModuleResult<Vec<String>> {
    let command = [words(&["snap", "info"]), names.to_vec()].concat();
    let output = ask(sys, &command)?;
    let said = output.text();
    let both = format!("{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let missing = both
        .lines()
        .filter(|line| line.starts_with("warning: no snap found"));
    let missing: Vec<&str> = missing
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    if !missing.is_empty() {
        return Err(Failure::new(format!(
            "Snaps not found: [{}].",
            missing.join(", ")
        )));
    }
    let found: Vec<String> = said
        .lines()
        .filter_map(|line| line.strip_prefix("name:"))
        .map(|name| name.trim().to_owned())
        .collect();
    if found.len() == names.len() {
        Ok(found)
    } else {
        Err(command_failed(
            "the snaps are not known",
            &sys.tool(&command),
            &output,
        ))
    }
}

/// The named snaps whose being enabled (`None`: not there) is such.
fn sorted_out(
    args: &Args,
    sys: &Sys,
    wanted: fn(Option<bool>) -> bool,
) -> ModuleResult<Vec<String>> {
    let mut names = Vec::new();
    for name in &args.name {
        let output = ask(sys, &words(&["snap", "list", name]))?;
        let said = output.text();
        let notes = said
            .lines()
            .nth(1)
            .and_then(|line| line.split_whitespace().nth(5));
        let enabled = notes
            .filter(|_| output.ok())
            .map(|notes| !notes.split(',').any(|note| note == "disabled"));
        if wanted(enabled) {
            names.push(name.clone());
        }
    }
    Ok(names)
}

/// Plans a command for all of these.
fn act(plan: &mut Plan<'_>, verb: &'static str, returned_as: &str, names: Vec<String>) {
    if names.is_empty() {
        return;
    }
    plan.returns(returned_as, listed(&names));
    let shown = match verb {
        "remove" => diff(&names, &[]),
        verb => diff(
            &[],
            &names
                .iter()
                .map(|name| format!("{name}: {verb}d"))
                .collect::<Vec<_>>(),
        ),
    };
    let command = [words(&["snap", verb]), names].concat();
    plan.act(command.join(" "), Some(shown), move |sys, data| {
        snap(sys, &command, "operation", data)
    });
}

fn snap(sys: &mut Sys, command: &[String], what: &str, data: &mut Map) -> ModuleResult<()> {
    let tool = sys.tool(command);
    let output = sys.run(&tool)?;
    let told = command.join(" ");
    data.set("cmd", Value::data(told.as_str()));
    if output.ok() {
        set_output(data, &output, true);
        return Ok(());
    }
    let complaint = output.complaint();
    let classic = complaint
        .strip_prefix("error: This revision of snap \"")
        .and_then(|rest| rest.split_once('"'))
        .filter(|(_, rest)| rest.contains("classic confinement"));
    let message = match classic {
        Some((name, _)) => {
            format!("Couldn't install {name} because it requires classic confinement")
        }
        None => format!(
            "Ooops! Snap {what} failed while executing '{told}', please examine logs and error output for more details."
        ),
    };
    let mut failure = command_failed(&message, &tool, &output);
    if classic.is_some() {
        failure.message = message;
    }
    Err(failure)
}

fn present<'b>(
    args: &Args,
    sys: &Sys,
    channel_of: &dyn Fn(&str) -> Option<&'b str>,
    plan: &mut Plan<'_>,
) -> ModuleResult<()> {
    let names = real_names(&args.name, sys)?;
    plan.returns("snap_names", listed(&names));
    let is_from =
        |found: &str, wanted: &str| found == wanted || found == format!("latest/{wanted}");
    let (mut missing, mut moved) = (Vec::new(), Vec::new());
    for (source, name) in args.name.iter().zip(&names) {
        match (channel_of(name), args.channel.as_deref()) {
            (None, _) => missing.push(source.clone()),
            (Some(found), Some(wanted)) if !is_from(found, wanted) => moved.push(source.clone()),
            _ => {}
        }
    }
    for (verb, sources) in [("refresh", &moved), ("install", &missing)] {
        if sources.is_empty() {
            continue;
        }
        plan.returns("snaps_installed", listed(sources));
        let mut base = words(&["snap", verb]);
        if args.classic {
            base.push("--classic".into());
        }
        if let Some(channel) = args.channel.as_ref().filter(|channel| *channel != "stable") {
            base.extend(["--channel".to_owned(), channel.clone()]);
        }
        if args.dangerous {
            base.push("--dangerous".into());
        }
        // options hold for one snap alone
        let is_each = args.classic || args.channel.as_deref() != Some("stable");
        let groups = sources.chunks(if is_each { 1 } else { sources.len() });
        for group in groups {
            let command = [base.clone(), group.to_vec()].concat();
            let channel = args.channel.as_deref().unwrap_or("stable");
            let after: Vec<String> = group
                .iter()
                .map(|name| format!("{name} ({channel})"))
                .collect();
            let shown = diff(&[], &after);
            plan.act(command.join(" "), Some(shown), move |sys, data| {
                snap(sys, &command, "installation", data)
            });
        }
    }
    if args.options.is_some() {
        set_options(args, sys, &names, &missing, plan)?;
    }
    Ok(())
}

/// Plans the settings that differ.
fn set_options(
    args: &Args,
    sys: &Sys,
    names: &[String],
    missing: &[String],
    plan: &mut Plan<'_>,
) -> ModuleResult<()> {
    let mut changed = Vec::new();
    for (source, name) in args.name.iter().zip(names) {
        let now = if missing.contains(source) {
            Map::new()
        } else {
            settings(sys, name)?
        };
        let (mut set, mut before, mut after) = (Vec::new(), Vec::new(), Vec::new());
        for option in args.options.iter().flatten() {
            let cannot = || Failure::new(format!("Cannot parse set option '{option}'"));
            let (key, value) = option.split_once('=').ok_or_else(cannot)?;
            let (of, key) = match key.trim().rsplit_once(':') {
                Some((of, key)) => (Some(of), key),
                None => (None, key.trim()),
            };
            let value = value.trim();
            if key.is_empty() || value.is_empty() {
                return Err(cannot());
            }
            if let Some(of) = of.filter(|of| !args.name.iter().any(|name| name == of)) {
                return Err(Failure::new(format!(
                    "Snap option '{option}' refers to snap which is not in the list of snap names ({of})"
                )));
            }
            let is_meant = of.is_none_or(|of| of == name || of == source);
            let old = now.get(key).map(ToString::to_string);
            // a truth may be written in any way
            let is_same = old.as_ref().is_some_and(|old| {
                let is_truth = matches!(old.as_str(), "true" | "false");
                old == value || (is_truth && old.eq_ignore_ascii_case(value))
            });
            if is_meant && !is_same {
                before.extend(old.map(|old| format!("{name}:{key}={old}")));
                after.push(format!("{name}:{key}={value}"));
                set.push(format!("{key}={value}"));
                changed.push(if of.is_some() {
                    option.clone()
                } else {
                    format!("{name}:{option}")
                });
            }
        }
        if set.is_empty() {
            continue;
        }
        let command = [words(&["snap", "set", name]), set.clone()].concat();
        let name = name.clone();
        plan.act(
            format!("set options of {name}"),
            Some(diff(&before, &after)),
            move |sys, _| {
                let tool = sys.tool(&command);
                let output = sys.run(&tool)?;
                let complaint = output.complaint();
                if output.ok() {
                    Ok(())
                } else if complaint.contains("has no \"configure\" hook") {
                    Err(Failure::new(format!(
                        "Snap '{name}' does not have any configurable options"
                    )))
                } else {
                    let set = set.join(" ");
                    Err(Failure::new(format!(
                        "Cannot set options '{set}' for snap '{name}': error={complaint}"
                    )))
                }
            },
        );
    }
    if !changed.is_empty() {
        plan.returns("options_changed", listed(&changed));
    }
    Ok(())
}

/// A snap's settings by their names with dots.
fn settings(sys: &Sys, name: &str) -> ModuleResult<Map> {
    let output = ask(sys, &words(&["snap", "get", "-d", name]))?;
    let said = output.text();
    let mut all = Map::new();
    if !output.ok() || said.contains("has no configuration") {
        return Ok(all);
    }
    let json: serde_json::Value = serde_json::from_str(&said).map_err(|error| {
        Failure::new(format!(
            "what 'snap get -d {name}' prints cannot be read: {error}"
        ))
    })?;
    flatten("", &json, &mut all);
    Ok(all)
}

fn flatten(name: &str, value: &serde_json::Value, all: &mut Map) {
    match value {
        serde_json::Value::Object(members) => {
            for (key, value) in members {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                flatten(&name, value, all);
            }
        }
        serde_json::Value::String(text) => {
            all.set(name, Value::data(text.as_str()));
        }
        other => {
            all.set(name, Value::data(other.to_string()));
        }
    }
}
