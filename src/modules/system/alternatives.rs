//! `alternatives`: which of several programs a name stands for.
//!
//! Source: Ansible's documentation of `community.general.alternatives`; update-alternatives(1).

use crate::modules::steps::run_tool;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Map;
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// What becomes of the alternative.
    pub enum State {
        /// Not registered.
        Absent = "absent",
        /// The priorities decide.
        Auto = "auto",
        /// Registered.
        Present = "present",
        /// Registered and chosen.
        Selected = "selected",
    }
}

module_args! {
    /// Arguments of `alternatives`.
    pub struct Args {
        /// The name, e.g. `java`.
        name: String => required;
        /// The program that it is to stand for.
        path: Option<PathBuf> => optional;
        /// The link, e.g. `/usr/bin/java`; needed where the name is new.
        link: Option<PathBuf> => optional;
        /// The alternative's priority; 50 for a new one.
        priority: Option<i64> => optional;
        /// What becomes of the alternative.
        state: State => default("selected");
        /// Other links that go with it: each with `name`, `link` and `path`. All that it has, if given.
        subcommands: Option<Vec<Map>> => optional, aliases ["slaves"];
        /// Alternatives that belong together, where `alternatives` knows of families.
        family: Option<String> => optional;
    }
}

/// What is registered.
#[derive(Default)]
struct Now {
    link: Option<String>,
    is_auto: bool,
    value: Option<String>,
    choices: Vec<(String, i64)>,
    /// Other links that go with a choice.
    slaves: Vec<(String, Slave)>,
    /// Where those links are, by their names.
    links: Vec<(String, String)>,
}

/// Another link that goes with a choice.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slave {
    name: String,
    link: String,
    path: String,
}

fn slaves(args: &Args) -> ModuleResult<Option<Vec<Slave>>> {
    let Some(all) = &args.subcommands else {
        return Ok(None);
    };
    let read = |one: &Map| {
        let part = |name: &str| {
            let value = one.get(name).filter(|value| !value.is_null());
            let value = value.map(ToString::to_string);
            value.ok_or_else(|| {
                Failure::new(format!(
                    "missing required arguments: {name} found in subcommands"
                ))
            })
        };
        Ok(Slave {
            name: part("name")?,
            link: part("link")?,
            path: part("path")?,
        })
    };
    let mut all: Vec<Slave> = all.iter().map(read).collect::<ModuleResult<_>>()?;
    all.sort();
    Ok(Some(all))
}

/// The module.
pub struct Alternatives;

