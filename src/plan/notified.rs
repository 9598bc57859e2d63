//! Which handlers wait for a host.

use std::collections::BTreeSet;

/// Handlers by their number in the play's list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notified(BTreeSet<u32>);

impl Notified {
    /// Notes one; false if it was noted already.
    pub fn add(&mut self, handler: u32) -> bool {
        self.0.insert(handler)
    }

    /// Whether it waits.
    pub fn contains(&self, handler: u32) -> bool {
        self.0.contains(&handler)
    }

    /// Takes it off.
    pub fn remove(&mut self, handler: u32) -> bool {
        self.0.remove(&handler)
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().copied()
    }
}
