//! Reading rendered arguments.

use super::{Error, Result};
use crate::value::{ArgProblem, ArgSpec, Args, Map};

/// The arguments of an action, or the failure that names what is wrong.
pub(super) fn decode<A: Args>(action: &'static str, args: &Map) -> Result<A> {
    let spec = ArgSpec {
        module: action,
        collection: "ansible.builtin",
        aliases: &[],
        doc: "",
        fields: A::fields(),
        rules: &[],
        free_form: None,
    };
    let unknown: Vec<_> = args
        .str_iter()
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with('_') && spec.field(name).is_none())
        .collect();
    if !unknown.is_empty() {
        // these do not list what they take
        let terse = matches!(action, "assert" | "fail" | "wait_for_connection");
        return Err(Error::Failed(if terse {
            format!("Invalid options for {action}: {}", unknown.join(", "))
        } else {
            let problems: Vec<_> = unknown
                .iter()
                .map(|name| ArgProblem::Unknown {
                    name: (*name).to_owned(),
                    known: Vec::new(),
                })
                .collect();
            spec.refusal(&problems)
        }));
    }
    A::decode(args).map_err(|problems| Error::Failed(spec.refusal(&problems)))
}
