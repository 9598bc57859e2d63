//! `package`: packages, with whatever manager the machine has.

use super::apt;
use super::simple::{Manager, PackageArgs, State};
use crate::module_args;
use crate::modules::{Module, ModuleResult, Plan, over_defaults};
use crate::sys::Sys;
use crate::value::{ArgField, ArgProblem, Args, Map, Value};

module_args! {
    /// What `package` itself takes.
    pub struct Own {
        /// The packages.
        name: Vec<String> => required, aliases ["pkg"];
        /// What they are to be.
        state: State => default("present");
        /// The package manager; without it, the machine's.
        r#use: String => default("auto");
        /// Defaults of the managers' modules, by name.
        _defaults: Option<Map> => optional;
    }
}

/// The arguments of `package`: its own, and those of the manager.
#[derive(Clone, Debug)]
pub struct PackageModuleArgs {
    own: Own,
    apt: apt::Args,
    others: Vec<(Manager, PackageArgs)>,
}

impl Args for PackageModuleArgs {
    fn fields() -> Vec<ArgField> {
        let mut fields = Own::fields();
        let more = apt::Args::fields()
            .into_iter()
            .filter(|field| !matches!(field.name, "name" | "state" | "deb" | "upgrade"));
        fields.extend(more);
        fields
    }

    fn decode(args: &Map) -> Result<Self, Vec<ArgProblem>> {
        let own = Own::decode(args)?;
        let mut passed = args.clone();
        passed.take("pkg");
        passed.set(
            "name",
            Value::list(own.name.iter().map(|n| Value::data(n.as_str())).collect()),
        );
        if passed.get("state").is_some() {
            passed.set("state", own.state.word());
        }
        let others = Manager::ALL.into_iter().map(|manager| {
            let args = over_defaults(&passed, manager.program());
            Ok((manager, PackageArgs::decode(&args)?))
        });
        Ok(Self {
            apt: apt::Args::decode(&over_defaults(&passed, "apt"))?,
            others: others.collect::<Result<_, Vec<ArgProblem>>>()?,
            own,
        })
    }
}

/// The module.
pub struct Package;

impl Module for Package {
    const NAME: &'static str = "package";
    const DOC: &'static str = "Install, upgrade and remove packages with the machine's package manager.\nArguments that only one manager knows are passed to it.";
    type Args = PackageModuleArgs;

    fn plan<'a>(args: &'a PackageModuleArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let manager = match args.own.r#use.rsplit('.').next().unwrap_or_default() {
            "auto" if sys.which("apt-get").is_some() => None,
            "auto" => Some(Manager::detect(sys).ok_or(
                "the machine has no package manager that runbook knows (apt, dnf, yum, apk, pacman, zypper)",
            )?),
            "apt" => None,
            "dnf" | "dnf5" => Some(Manager::Dnf),
            "yum" => Some(Manager::Yum),
            "apk" => Some(Manager::Apk),
            "pacman" => Some(Manager::Pacman),
            "zypper" => Some(Manager::Zypper),
            other => {
                return Err(format!(
                    "Could not find a matching action for the \"{other}\" package manager; runbook knows apt, dnf, yum, apk, \
                     pacman and zypper"
                )
                .into());
            }
        };
        match manager {
            None => apt::Apt::plan(&args.apt, sys),
            Some(manager) => {
                let args = args.others.iter().find(|(other, _)| *other == manager);
                let (manager, args) = args.ok_or("no arguments for this package manager")?;
                manager.plan(args, sys)
            }
        }
    }
}
