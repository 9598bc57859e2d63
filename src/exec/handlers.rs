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

impl Run {
    /// Notes the handlers of these names for the host. Returns what went wrong.
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
                        "task::notify",
                        format!("no handler is named `{name}` or listens to it"),
                    )
                    .at(at)
                    .maybe_hint(did_you_mean(name, known.iter().map(String::as_str))),
                );
            }
            for index in found {
                cursor
                    .notified
                    .add(u32::try_from(index).unwrap_or(u32::MAX));
            }
        }
        problems
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
        let mut by_name: Option<(usize, Option<usize>)> = None;
        for (index, handler) in handlers.iter().enumerate() {
            let label = self.task_name(state, handler, host);
            let full = handler
                .role
                .as_ref()
                .map(|role| format!("{} : {label}", role.name));
            if label == name || full.as_deref() == Some(name) {
                let own = group(handler);
                // later lists win over earlier ones, within a list the first wins
                if by_name.is_none_or(|(_, known)| known != own) {
                    by_name = Some((index, own));
                }
            }
            // a topic of a role's handler may be named with the role before it
            let topic = handler.role.as_ref().and_then(|role| {
                name.strip_prefix(role.name.as_str())
                    .and_then(|rest| rest.strip_prefix(" : "))
            });
            let listens = handler.listen.iter().any(|listened| {
                let listened = listened.to_value().to_string();
                listened == name || Some(listened.as_str()) == topic
            });
            if listens {
                found.push(index);
            }
        }
        if let Some((index, _)) = by_name
            && !found.contains(&index)
        {
            found.push(index);
        }
        found.sort_unstable();
        found
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
                "task::unknown-handler",
                format!("no handler is named `{name}` or listens to it"),
            )
            .at(&node.span)
            .hint(hint)
            .into(),
        ))
    }
}
