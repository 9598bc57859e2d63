//! The variables of a task on a host.

use super::play::PlayState;
use super::run::Run;
use crate::diag::Diagnostic;
use crate::playbook::{Role, Task};
use crate::template::{Context, FileContext, Scope, Variable};
use crate::value::{Map, Value};
use crate::vars::{HostScope, Layer, Level, Magic, ScopeParts, TaskMagic};
use std::path::PathBuf;
use std::sync::Arc;

/// Variables that hold before any host is looked at: extra variables over those of the play.
#[derive(Debug)]
pub(crate) struct StaticScope(pub Vec<Arc<Map>>);

impl Scope for StaticScope {
    fn get(&self, name: &str) -> Option<Variable> {
        self.0
            .iter()
            .rev()
            .find_map(|map| map.get(name))
            .map(|value| Variable::Lazy(value.clone()))
    }

    fn names(&self) -> Vec<Arc<str>> {
        self.0
            .iter()
            .flat_map(|map| map.str_iter().map(|(name, _)| Arc::from(name)))
            .collect()
    }
}

/// Where a task looks for files.
pub(crate) fn files(task: &Task, playbook_dir: &std::path::Path) -> FileContext {
    let mut search_path: Vec<PathBuf> = Vec::new();
    let mut add = |path: PathBuf| {
        if !search_path.contains(&path) {
            search_path.push(path);
        }
    };
    if let Some(role) = &task.role {
        add(role.path.clone());
        for parent in role.parents.iter().rev() {
            add(parent.path.clone());
        }
    }
    // `.join` keeps what is absolute; an empty directory is the current one
    add(std::path::absolute(task.dir.join("."))
        .map_or_else(|_| task.dir.clone(), |dir| dir.components().collect()));
    add(playbook_dir.to_owned());
    FileContext {
        search_path,
        basedir: playbook_dir.to_owned(),
    }
}

/// What a role brings wherever it is seen: these defaults of it, and its `vars`.
pub(super) fn role_layers(role: &Role, defaults: &Arc<Map>) -> [Layer; 2] {
    let origin: Arc<str> = format!("role {}", role.name).into();
    [
        Layer::new(
            Level::RoleDefaults,
            Arc::clone(&origin),
            Arc::clone(defaults),
        ),
        Layer::new(Level::RoleVars, origin, Arc::clone(&role.vars)),
    ]
}

/// The layers that belong to the task: its role's, its blocks', its own, its includes'.
fn layers(task: &Task) -> Vec<Layer> {
    let mut layers = Vec::new();
    if let Some(role) = &task.role {
        layers.push(Layer::new(
            Level::RoleDefaults,
            format!("roles that {} depends on", role.name).as_str(),
            Arc::clone(&role.dependency_defaults),
        ));
        let entry = |level, role: &Role, vars: &Arc<Map>| {
            let layer = || Layer::new(level, format!("role {}", role.name), Arc::clone(vars));
            (!vars.is_empty()).then(layer)
        };
        for parent in &role.parents {
            // for roles that it depends on, its files win over its entry
            layers.extend(entry(Level::RoleVars, parent, &parent.entry_vars));
            layers.extend(role_layers(parent, &parent.own_defaults));
            layers.extend(entry(Level::RoleParams, parent, &parent.params));
        }
        layers.extend(role_layers(role, &role.own_defaults));
        layers.extend(entry(Level::RoleVars, role, &role.entry_vars));
        layers.extend(entry(Level::RoleParams, role, &role.params));
    }
    let origin = task.span.to_string();
    for vars in &task.keywords.vars {
        layers.push(Layer::new(
            Level::TaskVars,
            origin.as_str(),
            Arc::clone(vars),
        ));
    }
    for vars in &task.keywords.include_vars {
        layers.push(Layer::new(
            Level::IncludeParams,
            origin.as_str(),
            Arc::clone(vars),
        ));
    }
    layers
}

impl Run {
    /// The magic variables that the task itself brings.
    fn task_magic(&self, task: &Task, files: &FileContext) -> TaskMagic {
        let role = task.role.as_ref();
        // roles of a task that included this one, not those that depend on it
        let included = role
            .into_iter()
            .chain(role.iter().flat_map(|role| role.parents.iter().rev()))
            .find(|role| role.by_task);
        let parents = || {
            included
                .iter()
                .flat_map(|role| role.parents.iter().rev())
                .collect::<Vec<_>>()
        };
        TaskMagic {
            role_name: role.map(|role| role.name.clone()),
            role_path: role.map(|role| role.path.clone()),
            parent_role_names: parents().iter().map(|role| role.name.clone()).collect(),
            parent_role_paths: parents().iter().map(|role| role.path.clone()).collect(),
            search_path: files.search_path.clone(),
            environment: (!task.keywords.environment.is_empty()).then(|| {
                Value::list(
                    task.keywords
                        .environment
                        .iter()
                        .map(crate::yaml::Node::to_value)
                        .collect(),
                )
            }),
            ..TaskMagic::default()
        }
    }

    /// The scope of a task on a host, and where it looks for files.
    pub(crate) fn task_scope(
        &self,
        play: &PlayState,
        host: &str,
        task: &Task,
    ) -> Result<(Arc<HostScope>, Arc<FileContext>), Box<Diagnostic>> {
        let files = Arc::new(files(task, &play.dir));
        let magic = Magic {
            run: Arc::clone(&self.magic),
            play: Some(play.magic()),
            task: Some(Arc::new(self.task_magic(task, &files))),
        };
        let own = layers(task);
        let play_layers = play.layers(self, host)?;
        let scope = self.store.scope(
            host,
            ScopeParts {
                play: &play_layers,
                task: &own,
                local: None,
            },
            magic,
        )?;
        Ok((scope, files))
    }
}

/// The same context with locals on top: a loop's item, a result that conditions look at.
pub(crate) fn with_local(scope: &Arc<HostScope>, files: &Arc<FileContext>, local: Map) -> Context {
    let layer = Layer::data(Level::Local, "task", local);
    Context::new(scope.with_local(layer), Arc::clone(files))
}