impl Module for Alternatives {
    const NAME: &'static str = "alternatives";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Register and choose the program that a name stands for.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let tool = ["update-alternatives", "alternatives"]
            .into_iter()
            .find(|tool| sys.which(tool).is_some())
            .ok_or("update-alternatives is not there")?;
        let now = query(sys, tool, &args.name)?;
        let path = args
            .path
            .as_ref()
            .map(|path| sys.expand(path).to_string_lossy().into_owned());
        let mut plan = Plan::new();
        if args.state == State::Auto && path.is_none() {
            if !now.is_auto {
                let diff = Diff::new(
                    args.name.as_str(),
                    Some("mode: manual\n"),
                    Some("mode: auto\n"),
                );
                plan.act(
                    format!("{} by priority", args.name),
                    Some(diff),
                    move |sys, _| run_tool(sys, &[tool, "--auto", &args.name]).map(drop),
                );
            }
            return Ok(plan);
        }
        let Some(path) = path else {
            return Err("path is required".into());
        };
        let known = now
            .choices
            .iter()
            .find(|(choice, _)| *choice == path)
            .map(|(_, priority)| *priority);
        if args.state == State::Absent {
            if known.is_some() {
                let diff = Diff::new(
                    args.name.as_str(),
                    Some(format!("choice: {path}\n")),
                    None::<String>,
                );
                plan.act(format!("remove {path}"), Some(diff), move |sys, _| {
                    run_tool(sys, &[tool, "--remove", &args.name, &path]).map(drop)
                });
            }
            return Ok(plan);
        }
        let differs = args
            .priority
            .is_some_and(|wanted| known.is_some_and(|now| now != wanted));
        let now_slaves = now.slaves_of(&path);
        let wanted_slaves = slaves(args)?;
        let other_slaves = wanted_slaves
            .as_ref()
            .is_some_and(|wanted| *wanted != now_slaves);
        if known.is_none() || differs || other_slaves {
            if !sys.exists(std::path::Path::new(&path)) {
                return Err(Failure::new(format!(
                    "Specified path {path} does not exist"
                )));
            }
            let link = args
                .link
                .as_ref()
                .map(|link| link.to_string_lossy().into_owned())
                .or(now.link.clone());
            let Some(link) = link else {
                return Err("Needed to install the alternative, but unable to do so as we are missing the link".into());
            };
            let priority = args.priority.or(known).unwrap_or(50).to_string();
            // without them, those that are there would go
            let slaves = wanted_slaves.unwrap_or_else(|| now_slaves.clone());
            let lines = |slaves: &[Slave]| {
                let lines = slaves
                    .iter()
                    .map(|one| format!("{}: {} -> {}\n", one.name, one.link, one.path));
                lines.collect::<String>()
            };
            let before =
                known.map(|now| format!("choice: {path}\npriority: {now}\n{}", lines(&now_slaves)));
            let diff = Diff::new(
                args.name.as_str(),
                before,
                Some(format!(
                    "choice: {path}\npriority: {priority}\n{}",
                    lines(&slaves)
                )),
            );
            let chosen = path.clone();
            plan.act(format!("register {path}"), Some(diff), move |sys, _| {
                let mut words = vec![tool, "--install", &link, &args.name, &chosen, &priority];
                if let Some(family) = &args.family {
                    words.extend(["--family", family]);
                }
                for slave in &slaves {
                    words.extend(["--slave", &slave.link, &slave.name, &slave.path]);
                }
                run_tool(sys, &words).map(drop)
            });
        }
        if args.state == State::Selected
            && (now.value.as_deref() != Some(path.as_str()) || now.is_auto)
        {
            let before = now.value.as_ref().map(|value| {
                format!(
                    "value: {value}\nmode: {}\n",
                    if now.is_auto { "auto" } else { "manual" }
                )
            });
            let diff = Diff::new(
                args.name.as_str(),
                before,
                Some(format!("value: {path}\nmode: manual\n")),
            );
            plan.act(format!("choose {path}"), Some(diff), move |sys, _| {
                run_tool(sys, &[tool, "--set", &args.name, &path]).map(drop)
            });
        } else if args.state == State::Auto && !now.is_auto {
            plan.act(format!("{} by priority", args.name), None, move |sys, _| {
                run_tool(sys, &[tool, "--auto", &args.name]).map(drop)
            });
        }
        Ok(plan)
    }
}

fn query(sys: &Sys, tool: &str, name: &str) -> ModuleResult<Now> {
    let output = sys.query(&sys.tool([tool, "--query", name]))?;
    let mut now = Now::default();
    if !output.ok() {
        return Ok(now);
    }
    let mut within = false;
    for line in output.text().lines() {
        if within && let Some(rest) = line.strip_prefix(' ') {
            let (name, path) = rest.split_once(' ').unwrap_or((rest, ""));
            let (name, path) = (name.to_owned(), path.to_owned());
            match now.choices.last() {
                None => now.links.push((name, path)),
                Some((choice, _)) => {
                    let link = now.links.iter().find(|(known, _)| *known == name);
                    let link = link.map(|(_, link)| link.clone()).unwrap_or_default();
                    now.slaves
                        .push((choice.clone(), Slave { name, link, path }));
                }
            }
            continue;
        }
        within = line == "Slaves:";
        match line.split_once(": ") {
            Some(("Link", value)) => now.link = Some(value.to_owned()),
            Some(("Status", value)) => now.is_auto = value == "auto",
            Some(("Value", value)) => now.value = Some(value.to_owned()).filter(|v| v != "none"),
            Some(("Alternative", value)) => now.choices.push((value.to_owned(), 0)),
            Some(("Priority", value)) => {
                if let Some(last) = now.choices.last_mut() {
                    last.1 = value.trim().parse().unwrap_or(0);
                }
            }
            _ => {}
        }
    }
    Ok(now)
}

impl Now {
    fn slaves_of(&self, choice: &str) -> Vec<Slave> {
        let all = self.slaves.iter().filter(|(of, _)| of == choice);
        let mut all: Vec<Slave> = all.map(|(_, slave)| slave.clone()).collect();
        all.sort();
        all
    }
}
