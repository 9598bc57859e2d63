//! `dpkg_selections`: what dpkg is to do with a package, e.g. hold it at its version.

use super::apt::status::Database;
use crate::modules::streams::command_failed;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Value;
use crate::{choices, module_args};

choices! {
    /// What dpkg is to do.
    pub enum Selection {
        /// Install it.
        Install = "install",
        /// Leave it as it is.
        Hold = "hold",
        /// Remove it.
        Deinstall = "deinstall",
        /// Remove it with its configuration.
        Purge = "purge",
    }
}

module_args! {
    /// Arguments of `dpkg_selections`.
    pub struct Args {
        /// The package.
        name: String => required;
        /// What is to be done with it.
        selection: Selection => required;
    }
}

/// The module.
pub struct DpkgSelections;

impl Module for DpkgSelections {
    const NAME: &'static str = "dpkg_selections";
    const DOC: &'static str = "Say what dpkg is to do with a package, e.g. hold it at its version.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let database = Database::read(sys)?;
        let wanted = args.selection.word();
        let before = database
            .get(&args.name)
            .map(|known| known.want.clone())
            .filter(|want| want != "unknown")
            .ok_or_else(|| {
                format!(
                    "Failed to find package '{}' to perform selection '{wanted}'.",
                    args.name
                )
            })?;
        let mut plan = Plan::new();
        plan.returns("before", Value::data(before.as_str()));
        plan.returns("after", wanted);
        if before != wanted {
            let diff = Diff::new(
                format!("selection of {}", args.name),
                Some(format!("{before}\n")),
                Some(format!("{wanted}\n")),
            );
            plan.act(
                format!("{wanted} {}", args.name),
                Some(diff),
                move |sys, _| {
                    let command = sys
                        .tool(["dpkg", "--set-selections"])
                        .stdin(format!("{} {wanted}\n", args.name));
                    let output = sys.run(&command)?;
                    if output.ok() {
                        Ok(())
                    } else {
                        Err(command_failed(
                            "the selection cannot be set",
                            &command,
                            &output,
                        ))
                    }
                },
            );
        }
        Ok(plan)
    }
}
