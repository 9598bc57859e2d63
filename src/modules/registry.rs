//! All modules by name.

use super::kit::{self, Module, RunMode};
use crate::result::Outcome;
use crate::sys::Sys;
use crate::value::{ArgSpec, Map};

/// A module in the registry.
#[derive(Clone, Copy)]
pub struct Entry {
    /// Its short name.
    pub name: &'static str,
    /// Its collection.
    pub collection: &'static str,
    /// Other short names.
    pub aliases: &'static [&'static str],
    /// Its interface.
    pub spec: fn() -> ArgSpec,
    /// Runs it.
    pub run: fn(&Map, &mut Sys, RunMode) -> Outcome,
}

impl Entry {
    /// The entry of a module.
    pub const fn of<M: Module>() -> Self {
        Self {
            name: M::NAME,
            collection: M::COLLECTION,
            aliases: M::ALIASES,
            spec: kit::spec_of::<M>,
            run: kit::run::<M>,
        }
    }
}

/// The families, each with its own list.
const FAMILIES: &[&[Entry]] = &[
    super::commands::MODULES,
    super::files::MODULES,
    super::packages::MODULES,
    super::services::MODULES,
    super::source_control::MODULES,
    super::users::MODULES,
    super::system::MODULES,
    super::net::MODULES,
    super::facts::MODULES,
    super::crypto::MODULES,
    super::custom::MODULES,
    super::kubernetes::MODULES,
    super::etcd::MODULES,
    super::containers::MODULES,
    super::storage::MODULES,
];

/// Collections whose names runbook's modules answer to.
const COLLECTIONS: &[&str] = &[
    "ansible.builtin",
    "ansible.legacy",
    "ansible.posix",
    "community.general",
    "community.crypto",
    "kubernetes.core",
    // its name before
    "community.kubernetes",
    "runbook.core",
];

/// The registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Registry;

impl Registry {
    /// All entries, by family.
    pub fn entries(self) -> impl Iterator<Item = &'static Entry> {
        FAMILIES.iter().flat_map(|family| family.iter())
    }

    /// The module of that name: short, an alias, or with a collection that runbook knows. Where two collections have one
    /// of that name, the short name is the first one's in the families.
    pub fn find(self, name: &str) -> Option<&'static Entry> {
        let (collection, short) = match name.rsplit_once('.') {
            Some((collection, short)) if COLLECTIONS.contains(&collection) => (collection, short),
            Some(_) => return None,
            None => ("", name),
        };
        let fits = |entry: &&Entry| entry.name == short || entry.aliases.contains(&short);
        self.entries()
            .filter(fits)
            .find(|entry| entry.collection == collection)
            .or_else(|| self.entries().find(fits))
    }
}
