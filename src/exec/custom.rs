//! Tasks whose action is a module of the user's own: the call that brings it to the machine.
//!
//! Source: Ansible's documentation, "Ansible module architecture" (internal arguments).

use super::fault::Fault;
use super::run::Run;
use super::settings::Settings;
use crate::actions::custom::{Packed, Wanted, pack};
use crate::actions::{RemoteCall, Step};
use crate::playbook::{CustomModule, Task, shown};
use crate::template::Context;
use crate::value::{Map, Value};
use std::path::Path;
use std::sync::{Arc, PoisonError};

/// The agent's module that runs them.
pub(super) const RUNNER: &str = "_custom";

impl Run {
    /// The module, read and packed once in a run.
    fn packed(&self, custom: &CustomModule) -> Result<Arc<Packed>, String> {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = packed.get(&custom.path) {
            return Ok(Arc::clone(known));
        }
        let new = Arc::new(pack(&Wanted {
            name: &custom.name,
            path: &custom.path,
            collection: custom.collection.as_deref(),
            module_utils: &custom.module_utils,
            collection_roots: &custom.collection_roots,
        })?);
        packed.insert(custom.path.clone(), Arc::clone(&new));
        Ok(new)
    }

    /// What a task with a module of the user's own does. `cx` is that of the host that really runs it.
    pub(super) fn custom_step(
        &self,
        task: &Task,
        custom: &CustomModule,
        args: Map,
        settings: &Settings,
        cx: &Context,
    ) -> Result<Step, Fault> {
        if custom.action_plugin {
            let why = format!(
                "`{}` is a Python action plugin ({}), which runbook does not run",
                custom.name,
                shown(&custom.path).display()
            );
            return Err(Fault::at(why, &task.action_span));
        }
        let packed = self
            .packed(custom)
            .map_err(|why| Fault::at(why, &task.action_span))?;
        let mut call = Map::new()
            .with("name", Value::data(custom.name.as_str()))
            .with("kind", packed.kind.name())
            .with("sha256", Value::data(packed.sha256.as_str()))
            .with("python_name", Value::data(packed.python_name.as_str()))
            .with(
                "file_name",
                Value::data(
                    custom
                        .path
                        .file_name()
                        .unwrap_or_default()
                        .to_string_lossy(),
                ),
            )
            .with("args", Value::map(args))
            .with("internal", Value::map(self.internal(custom, settings)));
        let mut shebang = packed.shebang.clone();
        if let Some(first) = shebang.first_mut() {
            let program = Path::new(first.as_str()).file_name().unwrap_or_default();
            let program = program.to_string_lossy().into_owned();
            if program != "python"
                && is_word(&program)
                && let Some(other) = self.variable(&format!("ansible_{program}_interpreter"), cx)?
            {
                *first = other.to_string();
            }
        }
        let words = shebang.iter().map(|word| Value::data(word.as_str()));
        call.set("shebang", Value::list(words.collect()));
        let python = match self.variable("ansible_python_interpreter", cx)? {
            Some(python) => python.to_string(),
            None => self.options.python.clone(),
        };
        if !python.is_empty() && !python.starts_with("auto") {
            call.set("python", Value::data(python));
        }
        let mut call = RemoteCall::new(RUNNER, call);
        call.contents
            .push((packed.sha256.clone(), packed.content.clone()));
        Ok(Step::Call(call))
    }

    fn internal(&self, custom: &CustomModule, settings: &Settings) -> Map {
        Map::new()
            .with("_ansible_check_mode", settings.check)
            .with("_ansible_diff", settings.diff)
            .with("_ansible_no_log", settings.no_log)
            .with("_ansible_debug", false)
            .with("_ansible_verbosity", i64::from(self.options.verbosity))
            .with("_ansible_version", crate::vars::VERSION)
            .with("_ansible_module_name", Value::data(custom.name.as_str()))
            .with("_ansible_syslog_facility", "LOG_USER")
            .with(
                "_ansible_selinux_special_fs",
                Value::list(
                    ["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"]
                        .map(Value::data)
                        .to_vec(),
                ),
            )
            .with("_ansible_string_conversion_action", "warn")
            .with("_ansible_socket", Value::Null)
            .with("_ansible_shell_executable", "/bin/sh")
            .with("_ansible_keep_remote_files", false)
            .with("_ansible_remote_tmp", "~/.ansible/tmp")
            .with("_ansible_ignore_unknown_opts", false)
            .with("_ansible_target_log_info", Value::Null)
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
