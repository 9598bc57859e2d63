//! All actions by name.

use super::{Input, RemoteCall, Result, Step};
use crate::value::{ArgField, ArgSpec, Args, Value};
use std::sync::Arc;

/// An action: arguments in, next step out.
pub type Action = fn(&Input<'_>) -> Result<Step>;

struct Entry {
    name: &'static str,
    doc: &'static str,
    fields: Option<fn() -> Vec<ArgField>>,
    free_form: Option<&'static str>,
    run: Action,
}

fn raw(input: &Input<'_>) -> Result<Step> {
    let text = |name: &str| {
        input
            .args
            .get(name)
            .filter(|v| !v.is_null())
            .map(ToString::to_string)
    };
    let command = text("_raw_params").ok_or("raw needs a command line".to_owned())?;
    if input.check {
        let mut outcome = crate::result::Outcome::skip("check mode");
        outcome
            .data
            .set("msg", "Command would have run if not in check mode");
        return Ok(Step::done(outcome));
    }
    Ok(Step::Raw {
        command,
        executable: text("executable"),
    })
}

/// `command` and `shell` in old playbooks carry `warn`, which means nothing any more.
fn command(input: &Input<'_>, name: &str) -> Step {
    let mut args = input.args.clone();
    args.take("warn");
    Step::Call(RemoteCall::new(name, args))
}

fn gather(input: &Input<'_>) -> Result<Step> {
    let mut args = input.args.clone();
    // there is one module to ask
    args.take("parallel");
    let mut call = RemoteCall::new("setup", args);
    call.finish = Some(Box::new(|mut outcome| {
        if let Some(Value::Map(facts)) = outcome.data.get("ansible_facts").cloned()
            && !outcome.failed
        {
            let facts = Arc::unwrap_or_clone(facts).with(crate::vars::GATHERED, true);
            outcome.data.set("ansible_facts", facts);
        }
        outcome
    }));
    Ok(Step::Call(call))
}

const ENTRIES: &[Entry] = &[
    Entry {
        name: "debug",
        doc: "Print a message or a variable.",
        fields: Some(super::debug::DebugArgs::fields),
        free_form: None,
        run: super::debug::debug,
    },
    Entry {
        name: "assert",
        doc: "Fail unless conditions are true.",
        fields: Some(super::assertion::AssertArgs::fields),
        free_form: None,
        run: super::assertion::assert,
    },
    Entry {
        name: "fail",
        doc: "Fail with a message.",
        fields: Some(super::assertion::FailArgs::fields),
        free_form: None,
        run: super::assertion::fail,
    },
    Entry {
        name: "set_fact",
        doc: "Set variables of the host; every argument is a variable.",
        fields: None,
        free_form: None,
        run: super::set_fact::set_fact,
    },
    Entry {
        name: "set_stats",
        doc: "Collect numbers and texts for the end of the run.",
        fields: None,
        free_form: None,
        run: super::set_stats::set_stats,
    },
    Entry {
        name: "include_vars",
        doc: "Read variables from files of the controller.",
        fields: Some(super::include_vars::IncludeVarsArgs::fields),
        free_form: Some("file"),
        run: super::include_vars::include_vars,
    },
    Entry {
        name: "add_host",
        doc: "Add a host (and groups) to the inventory of this run.",
        fields: None,
        free_form: Some("name"),
        run: super::hosts::add_host,
    },
    Entry {
        name: "group_by",
        doc: "Put the host into a group made from a variable.",
        fields: None,
        free_form: None,
        run: super::hosts::group_by,
    },
    Entry {
        name: "pause",
        doc: "Wait, or ask the user.",
        fields: Some(super::pause::PauseArgs::fields),
        free_form: None,
        run: super::pause::pause,
    },
    Entry {
        name: "wait_for_connection",
        doc: "Wait until the machine can be reached.",
        fields: Some(super::pause::WaitArgs::fields),
        free_form: None,
        run: super::pause::wait_for_connection,
    },
    Entry {
        name: "reboot",
        doc: "Restart the machine and wait until it is back.",
        fields: Some(super::reboot::RebootArgs::fields),
        free_form: None,
        run: super::reboot::reboot,
    },
    Entry {
        name: "template",
        doc: "Render a template and write it on the machine.",
        fields: None,
        free_form: None,
        run: super::template::template,
    },
    Entry {
        name: "copy",
        doc: "Copy files to the machine.",
        fields: None,
        free_form: None,
        run: super::copy::copy,
    },
    Entry {
        name: "script",
        doc: "Run a script of the controller on the machine.",
        fields: None,
        free_form: Some("_raw_params"),
        run: super::script::script,
    },
    Entry {
        name: "fetch",
        doc: "Copy a file of the machine to the controller.",
        fields: Some(super::fetch::FetchArgs::fields),
        free_form: None,
        run: super::fetch::fetch,
    },
    Entry {
        name: "unarchive",
        doc: "Unpack an archive on the machine.",
        fields: None,
        free_form: None,
        run: super::unarchive::unarchive,
    },
    Entry {
        name: "patch",
        doc: "Apply a patch to files.",
        fields: None,
        free_form: None,
        run: super::patch::patch,
    },
    Entry {
        name: "uri",
        doc: "Send a request to a web service and return its answer.",
        fields: None,
        free_form: None,
        run: super::uri::uri,
    },
    Entry {
        name: "assemble",
        doc: "Make a file of fragments.",
        fields: None,
        free_form: None,
        run: super::assemble::assemble,
    },
    Entry {
        name: "k8s",
        doc: "Apply objects to a Kubernetes cluster, or delete them.",
        fields: None,
        free_form: None,
        run: super::k8s::k8s,
    },
    Entry {
        name: "synchronize",
        doc: "Copy trees of files with rsync.",
        fields: None,
        free_form: None,
        run: super::synchronize::synchronize,
    },
    Entry {
        name: "async_status",
        doc: "Tell what became of a task in the background.",
        fields: None,
        free_form: None,
        run: super::async_status::async_status,
    },
    Entry {
        name: "raw",
        doc: "Run a command line without the agent.",
        fields: None,
        free_form: Some("_raw_params"),
        run: raw,
    },
    Entry {
        name: "command",
        doc: "Run a program.",
        fields: None,
        free_form: Some("_raw_params"),
        run: |input| Ok(command(input, "command")),
    },
    Entry {
        name: "shell",
        doc: "Run a command line with a shell.",
        fields: None,
        free_form: Some("_raw_params"),
        run: |input| Ok(command(input, "shell")),
    },
    Entry {
        name: "package",
        doc: "Install packages.",
        fields: None,
        free_form: None,
        run: |input| super::package::managed(input, "package"),
    },
    Entry {
        name: "service",
        doc: "Manage services.",
        fields: None,
        free_form: None,
        run: |input| super::package::managed(input, "service"),
    },
    Entry {
        name: "pip",
        doc: "Manage Python packages.",
        fields: None,
        free_form: None,
        run: super::package::pip,
    },
    Entry {
        name: "gather_facts",
        doc: "Gather facts.",
        fields: None,
        free_form: None,
        run: gather,
    },
    Entry {
        name: "validate_argument_spec",
        doc: "Check a role's variables.",
        fields: None,
        free_form: None,
        run: super::argument_spec::validate,
    },
];

/// Actions that `exec` does itself: they change the course of the play.
const FLOW: &[&str] = &[
    "meta",
    "include_tasks",
    "include_role",
    "import_tasks",
    "import_role",
    "import_playbook",
    "include",
];

/// Actions whose module is in another collection than Ansible's own: the full name, and ours.
const ELSEWHERE: &[(&str, &str)] = &[
    ("kubernetes.core.k8s", "k8s"),
    ("community.kubernetes.k8s", "k8s"),
    ("ansible.posix.synchronize", "synchronize"),
    ("ansible.posix.patch", "patch"),
];

/// The registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct ActionRegistry;

impl ActionRegistry {
    /// The action of that short name, or of a full one in a collection that is not Ansible's own.
    pub fn find(self, name: &str) -> Option<Action> {
        let name = ELSEWHERE
            .iter()
            .find(|(full, _)| *full == name)
            .map_or(name, |(_, short)| *short);
        ENTRIES
            .iter()
            .find(|entry| entry.name == name)
            .map(|entry| entry.run)
    }

    /// Whether a task with it can go on in the background: it is a module and nothing but it.
    pub fn supports_async(self, name: &str) -> bool {
        matches!(name, "command" | "shell" | "package" | "service" | "pip")
            || self.find(name).is_none()
    }

    /// Whether `exec` does it itself.
    pub fn is_flow(self, name: &str) -> bool {
        FLOW.contains(&name)
    }

    /// All names.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        ENTRIES
            .iter()
            .map(|entry| entry.name)
            .chain(FLOW.iter().copied())
    }
}

/// The interfaces of those actions that have one of their own.
pub fn controller_specs() -> Vec<ArgSpec> {
    ENTRIES
        .iter()
        .filter_map(|entry| {
            Some(ArgSpec {
                module: entry.name,
                collection: "ansible.builtin",
                aliases: &[],
                doc: entry.doc,
                fields: entry.fields?(),
                rules: &[],
                free_form: entry.free_form,
            })
        })
        .collect()
}

/// The arguments of `template` that `copy` does not have.
pub fn template_fields() -> Vec<ArgField> {
    super::template::TemplateArgs::fields()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without its half on the controller, `template` and `src` of `kubernetes.core.k8s` reached the machine as paths.
    #[test]
    fn full_names_lead_to_the_same_action() {
        for (full, short) in ELSEWHERE {
            let found = ActionRegistry.find(full).map(|run| run as usize);
            let same = ActionRegistry.find(short).map(|run| run as usize);
            assert!(found.is_some() && found == same, "{full}");
        }
        assert!(ActionRegistry.find("kubernetes.core.template").is_none());
    }
}
