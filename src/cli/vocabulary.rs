//! What actions there are: those of the controller and the modules.

use crate::actions::{ActionRegistry, controller_specs, documented_specs};
use crate::modules::Registry;
use crate::playbook::Vocabulary;
use crate::value::ArgSpec;

/// All actions.
#[derive(Debug)]
pub struct Actions {
    controller: Vec<ArgSpec>,
    /// Names that must not be used.
    rejected: Vec<String>,
}

impl Default for Actions {
    fn default() -> Self {
        Self {
            controller: controller_specs(),
            rejected: Vec::new(),
        }
    }
}

/// The name without the collection that Ansible's own modules are in.
fn short(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name)
}

impl Vocabulary for Actions {
    fn is_action(&self, name: &str) -> bool {
        let name = short(name);
        if self.rejected.iter().any(|rejected| short(rejected) == name) {
            return false;
        }
        ActionRegistry.find(name).is_some()
            || ActionRegistry.is_flow(name)
            || (!name.starts_with('_') && Registry.find(name).is_some())
            || super::known::may_exist(name)
    }

    fn is_built(&self, name: &str) -> bool {
        let name = short(name);
        ActionRegistry.find(name).is_some()
            || ActionRegistry.is_flow(name)
            || (!name.starts_with('_') && Registry.find(name).is_some())
    }

    fn is_flow(&self, name: &str) -> bool {
        ActionRegistry.is_flow(short(name))
    }

    fn has_controller_half(&self, name: &str) -> bool {
        let name = short(name);
        !matches!(name, "command" | "shell") && ActionRegistry.find(name).is_some()
    }

    fn collection(&self, name: &str) -> Option<&'static str> {
        let name = short(name);
        if let Some(entry) = Registry.find(name) {
            return Some(entry.collection);
        }
        self.is_built(name).then_some("ansible.builtin")
    }

    fn action_names(&self) -> Vec<String> {
        let mut names: Vec<String> = ActionRegistry.names().map(str::to_owned).collect();
        for entry in Registry
            .entries()
            .filter(|entry| !entry.name.starts_with('_'))
        {
            for name in std::iter::once(&entry.name).chain(entry.aliases) {
                names.push((*name).to_owned());
                names.push(format!("{}.{name}", entry.collection));
            }
        }
        names.extend(super::known::names());
        names.sort_unstable();
        names.dedup();
        names.retain(|name| !self.rejected.iter().any(|r| short(r) == short(name)));
        names
    }

    fn spec(&self, name: &str) -> Option<ArgSpec> {
        let name = short(name);
        match name.rsplit('.').next().unwrap_or(name) {
            // the controller takes arguments that the module on the machine does not
            "template" => return Some(template_spec()),
            "script" | "gather_facts" => return None,
            // they pass what they do not know on to what manages packages or services on the machine
            "package" | "service" => return None,
            // other systems' package managers: they have more options than are built here
            "dnf" | "dnf5" | "yum" | "apk" | "pacman" | "zypper" => return None,
            _ => {}
        }
        self.controller
            .iter()
            .find(|spec| spec.module == name)
            .cloned()
            .or_else(|| Registry.find(name).map(|entry| (entry.spec)()))
    }
}

impl Actions {
    /// All actions but these.
    pub fn without(rejected: Vec<String>) -> Self {
        Self {
            rejected,
            ..Self::default()
        }
    }

    /// The interfaces of all actions, for `runbook doc`.
    pub fn specs(&self) -> Vec<ArgSpec> {
        let mut specs = self.controller.clone();
        specs.extend(documented_specs());
        specs.push(template_spec());
        for entry in Registry
            .entries()
            .filter(|entry| !entry.name.starts_with('_'))
        {
            let is_known = |spec: &ArgSpec| {
                spec.module == entry.name
                    && (spec.collection == entry.collection || spec.collection == "ansible.builtin")
            };
            if !specs.iter().any(is_known) {
                specs.push((entry.spec)());
            }
        }
        specs.sort_by_key(|spec| spec.module);
        specs
    }
}

/// `template` is `copy` with a source that is rendered.
fn template_spec() -> ArgSpec {
    use crate::actions::template_fields;
    let mut fields = template_fields();
    if let Some(copy) = Registry.find("copy") {
        let own = [
            "src",
            "content",
            "remote_src",
            "directory_mode",
            "checksum",
            "local_follow",
        ];
        fields.extend(
            (copy.spec)()
                .fields
                .into_iter()
                .filter(|field| !own.contains(&field.name) && !field.name.starts_with('_')),
        );
    }
    ArgSpec {
        module: "template",
        collection: "ansible.builtin",
        aliases: &[],
        doc: "Render a template on the controller and write it on the machine.",
        fields,
        rules: &[],
        free_form: None,
    }
}
