//! Provenance: who sets a variable, and who else would have.

use super::{HostScope, Level, Magic};
use crate::template::Variable;
use crate::value::Value;
use std::sync::Arc;

/// One place that sets a variable.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// Its precedence.
    pub level: Level,
    /// Where it is written.
    pub origin: Arc<str>,
    /// The value as written; null for `vars` and `hostvars`.
    pub value: Value,
}

impl HostScope {
    /// All places that set the variable, the one that wins first.
    pub fn explain(&self, name: &str) -> Vec<Provenance> {
        let mut found: Vec<Provenance> = self
            .layers()
            .rev()
            .filter_map(|layer| {
                let (level, origin) = layer.origin_of(name);
                Some(Provenance {
                    level,
                    origin,
                    value: layer.value(name)?.clone(),
                })
            })
            .collect();
        if let Some(magic) = self.magic(name) {
            let first_below = if Magic::gives_way(name) {
                Level::InventoryHost
            } else {
                Level::ExtraVars
            };
            let below = |place: &Provenance| place.level.rank() <= first_below.rank();
            let at = found.iter().position(below).unwrap_or(found.len());
            found.insert(
                at,
                Provenance {
                    level: Level::Magic,
                    origin: Arc::from("runbook"),
                    value: match magic {
                        Variable::Lazy(value) | Variable::Final(value) => value,
                        Variable::Scope(_) | Variable::Scopes(_) => Value::Null,
                    },
                },
            );
        }
        found
    }
}
