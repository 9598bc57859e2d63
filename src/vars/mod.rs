//! Variables: where they come from, which of them wins, and what a template sees.
//!
//! Nothing is merged per task. A scope is an ordered list of [`Layer`]s (shared mappings), and a name is looked up
//! from the highest layer down when a template asks for it. The order is that of Ansible's documentation, "Using
//! variables: understanding variable precedence"; [`Level`] lists it.

mod cache;
mod explain;
mod extra;
mod facts;
mod files;
mod hostvars;
mod layer;
mod level;
mod lock;
mod magic;
mod merge;
mod scope;
mod snapshot;
mod store;

pub use cache::{FactCache, GATHERED};
pub use explain::Provenance;
pub use extra::parse_extra_vars;
pub use facts::{injected_facts, namespaced_facts};
pub use files::{find_vars_files, load_vars_file, load_vars_list};
pub use layer::{Layer, Origins};
pub use level::Level;
pub use magic::{Magic, PlayMagic, RunMagic, TaskMagic, VERSION};
pub use merge::merge_maps;
pub use scope::{ConnectionVars, HostScope, ScopeParts};
pub use store::{StoreOptions, VarStore};

#[cfg(test)]
mod tests;
