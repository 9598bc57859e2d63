//! Templates with Ansible's semantics, on minijinja.
//!
//! [`Templar`] is the engine; a [`Context`] holds the variables (a [`Scope`]) and files that a rendering
//! sees. Variables are expanded when they are used, recursively, and once per context. Data (strings from
//! machines, files and lookups) is never expanded, and what is made of it is data again.
//!
//! Source of the behaviour: Ansible's documentation, "Templating (Jinja2)", "Filters", "Tests", "Lookups".

#![allow(
    clippy::result_large_err,
    reason = "errors are rare, and whoever shows one reads all of its fields"
)]

mod call;
mod charset;
mod class;
mod condition;
mod context;
mod convert;
mod error;
mod expand;
mod file_vars;
mod filters;
mod foreign;
mod format;
mod globals;
mod literal;
mod lookups;
mod methods;
mod objects;
mod print;
mod render;
mod resolve;
mod scope;
mod sealed;
mod setting;
mod syntax;
mod templar;
mod tests;

#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod cases;

pub(crate) use charset::encode;
pub use condition::OddConditions;
pub(crate) use context::expand_home;
pub use context::{Context, FileContext, Overlay};
pub use error::{TemplateError, TemplateErrorKind, TemplateStep};
pub use file_vars::file_variables;
pub(crate) use filters::{crypt as crypt_hash, human_to_bytes, salt as crypt_salt};
pub use foreign::PluginPlaces;
pub use scope::{Scope, ScopeMap, Variable};
pub use setting::{FoundSetting, Setting};
pub use templar::{FileOptions, HostPattern, Templar, TemplarOptions, Warn};
