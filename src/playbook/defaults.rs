//! `module_defaults`: which entries are for which action, groups of actions among them.
//!
//! Source: Ansible's documentation, "Module defaults" and "Module defaults groups"; "Collection structure" for
//! `action_groups` in a collection's `meta/runtime.yml`.

use super::{Keywords, Loader, Result, Task};
use crate::diag::{Diagnostic, Span};
use crate::value::{Map, Value};
use crate::yaml::{Kind, Node};
use std::collections::HashSet;
use std::sync::{Arc, PoisonError};

/// What gathers facts, and the module that it calls.
const GATHERS: &str = "ansible.builtin.gather_facts";
const SETUP: &str = "ansible.builtin.setup";

/// What calls a module of the machine's own, and which.
const CALLERS: &[(&str, &[&str])] = &[
    (
        "ansible.builtin.package",
        &["apt", "dnf", "yum", "apk", "pacman", "zypper"],
    ),
    ("ansible.builtin.service", &["systemd"]),
];

/// How an entry begins that is for a group.
const GROUP: &str = "group/";

/// The groups that Ansible itself has, each made of groups of collections.
const BUILTIN: &[(&str, &[&str])] = &[
    ("acme", &["community.crypto.acme"]),
    ("aws", &["amazon.aws.aws", "community.aws.aws"]),
    ("azure", &["azure.azcollection.azure"]),
    ("cpm", &["wti.remote.cpm"]),
    (
        "docker",
        &["community.general.docker", "community.docker.docker"],
    ),
    ("gcp", &["google.cloud.gcp"]),
    (
        "k8s",
        &[
            "community.kubernetes.k8s",
            "community.general.k8s",
            "community.kubevirt.k8s",
            "community.okd.k8s",
            "kubernetes.core.k8s",
        ],
    ),
    ("os", &["openstack.cloud.os"]),
    ("ovirt", &["ovirt.ovirt.ovirt", "community.general.ovirt"]),
    ("vmware", &["community.vmware.vmware"]),
];

/// The groups of collections whose modules runbook has, where the collection itself is not there: the modules that
/// are built.
const OWN: &[(&str, &[&str])] = &[
    ("community.crypto.acme", &[]),
    ("community.general.consul", &[]),
    ("community.general.keycloak", &[]),
    ("community.general.proxmox", &[]),
    ("kubernetes.core.helm", &[]),
    (
        "kubernetes.core.k8s",
        &["kubernetes.core.k8s", "kubernetes.core.k8s_info"],
    ),
];

/// Names in full of the actions of a group.
type Members = Arc<HashSet<String>>;

impl Loader {
    /// Checks that the groups which `module_defaults` names are there.
    pub(super) fn check_defaults(&self, keywords: &Keywords) -> Result<()> {
        for node in &keywords.module_defaults {
            let Kind::Map(entries) = &node.kind else {
                continue;
            };
            for entry in entries {
                if let Some(group) = entry.key.as_str().and_then(|key| key.strip_prefix(GROUP)) {
                    self.group(&full_group(group), &entry.key.span)?;
                }
            }
        }
        Ok(())
    }

    /// The default arguments of a task's action. `defaults` are the rendered values of `module_defaults`, outer ones
    /// first: an inner entry takes the place of an outer one of the same name, and an action's own entry goes above those
    /// of its groups. Below those of `gather_facts` are those of `setup`, which it calls; those of the modules that `package`
    /// and `service` may call come as `_defaults`, by name, since the machine decides which it is.
    ///
    /// # Errors
    /// When a group is not there.
    pub fn default_arguments(&self, task: &Task, defaults: &[Value]) -> Result<Map> {
        let action = self.action_of(task);
        let mut args = Map::new();
        if action == GATHERS {
            args = self.defaults_of(SETUP, task, defaults)?;
        }
        args.extend(self.defaults_of(&action, task, defaults)?);
        let called = CALLERS.iter().find(|(caller, _)| *caller == action);
        let mut beneath = Map::new();
        for name in called.map_or(&[][..], |(_, modules)| modules) {
            let own = self.defaults_of(&self.full_action(name), task, defaults)?;
            if !own.is_empty() {
                beneath.set(name, own);
            }
        }
        if !beneath.is_empty() {
            args.set("_defaults", beneath);
        }
        Ok(args)
    }

    fn defaults_of(&self, action: &str, task: &Task, defaults: &[Value]) -> Result<Map> {
        let mut groups: Vec<(String, &Value)> = Vec::new();
        let mut own: Option<&Value> = None;
        for (key, value) in defaults
            .iter()
            .filter_map(Value::as_map)
            .flat_map(Map::str_iter)
        {
            if let Some(group) = key.strip_prefix(GROUP) {
                let group = full_group(group);
                match groups.iter_mut().find(|(known, _)| *known == group) {
                    Some((_, old)) => *old = value,
                    None => groups.push((group, value)),
                }
            } else if self.names_action(key, action) {
                own = Some(value);
            }
        }
        let mut args = Map::new();
        for (group, value) in &groups {
            if self.group(group, &task.action_span)?.contains(action) {
                extend(&mut args, value);
            }
        }
        if let Some(own) = own {
            extend(&mut args, own);
        }
        Ok(args)
    }

