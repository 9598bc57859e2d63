//! The inventory itself: hosts, groups, and who is in what.

use super::host::{is_localhost, set_variable};
use super::{Group, GroupNames, Host, Mismatch, SourceSpec, compose};
use crate::diag::{Diagnostic, did_you_mean};
use crate::value::{FromValue, Map, Value};
use indexmap::{IndexMap, IndexSet};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

/// Hosts and groups. Cloning shares the hosts.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// The hosts, in the order in which they were first named.
    pub hosts: IndexMap<Arc<str>, Arc<Host>>,
    /// The groups, `all` and `ungrouped` first.
    pub groups: IndexMap<Arc<str>, Group>,
    /// What it was read from.
    pub sources: Vec<SourceSpec>,
    /// What is odd but does not stop a run.
    pub warnings: Vec<Diagnostic>,
    /// What tells how sources were read, for `-vvv`.
    pub notes: Vec<String>,
    /// What happens to odd names of groups.
    pub(super) group_names: GroupNames,
    /// What a host pattern that matches nothing is.
    pub(super) mismatch: Mismatch,
    odd_group_names: bool,
    /// Whether mappings that several sources give the same name are merged.
    pub(super) merge_hashes: bool,
}

impl Default for Inventory {
    fn default() -> Self {
        let mut groups = IndexMap::new();
        for name in ["all", "ungrouped"] {
            groups.insert(Arc::from(name), Group::new(name));
        }
        let mut inventory = Self {
            hosts: IndexMap::new(),
            groups,
            sources: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
            group_names: GroupNames::default(),
            mismatch: Mismatch::default(),
            odd_group_names: false,
            merge_hashes: false,
        };
        inventory.link("all", "ungrouped");
        inventory
    }
}

impl Inventory {
    /// An inventory with the groups `all` and `ungrouped` and no hosts.
    pub fn new() -> Self {
        Self::default()
    }

    /// The host of that name. The names of the controller always exist: without an entry they are the entry of
    /// another of its names, or an implicit host with a local connection.
    pub fn host(&self, name: &str) -> Option<Arc<Host>> {
        if let Some(host) = self.hosts.get(name) {
            return Some(Arc::clone(host));
        }
        if !is_localhost(name) {
            return None;
        }
        self.hosts
            .values()
            .find(|host| is_localhost(&host.name))
            .cloned()
            .or_else(|| Some(Arc::new(Host::implicit_localhost(name))))
    }

