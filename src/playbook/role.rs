//! Roles: where they are found, what they hold, what they depend on.
//!
//! Source: Ansible's documentation, "Roles".

use super::keywords::vars_of;
use super::library::collections_of;
use super::loader::{find_main, looked_in};
use super::task::Surroundings;
use super::trail::lexical;
use super::{Block, Item, Keywords, Loader, Result, Task, TaskArgs, Trail, malformed};
use crate::diag::{Diagnostic, did_you_mean};
use crate::value::{Map, Value, to_bool};
use crate::yaml::{Kind, Node};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A role as its tasks see it.
#[derive(Debug)]
pub struct Role {
    /// Its name as it was asked for.
    pub name: String,
    /// Its directory.
    pub path: PathBuf,
    /// `defaults/main`, after those of the roles that it depends on.
    pub defaults: Arc<Map>,
    /// Of these, what the roles bring that it depends on: below the defaults of its parents.
    pub dependency_defaults: Arc<Map>,
    /// Of these, its own.
    pub own_defaults: Arc<Map>,
    /// `vars/main`, after those of the roles that it depends on.
    pub vars: Arc<Map>,
    /// What stands beside `role:` in its entry and is no keyword.
    pub params: Arc<Map>,
    /// `vars` of its entry.
    pub entry_vars: Arc<Map>,
    /// The roles that pulled it in, outermost first.
    pub parents: Vec<Arc<Role>>,
    /// Whether a task of its nearest parent pulled it in, and not the list of what that depends on.
    pub by_task: bool,
    /// Whether the whole play sees its variables; `None` as `private_role_vars` says.
    pub public: Option<bool>,
    /// Whether it may run more than once with the same parameters.
    pub allow_duplicates: bool,
    /// What makes two entries the same role: name, parameters, conditions, tags.
    pub identity: String,
    /// Names of all roles that it depends on, directly.
    pub dependencies: Vec<String>,
}

impl Role {
    /// Its name without the collection that it is of.
    pub fn short_name(&self) -> &str {
        match self.name.split('.').collect::<Vec<_>>()[..] {
            [_, _, name] if !self.name.contains('/') => name,
            _ => &self.name,
        }
    }
}

/// How a role is asked for.
#[derive(Clone, Debug, Default)]
pub struct RoleRequest {
    /// Its name.
    pub name: String,
    /// Whether a task (`include_role`, `import_role`) asks for it.
    pub by_task: bool,
    /// What stands beside `role:` in the entry and is no keyword.
    pub params: Map,
    /// `vars` of the entry.
    pub entry_vars: Map,
    /// `tasks_from`.
    pub tasks_from: Option<String>,
    /// `vars_from`.
    pub vars_from: Option<String>,
    /// `defaults_from`.
    pub defaults_from: Option<String>,
    /// `handlers_from`.
    pub handlers_from: Option<String>,
    /// Whether the whole play sees its variables (`public` of `import_role`).
    pub public: Option<bool>,
    /// Whether it may run again; `None` as the role itself says.
    pub allow_duplicates: Option<bool>,
    /// Whether its `argument_specs` are not to be checked.
    pub no_validation: bool,
}

/// A role that was read: its block (dependencies first) and its handlers.
pub struct LoadedRole {
    /// The role.
    pub role: Arc<Role>,
    /// What to run.
    pub items: Vec<Item>,
    /// Its handlers and those of its dependencies.
    pub handlers: Vec<Item>,
    /// It and the roles that it depends on, dependencies first.
    pub all: Vec<Arc<Role>>,
}

