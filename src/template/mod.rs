//! Templates with Ansible's semantics, on minijinja.

mod scope;

pub use scope::{Scope, ScopeMap, Variable};
