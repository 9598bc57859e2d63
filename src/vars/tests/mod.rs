//! Tests of variables as a whole.

mod listing;
mod precedence;
mod scopes;

use crate::template::{Scope, Variable};
use crate::value::Value;

/// The value of a variable, whichever way it is handed over.
fn value(scope: &dyn Scope, name: &str) -> Option<Value> {
    match scope.get(name)? {
        Variable::Lazy(value) | Variable::Final(value) => Some(value),
        Variable::Scope(_) | Variable::Scopes(_) => None,
    }
}
