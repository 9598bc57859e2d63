//! What a task's module or action is called with.

use super::fault::Fault;
use super::run::Run;
use crate::playbook::Task;
use crate::template::Context;
use crate::value::{Map, Value, strip_omitted};

impl Run {
    /// What `module_defaults` says of the task's action.
    fn module_defaults(&self, task: &Task, cx: &Context) -> Result<Map, Fault> {
        let mut defaults = Vec::new();
        for node in &task.keywords.module_defaults {
            defaults.extend(self.keyword(Some(node), cx)?);
        }
        if defaults.is_empty() {
            return Ok(Map::new());
        }
        self.loader
            .default_arguments(task, &defaults)
            .map_err(|e| Fault::at(e.message.clone(), &task.action_span))
    }

    /// The task's arguments, rendered, with defaults of modules below them.
    pub(super) fn arguments(&self, task: &Task, cx: &Context) -> Result<Map, Fault> {
        let mut args = self.module_defaults(task, cx)?;
        if let Some(node) = &task.args.more {
            match self.keyword(Some(node), cx)? {
                Some(Value::Map(more)) => {
                    for (key, value) in more.iter() {
                        args.insert(key.clone(), value.clone());
                    }
                }
                None => {}
                Some(other) => {
                    return Err(Fault::at(
                        format!(
                            "the arguments must be a mapping, they are a {}",
                            other.type_name()
                        ),
                        &node.span,
                    ));
                }
            }
        }
        // what is encrypted stays so in a variable
        let sets = task.action.rsplit('.').next() == Some("set_fact");
        // what `assert` checks and `debug` prints by name are expressions, not arguments to expand
        for entry in &task.args.members {
            let key = self
                .templar
                .render(&entry.key.to_value(), cx)
                .map_err(|e| Fault::template(&e, &entry.key))?;
            let conditions = task.action.rsplit('.').next() == Some("assert")
                && key.as_str() == Some("that")
                && entry.value.as_seq().is_some();
            let value = if conditions {
                entry.value.to_value()
            } else {
                let value = entry.value.to_value();
                let rendered = if sets {
                    self.templar.render_sealed(&value, cx)
                } else {
                    self.templar.render(&value, cx)
                };
                rendered.map_err(|e| Fault::template(&e, &entry.value))?
            };
            if key.as_str() == Some("_raw_params") && !self.loader.takes_free_form(&task.action) {
                let message = format!("invalid or malformed argument: '{value}'");
                return Err(Fault::at(message, &entry.value.span));
            }
            match strip_omitted(value) {
                Some(value) => {
                    args.insert(key, value);
                }
                None => {
                    args.shift_remove(&key);
                }
            }
        }
        Ok(args)
    }
}
