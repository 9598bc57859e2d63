//! What a task's module or action is called with.

use super::fault::Fault;
use super::run::Run;
use crate::playbook::Task;
use crate::template::Context;
use crate::value::{Map, Value, strip_omitted};

impl Run {
    /// What `module_defaults` says of the task's action. Of several, the innermost that names the action counts alone.
    fn module_defaults(&self, task: &Task, cx: &Context) -> Result<Map, Fault> {
        let short = task.short_action();
        let full = format!("ansible.builtin.{short}");
        let mut args = Map::new();
        for node in &task.keywords.module_defaults {
            let Some(Value::Map(defaults)) = self.keyword(Some(node), cx)? else {
                continue;
            };
            for key in [task.action.as_str(), short, full.as_str()] {
                match defaults.get(key) {
                    Some(Value::Map(own)) => args = (**own).clone(),
                    Some(Value::Null) => args = Map::new(),
                    _ => {}
                }
            }
        }
        Ok(args)
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
                self.templar
                    .render(&entry.value.to_value(), cx)
                    .map_err(|e| Fault::template(&e, &entry.value))?
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
