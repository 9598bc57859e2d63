//! `service`: services of whatever starts them: systemd, OpenRC, init scripts.

use super::systemctl::Scope;
use super::{State, openrc, systemd, sysv};
use crate::module_args;
use crate::modules::{Module, ModuleResult, Plan, over_defaults};
use crate::sys::Sys;
use crate::value::{ArgField, ArgProblem, ArgRule, Args as DecodeArgs, Map, Value, shell_words};
use std::path::Path;

module_args! {
    /// Arguments of `service`.
    pub struct Args {
        /// The service.
        name: String => required;
        /// What it is to do now.
        state: Option<State> => optional;
        /// Whether it starts at boot.
        enabled: Option<bool> => optional;
        /// Seconds between stop and start of a restart (init scripts only).
        sleep: Option<u64> => optional;
        /// Part of the command line by which the running service is known (init scripts only).
        pattern: Option<String> => optional;
        /// The runlevel (OpenRC only).
        runlevel: String => default("default");
        /// More words for the init script.
        arguments: String => default(""), aliases ["args"];
        /// What starts services: `auto`, `systemd`, `openrc`, `sysvinit` or `service`.
        r#use: String => default("auto");
        /// As in `systemd`.
        masked: Option<bool> => optional;
        /// As in `systemd`.
        daemon_reload: bool => default(false), aliases ["daemon-reload"];
        /// As in `systemd`.
        daemon_reexec: bool => default(false), aliases ["daemon-reexec"];
        /// As in `systemd`.
        scope: Scope => default("system");
        /// As in `systemd`.
        no_block: bool => default(false);
        /// As in `systemd`.
        force: Option<bool> => optional;
        /// Defaults of `systemd`, by that name.
        _defaults: Option<Map> => optional;
    }
}

/// The arguments of `service`, and what they are where systemd starts services.
#[derive(Clone, Debug)]
pub struct ServiceArgs {
    own: Args,
    on_systemd: Args,
}

impl DecodeArgs for ServiceArgs {
    fn fields() -> Vec<ArgField> {
        Args::fields()
    }

    fn decode(args: &Map) -> Result<Self, Vec<ArgProblem>> {
        Ok(Self {
            own: Args::decode(args)?,
            on_systemd: Args::decode(&over_defaults(args, "systemd"))?,
        })
    }
}

/// The module.
pub struct Service;

impl Module for Service {
    const NAME: &'static str = "service";
    const ALIASES: &'static [&'static str] = &["sysvinit"];
    const DOC: &'static str =
        "Start, stop or enable a service, whatever starts services on the machine.";
    const RULES: &'static [ArgRule] = &[ArgRule::OneOf(&[
        "state",
        "enabled",
        "masked",
        "daemon_reload",
    ])];
    type Args = ServiceArgs;

    fn plan<'a>(args: &'a ServiceArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let ServiceArgs {
            own: args,
            on_systemd,
        } = args;
        let mut plan = Plan::new();
        plan.returns("name", Value::data(args.name.as_str()));
        match manager(args, sys)? {
            Manager::Systemd => {
                let args = on_systemd;
                for (given, name) in [
                    (args.sleep.is_some(), "sleep"),
                    (args.pattern.is_some(), "pattern"),
                    (!args.arguments.is_empty(), "arguments"),
                ] {
                    if given {
                        plan.warn(format!(
                            "Ignoring \"{name}\" as it is not used in \"systemd\""
                        ));
                    }
                }
                let args = systemd::Args {
                    name: Some(args.name.clone()),
                    state: args.state,
                    enabled: args.enabled,
                    masked: args.masked,
                    daemon_reload: args.daemon_reload,
                    daemon_reexec: args.daemon_reexec,
                    force: args.force,
                    scope: args.scope,
                    no_block: args.no_block,
                };
                systemd::plan_units(&args, &mut plan, sys)?;
            }
            Manager::OpenRc => openrc::Wish {
                name: args.name.clone(),
                state: args.state,
                enabled: args.enabled,
                runlevel: args.runlevel.clone(),
            }
            .plan(&mut plan, sys)?,
            Manager::SysV => sysv::Wish {
                name: args.name.clone(),
                state: args.state,
                enabled: args.enabled,
                pattern: args.pattern.clone(),
                arguments: shell_words(&args.arguments)?,
                sleep: args.sleep,
            }
            .plan(&mut plan, sys)?,
        }
        Ok(plan)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Systemd,
    OpenRc,
    SysV,
}

fn manager(args: &Args, sys: &Sys) -> ModuleResult<Manager> {
    let short = args.r#use.rsplit('.').next().unwrap_or_default();
    Ok(match short {
        "auto" | "service" => {
            let systemctl = sys.which("systemctl").is_some();
            let booted = ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"]
                .iter()
                .any(|path| sys.exists(Path::new(path)));
            if systemctl && booted {
                Manager::Systemd
            } else if sys.which("rc-service").is_some() {
                Manager::OpenRc
            } else if sysv::script_exists(sys, &args.name) || !systemctl {
                Manager::SysV
            } else {
                // a chroot or an image: units can be enabled all the same
                Manager::Systemd
            }
        }
        "systemd" | "systemd_service" => Manager::Systemd,
        "openrc" => Manager::OpenRc,
        "sysvinit" => Manager::SysV,
        other => {
            return Err(format!(
                "use: {other} is not built; runbook knows auto, systemd, openrc and sysvinit"
            )
            .into());
        }
    })
}