    /// The group of that name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// The name under which a group is kept; `new` when it is about to be made.
    pub(super) fn group_called<'a>(&mut self, name: &'a str, new: bool) -> Cow<'a, str> {
        if self.groups.contains_key(name) {
            return Cow::Borrowed(name);
        }
        let safe = compose::group_name(name);
        if safe == name {
            return Cow::Borrowed(name);
        }
        let replaces = matches!(self.group_names, GroupNames::Always | GroupNames::Silently);
        if new && !self.odd_group_names {
            self.odd_group_names = true;
            match self.group_names {
                GroupNames::Never => self.warnings.push(
                    Diagnostic::warning(
                        "inventory::group-name",
                        format!("the group name `{name}` cannot be used as a variable name"),
                    )
                    .note(
                        "letters, digits and underscores are safe everywhere; it is used as it is",
                    ),
                ),
                GroupNames::Always => self.warnings.push(Diagnostic::warning(
                    "inventory::group-name-replaced",
                    format!("the group name `{name}` cannot be used as a variable name: it is `{safe}` now"),
                )),
                GroupNames::Ignore | GroupNames::Silently => {}
            }
        }
        if replaces {
            Cow::Owned(safe)
        } else {
            Cow::Borrowed(name)
        }
    }

    /// Makes the group if it is not there.
    ///
    /// # Errors
    /// If the name is empty.
    pub fn add_group(&mut self, name: &str) -> Result<(), Diagnostic> {
        if name.is_empty() {
            return Err(Diagnostic::error(
                "inventory::empty-name",
                "a group needs a name",
            ));
        }
        let name = self.group_called(name, true);
        if !self.groups.contains_key(&*name) {
            self.groups.insert(Arc::from(&*name), Group::new(&name));
        }
        Ok(())
    }

    /// Puts a group or a host into a group. Both must exist.
    ///
    /// # Errors
    /// If either does not exist, or if the group would contain itself.
    pub fn add_child(&mut self, group: &str, child: &str) -> Result<(), Diagnostic> {
        let group = &*self.group_called(group, false);
        let child = &*if self.hosts.contains_key(child) {
            Cow::Borrowed(child)
        } else {
            self.group_called(child, false)
        };
        if !self.groups.contains_key(group) {
            return Err(self.unknown_group(group));
        }
        if !self.groups.contains_key(child) {
            if self.hosts.contains_key(child) {
                self.put_host(group, child);
                return Ok(());
            }
            return Err(self.unknown_group(child));
        }
        if group == child || self.ancestors([group]).contains(child) {
            return Err(Diagnostic::error(
                "inventory::group-loop",
                format!("making group `{child}` a child of `{group}` closes a loop"),
            ));
        }
        self.link(group, child);
        Ok(())
    }

    fn unknown_group(&self, name: &str) -> Diagnostic {
        Diagnostic::error(
            "inventory::unknown-group",
            format!("there is no group `{name}`"),
        )
        .maybe_hint(did_you_mean(name, self.groups.keys().map(AsRef::as_ref)))
    }

    /// Links two groups that exist, without a check for loops, and brings depths up to date.
    fn link(&mut self, group: &str, child: &str) {
        let Some(parent) = self.groups.get_mut(group) else {
            return;
        };
        if parent.children.iter().any(|c| **c == *child) {
            return;
        }
        parent.children.push(Arc::from(child));
        let parent_name = Arc::clone(&parent.name);
        if let Some(child) = self.groups.get_mut(child) {
            child.parents.push(Arc::clone(&parent_name));
        }
        let mut deeper = vec![parent_name];
        while let Some(name) = deeper.pop() {
            let Some(parent) = self.groups.get(&name) else {
                continue;
            };
            let depth = parent.depth + 1;
            for child in parent.children.clone() {
                if let Some(child) = self.groups.get_mut(&child)
                    && child.depth < depth
                {
                    child.depth = depth;
                    deeper.push(Arc::clone(&child.name));
                }
            }
        }
    }

    fn put_host(&mut self, group: &str, host: &str) {
        let (Some(group), Some(host)) = (self.groups.get_mut(group), self.hosts.get_mut(host))
        else {
            return;
        };
        if group.hosts.insert(Arc::clone(&host.name)) {
            Arc::make_mut(host).groups.push(Arc::clone(&group.name));
        }
    }

    /// Names a host while a source is read: makes it if it is new, and puts it into the group.
    pub(super) fn declare_host(
        &mut self,
        name: &str,
        group: Option<&str>,
        port: Option<u16>,
        file: Option<&Path>,
    ) -> Result<(), Diagnostic> {
        if name.is_empty() {
            return Err(Diagnostic::error(
                "inventory::empty-name",
                "a host needs a name",
            ));
        }
        if !self.hosts.contains_key(name) {
            let mut host = Host::new(name);
            host.file = file.map(Path::to_path_buf);
            host.port = port;
            if let Some(port) = port {
                host.vars.set("ansible_port", i64::from(port));
            }
            self.hosts.insert(Arc::clone(&host.name), Arc::new(host));
        }
        let group = group.map(|group| self.group_called(group, false));
        match group.as_deref() {
            Some(group) if !self.groups.contains_key(group) => Err(self.unknown_group(group)),
            Some(group) => {
                self.put_host(group, name);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Sets a variable of a group, or else of a host, of that name.
    ///
    /// # Errors
    /// If there is neither, or `ansible_group_priority` is not a whole number.
    pub fn set_variable(
        &mut self,
        entity: &str,
        name: &Value,
        value: Value,
    ) -> Result<(), Diagnostic> {
        let entity = &*if self.hosts.contains_key(entity) {
            Cow::Borrowed(entity)
        } else {
            self.group_called(entity, false)
        };
        if let Some(group) = self.groups.get_mut(entity) {
            if name.as_str() == Some("ansible_group_priority") {
                group.priority = i64::from_value(&value).map_err(|problem| {
                    Diagnostic::error(
                        "inventory::group-priority",
                        format!(
                            "`ansible_group_priority` of group `{entity}`: {}",
                            problem.0
                        ),
                    )
                })?;
            } else {
                set_variable(&mut group.vars, name, value, self.merge_hashes);
            }
            return Ok(());
        }
        let Some(host) = self.hosts.get_mut(entity) else {
            return Err(Diagnostic::error(
                "inventory::unknown-host",
                format!("there is no host or group `{entity}`"),
            ));
        };
        set_variable(
            &mut Arc::make_mut(host).vars,
            name,
            value,
            self.merge_hashes,
        );
        Ok(())
    }

    /// Brings the rules that hold for every inventory about: groups without a parent are in `all`, hosts without a
    /// group in `ungrouped` and no others.
    pub fn reconcile(&mut self) {
        let orphans: Vec<_> = self
            .groups
            .values()
            .filter(|group| group.parents.is_empty() && &*group.name != "all")
            .map(|group| Arc::clone(&group.name))
            .collect();
        for name in orphans {
            self.link("all", &name);
        }
        let Some(ungrouped) = self.groups.get_mut("ungrouped") else {
            return;
        };
        for host in self.hosts.values_mut() {
            let elsewhere = host
                .groups
                .iter()
                .any(|g| !matches!(&**g, "all" | "ungrouped"));
            let here = host.groups.iter().any(|g| &**g == "ungrouped");
            if elsewhere && here {
                ungrouped.hosts.shift_remove(&host.name);
                Arc::make_mut(host).groups.retain(|g| &**g != "ungrouped");
            } else if !elsewhere && !here && !host.implicit {
                ungrouped.hosts.insert(Arc::clone(&host.name));
                Arc::make_mut(host).groups.push(Arc::clone(&ungrouped.name));
            }
        }
    }

    /// Warns of names that are both a group's and a host's.
    pub(super) fn warn_of_conflicts(&mut self) {
        let conflicts: Vec<_> = self
            .groups
            .keys()
            .filter(|name| self.hosts.contains_key(*name))
            .cloned()
            .collect();
        for name in conflicts {
            self.warnings.push(Diagnostic::warning(
                "inventory::name-conflict",
                format!("`{name}` is both a group and a host"),
            ));
        }
    }

    /// All groups above these ones, without them.
    fn ancestors<'a>(&self, of: impl IntoIterator<Item = &'a str>) -> IndexSet<Arc<str>> {
        let mut found = IndexSet::new();
        let mut names: Vec<Arc<str>> = of.into_iter().map(Arc::from).collect();
        while let Some(name) = names.pop() {
            for parent in self
                .groups
                .get(&name)
                .map(|g| g.parents.as_slice())
                .unwrap_or_default()
            {
                if found.insert(Arc::clone(parent)) {
                    names.push(Arc::clone(parent));
                }
            }
        }
        found
    }

    /// All groups that a host is in, directly or not, as their variables are merged: by depth, priority and name;
    /// `all` comes first. Empty for hosts that do not exist and for the implicit controller.
    pub fn groups_of(&self, host: &str) -> Vec<&Group> {
        let Some(host) = self.hosts.get(host) else {
            return Vec::new();
        };
        let mut names = self.ancestors(host.groups.iter().map(AsRef::as_ref));
        names.extend(host.groups.iter().cloned());
        let mut groups: Vec<&Group> = names
            .iter()
            .filter_map(|name| self.groups.get(name))
            .collect();
        groups.sort_by(|a, b| a.merge_key().cmp(&b.merge_key()));
        groups
    }

    /// `group_names`: the groups of a host by name, without `all`.
    pub fn group_names(&self, host: &str) -> Vec<Arc<str>> {
        let mut names: Vec<_> = self
            .groups_of(host)
            .into_iter()
            .filter(|group| &*group.name != "all")
            .map(|group| Arc::clone(&group.name))
            .collect();
        names.sort();
        names
    }

    /// The hosts of a group and of the groups in it, level by level, each once.
    pub fn hosts_of_group(&self, group: &str) -> Vec<Arc<str>> {
        let mut order: IndexSet<&Arc<str>> = IndexSet::new();
        let mut hosts: IndexSet<Arc<str>> = IndexSet::new();
        order.extend(self.groups.get(group).map(|group| &group.name));
        let mut next = 0;
        while let Some(group) = order
            .get_index(next)
            .and_then(|name| self.groups.get(*name))
        {
            next += 1;
            hosts.extend(group.hosts.iter().cloned());
            order.extend(group.children.iter());
        }
        if group == "all" {
            hosts.retain(|name| self.hosts.get(name).is_some_and(|host| !host.implicit));
        }
        hosts.into_iter().collect()
    }

    /// Adds a host during a run (`add_host`): makes it and the groups if need be, and sets variables.
    /// Returns whether anything changed.
    ///
    /// # Errors
    /// If a name is empty.
    pub fn add_host(
        &mut self,
        name: &str,
        groups: &[&str],
        vars: &Map,
    ) -> Result<bool, Diagnostic> {
        let mut changed = !self.hosts.contains_key(name);
        // a new one is a member of `all` itself, which puts it before those that groups bring there
        let all = changed.then_some("all");
        self.declare_host(name, all, None, None)?;
        for group in groups {
            changed |= self.group_by(group, name, &[])?;
        }
        if let Some(host) = self.hosts.get_mut(name) {
            for (key, value) in vars {
                if host.vars.get(key) != Some(value) {
                    changed = true;
                    Arc::make_mut(host).vars.insert(key.clone(), value.clone());
                }
            }
        }
        self.reconcile();
        Ok(changed)
    }

    /// Puts a host into a group during a run (`group_by`), making the group and linking it below its parents
    /// (below `all` if there are none). Returns whether anything changed.
    ///
    /// # Errors
    /// If the host does not exist, a name is empty, or a parent would come to contain itself.
    pub fn group_by(
        &mut self,
        group: &str,
        host: &str,
        parents: &[&str],
    ) -> Result<bool, Diagnostic> {
        if !self.hosts.contains_key(host) {
            if !is_localhost(host) {
                return Err(Diagnostic::error(
                    "inventory::unknown-host",
                    format!("there is no host `{host}`"),
                ));
            }
            // the controller may be in groups, though it stays no part of `all`
            let controller = Arc::new(Host::implicit_localhost(host));
            self.hosts.insert(Arc::from(host), controller);
        }
        let group = &*self.group_called(group, true);
        let mut changed = !self.groups.contains_key(group);
        self.add_group(group)?;
        for parent in parents {
            let parent = &*self.group_called(parent, true);
            self.add_group(parent)?;
            let linked = self
                .groups
                .get(group)
                .is_some_and(|g| g.parents.iter().any(|p| **p == *parent));
            if !linked && parent != group {
                self.add_child(parent, group)?;
                changed = true;
            }
        }
        changed |= self
            .groups
            .get(group)
            .is_some_and(|g| !g.hosts.contains(host));
        self.put_host(group, host);
        self.reconcile();
        Ok(changed)
    }
}