impl Loader {
    /// The directory of a role, and its collection if it is in one.
    fn find_role(
        &self,
        name: &str,
        near: &[&Path],
        collections: &[String],
        at: &Node,
    ) -> Result<(PathBuf, Option<String>)> {
        let in_collection = |collection: &str, role: &str| {
            let path: PathBuf = role.split('.').collect();
            let path = self.collection(collection)?.join("roles").join(path);
            path.is_dir().then(|| (path, Some(collection.to_owned())))
        };
        if !name.contains(['/', '.'])
            && let Some(found) = collections
                .iter()
                .find_map(|collection| in_collection(collection, name))
        {
            return Ok(found);
        }
        let plain = Path::new(name);
        let mut tried = Vec::new();
        let candidates = near
            .iter()
            .map(|dir| dir.join("roles"))
            .chain(self.options.roles_path.iter().cloned())
            // last, as in Ansible: a directory beside a playbook often has a role's name and is none
            .chain(near.iter().map(|dir| dir.to_path_buf()));
        for dir in candidates {
            let path = lexical(&dir.join(plain));
            if path.is_dir() {
                return Ok((path, None));
            }
            if !tried.contains(&dir) {
                tried.push(dir);
            }
        }
        if let [space, collection, role] = name.splitn(3, '.').collect::<Vec<_>>()[..]
            && !name.contains('/')
        {
            if let Some(found) = in_collection(&format!("{space}.{collection}"), role) {
                return Ok(found);
            }
            let beside = self.playbook_dirs();
            let beside = beside.iter().map(|dir| dir.join("collections"));
            let searched: Vec<PathBuf> = beside
                .chain(self.options.collections_path.iter().cloned())
                .map(|root| root.join("ansible_collections"))
                .collect();
            return Err(Diagnostic::error(
                "playbook::role-not-found",
                format!("there is no role `{role}` of the collection `{space}.{collection}`"),
            )
            .at(&at.span)
            .note(looked_in(&searched))
            .hint("`collections_path` in ansible.cfg says where collections are")
            .into());
        }
        let mut names = Vec::new();
        for dir in &tried {
            names.extend(
                std::fs::read_dir(dir)
                    .into_iter()
                    .flatten()
                    .flatten()
                    .map(|entry| entry.file_name().to_string_lossy().into_owned()),
            );
        }
        let mut missing = Diagnostic::error(
            "playbook::role-not-found",
            format!("there is no role `{name}`"),
        )
        .at(&at.span)
        .note(looked_in(&tried))
        .maybe_hint(did_you_mean(name, names.iter().map(String::as_str)));
        let mut searched: Vec<String> = Vec::new();
        for dir in &tried {
            // the directory that we are in is an empty path
            let dir = lexical(&std::path::absolute(Path::new(".").join(dir)).unwrap_or_default());
            let dir = dir.display().to_string();
            if !searched.contains(&dir) {
                searched.push(dir);
            }
        }
        missing.told = Some(format!(
            "the role '{name}' was not found in {}",
            searched.join(":")
        ));
        Err(missing.into())
    }

