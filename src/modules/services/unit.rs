//! Bringing one systemd unit to a state.
//!
//! Source: systemctl(1), "Unit File Commands", for what `is-enabled` says.

use super::systemctl::{Systemctl, is_offline, not_there, properties};
use super::{State, enabled_diff, state_diff, sysv};
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{Map, Value};
use std::path::Path;

/// What a unit is to be.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub unit: String,
    pub state: Option<State>,
    pub enabled: Option<bool>,
    pub masked: Option<bool>,
    pub systemctl: Systemctl,
}

/// Whether a unit starts at boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boot {
    On,
    Off,
    /// It has nothing that could be enabled (static, generated, transient).
    Fixed,
}

struct Seen {
    status: Map,
    /// systemd knows the unit.
    unit: bool,
    /// There is an init script of that name.
    script: bool,
}

/// Answers of `is-enabled` that prove that a unit exists.
const UNIT_STATES: &[&str] = &[
    "enabled",
    "enabled-runtime",
    "linked",
    "linked-runtime",
    "masked",
    "masked-runtime",
    "static",
    "indirect",
    "disabled",
    "generated",
    "transient",
    "alias",
];

impl Wish {
    /// Adds what is to be done to the plan.
    pub fn plan(self, plan: &mut Plan<'_>, sys: &Sys) -> ModuleResult<()> {
        let seen = self.look(sys)?;
        plan.returns("status", seen.status.clone());
        if seen.script && !seen.unit {
            plan.warn(format!(
                "The service ({}) is actually an init script but the system is managed by systemd",
                self.unit
            ));
        }
        self.plan_mask(plan, sys)?;
        if self.enabled.is_none() && self.state.is_none() {
            return Ok(());
        }
        if !seen.unit && !seen.script {
            self.plan_late(plan);
            return Ok(());
        }
        self.plan_enabled(plan, &seen, sys)?;
        self.plan_state(plan, &seen, sys)
    }

