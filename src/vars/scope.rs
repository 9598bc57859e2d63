//! What a template sees.

use super::hostvars::HostVars;
use super::merge::merge_maps;
use super::snapshot::Snapshot;
use super::{Layer, Level, Magic, VarStore};
use crate::template::{Scope, ScopeMap, Variable};
use crate::value::{Map, Value};
use indexmap::IndexSet;
use std::sync::Arc;

/// The layers that come with what is running. Their order within a slice counts only between layers of one level:
/// the later wins.
#[derive(Clone, Debug, Default)]
pub struct ScopeParts<'a> {
    /// Of the play: role defaults, play variables, prompts, files, role variables.
    pub play: &'a [Layer],
    /// Of the task: its own role's defaults, variables and parameters, blocks, the task itself, includes.
    pub task: &'a [Layer],
    /// Loop variables and the like; they win over everything.
    pub local: Option<Layer>,
}

/// The variables of a task on a host. Cheap to clone through its `Arc`; it does not change when the store does.
#[derive(Clone, Debug)]
pub struct HostScope {
    inner: Arc<Inner>,
    /// Locals on top of everything.
    local: Option<Layer>,
    /// Whether this is what `vars` holds, which does not hold itself.
    is_vars: bool,
    /// What a task knows of its connection.
    connection: Option<Arc<ConnectionVars>>,
}

/// What a task knows of the connection that it uses; every other variable goes before it.
#[derive(Debug)]
pub struct ConnectionVars {
    /// `ansible_host` and the like.
    pub vars: Map,
    /// `ansible_delegated_vars`, if the task is delegated.
    pub delegated: Option<Arc<dyn ScopeMap>>,
}

#[derive(Debug)]
struct Inner {
    store: Arc<VarStore>,
    snapshot: Arc<Snapshot>,
    host: Arc<str>,
    /// Lowest first.
    layers: Vec<Layer>,
    magic: Magic,
}

impl HostScope {
    pub(super) fn new(
        store: Arc<VarStore>,
        snapshot: Arc<Snapshot>,
        host: &str,
        mut layers: Vec<Layer>,
        local: Option<Layer>,
        magic: Magic,
    ) -> Arc<Self> {
        layers.sort_by_key(|layer| layer.level.rank());
        Arc::new(Self {
            inner: Arc::new(Inner {
                store,
                snapshot,
                host: Arc::from(host),
                layers,
                magic,
            }),
            local,
            is_vars: false,
            connection: None,
        })
    }

    /// The host that it is for.
    pub fn host(&self) -> &Arc<str> {
        &self.inner.host
    }

    /// The same scope with these locals (the variables of a loop's item) instead of its own.
    #[must_use]
    pub fn with_local(&self, local: Layer) -> Arc<Self> {
        Arc::new(Self {
            local: Some(local),
            ..self.clone()
        })
    }

    /// The same scope with what is known of the connection.
    #[must_use]
    pub fn with_connection(&self, connection: ConnectionVars) -> Arc<Self> {
        Arc::new(Self {
            connection: Some(Arc::new(connection)),
            ..self.clone()
        })
    }

    fn of_connection(&self, name: &str) -> Option<Variable> {
        let known = self.connection.as_ref().filter(|_| !self.is_vars)?;
        if name == "ansible_delegated_vars" {
            return known.delegated.clone().map(Variable::Scopes);
        }
        known.vars.get(name).cloned().map(Variable::Lazy)
    }

    /// The layers, lowest first, locals last.
    pub(super) fn layers(&self) -> impl DoubleEndedIterator<Item = &Layer> {
        self.inner.layers.iter().chain(&self.local)
    }

    /// The magic variable of that name.
    pub(super) fn magic(&self, name: &str) -> Option<Variable> {
        let inner = &self.inner;
        match name {
            "hostvars" => Some(Variable::Scopes(Arc::new(HostVars::new(
                Arc::clone(&inner.store),
                Arc::clone(&inner.snapshot),
                &inner.magic,
            )))),
            "vars" if !self.is_vars => Some(Variable::Scope(Arc::new(Self {
                is_vars: true,
                ..self.clone()
            }))),
            _ => inner.magic.get(name, &inner.host, &inner.snapshot),
        }
    }

    /// What goes before a magic variable: what Ansible knows of a host as a variable of the inventory gives way to all
    /// that is above the inventory.
    fn instead_of_magic(&self, name: &str) -> Option<Variable> {
        if !Magic::gives_way(name) {
            return None;
        }
        let above = |layer: &&Layer| layer.level.rank() > Level::InventoryHost.rank();
        let layers = self.inner.layers.iter().rev();
        layers.take_while(above).find_map(|layer| layer.get(name))
    }

    /// The variable with mappings of all layers merged.
    fn merged(&self, name: &str) -> Option<Variable> {
        let mut found: Option<Arc<Map>> = None;
        for layer in self.inner.layers.iter().rev() {
            match (layer.value(name), &found) {
                (None, _) => {}
                (Some(Value::Map(low)), Some(high)) => {
                    found = Some(Arc::new(merge_maps(low, high)));
                }
                (Some(Value::Map(low)), None) => found = Some(Arc::clone(low)),
                (Some(_), None) => return layer.get(name),
                // what is below is replaced by the mappings above
                (Some(_), Some(_)) => break,
            }
        }
        found.map(|map| Variable::Lazy(Value::Map(map)))
    }
}

impl Scope for HostScope {
    fn get(&self, name: &str) -> Option<Variable> {
        if let Some(found) = self.local.as_ref().and_then(|local| local.get(name)) {
            return Some(found);
        }
        if let Some(found) = self.instead_of_magic(name).or_else(|| self.magic(name)) {
            return Some(found);
        }
        let found = if self.inner.store.merges_hashes() {
            self.merged(name)
        } else {
            self.inner
                .layers
                .iter()
                .rev()
                .find_map(|layer| layer.get(name))
        };
        found
            .or_else(|| self.inner.store.login_variable(name).map(Variable::Final))
            .or_else(|| self.of_connection(name))
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names: IndexSet<&str> = IndexSet::new();
        for layer in self.layers() {
            names.extend(layer.vars.str_iter().map(|(name, _)| name));
        }
        names.extend(
            self.inner
                .magic
                .names(&self.inner.host, &self.inner.snapshot),
        );
        names.insert("hostvars");
        if !self.is_vars {
            names.insert("vars");
        }
        names.into_iter().map(Arc::from).collect()
    }
}
