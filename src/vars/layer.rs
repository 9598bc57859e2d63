//! One layer of a scope.

use super::Level;
use crate::template::Variable;
use crate::value::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

/// Who set each name of a layer, where that differs by name.
pub type Origins = HashMap<Arc<str>, (Level, Arc<str>)>;

/// A set of variables that were given together. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Its precedence.
    pub level: Level,
    /// Where it was written: a file, `role x`, `-e`, for messages and provenance.
    pub origin: Arc<str>,
    /// The variables.
    pub vars: Arc<Map>,
    /// Whether the values are data in which nothing is a template.
    pub is_final: bool,
    /// Who set each name, if that is known name by name.
    pub origins: Option<Arc<Origins>>,
}

impl Layer {
    /// A layer of what a user wrote: templates in it are expanded when they are used.
    pub fn new(level: Level, origin: impl Into<Arc<str>>, vars: impl Into<Arc<Map>>) -> Self {
        Self {
            level,
            origin: origin.into(),
            vars: vars.into(),
            is_final: false,
            origins: None,
        }
    }

    /// A layer of data: nothing in it is expanded.
    pub fn data(level: Level, origin: impl Into<Arc<str>>, vars: impl Into<Arc<Map>>) -> Self {
        Self {
            is_final: true,
            ..Self::new(level, origin, vars)
        }
    }

    /// The variable of that name, as a template gets it.
    pub(super) fn get(&self, name: &str) -> Option<Variable> {
        let value = self.vars.get(name)?.clone();
        Some(if self.is_final {
            Variable::Final(value)
        } else {
            Variable::Lazy(value)
        })
    }

    /// The level and origin of one of its names.
    pub(super) fn origin_of(&self, name: &str) -> (Level, Arc<str>) {
        self.origins
            .as_ref()
            .and_then(|origins| origins.get(name))
            .cloned()
            .unwrap_or_else(|| (self.level, Arc::clone(&self.origin)))
    }

    /// The value of that name.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.vars.get(name)
    }
}
