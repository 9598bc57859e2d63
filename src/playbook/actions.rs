//! Which actions tasks may name, and what is known of them.

use super::{Keywords, Loader, Result, Task};
use crate::diag::{Diagnostic, Span, did_you_mean};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};

impl Loader {
    /// Whether a task may name this action: one that runbook has, one that Ansible knows, or a module of the user's.
    pub(super) fn is_action(
        &self,
        name: &str,
        near: &[&Path],
        keywords: &Keywords,
        at: &Span,
    ) -> Result<bool> {
        Ok(self.vocabulary.is_action(name) || self.custom(name, near, keywords, at)?.is_some())
    }

    /// The task with the action that its template came to.
    ///
    /// # Errors
    /// When there is no such action.
    pub fn with_action(&self, task: &Task, action: &str) -> Result<Task> {
        let dirs = task.role.iter().flat_map(|role| {
            std::iter::once(role)
                .chain(&role.parents)
                .map(|role| role.path.clone())
        });
        let near: Vec<PathBuf> = dirs
            .chain([task.dir.clone()])
            .chain(self.playbook_dirs())
            .collect();
        let near: Vec<&Path> = near.iter().map(AsRef::as_ref).collect();
        let at = &task.action_span;
        if !self.is_action(action, &near, &task.keywords, at)? {
            return Err(self.no_action(action, at));
        }
        let mut made = task.with_action(action);
        self.settle_action(&mut made, &near)?;
        Ok(made)
    }

    /// Whether an action takes a text that is no `key=value`; so does one whose interface is not known.
    pub fn takes_free_form(&self, action: &str) -> bool {
        super::args::is_free_form(action)
            || self
                .vocabulary
                .spec(action)
                .is_none_or(|spec| spec.free_form.is_some())
    }

    /// A module's arguments as reports may show them, without secrets.
    pub fn told_arguments(&self, module: &str, args: &Map) -> Map {
        let spec = self.vocabulary.spec(module);
        let mut told = Map::new();
        for (name, value) in args
            .str_iter()
            .filter(|(name, _)| *name == "_raw_params" || !name.starts_with('_'))
        {
            let secret = spec
                .as_ref()
                .and_then(|spec| spec.field(name))
                .is_some_and(|field| field.secret);
            told.set(
                name,
                if secret {
                    Value::data("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER")
                } else {
                    value.clone()
                },
            );
        }
        told
    }

    /// The error for an action that there is not.
    pub(super) fn no_action(&self, action: &str, at: &Span) -> Box<Diagnostic> {
        let names = self.vocabulary.action_names();
        Diagnostic::error(
            "playbook::unknown-module",
            format!("there is no module `{action}`"),
        )
        .at(at)
        .maybe_hint(did_you_mean(action, names.iter().map(String::as_str)))
        .into()
    }
}
