//! Everything about variables that lives as long as a run.

use super::files::VarFiles;
use super::lock::{hold, read, write};
use super::snapshot::Snapshot;
use super::{
    FactCache, GATHERED, HostScope, Layer, Level, Magic, Origins, ScopeParts, injected_facts,
    namespaced_facts,
};
use crate::diag::Diagnostic;
use crate::inventory::Inventory;
use crate::value::{Map, Secret, Value};
use crate::vault::Vault;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, RwLock};

/// What a store is made with.
#[derive(Clone)]
pub struct StoreOptions {
    /// The directory of the playbook, whose `group_vars/` and `host_vars/` count.
    pub playbook_dir: PathBuf,
    /// `hash_behaviour = merge`: mappings of different levels are merged.
    pub merge_hashes: bool,
    /// `inject_facts_as_vars`: facts are variables of their own too.
    pub inject_facts: bool,
    /// What `-e` gave, with where it was said, lowest first.
    pub extra_vars: Vec<(String, Map)>,
    /// Opens encrypted files.
    pub vault: Arc<Vault>,
    /// Where facts are kept between runs.
    pub cache: Option<FactCache>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            playbook_dir: PathBuf::from("."),
            merge_hashes: false,
            inject_facts: true,
            extra_vars: Vec::new(),
            vault: Arc::default(),
            cache: None,
        }
    }
}

/// What a run has learnt of a host.
#[derive(Clone, Default)]
struct HostState {
    facts: Arc<Map>,
    /// `{"ansible_facts": …}`
    namespaced: Arc<Map>,
    injected: Arc<Map>,
    include_vars: Arc<Map>,
    include_origins: Arc<Origins>,
    set: Arc<Map>,
    set_origins: Arc<Origins>,
}

/// The variables of a run: inventory, facts, set facts, registered results, extra variables. Shared by all tasks;
/// every call locks for a moment only.
pub struct VarStore {
    snapshot: RwLock<Arc<Snapshot>>,
    playbook_dir: RwLock<PathBuf>,
    files: VarFiles,
    hosts: RwLock<HashMap<Arc<str>, HostState>>,
    extra: Vec<Layer>,
    merge_hashes: bool,
    inject_facts: bool,
    problems: Mutex<Vec<Diagnostic>>,
    cache: Option<FactCache>,
    /// The login password of the command line.
    password: RwLock<Option<Secret<String>>>,
    /// Hosts of which the cache was asked.
    recalled: Mutex<HashSet<Arc<str>>>,
}

impl VarStore {
    /// A store over an inventory.
    pub fn new(inventory: Inventory, options: StoreOptions) -> Arc<Self> {
        Arc::new(Self {
            snapshot: RwLock::new(Arc::new(Snapshot::new(inventory))),
            playbook_dir: RwLock::new(options.playbook_dir),
            files: VarFiles::new(options.vault),
            hosts: RwLock::default(),
            extra: options
                .extra_vars
                .into_iter()
                .map(|(origin, vars)| Layer::new(Level::ExtraVars, origin, vars))
                .collect(),
            merge_hashes: options.merge_hashes,
            inject_facts: options.inject_facts,
            problems: Mutex::default(),
            cache: options.cache,
            password: RwLock::default(),
            recalled: Mutex::default(),
        })
    }

    /// The extra variables of the command line, later ones over earlier ones.
    pub fn extra_vars(&self) -> Arc<Map> {
        let mut all = Map::new();
        for layer in &self.extra {
            all.extend(
                layer
                    .vars
                    .iter()
                    .map(|(key, value)| (key.clone(), value.clone())),
            );
        }
        Arc::new(all)
    }

    /// Makes the login password of the command line known to templates that name it.
    pub fn set_password(&self, password: Option<Secret<String>>) {
        *write(&self.password) = password;
    }

    /// A variable of the login, for who asks for it by name; it is in no list of variables.
    pub(super) fn login_variable(&self, name: &str) -> Option<Value> {
        let names = [
            "ansible_password",
            "ansible_ssh_pass",
            "ansible_ssh_password",
        ];
        if !names.contains(&name) {
            return None;
        }
        let password = read(&self.password);
        password
            .as_ref()
            .map(|password| Value::data(password.reveal().as_str()))
    }

    /// What opens encrypted files.
    pub fn vault(&self) -> &Arc<Vault> {
        self.files.vault()
    }

    /// Looks at the inventory.
    pub fn inventory<T>(&self, look: impl FnOnce(&Inventory) -> T) -> T {
        look(&self.snapshot().inventory)
    }

    /// Changes the inventory (`add_host`, `group_by`). Scopes that exist already do not see it.
    pub fn update_inventory<T>(&self, change: impl FnOnce(&mut Inventory) -> T) -> T {
        let mut snapshot = write(&self.snapshot);
        let mut inventory = snapshot.inventory.clone();
        let result = change(&mut inventory);
        *snapshot = Arc::new(Snapshot::new(inventory));
        result
    }

    /// Puts another inventory in place (`meta: refresh_inventory`) and reads files of variables anew.
    pub fn replace_inventory(&self, inventory: Inventory) {
        self.files.forget();
        *write(&self.snapshot) = Arc::new(Snapshot::new(inventory));
    }