    /// Reads a role and what it depends on.
    ///
    /// # Errors
    /// When it is not found or something in it is wrong.
    pub fn role(
        &self,
        request: &RoleRequest,
        keywords: &Keywords,
        parents: &[Arc<Role>],
        trail: &Trail,
        at: &Node,
    ) -> Result<LoadedRole> {
        if parents
            .iter()
            .filter(|role| role.name == request.name)
            .count()
            > 0
            && parents.len() > 30
        {
            return Err(Diagnostic::error(
                "playbook::role-loop",
                format!("the role `{}` depends on itself", request.name),
            )
            .at(&at.span)
            .note(circle(parents, &request.name))
            .into());
        }
        let mut near: Vec<&Path> = vec![trail.base()];
        if let Some(dir) = at.span.path().parent() {
            near.push(dir);
        }
        for parent in parents {
            if let Some(dir) = parent.path.parent() {
                near.push(dir);
            }
        }
        let searched = keywords.collections.as_deref().unwrap_or_default();
        let (path, collection) = self.find_role(&request.name, &near, searched, at)?;
        if collection.is_none() {
            self.remember_base(&path);
        }
        let from = |stem: &Option<String>| stem.clone().unwrap_or_else(|| "main".into());
        let own_defaults = self.role_vars(
            &path.join("defaults"),
            &from(&request.defaults_from),
            request.defaults_from.is_some(),
        )?;
        let own_vars = self.role_vars(
            &path.join("vars"),
            &from(&request.vars_from),
            request.vars_from.is_some(),
        )?;
        let meta = match find_main(&path.join("meta"), "main") {
            Some(file) => Some(self.file(&file)?),
            None => None,
        };
        let meta = meta.as_deref();
        // roles do not inherit where modules are looked for
        let mut keywords = keywords.clone();
        let more = meta.and_then(|meta| meta.get("collections"));
        let more = more.map(collections_of).unwrap_or_default();
        keywords.collections = Some(collection.into_iter().chain(more).collect());
        let keywords = &keywords;
        let allow_duplicates = request.allow_duplicates.unwrap_or_else(|| {
            meta.and_then(|meta| meta.get("allow_duplicates"))
                .and_then(|node| to_bool(&node.to_value()))
                .unwrap_or(false)
        });
        let mut requests = self.dependencies(meta, keywords)?;
        for (dependency, ..) in &mut requests {
            dependency.public = request.public;
        }
        let shell =
            |below: Map, defaults: Arc<Map>, vars: Arc<Map>, dependencies: Vec<String>| Role {
                name: request.name.clone(),
                path: path.clone(),
                dependency_defaults: Arc::new(below),
                own_defaults: Arc::clone(&own_defaults),
                defaults,
                vars,
                params: Arc::new(request.params.clone()),
                entry_vars: Arc::new(request.entry_vars.clone()),
                parents: parents.to_vec(),
                by_task: request.by_task,
                public: request.public,
                allow_duplicates,
                identity: identity(request, keywords),
                dependencies,
            };
        let mut handlers = Vec::new();
        let mut items = Vec::new();
        let mut all = Vec::new();
        let (mut defaults, mut vars, mut names) = (Map::new(), Map::new(), Vec::new());
        if !requests.is_empty() {
            let this = Arc::new(shell(
                Map::new(),
                Arc::clone(&own_defaults),
                Arc::clone(&own_vars),
                Vec::new(),
            ));
            let chain: Vec<_> = parents.iter().cloned().chain([this]).collect();
            for (dependency, keywords, node) in requests {
                let loaded = self.role(
                    &dependency,
                    &keywords,
                    &chain,
                    &trail.within_role(&path, false),
                    &node,
                )?;
                merge(&mut defaults, &loaded.role.defaults);
                merge(&mut vars, &loaded.role.vars);
                names.push(dependency.name);
                items.extend(loaded.items);
                handlers.extend(loaded.handlers);
                all.extend(loaded.all);
            }
        }
        let below = defaults.clone();
        merge(&mut defaults, &own_defaults);
        merge(&mut vars, &own_vars);
        let role = Arc::new(shell(below, Arc::new(defaults), Arc::new(vars), names));
        let inside = Arc::new(trail.within_role(&path, request.by_task));
        let around = |handlers| Surroundings {
            keywords: keywords.clone(),
            role: Some(Arc::clone(&role)),
            handlers,
            stack: Vec::new(),
            notify: Vec::new(),
            depth: 0,
            trail: inside.clone(),
        };
        let mut own = Vec::new();
        if !request.no_validation {
            own.extend(self.argument_validation(&role, request, meta, keywords)?);
        }
        let tasks_dir = path.join("tasks");
        let parts = [
            ("tasks", &request.tasks_from),
            ("vars", &request.vars_from),
            ("defaults", &request.defaults_from),
            ("handlers", &request.handlers_from),
        ];
        for (part, from) in parts {
            let Some(from) = from else {
                continue;
            };
            let dir = path.join(part);
            if !lexical(&dir.join(from)).starts_with(&dir) {
                let message = format!(
                    "Failed loading '{from}' for role ({}) as it is not inside the expected role path: '{}'",
                    request.name,
                    dir.display()
                );
                return Err(Diagnostic::error("playbook::role-file", message)
                    .at(&at.span)
                    .into());
            }
        }
        match find_main(&tasks_dir, &from(&request.tasks_from)) {
            Some(file) => {
                let node = self.file(&file)?;
                own.extend(
                    (self.items(&node, &around(false)))
                        .map_err(|e| malformed::in_role("tasks", &request.name, e))?,
                );
            }
            None if request.tasks_from.is_some() => {
                return Err(Diagnostic::error(
                    "playbook::role-file",
                    format!(
                        "the role `{}` has no tasks file `{}`",
                        request.name,
                        from(&request.tasks_from)
                    ),
                )
                .at(&at.span)
                .into());
            }
            None => {}
        }
        if let Some(file) = find_main(&path.join("handlers"), &from(&request.handlers_from)) {
            let node = self.file(&file)?;
            handlers.extend(
                (self.items(&node, &around(true)))
                    .map_err(|e| malformed::in_role("handlers", &request.name, e))?,
            );
        }
        items.push(Item::Block(Arc::new(Block {
            role_start: true,
            ..self.wrap(&at.span, own, Some(Arc::clone(&role)))
        })));
        all.push(Arc::clone(&role));
        Ok(LoadedRole {
            role,
            items,
            handlers,
            all,
        })
    }

    fn dependencies(
        &self,
        meta: Option<&Node>,
        keywords: &Keywords,
    ) -> Result<Vec<(RoleRequest, Keywords, Node)>> {
        let Some(list) = meta.and_then(|meta| meta.get("dependencies")) else {
            return Ok(Vec::new());
        };
        let Some(items) = list.as_seq() else {
            if list.is_null() {
                return Ok(Vec::new());
            }
            return Err(Diagnostic::error(
                "playbook::dependencies",
                format!("`dependencies` must be a list, this is {}", list.describe()),
            )
            .at(&list.span)
            .into());
        };
        items
            .iter()
            .map(|item| {
                let (request, own) = self.role_entry(item)?;
                Ok((request, keywords.with_child(&own), item.clone()))
            })
            .collect()
    }

