//! Hosts and groups out of Terraform: a state file (version 4), what `terraform show -json` prints, or a source file
//! with `plugin: terraform` that names one or asks the program.
//!
//! Resources `ansible_host` and `ansible_group` of the provider `ansible/ansible` say what the hosts are. A state without
//! any of them gives a host for each machine that it has ([`instance`]). OpenTofu's files are the same.

mod instance;
mod state;

use super::compose::{self, Rules, check_keys, flag, text, wrong};
use super::document::read_source;
use super::{Inventory, LoadOptions};
use crate::diag::{Diagnostic, Source, io_reason};
use crate::value::{Map, Value, str_of};
use crate::yaml::{Document, Node};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use state::Resource;

/// Whether a JSON document is Terraform's.
pub(super) fn is_state(document: &Node) -> bool {
    document.get("terraform_version").is_some()
        && ["version", "values", "format_version"]
            .iter()
            .any(|key| document.get(key).is_some())
}

/// Reads a document of Terraform into the inventory.
pub(super) fn parse(
    inventory: &mut Inventory,
    document: &Node,
    file: &Path,
) -> Result<(), Diagnostic> {
    let resources = state::resources(document, true)?;
    take(inventory, &resources, None, file).map(|_| ())
}

/// The machines of some resources become hosts; returns these.
///
/// `instances`: whether resources that are machines become hosts; by default only if nothing else says what hosts are.
fn take(
    inventory: &mut Inventory,
    resources: &[Resource],
    instances: Option<bool>,
    file: &Path,
) -> Result<Vec<Arc<str>>, Diagnostic> {
    let mut hosts = Vec::new();
    let mut declared = false;
    for resource in resources {
        match resource.kind.as_str() {
            "ansible_host" => {
                declared = true;
                let name = resource.required("name")?;
                inventory.declare_host(&name, None, None, Some(file))?;
                for group in texts(resource.attributes.get("groups")) {
                    inventory.add_group(&group)?;
                    inventory.declare_host(&name, Some(&group), None, None)?;
                }
                variables(inventory, &name, resource)?;
                hosts.push(Arc::from(name));
            }
            "ansible_group" => {
                declared = true;
                let name = resource.required("name")?;
                inventory.add_group(&name)?;
                for child in texts(resource.attributes.get("children")) {
                    inventory.add_group(&child)?;
                    inventory.add_child(&name, &child)?;
                }
                variables(inventory, &name, resource)?;
            }
            _ => {}
        }
    }
    if instances.unwrap_or(!declared) {
        for resource in resources {
            if let Some(found) = instance::of(resource) {
                let name = instance::declare(inventory, resource, found, file)?;
                hosts.push(name);
            }
        }
    }
    Ok(hosts)
}

/// The strings of a list.
fn texts(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter(|item| !item.is_null())
        .map(str_of)
        .collect()
}

/// Sets what `variables` of a resource holds. The provider has only strings: one that is a JSON mapping or list counts as
/// that.
fn variables(inventory: &mut Inventory, name: &str, resource: &Resource) -> Result<(), Diagnostic> {
    let Some(Value::Map(vars)) = resource.attributes.get("variables") else {
        return Ok(());
    };
    for (key, value) in &**vars {
        let structured = value
            .as_str()
            .filter(|text| text.starts_with(['{', '[']))
            .and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
            .map(|json| Value::from_json(&json));
        inventory.set_variable(name, key, structured.unwrap_or_else(|| value.clone()))?;
    }
    Ok(())
}

/// Reads a source file with `plugin: terraform`.
pub(super) fn configured(
    inventory: &mut Inventory,
    config: &Node,
    file: &Path,
    options: &LoadOptions,
) -> Result<(), Diagnostic> {
    let mut known = vec![
        "plugin",
        "project_path",
        "state_file",
        "binary_path",
        "workspace",
        "search_child_modules",
        "instances",
    ];
    known.extend(compose::KEYS);
    check_keys(inventory, config, &known);
    let base = file.parent().unwrap_or(Path::new("."));
    let modules = flag(config, "search_child_modules", true)?;
    let instances = match config.get("instances") {
        None => None,
        Some(_) => Some(flag(config, "instances", true)?),
    };
    let rules = Rules::read(config, options)?;
    let mut hosts = Vec::new();
    for document in documents(config, base, options)? {
        let resources = state::resources(&document.node, modules)?;
        hosts.extend(take(inventory, &resources, instances, file)?);
    }
    if rules.is_empty() {
        return Ok(());
    }
    compose::compose(inventory, &rules, &hosts, options)
}

/// What the source file refers to: a state file, or what the program shows in each of the projects.
fn documents(
    config: &Node,
    base: &Path,
    options: &LoadOptions,
) -> Result<Vec<Document>, Diagnostic> {
    let projects: Vec<PathBuf> = match config.get("project_path") {
        None => Vec::new(),
        Some(node) => match node.as_seq() {
            Some(items) => items
                .iter()
                .map(|item| base.join(str_of(&item.to_value())))
                .collect(),
            None => text(config, "project_path")?
                .into_iter()
                .map(|path| base.join(path))
                .collect(),
        },
    };
    if let Some(path) = text(config, "state_file")? {
        let folder = projects.first().map_or(base, PathBuf::as_path);
        let source = read_source(&folder.join(path), &options.vault)?;
        return Ok(vec![crate::yaml::parse(&source)?]);
    }
    let program = text(config, "binary_path")?.unwrap_or_else(|| "terraform".to_owned());
    let workspace = text(config, "workspace")?;
    let folders = if projects.is_empty() {
        vec![base.to_owned()]
    } else {
        projects
    };
    folders
        .iter()
        .map(|folder| {
            show(&program, folder, workspace.as_deref()).map_err(|problem| {
                if problem.span.is_some() {
                    problem
                } else {
                    wrong(config, problem.message)
                }
            })
        })
        .collect()
}

/// What `terraform show -json` prints in a directory.
fn show(program: &str, folder: &Path, workspace: Option<&str>) -> Result<Document, Diagnostic> {
    let failed = |why: String| {
        Diagnostic::error(
            "inventory::terraform",
            format!("`{program} show -json` in {} {why}", folder.display()),
        )
    };
    let mut command = Command::new(program);
    command
        .args(["show", "-json", "-no-color"])
        .current_dir(folder)
        .stdin(Stdio::null());
    if let Some(workspace) = workspace {
        command.env("TF_WORKSPACE", workspace);
    }
    let output = command
        .output()
        .map_err(|error| failed(format!("cannot be run: {}", io_reason(&error))))?;
    if !output.status.success() {
        let talk = String::from_utf8_lossy(&output.stderr);
        return Err(failed(format!(
            "failed ({}): {}",
            output.status,
            talk.trim()
        )));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| failed("printed something that is not UTF-8".to_owned()))?;
    let source = Source::hidden(format!("{program} show -json"), text);
    crate::yaml::parse(&source)
}

/// The values of a mapping that are worth knowing.
fn some(map: &Map, names: &[&str]) -> Option<String> {
    names
        .iter()
        .filter_map(|name| map.get(*name))
        .find(|value| !value.is_null() && value.as_str() != Some(""))
        .map(str_of)
}
