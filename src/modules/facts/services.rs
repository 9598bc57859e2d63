//! `service_facts`: which services there are, and whether they run.
//!
//! Source: Ansible's documentation of `ansible.builtin.service_facts`.

use super::look::Look;
use crate::module_args;
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::{Command, Sys};
use crate::value::{Map, Value};

module_args! {
    /// Arguments of `service_facts`: none.
    pub struct Args {
        _unused: Option<bool> => optional;
    }
}

/// The module.
pub struct ServiceFacts;

/// States of a unit that are told instead of whether it is enabled.
const BAD: &[&str] = &["not-found", "masked", "failed"];

impl Module for ServiceFacts {
    const NAME: &'static str = "service_facts";
    const DOC: &'static str = "Gather the services and their states as the fact `services`.";
    type Args = Args;

    fn plan<'a>(_: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let look = Look(sys);
        let mut plan = Plan::new();
        let mut services = Map::new();
        let ask = |plan: &mut Plan<'_>, argv: &[&str]| -> ModuleResult<String> {
            let output = sys.query(&Command::new(argv.iter().copied()).c_locale())?;
            if !output.ok() {
                plan.warn(format!(
                    "`{}` failed: {}",
                    argv.join(" "),
                    output.complaint()
                ));
            }
            Ok(output.text())
        };
        if sys.which("service").is_some() && look.exists("/etc/init.d") {
            sysv(
                &ask(&mut plan, &["service", "--status-all"])?,
                &mut services,
            );
        }
        if sys.which("rc-status").is_some() {
            openrc(&ask(&mut plan, &["rc-status", "-a", "-s"])?, &mut services);
        }
        if sys.which("systemctl").is_some() && look.exists("/run/systemd/system") {
            let flags = ["--no-pager", "--type", "service", "--all", "--plain"];
            let units = [&["systemctl", "list-units"][..], &flags].concat();
            let files = [&["systemctl", "list-unit-files"][..], &flags].concat();
            systemd_units(&ask(&mut plan, &units)?, &mut services);
            systemd_files(&ask(&mut plan, &files)?, &mut services);
        }
        if services.is_empty() {
            plan.warn("no services were found: neither systemd, OpenRC nor init scripts answered");
        }
        let facts = Map::new().with("services", services);
        plan.returns("ansible_facts", Value::map(facts).into_data());
        Ok(plan)
    }
}

fn service(name: &str, state: &str, status: Option<&str>, source: &str) -> Map {
    let mut service = Map::new().with("name", name).with("state", state);
    if let Some(status) = status {
        service.set("status", status);
    }
    service.with("source", source)
}

fn systemd_units(text: &str, services: &mut Map) {
    for line in text.lines().filter(|line| line.contains(".service")) {
        let fields: Vec<&str> = line.trim_start_matches('●').split_whitespace().collect();
        let [name, rest @ ..] = fields.as_slice() else {
            continue;
        };
        let [_, active, sub, ..] = rest else { continue };
        let bad = BAD
            .iter()
            .find(|bad| rest.iter().take(3).any(|field| field == *bad));
        let state = if *sub == "running" {
            "running"
        } else {
            "stopped"
        };
        services.set(
            name,
            service(name, state, Some(bad.unwrap_or(active)), "systemd"),
        );
    }
}

fn systemd_files(text: &str, services: &mut Map) {
    for line in text.lines().filter(|line| line.contains(".service")) {
        let mut fields = line.split_whitespace();
        let (Some(name), Some(status)) = (fields.next(), fields.next()) else {
            continue;
        };
        let known = services.get(name).and_then(Value::as_map).cloned();
        let entry = match known {
            Some(known)
                if known
                    .get("status")
                    .and_then(Value::as_str)
                    .is_some_and(|s| BAD.contains(&s)) =>
            {
                continue;
            }
            Some(known) => known.with("status", status),
            // a template has no state of its own
            None => service(
                name,
                if name.contains("@.") {
                    "unknown"
                } else {
                    "inactive"
                },
                Some(status),
                "systemd",
            ),
        };
        services.set(name, entry);
    }
}

fn sysv(text: &str, services: &mut Map) {
    for line in text.lines() {
        let line = line.trim();
        let state = match line.get(..5) {
            Some("[ + ]") => "running",
            Some("[ - ]") => "stopped",
            _ => continue,
        };
        let name = line.get(5..).unwrap_or_default().trim();
        services.set(name, service(name, state, None, "sysv"));
    }
}

fn openrc(text: &str, services: &mut Map) {
    for line in text.lines() {
        let Some((name, state)) = line.trim().split_once('[') else {
            continue;
        };
        let (name, state) = (name.trim(), state.trim_end_matches(']').trim());
        let state = state.split_whitespace().next().unwrap_or_default();
        let state = if state == "started" { "running" } else { state };
        if !name.is_empty() {
            services.set(name, service(name, state, None, "openrc"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systemd_is_read() {
        let mut services = Map::new();
        systemd_units(
            "UNIT LOAD ACTIVE SUB DESCRIPTION\nssh.service loaded active running OpenSSH failed\n\
             x.service not-found inactive dead x.service\ngetty@tty1.service loaded inactive dead Getty\n",
            &mut services,
        );
        systemd_files(
            "UNIT FILE STATE PRESET\nssh.service enabled enabled\nx.service disabled -\ngetty@.service enabled -\n\
             apt.service static -\n",
            &mut services,
        );
        let field = |name: &str, field: &str| {
            services
                .get(name)
                .and_then(|s| s.get(field)?.as_str())
                .unwrap_or("")
        };
        assert_eq!(
            (
                field("ssh.service", "state"),
                field("ssh.service", "status")
            ),
            ("running", "enabled")
        );
        assert_eq!(
            (field("x.service", "state"), field("x.service", "status")),
            ("stopped", "not-found")
        );
        assert_eq!(
            (
                field("apt.service", "state"),
                field("apt.service", "status")
            ),
            ("inactive", "static")
        );
        assert_eq!(field("getty@.service", "state"), "unknown");
        assert_eq!(field("getty@tty1.service", "status"), "inactive");
    }

    #[test]
    fn scripts_are_read() {
        let mut services = Map::new();
        sysv(
            " [ - ]  dbus\n [ + ]  ssh\n [ ? ]  hwclock.sh\n",
            &mut services,
        );
        let names: Vec<_> = services
            .str_iter()
            .map(|(name, _)| name.to_owned())
            .collect();
        assert_eq!(names, ["dbus", "ssh"]);
        assert_eq!(
            services.get("ssh").and_then(|s| s.get("state")),
            Some(&"running".into())
        );
    }
}