    fn look(&self, sys: &Sys) -> ModuleResult<Seen> {
        let output = self.systemctl.query(sys, "show", &self.unit)?;
        let ignored = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            !text.contains('=')
                && (text.contains("ignoring request") || text.contains("ignoring command"))
        };
        let script = sysv::script_exists(sys, &self.unit);
        let status = properties(&output.text());
        if output.ok() && !ignored(&output.stdout) && !ignored(&output.stderr) {
            let get = |key| status.get(key).and_then(Value::as_str).unwrap_or_default();
            let load = get("LoadState");
            let unit = !load.is_empty() && load != "not-found";
            let error = get("LoadError");
            if unit && load != "masked" && !error.is_empty() {
                return Err(format!("Error loading unit file '{}': {error}", self.unit).into());
            }
            return Ok(Seen {
                status,
                unit,
                script,
            });
        }
        // `show` needs a running systemd and a full name; unit files can be asked for without
        let answer = self.systemctl.query(sys, "is-enabled", &self.unit)?;
        let unit = UNIT_STATES.contains(&first_line(&answer.text()))
            || self
                .systemctl
                .query(sys, "list-unit-files", &self.unit)
                .is_ok_and(|listed| listed.ok() && listed.text().contains(&self.unit));
        Ok(Seen {
            status: Map::new(),
            unit,
            script,
        })
    }

    fn plan_mask(&self, plan: &mut Plan<'_>, sys: &Sys) -> ModuleResult<()> {
        let Some(wanted) = self.masked else {
            return Ok(());
        };
        let answer = self.systemctl.query(sys, "is-enabled", &self.unit)?;
        let masked = first_line(&answer.text()) == "masked";
        if masked != wanted {
            let diff = Diff::new(
                &self.unit,
                Some(format!("masked: {masked}\n")),
                Some(format!("masked: {wanted}\n")),
            );
            let verb = if wanted { "mask" } else { "unmask" };
            self.step(plan, verb, self.unit.clone(), diff);
        }
        Ok(())
    }

    fn step(&self, plan: &mut Plan<'_>, verb: &'static str, unit: String, diff: Diff) {
        let systemctl = self.systemctl.clone();
        plan.act(format!("{verb} {unit}"), Some(diff), move |sys, _| {
            systemctl.act(sys, verb, &unit)
        });
    }

    /// The unit is not there now. It may be once the steps before are done; in check mode it may be that the task
    /// that installs it was only checked as well. So it is looked for again when the plan is applied.
    fn plan_late(self, plan: &mut Plan<'_>) {
        plan.warn(format!(
            "The service {} is not there; a run fails if nothing installs it before",
            self.unit
        ));
        let mut after = String::new();
        if let Some(state) = self.state {
            plan.returns("state", state.reached());
            if state != State::Stopped {
                after.push_str("state: started\n");
            }
        }
        if let Some(enabled) = self.enabled {
            plan.returns("enabled", enabled);
            if enabled {
                after.push_str("enabled: true\n");
            }
        }
        let diff = (!after.is_empty()).then(|| Diff::new(&self.unit, None::<String>, Some(after)));
        let what = format!("bring up {}", self.unit);
        let apply = move |sys: &mut Sys, data: &mut Map| {
            let seen = self.look(sys)?;
            if !seen.unit && !seen.script {
                return Err(not_there(&self.unit));
            }
            let mut late = Plan::new();
            late.returns("status", seen.status.clone());
            self.plan_enabled(&mut late, &seen, sys)?;
            self.plan_state(&mut late, &seen, sys)?;
            late.apply_within(sys, data)
        };
        match diff {
            Some(diff) => plan.act(what, Some(diff), move |sys, data| {
                apply(sys, data).map(drop)
            }),
            None => plan.always(what, apply),
        }
    }

    fn plan_enabled(&self, plan: &mut Plan<'_>, seen: &Seen, sys: &Sys) -> ModuleResult<()> {
        let Some(wanted) = self.enabled else {
            return Ok(());
        };
        let (boot, real) = self.boot(seen, sys)?;
        plan.returns("enabled", wanted);
        match (boot, wanted) {
            (Boot::Off, true) => self.step(plan, "enable", real, enabled_diff(&self.unit, true)),
            (Boot::On, false) => self.step(plan, "disable", real, enabled_diff(&self.unit, false)),
            (Boot::Fixed, false) => plan.warn(format!(
                "The unit {} cannot be disabled: it has no installation section, others start it",
                self.unit
            )),
            (Boot::On | Boot::Fixed, true) | (Boot::Off, false) => {}
        }
        Ok(())
    }

    /// Whether it starts at boot, and the name under which that is changed.
    fn boot(&self, seen: &Seen, sys: &Sys) -> ModuleResult<(Boot, String)> {
        let mut name = self.unit.clone();
        let mut answer = self.systemctl.query(sys, "is-enabled", &name)?;
        if first_line(&answer.text()) == "alias"
            && let Some(id) = seen.status.get("Id").and_then(Value::as_str)
            && id != name
        {
            // systemd refuses to enable an alias: the unit that it stands for is meant
            id.clone_into(&mut name);
            answer = self.systemctl.query(sys, "is-enabled", &name)?;
        }
        let text = answer.text();
        let boot = match (answer.ok(), first_line(&text)) {
            (true, "static" | "generated" | "transient") => Boot::Fixed,
            (true, "indirect") => self.indirect(seen, sys)?,
            (true, "enabled-runtime" | "alias") => Boot::Off,
            (true, _) => Boot::On,
            (false, word)
                if seen.script && !word.ends_with("disabled") && sysv::starts(sys, &self.unit) =>
            {
                Boot::On
            }
            (false, _) => Boot::Off,
        };
        Ok((boot, name))
    }

    /// An indirect unit has no installation of its own, but names others (`Also=`, `DefaultInstance=`): it is
    /// enabled when they are.
    fn indirect(&self, seen: &Seen, sys: &Sys) -> ModuleResult<Boot> {
        let Some(path) = seen.status.get("FragmentPath").and_then(Value::as_str) else {
            return Ok(Boot::Off);
        };
        let text = sys.read_text(Path::new(path))?.unwrap_or_default();
        let install = Install::parse(&text);
        let mut others = install.also;
        if let Some((stem, suffix)) = self.unit.split_once("@.")
            && let Some(instance) = install.default_instance
        {
            others = vec![format!("{stem}@{instance}.{suffix}")];
        } else if install.own || others.is_empty() {
            return Ok(Boot::Off);
        }
        for other in others {
            let answer = self.systemctl.query(sys, "is-enabled", &other)?;
            if !answer.ok() || first_line(&answer.text()) == "enabled-runtime" {
                return Ok(Boot::Off);
            }
        }
        Ok(Boot::On)
    }

    fn plan_state(&self, plan: &mut Plan<'_>, seen: &Seen, sys: &Sys) -> ModuleResult<()> {
        let Some(state) = self.state else {
            return Ok(());
        };
        plan.returns("state", state.reached());
        let Some(active) = seen.status.get("ActiveState").and_then(Value::as_str) else {
            if is_offline(sys) {
                plan.warn(
                    "Target is a chroot or systemd is offline. The service is neither started nor stopped.",
                );
                return Ok(());
            }
            return Err(crate::modules::Failure::new("Service is in unknown state")
                .with("status", seen.status.clone()));
        };
        let running = matches!(active, "active" | "activating" | "reloading" | "refreshing");
        // one that is stopping right now is waited for
        let running = running || (state == State::Stopped && active == "deactivating");
        // one that is being restarted just now (`no_block`) comes back of itself
        let running = running || (state == State::Started && self.comes_back(seen, sys)?);
        if let Some(verb) = state.verb(running) {
            if state.repeats() {
                plan.repeats();
            }
            let diff = state_diff(&self.unit, running, state);
            self.step(plan, verb, self.unit.clone(), diff);
        }
        Ok(())
    }

    /// Whether a job is queued or under way that starts the unit.
    fn comes_back(&self, seen: &Seen, sys: &Sys) -> ModuleResult<bool> {
        if seen.status.get("Job").is_none() {
            return Ok(false);
        }
        // jobs have the full name, `etcd.service`, whatever the task calls the unit
        let name = seen.status.get("Id").and_then(Value::as_str);
        let name = name.unwrap_or(&self.unit);
        let jobs = self.systemctl.query(sys, "list-jobs", name)?;
        // number, unit, kind, state
        Ok(jobs.text().lines().any(|line| {
            let mut words = line.split_whitespace().skip(1);
            words.next() == Some(name)
                && words
                    .next()
                    .is_some_and(|kind| matches!(kind, "start" | "restart"))
        }))
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim()
}

/// The section `[Install]` of a unit file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Install {
    /// It has links of its own.
    own: bool,
    also: Vec<String>,
    default_instance: Option<String>,
}

impl Install {
    fn parse(text: &str) -> Self {
        let mut install = Self::default();
        let mut inside = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                inside = line == "[Install]";
            } else if inside && let Some((key, value)) = line.split_once('=') {
                let value = value.trim();
                match key.trim() {
                    "WantedBy" | "RequiredBy" | "UpheldBy" | "Alias" => {
                        install.own |= !value.is_empty();
                    }
                    "Also" => install
                        .also
                        .extend(value.split_whitespace().map(str::to_owned)),
                    "DefaultInstance" => install.default_instance = Some(value.to_owned()),
                    _ => {}
                }
            }
        }
        install
    }
}

#[cfg(test)]
mod tests {
    use super::Install;

    #[test]
    fn install_sections() {
        let install =
            Install::parse("[Unit]\nAlso=x\n[Install]\n#Alias=y\nAlso=a.socket b.timer\n");
        assert!(!install.own);
        assert_eq!(install.also, ["a.socket", "b.timer"]);
        assert!(Install::parse("[Install]\nWantedBy=multi-user.target").own);
    }
}
