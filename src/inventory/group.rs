//! A group of the inventory.

use crate::value::Map;
use indexmap::IndexSet;
use std::sync::Arc;

/// A group of hosts.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: Arc<str>,
    /// The groups directly in it, in the order in which that was said.
    pub children: Vec<Arc<str>>,
    /// The groups that it is directly in.
    pub parents: Vec<Arc<str>>,
    /// The hosts directly in it.
    pub hosts: IndexSet<Arc<str>>,
    /// The variables that the inventory sets on it.
    pub vars: Map,
    /// `ansible_group_priority` (default 1): among groups of the same depth, the higher is merged later and wins.
    pub priority: i64,
    /// The longest way down to it from `all`, which has depth 0. Deeper groups win.
    pub depth: usize,
}

impl Group {
    /// An empty group.
    pub fn new(name: &str) -> Self {
        Self {
            name: Arc::from(name),
            children: Vec::new(),
            parents: Vec::new(),
            hosts: IndexSet::new(),
            vars: Map::new(),
            priority: 1,
            depth: 0,
        }
    }

    /// The order in which groups are merged: what sorts later wins.
    pub fn merge_key(&self) -> (usize, i64, &str) {
        (self.depth, self.priority, &self.name)
    }
}
