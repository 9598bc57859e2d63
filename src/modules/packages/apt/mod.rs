//! `apt`: packages of Debian and its kin.
//!
//! dpkg's database is read natively; what a change would bring is what `apt-get -s` says. `aptitude` is never used.

mod deb;
mod get;
mod index;
mod spec;
pub(super) mod status;
mod version;
mod wish;

use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::ArgRule;
use crate::{choices, module_args};

choices! {
    /// What packages are to be.
    pub enum State {
        /// Not installed.
        Absent = "absent",
        /// What is needed to build them is installed.
        BuildDep = "build-dep",
        /// Installed in the newest version.
        Latest = "latest",
        /// Installed.
        Present = "present",
        /// Installed, with broken dependencies repaired.
        Fixed = "fixed",
    }
}

choices! {
    /// How to upgrade all that is installed.
    pub enum Upgrade {
        /// Removing what is in the way, too.
        Dist = "dist",
        /// The same as `dist`.
        Full = "full",
        /// Not at all.
        No = "no",
        /// Removing nothing.
        Safe = "safe",
        /// The same as `safe`.
        Yes = "yes",
    }
}

module_args! {
    /// Arguments of `apt`.
    pub struct Args {
        /// Change packages that are held.
        allow_change_held_packages: bool => default(false);
        /// Install older versions than those installed.
        allow_downgrade: bool => default(false),
            aliases ["allow-downgrade", "allow_downgrades", "allow-downgrades"];
        /// Install what is not signed.
        allow_unauthenticated: bool => default(false), aliases ["allow-unauthenticated"];
        /// Delete downloaded files of versions that can no longer be had.
        autoclean: bool => default(false);
        /// Remove packages that were installed for others and are no longer needed.
        autoremove: bool => default(false);
        /// Seconds for which a package index is new enough; giving it means `update_cache`.
        cache_valid_time: u64 => default(0);
        /// Delete all downloaded files.
        clean: bool => default(false);
        /// A package file: a path on the machine or an address. Many are separated by commas.
        deb: Option<String> => optional;
        /// The release to prefer.
        default_release: Option<String> => optional, aliases ["default-release"];
        /// Options for dpkg, separated by commas.
        dpkg_options: String => default("force-confdef,force-confold");
        /// Fail if packages would be removed.
        fail_on_autoremove: bool => default(false);
        /// Allow what is otherwise refused: unsigned, held, older and essential packages.
        force: bool => default(false);
        /// Has no meaning: aptitude is never used.
        force_apt_get: bool => default(false);
        /// Install what packages recommend; without it, as apt is configured.
        install_recommends: Option<bool> => optional, aliases ["install-recommends"];
        /// Seconds to wait for the locks of apt and dpkg.
        lock_timeout: u64 => default(60);
        /// The packages, each perhaps with `=version`; wildcards may be used.
        name: Option<Vec<String>> => optional, aliases ["package", "pkg"];
        /// Upgrade packages that are installed, install none.
        only_upgrade: bool => default(false);
        /// Exit code of a `policy-rc.d` that is there meanwhile (101 keeps services from starting).
        policy_rc_d: Option<i64> => optional;
        /// Remove configuration files too.
        purge: bool => default(false);
        /// What the packages are to be.
        state: State => default("present");
        /// Refresh the package index first.
        update_cache: Option<bool> => optional, aliases ["update-cache"];
        /// How often refreshing is tried.
        update_cache_retries: u64 => default(5);
        /// Most seconds between two tries.
        update_cache_retry_max_delay: u64 => default(12);
        /// Upgrade all that is installed.
        upgrade: Upgrade => default("no");
    }
}

impl Args {
    /// The packages named, without `*`.
    fn names(&self) -> Vec<String> {
        self.name
            .iter()
            .flatten()
            .map(|name| name.trim())
            .filter(|name| !name.is_empty() && *name != "*")
            .map(str::to_owned)
            .collect()
    }
}

/// Refreshes the package index; whether something was new.
pub(super) fn refresh_index(args: &Args, sys: &mut Sys) -> ModuleResult<bool> {
    index::refresh(args, sys)
}

/// The module.
pub struct Apt;

impl Module for Apt {
    const NAME: &'static str = "apt";
    const DOC: &'static str = "Install, upgrade and remove packages of Debian and its kin.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&["deb", "name", "upgrade"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("apt-get").is_none() {
            return Err("apt-get is not there: this machine is not of Debian's kin".into());
        }
        if args.deb.is_some() && args.state != State::Present {
            return Err("deb only supports state=present".into());
        }
        let mut plan = Plan::new();
        let due = index::is_due(args, sys)?;
        plan.returns("cache_updated", false);
        plan.returns("cache_update_time", index::time(sys)?);
        let only_index = args.names().is_empty()
            && args.upgrade == Upgrade::No
            && args.deb.is_none()
            && !args.name.iter().flatten().any(|name| name.trim() == "*");
        if due {
            plan.always("refresh the package index", move |sys, data| {
                let new = index::refresh(args, sys)?;
                data.set("cache_updated", new);
                data.set("cache_update_time", index::time(sys)?);
                // with packages to look after, only they count as a change
                Ok(new && only_index)
            });
        }
        let actions = wish::decide(args, sys, due)?;
        if due {
            plan_after_refresh(args, &actions, &mut plan);
        } else {
            for action in actions {
                plan.act(
                    action.call.shown(),
                    Some(action.diff.clone()),
                    move |sys, data| action.run(args, sys, data),
                );
            }
        }
        if let Some(debs) = &args.deb {
            deb::plan(args, debs, &mut plan, sys)?;
        }
        let names = wish::to_mark(args, sys)?;
        if !names.is_empty() {
            plan.always("mark as installed by hand", move |sys, _| {
                wish::mark(&names, sys)
            });
        }
        for action in wish::clean_up(args, sys)? {
            plan.act(
                action.call.shown(),
                Some(action.diff.clone()),
                move |sys, data| action.run(args, sys, data),
            );
        }
        Ok(plan)
    }
}

/// With a new index everything may be different: it is decided again then.
fn plan_after_refresh<'a>(args: &'a Args, actions: &[wish::Action], plan: &mut Plan<'a>) {
    let again = move |sys: &mut Sys, data: &mut crate::value::Map| {
        let actions = wish::decide(args, sys, false)?;
        for action in &actions {
            action.run(args, sys, data)?;
        }
        Ok(!actions.is_empty())
    };
    match actions {
        [] if args.state == State::Latest || args.upgrade != Upgrade::No => {
            plan.always("upgrade to what is new", again);
        }
        [] => {}
        [first, rest @ ..] => {
            let what = first.call.shown();
            plan.act(what, Some(first.diff.clone()), move |sys, data| {
                again(sys, data).map(drop)
            });
            for action in rest {
                // shown here, done with the first
                plan.act(
                    action.call.shown(),
                    Some(action.diff.clone()),
                    |_, _| Ok(()),
                );
            }
        }
    }
}
