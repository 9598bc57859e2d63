//! `systemd`: units of systemd.

use super::State;
use super::systemctl::{Scope, Systemctl};
use super::unit::Wish;
use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{ArgRule, Value};

module_args! {
    /// Arguments of `systemd`.
    pub struct Args {
        /// The unit; without a suffix, a service.
        name: Option<String> => optional, aliases ["service", "unit"];
        /// What it is to do now.
        state: Option<State> => optional;
        /// Whether it starts at boot.
        enabled: Option<bool> => optional;
        /// Whether it cannot be started at all.
        masked: Option<bool> => optional;
        /// Let systemd read its unit files again first. That alone is no change.
        daemon_reload: bool => default(false), aliases ["daemon-reload"];
        /// Let systemd execute itself again first. That alone is no change.
        daemon_reexec: bool => default(false), aliases ["daemon-reexec"];
        /// Replace links that are in the way when enabling.
        force: Option<bool> => optional;
        /// Whose systemd.
        scope: Scope => default("system");
        /// Do not wait for the job's end.
        no_block: bool => default(false);
    }
}

/// The module.
pub struct Systemd;

impl Module for Systemd {
    const NAME: &'static str = "systemd";
    const ALIASES: &'static [&'static str] = &["systemd_service"];
    const DOC: &'static str = "Start, stop, enable or mask units of systemd.";
    const RULES: &'static [ArgRule] = &[ArgRule::OneOf(&[
        "state",
        "enabled",
        "masked",
        "daemon_reload",
        "daemon_reexec",
    ])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let asks = args.state.is_some() || args.enabled.is_some() || args.masked.is_some();
        if args.name.is_none() && asks {
            return Err("state, enabled and masked need a name".into());
        }
        let mut plan = Plan::new();
        plan.returns("name", args.name.as_deref().map(Value::data));
        plan_units(args, &mut plan, sys)?;
        Ok(plan)
    }
}

/// What `systemd` does, and `service` on a machine with systemd.
pub(super) fn plan_units(args: &Args, plan: &mut Plan<'_>, sys: &Sys) -> ModuleResult<()> {
    if sys.which("systemctl").is_none() {
        return Err(Failure::new(
            "systemctl is not there: this machine has no systemd. Use the module service",
        ));
    }
    if let Some(name) = &args.name
        && let Some(c) = name.chars().find(|c| matches!(c, '*' | '?' | '['))
    {
        return Err(format!(
            "This module does not currently support using glob patterns, found '{c}' in service name: {name}"
        )
        .into());
    }
    plan.returns("status", crate::value::Map::new());
    let systemctl = Systemctl {
        scope: args.scope,
        no_block: args.no_block,
        force: args.force.unwrap_or_default(),
    };
    for (asked, verb) in [
        (args.daemon_reload, "daemon-reload"),
        (args.daemon_reexec, "daemon-reexec"),
    ] {
        if asked {
            let systemctl = systemctl.clone();
            plan.always(verb, move |sys, _| systemctl.daemon(sys, verb));
        }
    }
    let Some(name) = args.name.as_deref().filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    Wish {
        unit: name.to_owned(),
        state: args.state,
        enabled: args.enabled,
        masked: args.masked,
        systemctl,
    }
    .plan(plan, sys)
}
