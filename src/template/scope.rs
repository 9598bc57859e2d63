//! What a template can see. The engine asks for names one at a time, so nothing is computed that is not used.

use crate::value::Value;
use std::fmt::Debug;
use std::sync::Arc;

/// A variable, as a scope hands it to the template engine.
#[derive(Clone, Debug)]
pub enum Variable {
    /// A value whose strings may hold templates; the engine expands them when the variable is used.
    /// (Strings in it that are data stay as they are.)
    Lazy(Value),
    /// A value that is final: nothing in it is expanded.
    Final(Value),
    /// A mapping of names to variables, each seen when it is asked for (`vars`).
    Scope(Arc<dyn Scope>),
    /// A mapping of keys to scopes (`hostvars`).
    Scopes(Arc<dyn ScopeMap>),
}

/// The variables that a template sees.
pub trait Scope: Send + Sync + Debug {
    /// The variable of that name, if there is one.
    fn get(&self, name: &str) -> Option<Variable>;
    /// All names, in order.
    fn names(&self) -> Vec<Arc<str>>;
}

/// A mapping whose values are scopes.
pub trait ScopeMap: Send + Sync + Debug {
    /// The keys, in order.
    fn keys(&self) -> Vec<Arc<str>>;
    /// The scope under a key.
    fn scope(&self, key: &str) -> Option<Arc<dyn Scope>>;
}
