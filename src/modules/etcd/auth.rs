//! `etcd_auth`: whether etcd asks who somebody is.

use super::access::Access;
use super::message::Writer;
use super::user::find;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::{choices, module_args};

choices! {
    /// What is to be.
    pub enum State {
        /// Everybody must log in.
        Enabled = "enabled",
        /// Everybody may do everything.
        Disabled = "disabled",
    }
}

module_args! {
    /// Arguments of `etcd_auth`.
    pub struct Args {
        access: Access => flatten;
        /// What is to be.
        state: State => default("enabled");
    }
}

/// The module.
pub struct EtcdAuth;

impl Module for EtcdAuth {
    const NAME: &'static str = "etcd_auth";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str = "Enable or disable etcd's authentication.\nIt can only be enabled when the user root has the role root.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut etcd = args.access.connect(sys)?;
        let is_enabled = etcd.is_auth_enabled()?;
        let wanted = args.state == State::Enabled;
        let mut plan = Plan::new();
        plan.returns("enabled", wanted);
        if is_enabled == wanted {
            return Ok(plan);
        }
        if wanted {
            let ready = find(&mut etcd, "root")?.is_some_and(|roles| roles.contains("root"));
            if !ready {
                plan.warn(
                    "there is no user root with the role root yet, which etcd needs (etcd_user)",
                );
            }
        }
        let text = |enabled: bool| if enabled { "enabled\n" } else { "disabled\n" };
        let diff = Diff::new(
            "etcd authentication",
            Some(text(is_enabled)),
            Some(text(wanted)),
        );
        plan.act(
            format!("{} authentication", args.state.word()),
            Some(diff),
            move |_, _| {
                let method = if wanted {
                    "Auth/AuthEnable"
                } else {
                    "Auth/AuthDisable"
                };
                etcd.call(method, &Writer::new(), "authentication cannot be set")
                    .map(drop)
            },
        );
        Ok(plan)
    }
}
