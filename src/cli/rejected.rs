//! Modules that must not be used (`plugin_filters_cfg`).

use super::exit::{CommandFailure, Exit};
use super::show::Show;
use crate::config::Config;
use crate::diag::Diagnostic;
use crate::inventory::read_document;
use crate::value::{Value, str_of};
use crate::vault::Vault;
use std::path::Path;

/// Where the list is when the configuration does not say.
const USUAL: &str = "/etc/ansible/plugin_filters.yml";

/// The names of the modules that the list rejects. A list that cannot be read is passed over with a warning, as in
/// Ansible.
///
/// # Errors
/// If it rejects `stat`, as in Ansible, which cannot do without.
pub fn modules(config: &Config, vault: &Vault, show: &Show) -> Result<Vec<String>, CommandFailure> {
    let path = config.plugin_filters_cfg.as_deref();
    let file = path.unwrap_or(Path::new(USUAL));
    let warn = |why: &str| {
        show.diagnostic(&Diagnostic::warning(
            "config::plugin-filters",
            format!("The plugin filter file, {} {why} Skipping.", file.display()),
        ));
        Ok(Vec::new())
    };
    if !file.exists() {
        return match path {
            Some(_) => warn("does not exist."),
            None => Ok(Vec::new()),
        };
    }
    let data = match read_document(file, vault) {
        Ok(document) => document.node.to_value(),
        Err(problem) => {
            return warn(&format!("was not parsable ({}).", problem.message));
        }
    };
    let Some(version) = data.get("filter_version") else {
        return warn("was invalid.");
    };
    if str_of(version).trim() != "1.0" {
        return warn("was a version not recognized by this version of Ansible.");
    }
    let Some(list) = data.get("module_rejectlist").and_then(Value::as_list) else {
        return warn("cannot be used as module_rejectlist is not a list.");
    };
    let names: Vec<String> = list.iter().map(str_of).collect();
    if names.iter().any(|name| name == "stat") {
        return Err(CommandFailure::new(
            Exit::Error,
            format!(
                "The stat module was specified in the module reject list file, {}, but Ansible will not function without \
                 the stat module.  Please remove stat from the reject list.",
                file.display()
            ),
        ));
    }
    Ok(names)
}
