//! `setup`: facts about the machine.

use super::distribution::{Distribution, service_manager};
use super::look::Look;
use super::platform::{self, Python};
use super::{boot, firmware, local, network, processor, security, session, storage, subset};
use crate::module_args;
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{Map, Value};
use std::path::PathBuf;
use std::time::Duration;

module_args! {
    /// Arguments of `setup`.
    pub struct Args {
        /// Groups of facts to gather: `all`, `min`, `hardware`, `network`, `virtual` and more; `!` leaves one out.
        gather_subset: Vec<String> => default(vec!["all"]);
        /// Seconds to wait for a file system that does not answer.
        gather_timeout: i64 => default(10_i64);
        /// Shell patterns; only facts whose names fit one of them are returned.
        filter: Vec<String> => default(Vec::<String>::new());
        /// Directory of files `*.fact`, which are read or run for the fact `ansible_local`.
        fact_path: PathBuf => default("/etc/ansible/facts.d");
    }
}

/// The module.
pub struct Setup;

impl Module for Setup {
    const NAME: &'static str = "setup";
    const ALIASES: &'static [&'static str] = &["gather_facts"];
    const DOC: &'static str =
        "Gather facts about the machine: its system, hardware, network and users.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let chosen = subset::choose(&args.gather_subset)?;
        let mut plan = Plan::new();
        let mut warnings = Vec::new();
        let gathered = gather(args, Look(sys), &chosen, &mut warnings);
        for warning in warnings {
            plan.warn(warning);
        }
        let patterns: Vec<&String> = args.filter.iter().filter(|p| !p.is_empty()).collect();
        let mut facts = Map::new();
        for (key, value) in gathered.str_iter() {
            let key = format!("ansible_{}", key.replace('-', "_"));
            let fits = |pattern: &&String| {
                fits(pattern, &key)
                    || key
                        .strip_prefix("ansible_")
                        .is_some_and(|key| fits(pattern, key))
            };
            if patterns.is_empty() || patterns.iter().any(fits) {
                facts.set(&key, value.clone());
            }
        }
        if patterns.is_empty() {
            facts.set("gather_subset", args.gather_subset.clone());
            facts.set("module_setup", true);
        }
        plan.returns("ansible_facts", Value::map(facts).into_data());
        Ok(plan)
    }
}

fn gather(args: &Args, look: Look<'_>, chosen: &[&str], warnings: &mut Vec<String>) -> Map {
    let wants = |name: &str| chosen.contains(&name);
    let limit = Duration::from_secs(u64::try_from(args.gather_timeout).unwrap_or(10));
    let distribution = Distribution::of(look);
    let python = if wants("platform") || wants("python") {
        Some(Python::of(look))
    } else {
        None
    };
    let mut facts = Map::new();
    for name in chosen {
        let more = match *name {
            "platform" => python
                .as_ref()
                .map(|python| platform::platform(look, python))
                .unwrap_or_default(),
            "python" => python
                .as_ref()
                .map_or_else(Map::new, |p| Map::new().with("python", p.facts())),
            "distribution" => distribution.facts(look),
            "pkg_mgr" => Map::new().with("pkg_mgr", distribution.package_manager(look)),
            "service_mgr" => Map::new().with("service_mgr", service_manager(look)),
            "lsb" => Map::new().with("lsb", distribution.lsb(look)),
            "user" => session::user(look),
            "env" => Map::new().with("env", session::env(look)),
            "date_time" => Map::new().with("date_time", session::date_time(&jiff::Zoned::now())),
            "cmdline" => boot::command_line(look),
            "dns" => boot::dns(look),
            "selinux" => security::selinux(look),
            "apparmor" => security::apparmor(look),
            "caps" => security::capabilities(look),
            "fips" => security::fips(look),
            "ssh_pub_keys" => security::ssh_host_keys(look),
            "local" => local::local(look, &look.0.expand(&args.fact_path), warnings),
            "hardware" => [
                processor::processors(look),
                processor::memory(look),
                firmware::dmi(look),
                storage::devices(look),
                processor::uptime(look),
                Map::new().with("lvm", "N/A"),
                storage::mounts(look, limit),
            ]
            .into_iter()
            .flatten()
            .collect(),
            "network" => network::facts(look, &network::State::of(look)),
            "virtual" => firmware::virtualization(look),
            "chroot" => security::chroot(look),
            "loadavg" => boot::load(look),
            "systemd" => boot::systemd(look),
            fact @ ("fibre_channel_wwn" | "iscsi" | "nvme") => firmware::storage_names(look, fact),
            _ => Map::new(),
        };
        for (key, value) in more {
            facts.insert(key, value);
        }
    }
    facts
}

/// Shell pattern: `*`, `?`, `[abc]`, `[!abc]`.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    fits_chars(&pattern, &text)
}

fn fits_chars(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            fits_chars(rest, text)
                || text
                    .split_first()
                    .is_some_and(|(_, tail)| fits_chars(pattern, tail))
        }
        (Some(('[', rest)), Some((c, tail))) => {
            let Some(end) = rest.iter().skip(1).position(|c| *c == ']').map(|at| at + 1) else {
                return *c == '[' && fits_chars(rest, tail);
            };
            let (set, rest) = (
                rest.get(..end).unwrap_or_default(),
                rest.get(end + 1..).unwrap_or_default(),
            );
            let (not, set) = match set.split_first() {
                Some(('!', set)) => (true, set),
                _ => (false, set),
            };
            in_set(set, *c) != not && fits_chars(rest, tail)
        }
        (Some((p, rest)), Some((c, tail))) => (*p == '?' || p == c) && fits_chars(rest, tail),
        _ => false,
    }
}

fn in_set(set: &[char], c: char) -> bool {
    let ranges = set
        .windows(3)
        .any(|w| matches!(w, [a, '-', b] if (*a..=*b).contains(&c)));
    ranges || set.contains(&c)
}
