//! Inventories: hosts, groups and their variables, read from INI, YAML, JSON, TOML, scripts, Terraform, host lists and
//! directories of these, and computed from them (`constructed`, `generator`);
//! and the host patterns that select from them.
//!
//! Behaviour follows Ansible's documentation, "How to build your inventory" and "Patterns: targeting hosts and groups".
//! The variables that files beside an inventory add (`group_vars/`, `host_vars/`) belong to [`crate::vars`].

mod address;
mod compose;
mod directory;
mod document;
mod dump;
mod file;
mod generator;
mod glob;
mod graph;
mod group;
mod host;
mod ini;
mod list;
mod literal;
mod load;
mod options;
mod pattern;
mod plugin;
mod range;
mod script;
mod select;
mod source;
mod terraform;
mod toml;
mod toml_dump;
mod yaml;

pub use address::{Address, is_ip_address, parse_address};
pub use document::read_document;
pub use dump::{Dump, VarsOf};
pub use glob::glob_matches;
pub use graph::Inventory;
pub use group::Group;
pub use host::{Host, LOCALHOST_NAMES, controller_python, is_localhost};
pub use literal::python_literal;
pub use load::load;
pub use options::{GroupNames, LoadOptions, Mismatch, MoreVars, Unparsed};
pub use pattern::split_pattern;
pub use select::{HostOrder, Selection};
pub use source::SourceSpec;

#[cfg(test)]
mod tests;