    /// Sets the directory of the playbook that is about to run.
    pub fn set_playbook_dir(&self, directory: impl Into<PathBuf>) {
        let directory = directory.into();
        let mut current = write(&self.playbook_dir);
        if *current != directory {
            *current = directory;
            let mut snapshot = write(&self.snapshot);
            let inventory = snapshot.inventory.clone();
            *snapshot = Arc::new(Snapshot::new(inventory));
        }
    }

    pub(super) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&read(&self.snapshot))
    }

    pub(super) fn merges_hashes(&self) -> bool {
        self.merge_hashes
    }

    fn change(&self, host: &str, change: impl FnOnce(&mut HostState)) {
        let mut hosts = write(&self.hosts);
        match hosts.get_mut(host) {
            Some(state) => change(state),
            None => change(hosts.entry(Arc::from(host)).or_default()),
        }
    }

    /// Learns what the cache knows of a host, once.
    fn recall(&self, host: &str) {
        let Some(cache) = &self.cache else {
            return;
        };
        // held until it is known: whoever asks next must find it
        let mut recalled = hold(&self.recalled);
        if !recalled.insert(Arc::from(host)) {
            return;
        }
        match cache.load(host) {
            Ok(Some(facts)) => self.learn(host, facts),
            Ok(None) => {}
            Err(problem) => self.report(problem),
        }
    }

    fn learn(&self, host: &str, facts: Map) {
        let inject = self.inject_facts;
        self.change(host, |state| {
            let known = Arc::make_mut(&mut state.facts);
            for (key, value) in facts {
                known.insert(key.into_data(), value.into_data());
            }
            state.namespaced = Arc::new(Map::new().with("ansible_facts", namespaced_facts(known)));
            state.injected = Arc::new(if inject {
                injected_facts(known)
            } else {
                // always there, whatever the setting
                known
                    .get("ansible_local")
                    .map(|l| Map::new().with("ansible_local", l.clone()))
                    .unwrap_or_default()
            });
        });
    }

    /// Adds facts of a host, named as the module returned them (`ansible_distribution`, `packages`). A fact that is
    /// there already is replaced. A cache keeps them.
    pub fn set_facts(&self, host: &str, facts: Map) {
        self.recall(host);
        self.learn(host, facts);
        if let Some(cache) = &self.cache
            && let Err(problem) = cache.keep(host, &self.facts(host))
        {
            self.report(problem);
        }
    }

    /// The facts of a host as they were returned.
    pub fn facts(&self, host: &str) -> Arc<Map> {
        self.recall(host);
        read(&self.hosts)
            .get(host)
            .map(|state| Arc::clone(&state.facts))
            .unwrap_or_default()
    }

    /// Whether the facts of a host were gathered, in this run or in one that left them in the cache.
    pub fn has_gathered(&self, host: &str) -> bool {
        self.facts(host).get(GATHERED).is_some_and(Value::truthy)
    }

    /// Forgets the facts of a host (`meta: clear_facts`), in the cache too; what `set_fact` set stays.
    pub fn clear_facts(&self, host: &str) {
        if let Some(cache) = &self.cache {
            hold(&self.recalled).insert(Arc::from(host));
            cache.forget(host);
        }
        self.change(host, |state| {
            state.facts = Arc::default();
            state.namespaced = Arc::default();
            state.injected = Arc::default();
        });
    }

    /// Sets a variable of a host (`set_fact`); if it is cacheable, also as a fact. `origin` says which task did.
    pub fn set_fact(
        &self,
        host: &str,
        name: &str,
        value: Value,
        cacheable: bool,
        origin: &Arc<str>,
    ) {
        if cacheable {
            self.set_facts(host, Map::new().with(name, value.clone()));
        }
        self.set(host, name, value, Level::SetFact, origin);
    }

    /// Stores the result of a task under a name (`register`). Nothing in it is a template.
    pub fn register(&self, host: &str, name: &str, result: Value, origin: &Arc<str>) {
        self.register_as_is(host, name, result.into_data(), origin);
    }

    /// The same of a result in which some parts were written by the user: what is data in it is marked as such already.
    pub fn register_as_is(&self, host: &str, name: &str, result: Value, origin: &Arc<str>) {
        self.set(host, name, result, Level::Registered, origin);
    }

    fn set(&self, host: &str, name: &str, value: Value, level: Level, origin: &Arc<str>) {
        self.change(host, |state| {
            Arc::make_mut(&mut state.set).set(name, value);
            Arc::make_mut(&mut state.set_origins)
                .insert(Arc::from(name), (level, Arc::clone(origin)));
        });
    }

    /// Adds variables of a host (`include_vars`). `origin` is the file.
    pub fn include_vars(&self, host: &str, vars: Map, origin: &Arc<str>) {
        self.change(host, |state| {
            let known = Arc::make_mut(&mut state.include_vars);
            let origins = Arc::make_mut(&mut state.include_origins);
            for (key, value) in vars {
                if let Some(name) = key.as_str() {
                    origins.insert(Arc::from(name), (Level::IncludeVars, Arc::clone(origin)));
                }
                let value = match (known.get(&key), &value, self.merge_hashes) {
                    (Some(Value::Map(low)), Value::Map(high), true) => {
                        Value::map(super::merge_maps(low, high))
                    }
                    _ => value,
                };
                known.insert(key, value);
            }
        });
    }

    /// The layers that belong to a host whatever runs on it: inventory, facts, included, set, and extra variables.
    ///
    /// # Errors
    /// If a file in `group_vars/` or `host_vars/` cannot be read.
    pub fn host_layers(&self, host: &str) -> Result<Vec<Layer>, Diagnostic> {
        self.host_layers_in(&self.snapshot(), host)
    }

    pub(super) fn host_layers_in(
        &self,
        snapshot: &Snapshot,
        host: &str,
    ) -> Result<Vec<Layer>, Diagnostic> {
        let mut layers = snapshot
            .layers(host, &self.files, &read(&self.playbook_dir))?
            .to_vec();
        self.recall(host);
        let state = read(&self.hosts).get(host).cloned().unwrap_or_default();
        let namespaced = if state.namespaced.is_empty() {
            Arc::new(Map::new().with("ansible_facts", Map::new()))
        } else {
            state.namespaced
        };
        layers.push(Layer::data(Level::Facts, "facts", namespaced));
        if !state.injected.is_empty() {
            layers.push(Layer::data(Level::Facts, "facts", state.injected));
        }
        if !state.include_vars.is_empty() {
            layers.push(Layer {
                origins: Some(state.include_origins),
                ..Layer::new(Level::IncludeVars, "include_vars", state.include_vars)
            });
        }
        if !state.set.is_empty() {
            layers.push(Layer {
                origins: Some(state.set_origins),
                ..Layer::new(Level::SetFact, "set_fact or register", state.set)
            });
        }
        layers.extend(self.extra.iter().cloned());
        Ok(layers)
    }

    /// The variables that the inventory and the files beside it give a host, in one mapping (`--list`, `--host`).
    ///
    /// # Errors
    /// As [`VarStore::host_layers`].
    pub fn inventory_vars(&self, host: &str) -> Result<Map, Diagnostic> {
        let layers = self
            .snapshot()
            .layers(host, &self.files, &read(&self.playbook_dir))?;
        let mut all = Map::new();
        for layer in layers.iter().chain(&self.extra) {
            if self.merge_hashes {
                all = super::merge_maps(&all, &layer.vars);
            } else {
                all.extend(
                    layer
                        .vars
                        .iter()
                        .map(|(key, value)| (key.clone(), value.clone())),
                );
            }
        }
        Ok(all)
    }

    /// The variables that are the host's own, without those of its groups (`--export`).
    ///
    /// # Errors
    /// As [`VarStore::host_layers`].
    pub fn own_vars(&self, host: &str) -> Result<Map, Diagnostic> {
        let layers = self
            .snapshot()
            .layers(host, &self.files, &read(&self.playbook_dir))?;
        let own = layers.iter().filter(|layer| {
            matches!(
                layer.level,
                Level::InventoryHost | Level::HostVars | Level::PlaybookHostVars
            )
        });
        Ok(flat(own))
    }

    /// The variables that a group itself has, in the inventory and in the files beside it and the playbook.
    ///
    /// # Errors
    /// When such a file cannot be read.
    pub fn group_vars(&self, group: &str) -> Result<Map, Diagnostic> {
        let layers = self
            .snapshot()
            .group_layers(group, &self.files, &read(&self.playbook_dir))?;
        Ok(flat(layers.iter()))
    }

    /// What a template sees that runs for a host.
    ///
    /// # Errors
    /// As [`VarStore::host_layers`].
    pub fn scope(
        self: &Arc<Self>,
        host: &str,
        parts: ScopeParts<'_>,
        magic: Magic,
    ) -> Result<Arc<HostScope>, Diagnostic> {
        let snapshot = self.snapshot();
        let mut layers = self.host_layers_in(&snapshot, host)?;
        layers.extend(parts.play.iter().chain(parts.task).cloned());
        Ok(HostScope::new(
            Arc::clone(self),
            snapshot,
            host,
            layers,
            parts.local,
            magic,
        ))
    }

    /// Remembers an error that could not be returned where it happened.
    pub(super) fn report(&self, problem: Diagnostic) {
        hold(&self.problems).push(problem);
    }

    /// Warnings and errors since the last call: files of variables with duplicate keys, files of other hosts that
    /// could not be read when `hostvars` asked for them.
    pub fn take_problems(&self) -> Vec<Diagnostic> {
        let mut problems = std::mem::take(&mut *hold(&self.problems));
        problems.extend(self.files.take_warnings());
        problems
    }
}

fn flat<'a>(layers: impl Iterator<Item = &'a Layer>) -> Map {
    let mut all = Map::new();
    for layer in layers {
        all.extend(layer.vars.iter().map(|(k, v)| (k.clone(), v.clone())));
    }
    all
}

impl std::fmt::Debug for VarStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VarStore")
            .field("snapshot", &self.snapshot())
            .finish_non_exhaustive()
    }
}
