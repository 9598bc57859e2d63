//! Who is notified by a name.
//!
//! Source: Ansible's documentation, "Handlers: running operations on change".

use super::fault::Fault;
use super::play::PlayState;
use super::run::Run;
use super::single::Place;
use crate::diag::{Diagnostic, did_you_mean};
use crate::plan::Cursor;
use crate::playbook::Task;
use crate::yaml::Node;
use std::sync::{Arc, PoisonError};

/// The code of the error about a handler that there is not.
pub(super) const UNKNOWN_HANDLER: &str = "task::unknown-handler";

impl Run {
    /// Notes the handlers of these names for the host. Returns what went wrong.
    ///
    /// Who is meant is found out when handlers run, so that those which a role brings until then count; where they
    /// run already, at once.
    pub(crate) fn notify(
        &self,
        state: &PlayState,
        cursor: &mut Cursor,
        host: &str,
        task: &Task,
        names: &[String],
    ) -> Vec<Diagnostic> {
        let handlers = Arc::clone(
            &state
                .handlers
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        );
        let mut problems = Vec::new();
        for name in names {
            let found = self.find(state, &handlers, host, name);
            if found.is_empty() && self.options.missing_handler_fails {
                let known: Vec<String> = handlers.iter().map(|handler| handler.label()).collect();
                let at = task.notify.first().map_or(&task.span, |node| &node.span);
                problems.push(
                    Diagnostic::error(
                        UNKNOWN_HANDLER,
                        format!("no handler is named `{name}` or listens to it"),
                    )
                    .at(at)
                    .maybe_hint(did_you_mean(name, known.iter().map(String::as_str))),
                );
            }
            if !cursor.in_handlers() {
                if !found.is_empty() {
                    cursor.saved.insert(name.clone());
                }
                continue;
            }
            for index in found {
                cursor
                    .notified
                    .add(u32::try_from(index).unwrap_or(u32::MAX));
            }
        }
        problems
    }

    /// Finds the handlers that were notified until now.
    pub(super) fn find_notified(
        &self,
        state: &PlayState,
        handlers: &[Arc<Task>],
        cursor: &mut Cursor,
        host: &str,
    ) {
        for name in std::mem::take(&mut cursor.saved) {
            for index in self.find(state, handlers, host, &name) {
                cursor
                    .notified
                    .add(u32::try_from(index).unwrap_or(u32::MAX));
            }
        }
    }

    /// The handler of that name (of the list that was read last, there the first), and all that listen to it.
    fn find(
        &self,
        state: &PlayState,
        handlers: &[Arc<Task>],
        host: &str,
        name: &str,
    ) -> Vec<usize> {
        let group = |handler: &Task| handler.role.as_ref().map(|role| Arc::as_ptr(role) as usize);
        let mut found: Vec<usize> = Vec::new();
        // of listeners of one name, one runs
        let mut listening: Vec<(String, usize, Option<usize>)> = Vec::new();
        let mut by_name: Option<(usize, Option<usize>)> = None;
        for (index, handler) in handlers.iter().enumerate() {
            let label = self.task_name(state, handler, host);
            if label.contains("{{") && handler.listen.is_empty() {
                self.warn_unusable(&label);
            }
            let full = handler
                .role
                .as_ref()
                .map(|role| format!("{} : {label}", role.name));
            let short = handler
                .role
                .as_ref()
                .map(|role| format!("{} : {label}", role.short_name()));
            if [Some(label.clone()), full, short]
                .iter()
                .flatten()
                .any(|known| known == name)
            {
                let own = group(handler);
                // later lists win over earlier ones, within a list the first wins
                if by_name.is_none_or(|(_, known)| known != own) {
                    by_name = Some((index, own));
                }
            }
            // a topic of a role's handler may be named with the role before it
            let topic = handler.role.as_ref().and_then(|role| {
                let (before, topic) = name.split_once(" : ")?;
                (before == role.name || before == role.short_name()).then_some(topic)
            });
            let listens = handler.listen.iter().any(|listened| {
                let listened = listened.to_value().to_string();
                listened == name || Some(listened.as_str()) == topic
            });
            if !listens {
                continue;
            }
            let own = group(handler);
            let same = listening
                .iter_mut()
                .find(|(known, _, _)| handler.name.is_some() && *known == label);
            match same {
                Some((_, at, known)) if *known != own => (*at, *known) = (index, own),
                Some(_) => {}
                None => listening.push((label.clone(), index, own)),
            }
        }
        found.extend(listening.into_iter().map(|(_, index, _)| index));
        if let Some((index, _)) = by_name
            && !found.contains(&index)
        {
            found.push(index);
        }
        found.sort_unstable();
        found
    }

    /// Warns once that a handler's name cannot be templated.
    fn warn_unusable(&self, label: &str) {
        let mut told = self.unusable.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(label.to_owned()) {
            self.emitter.warn(format!(
                "Handler '{label}' is unusable: it listens to nothing and its name cannot be templated"
            ));
        }
    }

    /// The fault of a task that notifies nobody (Ansible's `error_on_missing_handler`, which is on by default).
    pub(crate) fn known_handler(
        &self,
        place: &Place<'_>,
        name: &str,
        node: &Node,
    ) -> Result<(), Fault> {
        let handlers = Arc::clone(
            &place
                .state
                .handlers
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        );
        if !self
            .find(place.state, &handlers, place.host, name)
            .is_empty()
        {
            return Ok(());
        }
        let mut known: Vec<String> = Vec::new();
        for handler in handlers.iter() {
            known.push(self.task_name(place.state, handler, place.host));
            known.extend(
                handler
                    .listen
                    .iter()
                    .map(|node| node.to_value().to_string()),
            );
        }
        let hint = did_you_mean(name, known.iter().map(String::as_str)).unwrap_or_else(|| {
            if known.is_empty() {
                "the play has no handlers".to_owned()
            } else {
                known.dedup();
                format!("the play has the handlers `{}`", known.join("`, `"))
            }
        });
        if !self.options.missing_handler_fails {
            self.emitter
                .warn(format!("no handler is named `{name}` or listens to it"));
            return Ok(());
        }
        Err(Fault(
            Diagnostic::error(
                UNKNOWN_HANDLER,
                format!("no handler is named `{name}` or listens to it"),
            )
            .at(&node.span)
            .hint(hint)
            .into(),
        ))
    }
}
