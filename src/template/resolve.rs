//! Variables: found in the scope, expanded when they are used, once per context.

use super::context::{Resolved, Session, lock};
use super::scope::Variable;
use super::{Templar, TemplateError, TemplateErrorKind};
use std::sync::Arc;

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
            if let Err(error) = session.shared.enter(&key) {
                return Some(Err(error));
            }
            let expanded = templar
                .expand_variable(&value, session)
                .map(Resolved::Value);
            session.shared.leave(&key);
            expanded
        }
    };
    // what fails while a circle is being found would fail differently when asked for directly
    if !matches!(&resolved, Err(error) if error.kind == TemplateErrorKind::Recursion) {
        lock(&session.cache).insert(name.to_owned(), resolved.clone());
    }
    Some(resolved)
}
