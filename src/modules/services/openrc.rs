//! Services of OpenRC.

use super::sysv::{run, script_exists};
use super::{State, enabled_diff, state_diff};
use crate::modules::{ModuleResult, Plan};
use crate::sys::Sys;
use std::path::Path;

/// What a service is to be.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub name: String,
    pub state: Option<State>,
    pub enabled: Option<bool>,
    pub runlevel: String,
}

impl Wish {
    pub fn plan(self, plan: &mut Plan<'_>, sys: &Sys) -> ModuleResult<()> {
        if !script_exists(sys, &self.name) {
            return Err(super::systemctl::not_there(&self.name));
        }
        if let Some(enabled) = self.enabled {
            plan.returns("enabled", enabled);
            let link = Path::new("/etc/runlevels")
                .join(&self.runlevel)
                .join(&self.name);
            if sys.exists(&link) != enabled {
                let verb = if enabled { "add" } else { "delete" };
                let words = ["rc-update", verb, &self.name, &self.runlevel].map(str::to_owned);
                let diff = enabled_diff(&self.name, enabled);
                plan.act(words.join(" "), Some(diff), move |sys, _| {
                    run(sys, &words, "the service's runlevel cannot be changed")
                });
            }
        }
        let Some(state) = self.state else {
            return Ok(());
        };
        plan.returns("state", state.reached());
        let status = sys.query(&sys.tool(["rc-service", &self.name, "status"]))?;
        let running = status.ok() || status.text().contains("starting");
        if let Some(verb) = state.verb(running) {
            if state.repeats() {
                plan.repeats();
            }
            let words = ["rc-service", &self.name, verb].map(str::to_owned);
            let diff = state_diff(&self.name, running, state);
            let what = format!("Unable to {verb} service {}", self.name);
            plan.act(words.join(" "), Some(diff), move |sys, _| {
                run(sys, &words, &what)
            });
        }
        Ok(())
    }
}
