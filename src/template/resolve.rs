//! Variables: found in the scope, expanded when they are used, once per context.

use super::context::{Resolved, Session, lock};
use super::scope::Variable;
use super::{Templar, TemplateError, TemplateErrorKind};
use std::sync::Arc;

/// How deep variables may refer to variables.
const MAX_DEPTH: usize = 200;

/// The variable with its templates expanded; nothing if there is no variable of that name.
pub(crate) fn resolve(
    templar: &Templar,
    session: &Arc<Session>,
    name: &str,
) -> Option<Result<Resolved, TemplateError>> {
    if let Some(known) = lock(&session.cache).get(name) {
        return Some(known.clone());
    }
    let resolved = match session.scope.get(name)? {
        Variable::Final(value) => Ok(Resolved::Value(value)),
        Variable::Scope(scope) => {
            let child = session.child(name, || Some(scope))?;
            Ok(Resolved::Scope(child))
        }
        Variable::Scopes(scopes) => Ok(Resolved::Scopes(name.into(), scopes)),
        Variable::Lazy(value) if !super::expand::needs_expansion(&value) => {
            Ok(Resolved::Value(value))
        }
        Variable::Lazy(value) => {
            let key = (session.id, name.to_owned());
            {
                let mut resolving = lock(&session.shared.resolving);
                if let Some(at) = resolving.iter().position(|other| *other == key) {
                    let names: Vec<&str> = resolving
                        .iter()
                        .skip(at)
                        .map(|(_, name)| name.as_str())
                        .chain(std::iter::once(name))
                        .collect();
                    return Some(Err(TemplateError::new(
                        TemplateErrorKind::Recursion,
                        format!(
                            "recursive loop detected in template: `{}`",
                            names.join("` -> `")
                        ),
                    )));
                }
                if resolving.len() >= MAX_DEPTH {
                    return Some(Err(TemplateError::new(
                        TemplateErrorKind::Recursion,
                        format!("more than {MAX_DEPTH} variables refer to each other in a row"),
                    )));
                }
                resolving.push(key.clone());
            }
            let expanded = templar
                .expand_variable(&value, session)
                .map(Resolved::Value);
            let mut resolving = lock(&session.shared.resolving);
            if let Some(at) = resolving.iter().rposition(|other| *other == key) {
                resolving.remove(at);
            }
            expanded
        }
    };
    // what fails while a circle is being found would fail differently when asked for directly
    if !matches!(&resolved, Err(error) if error.kind == TemplateErrorKind::Recursion) {
        lock(&session.cache).insert(name.to_owned(), resolved.clone());
    }
    Some(resolved)
}
