//! Reading rendered arguments.

use super::{Error, Result};
use crate::value::{ArgProblem, Args, Map};

/// The arguments of an action, or the failure that names what is wrong.
pub(super) fn decode<A: Args>(action: &str, args: &Map) -> Result<A> {
    let known = A::fields();
    for (name, _) in args.str_iter() {
        let found = name.starts_with('_')
            || known
                .iter()
                .any(|field| field.name == name || field.aliases.contains(&name));
        if !found {
            return Err(Error::Failed(format!(
                "{action}: unknown argument `{name}`"
            )));
        }
    }
    A::decode(args).map_err(|problems: Vec<ArgProblem>| {
        let list: Vec<_> = problems.iter().map(ToString::to_string).collect();
        Error::Failed(format!("{action}: {}", list.join("; ")))
    })
}
