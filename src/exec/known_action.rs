//! Actions whose names are templates: which one is meant is known on a host, and for an item of a loop.

use super::fault::Fault;
use super::play::PlayState;
use super::run::Run;
use crate::playbook::Task;
use crate::template::Context;
use crate::value::Value;
use std::sync::Arc;

impl Run {
    /// The task with its action known. `cx` has the loop's item.
    pub(crate) fn known_action(&self, task: &Arc<Task>, cx: &Context) -> Result<Arc<Task>, Fault> {
        if !task.has_templated_action() {
            return Ok(Arc::clone(task));
        }
        let value = self
            .templar
            .render(&Value::str(task.action.as_str()), cx)
            .map_err(|e| Fault::at(e.message.clone(), &task.action_span))?;
        let known = self.loader.with_action(task, value.to_string().trim());
        known.map(Arc::new).map_err(Fault)
    }

    /// The task with the action that the first of these hosts means, if that can be told without a loop's item.
    pub(crate) fn with_known_action(
        &self,
        state: &PlayState,
        task: &Arc<Task>,
        hosts: &[Arc<str>],
    ) -> Arc<Task> {
        if !task.has_templated_action() {
            return Arc::clone(task);
        }
        let first = hosts.first().map_or("", |host| host);
        self.task_scope(state, first, task)
            .ok()
            .and_then(|(scope, files)| {
                let cx = Context::new(scope, files);
                self.known_action(task, &cx).ok()
            })
            .unwrap_or_else(|| Arc::clone(task))
    }
}
