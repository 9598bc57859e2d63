//! `helm_info`: a release as it is.

use super::access::{HelmAccess, documents, release};
use crate::module_args;
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{ArgRule, Value};

/// States that `helm list` knows.
const STATES: &[(&str, &str)] = &[
    ("all", "--all"),
    ("deployed", "--deployed"),
    ("failed", "--failed"),
    ("pending", "--pending"),
    ("superseded", "--superseded"),
    ("uninstalled", "--uninstalled"),
    ("uninstalling", "--uninstalling"),
];

module_args! {
    /// Arguments of `helm_info`.
    pub struct Args {
        /// The release.
        release_name: String => required, aliases ["name"];
        /// Its namespace.
        release_namespace: String => required, aliases ["namespace"];
        /// The states in which it is told of: `all`, `deployed`, `failed`, `pending`, `superseded`, `uninstalled`,
        /// `uninstalling`; deployed and failed ones unless given.
        release_state: Vec<String> => default(Vec::<String>::new());
        /// All values, those of the chart too.
        get_all_values: bool => default(false);
        access: HelmAccess => flatten;
    }
}

/// The module.
pub struct HelmInfo;

impl Module for HelmInfo {
    const NAME: &'static str = "helm_info";
    const COLLECTION: &'static str = "kubernetes.core";
    const DOC: &'static str =
        "Tell of a release of helm: its chart, revision, values, objects, hooks and notes.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["context", "ca_cert"]),
        ArgRule::Exclusive(&["context", "validate_certs"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let program = args.access.program(sys, Some(&args.release_namespace))?;
        let asked = |name: &str| args.release_state.iter().any(|state| state == name);
        let states: Vec<&str> = STATES
            .iter()
            .filter(|(name, _)| asked(name))
            .map(|(_, option)| *option)
            .collect();
        let mut plan = Plan::new();
        let name = args.release_name.as_str();
        if let Some(mut found) = release(&program, sys, name, &states, args.get_all_values)? {
            for part in ["manifest", "hooks"] {
                let text = program.ask(sys, &["get", part, name])?;
                found.set(part, documents(part, &text)?);
            }
            let notes = program.ask(sys, &["get", "notes", name])?;
            found.set("notes", Value::data(notes));
            plan.returns("status", Value::map(found));
        }
        Ok(plan)
    }
}
