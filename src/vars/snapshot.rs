//! The inventory at a moment, with what was computed from it.

use super::files::VarFiles;
use super::lock::{read, write};
use super::{Layer, Level};
use crate::diag::Diagnostic;
use crate::inventory::{Host, Inventory};
use crate::value::{Map, Value};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, RwLock};

/// Scopes hold one of these, so that they see one state of the inventory throughout.
pub(super) struct Snapshot {
    pub(super) inventory: Inventory,
    groups: OnceLock<Value>,
    all: OnceLock<Arc<Layer>>,
    layers: RwLock<HashMap<Arc<str>, Arc<[Layer]>>>,
    group_layers: RwLock<HashMap<Arc<str>, Layer>>,
}

impl Snapshot {
    pub(super) fn new(inventory: Inventory) -> Self {
        Self {
            inventory,
            groups: OnceLock::new(),
            all: OnceLock::new(),
            layers: RwLock::default(),
            group_layers: RwLock::default(),
        }
    }

    /// `groups`: each group's hosts.
    pub(super) fn groups(&self) -> Value {
        self.groups
            .get_or_init(|| {
                let names =
                    |hosts: Vec<Arc<str>>| Value::list(hosts.into_iter().map(Value::str).collect());
                let groups: Map = self
                    .inventory
                    .groups
                    .keys()
                    .map(|group| {
                        (
                            Value::str(Arc::clone(group)),
                            names(self.inventory.hosts_of_group(group)),
                        )
                    })
                    .collect();
                Value::map(groups)
            })
            .clone()
    }

    /// The host, made up if the inventory does not know it (a task can be delegated to any name).
    pub(super) fn host(&self, name: &str) -> Arc<Host> {
        self.inventory
            .host(name)
            .unwrap_or_else(|| Arc::new(Host::new(name)))
    }

    /// The layers that the inventory and the files beside it and the playbook give a host, lowest first.
    pub(super) fn layers(
        &self,
        name: &str,
        files: &VarFiles,
        playbook_dir: &std::path::Path,
    ) -> Result<Arc<[Layer]>, Diagnostic> {
        if let Some(layers) = read(&self.layers).get(name) {
            return Ok(Arc::clone(layers));
        }
        let host = self.host(name);
        let inventory_dirs = self.directories();
        let play_dirs = [playbook_dir.to_path_buf()];
        let groups: Vec<_> = self
            .inventory
            .groups_of(&host.name)
            .into_iter()
            .filter(|group| &*group.name != "all")
            .collect();
        let mut out = Vec::new();
        if let Some(all) = self
            .inventory
            .groups
            .get("all")
            .filter(|all| !all.vars.is_empty())
        {
            let layer = self.all.get_or_init(|| {
                Arc::new(Layer::new(
                    Level::InventoryAll,
                    "inventory group all",
                    all.vars.clone(),
                ))
            });
            out.push((**layer).clone());
        }
        for group in groups.iter().filter(|group| !group.vars.is_empty()) {
            let known = read(&self.group_layers).get(&group.name).cloned();
            out.push(known.unwrap_or_else(|| {
                let layer = Layer::new(
                    Level::InventoryGroup,
                    format!("inventory group {}", group.name),
                    group.vars.clone(),
                );
                write(&self.group_layers).insert(Arc::clone(&group.name), layer.clone());
                layer
            }));
        }
        let group_files = |dirs: &[PathBuf], level: Level, all: bool, out: &mut Vec<Layer>| {
            for dir in dirs {
                let dir = dir.join("group_vars");
                if all {
                    files.layers(&dir, "all", level, out)?;
                } else {
                    for group in &groups {
                        files.layers(&dir, &group.name, level, out)?;
                    }
                }
            }
            Ok::<_, Diagnostic>(())
        };
        group_files(&inventory_dirs, Level::GroupVarsAll, true, &mut out)?;
        group_files(&play_dirs, Level::PlaybookGroupVarsAll, true, &mut out)?;
        group_files(&inventory_dirs, Level::GroupVars, false, &mut out)?;
        group_files(&play_dirs, Level::PlaybookGroupVars, false, &mut out)?;
        if !host.vars.is_empty() {
            let origin = match &host.file {
                Some(file) => format!("{}, host {}", file.display(), host.name),
                None => format!("host {}", host.name),
            };
            out.push(Layer::new(Level::InventoryHost, origin, host.vars.clone()));
        }
        for dir in &inventory_dirs {
            files.layers(
                &dir.join("host_vars"),
                &host.name,
                Level::HostVars,
                &mut out,
            )?;
        }
        for dir in &play_dirs {
            files.layers(
                &dir.join("host_vars"),
                &host.name,
                Level::PlaybookHostVars,
                &mut out,
            )?;
        }
        let layers: Arc<[Layer]> = out.into();
        write(&self.layers).insert(Arc::from(name), Arc::clone(&layers));
        Ok(layers)
    }

    /// The layers of one group alone, lowest first.
    pub(super) fn group_layers(
        &self,
        name: &str,
        files: &VarFiles,
        playbook_dir: &std::path::Path,
    ) -> Result<Vec<Layer>, Diagnostic> {
        let mut out = Vec::new();
        if let Some(group) = self.inventory.groups.get(name) {
            out.push(Layer::new(
                Level::InventoryGroup,
                format!("inventory group {name}"),
                group.vars.clone(),
            ));
        }
        let mut dirs = self.directories();
        dirs.push(playbook_dir.to_path_buf());
        for dir in dirs {
            files.layers(&dir.join("group_vars"), name, Level::GroupVars, &mut out)?;
        }
        Ok(out)
    }

    /// The directories of the inventory sources; of a directory named twice, only the later time counts.
    fn directories(&self) -> Vec<PathBuf> {
        let mut dirs: Vec<PathBuf> = Vec::new();
        for dir in self
            .inventory
            .sources
            .iter()
            .filter_map(crate::inventory::SourceSpec::vars_dir)
        {
            dirs.retain(|known| *known != dir);
            dirs.push(dir);
        }
        dirs
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("hosts", &self.inventory.hosts.len())
            .finish_non_exhaustive()
    }
}