    /// The name in full of what a task runs.
    fn action_of(&self, task: &Task) -> String {
        match &task.custom {
            Some(custom) if custom.collection.is_some() => custom.name.clone(),
            Some(custom) => format!("ansible.legacy.{}", custom.name),
            None => self.full_action(&task.action),
        }
    }

    /// An action's name with its collection.
    fn full_action(&self, name: &str) -> String {
        let short = name.rsplit('.').next().unwrap_or(name);
        match self.vocabulary.collection(name) {
            Some(collection) => format!("{collection}.{short}"),
            None if name.contains('.') => name.to_owned(),
            None => format!("ansible.legacy.{name}"),
        }
    }

    /// A short name means a module of the user's own as well as the one that Ansible has.
    fn names_action(&self, key: &str, action: &str) -> bool {
        let legacy = key.strip_prefix("ansible.legacy.").unwrap_or(key);
        self.full_action(key) == action
            || (!legacy.contains('.')
                && (action.strip_prefix("ansible.legacy.") == Some(legacy)
                    || self.full_action(legacy) == action))
    }

    /// The actions of a group whose name is in full.
    fn group(&self, name: &str, at: &Span) -> Result<Members> {
        let known = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(members) = known.get(name) {
            return Ok(Arc::clone(members));
        }
        drop(known);
        let mut members = HashSet::new();
        let mut seen = HashSet::new();
        if !self.gather(name, &mut members, &mut seen)? {
            return Err(Diagnostic::error(
                "playbook::no-group",
                format!(
                    "Error loading module_defaults: could not resolve the module_defaults group {name}"
                ),
            )
            .at(at)
            .into());
        }
        let members = Arc::new(members);
        self.groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned(), Arc::clone(&members));
        Ok(members)
    }

    /// Adds the actions of a group and of those that it takes in. Says whether there is such a group.
    fn gather(
        &self,
        name: &str,
        members: &mut HashSet<String>,
        seen: &mut HashSet<String>,
    ) -> Result<bool> {
        if !seen.insert(name.to_owned()) {
            return Ok(true);
        }
        if let Some(short) = name.strip_prefix("ansible.builtin.") {
            let Some((_, others)) = BUILTIN.iter().find(|(group, _)| *group == short) else {
                return Ok(false);
            };
            for other in *others {
                self.gather(other, members, seen)?;
            }
            return Ok(true);
        }
        let Some((collection, short)) = split_group(name) else {
            return Ok(false);
        };
        let Some(dir) = self.collection(collection) else {
            let own = OWN.iter().find(|(group, _)| *group == name);
            members.extend(
                own.iter()
                    .flat_map(|(_, names)| names.iter().map(|name| (*name).to_owned())),
            );
            return Ok(own.is_some());
        };
        let file = dir.join("meta/runtime.yml");
        if !file.is_file() {
            return Ok(false);
        }
        let node = self.file(&file)?;
        let groups = node.get("action_groups");
        // a collection names its own groups in full or not
        let Some(group) = groups.and_then(|groups| groups.get(name).or_else(|| groups.get(short)))
        else {
            return Ok(false);
        };
        let within = |name: &str| match name.matches('.').count() {
            0 | 1 => format!("{collection}.{name}"),
            _ => name.to_owned(),
        };
        for item in group.as_seq().unwrap_or_default() {
            if let Some(action) = item.as_str() {
                members.insert(self.full_action(&within(action)));
                continue;
            }
            let extended = item
                .get("metadata")
                .and_then(|metadata| metadata.get("extend_group"));
            for other in extended.map(names_of).unwrap_or_default() {
                self.gather(&within(&other), members, seen)?;
            }
        }
        Ok(true)
    }
}

fn extend(args: &mut Map, more: &Value) {
    for (key, value) in more.as_map().into_iter().flatten() {
        args.insert(key.clone(), value.clone());
    }
}

/// A list of names, or one.
fn names_of(node: &Node) -> Vec<String> {
    match node.as_seq() {
        Some(items) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        None => node.as_str().map(str::to_owned).into_iter().collect(),
    }
}

/// A group's name in full: without a collection, it is one of Ansible's own.
fn full_group(name: &str) -> String {
    if name.matches('.').count() >= 2 {
        name.to_owned()
    } else {
        format!("ansible.builtin.{name}")
    }
}

/// Collection and group.
fn split_group(name: &str) -> Option<(&str, &str)> {
    let (at, _) = name.match_indices('.').nth(1)?;
    Some((name.get(..at)?, name.get(at + 1..)?))
}