    /// An entry of `roles:` or `dependencies:`.
    pub(super) fn role_entry(&self, node: &Node) -> Result<(RoleRequest, Keywords)> {
        let mut request = RoleRequest::default();
        let mut own = Keywords::default();
        let entries = match &node.kind {
            Kind::Str(text) if text.contains(',') => {
                return Err(Diagnostic::error(
                    "playbook::role-entry",
                    format!(
                        "`{text}` is a role with a version, which belongs into a requirements file"
                    ),
                )
                .at(&node.span)
                .tell(format!("Invalid old style role requirement: {text}"))
                .into());
            }
            Kind::Str(_) => {
                request.name = self.render(node)?;
                return Ok((request, own));
            }
            Kind::Map(entries) => entries,
            _ => {
                return Err(Diagnostic::error(
                    "playbook::role-entry",
                    format!("a role is a name or a mapping, this is {}", node.describe()),
                )
                .at(&node.span)
                .into());
            }
        };
        for entry in entries {
            let key = entry.key.as_str().unwrap_or_default();
            match key {
                "name" if node.get("role").is_some() => {}
                "role" | "name" => request.name = self.render(&entry.value)?,
                "vars" => {
                    for (name, value) in vars_of(&entry.value)?.iter().flat_map(|m| m.iter()) {
                        request.entry_vars.insert(name.clone(), value.clone());
                    }
                }
                "tasks_from" => request.tasks_from = Some(self.render(&entry.value)?),
                "src" | "version" | "scm" if request.name.is_empty() || key != "src" => {}
                _ if own.take(entry)? => {}
                _ => {
                    request
                        .params
                        .insert(entry.key.to_value(), entry.value.to_value());
                }
            }
        }
        if request.name.is_empty() {
            return Err(
                Diagnostic::error("playbook::role-entry", "this role has no name")
                    .at(&node.span)
                    .hint("write `role: NAME`")
                    .into(),
            );
        }
        Ok((request, own))
    }

    /// The check of a role's variables against its `argument_specs`, as a task of its own.
    fn argument_validation(
        &self,
        role: &Arc<Role>,
        request: &RoleRequest,
        meta: Option<&Node>,
        keywords: &Keywords,
    ) -> Result<Option<Item>> {
        let file = find_main(&role.path.join("meta"), "argument_specs");
        let node = match &file {
            Some(file) => Some(self.file(file)?),
            None => None,
        };
        let specs = node
            .as_deref()
            .or(meta)
            .and_then(|node| node.get("argument_specs"));
        let entry = request.tasks_from.as_deref().unwrap_or("main");
        let entry = entry.trim_end_matches(".yml").trim_end_matches(".yaml");
        let Some(spec) = specs.and_then(|specs| specs.get(entry)) else {
            return Ok(None);
        };
        let mut args = TaskArgs::default();
        let options = spec
            .get("options")
            .map_or(Value::map(Map::new()), Node::to_value);
        args.set("argument_spec", options.into_data(), &spec.span);
        args.set(
            "validate_args_context",
            Value::map(
                Map::new()
                    .with("type", "role")
                    .with("name", role.short_name())
                    .with("argument_spec_name", entry)
                    .with("path", role.path.display().to_string()),
            ),
            &spec.span,
        );
        let mut keywords = keywords.clone();
        keywords.tags.push(word("always", spec));
        let mut task = Task::implicit(
            self.next_id(),
            "ansible.builtin.validate_argument_spec",
            &spec.span,
            keywords,
            args,
        );
        let about = spec
            .get("short_description")
            .map(|node| format!(" - {}", node.to_value()))
            .unwrap_or_default();
        task.name = Some(word(
            &format!("Validating arguments against arg spec '{entry}'{about}"),
            spec,
        ));
        task.role = Some(Arc::clone(role));
        Ok(Some(Item::Task(Arc::new(task))))
    }
}

fn word(text: &str, at: &Node) -> Node {
    Node::new(Kind::Str(crate::value::Text::data(text)), at.span.clone())
}

fn merge(into: &mut Map, from: &Map) {
    for (key, value) in from {
        into.insert(key.clone(), value.clone());
    }
}

fn identity(request: &RoleRequest, keywords: &Keywords) -> String {
    let nodes = |list: &[Node]| -> Vec<Value> { list.iter().map(Node::to_value).collect() };
    format!(
        "{} {:?} {:?} {:?} {:?} {:?} {:?}",
        request.name,
        request.params,
        request.entry_vars,
        nodes(&keywords.when),
        nodes(&keywords.tags),
        request.tasks_from,
        request.vars_from
    )
}

/// The roles from the last time that this one was asked for to now.
fn circle(parents: &[Arc<Role>], name: &str) -> String {
    let last = parents
        .iter()
        .rposition(|role| role.name == name)
        .unwrap_or_default();
    let mut names: Vec<&str> = parents
        .iter()
        .skip(last)
        .map(|role| role.name.as_str())
        .collect();
    names.push(name);
    names.join(" -> ")
}
