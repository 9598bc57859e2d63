//! Variables that are called as a keyword or as something that templates have: they work, with a warning.
//!
//! Source: Ansible's documentation, "Using variables: creating valid variable names".

use super::play::PlayState;
use super::run::Run;
use crate::playbook::Task;
use crate::value::Map;
use std::sync::Arc;

/// The keywords of plays, roles, blocks and tasks, and the names that every template has. In order.
const RESERVED: &[&str] = &[
    "action",
    "always",
    "any_errors_fatal",
    "args",
    "async",
    "async_val",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "block",
    "changed_when",
    "check_mode",
    "collections",
    "connection",
    "cycler",
    "debugger",
    "delay",
    "delegate_facts",
    "delegate_to",
    "dict",
    "diff",
    "environment",
    "fact_path",
    "failed_when",
    "force_handlers",
    "gather_facts",
    "gather_timeout",
    "handlers",
    "hosts",
    "ignore_errors",
    "ignore_unreachable",
    "joiner",
    "lipsum",
    "local_action",
    "lookup",
    "loop",
    "loop_control",
    "loop_with",
    "max_fail_percentage",
    "module_defaults",
    "name",
    "namespace",
    "no_log",
    "notify",
    "now",
    "order",
    "poll",
    "port",
    "post_tasks",
    "pre_tasks",
    "q",
    "query",
    "range",
    "register",
    "remote_user",
    "rescue",
    "retries",
    "roles",
    "run_once",
    "serial",
    "strategy",
    "tags",
    "tasks",
    "throttle",
    "timeout",
    "undef",
    "until",
    "vars_files",
    "vars_prompt",
    "when",
    "with_",
];

fn is_reserved(name: &str) -> bool {
    RESERVED.binary_search(&name).is_ok()
}

impl Run {
    /// Warns of variables with these names.
    pub(super) fn warn_of_names<'a>(&self, names: impl Iterator<Item = &'a str>) {
        for name in names.filter(|name| is_reserved(name)) {
            let mut told = self
                .reserved
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if told.insert(name.to_owned()) {
                drop(told);
                self.emitter
                    .warn(format!("Found variable using reserved name: {name}"));
            }
        }
    }

    fn warn_of_map(&self, vars: &Map) {
        self.warn_of_names(vars.str_iter().map(|(name, _)| name));
    }

    /// Warns of what a play and the inventory define.
    pub(super) fn warn_of_play(&self, state: &PlayState, hosts: &[Arc<str>]) {
        self.warn_of_map(&self.extra());
        self.warn_of_map(&state.play.vars);
        for role in state.play.roles.iter().filter(|role| self.is_public(role)) {
            self.warn_of_map(&role.defaults);
            self.warn_of_map(&role.vars);
        }
        for host in hosts {
            // what is wrong with them is told when they are used
            for layer in self.store.host_layers(host).unwrap_or_default() {
                self.warn_of_map(&layer.vars);
            }
        }
    }

    /// Warns of what a task, its blocks and its role define.
    pub(super) fn warn_of_task(&self, task: &Task) {
        let keywords = &task.keywords;
        for vars in keywords.vars.iter().chain(&keywords.include_vars) {
            self.warn_of_map(vars);
        }
        if let Some(role) = &task.role {
            for vars in [
                &role.own_defaults,
                &role.vars,
                &role.entry_vars,
                &role.params,
            ] {
                self.warn_of_map(vars);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order() {
        assert!(RESERVED.is_sorted());
        assert!(is_reserved("hosts") && is_reserved("q") && !is_reserved("host"));
    }
}
