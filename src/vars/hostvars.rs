//! `hostvars`: the variables of every host.

use super::snapshot::Snapshot;
use super::{HostScope, Magic, VarStore};
use crate::template::{Scope, ScopeMap};
use std::sync::Arc;

/// The scopes of all hosts. A host's scope here has what belongs to the host (inventory, facts, set facts, registered
/// results, extra variables), not what belongs to plays, roles or tasks.
#[derive(Debug)]
pub(super) struct HostVars {
    store: Arc<VarStore>,
    snapshot: Arc<Snapshot>,
    magic: Magic,
}

impl HostVars {
    pub(super) fn new(store: Arc<VarStore>, snapshot: Arc<Snapshot>, magic: &Magic) -> Self {
        Self {
            store,
            snapshot,
            magic: Magic {
                run: Arc::clone(&magic.run),
                play: None,
                task: None,
            },
        }
    }
}

impl ScopeMap for HostVars {
    fn keys(&self) -> Vec<Arc<str>> {
        let hosts = &self.snapshot.inventory.hosts;
        let mut names: Vec<Arc<str>> = hosts.keys().cloned().collect();
        // the implicit localhost is one of them, though no group has it
        if !hosts.contains_key("localhost") {
            names.push("localhost".into());
        }
        names
    }

    /// `None` for a host that does not exist, and (with a report to the store) for one whose files cannot be read.
    fn scope(&self, key: &str) -> Option<Arc<dyn Scope>> {
        let host = self.snapshot.inventory.host(key)?;
        match self.store.host_layers_in(&self.snapshot, &host.name) {
            Ok(layers) => Some(HostScope::new(
                Arc::clone(&self.store),
                Arc::clone(&self.snapshot),
                &host.name,
                layers,
                None,
                self.magic.clone(),
            )),
            Err(problem) => {
                self.store.report(problem);
                None
            }
        }
    }
}
