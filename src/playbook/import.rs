//! Static imports: what they name is read at once and takes their place.

use super::loader::{looked_in, shown};
use super::task::Surroundings;
use super::{Item, Keywords, Loader, Play, Result, RoleRequest, Task, malformed};
use crate::diag::Diagnostic;
use crate::value::{OMIT, Value, to_bool};
use crate::yaml::{Kind, Node};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How deep imports may nest.
const DEPTH: usize = 100;

impl Loader {
    pub(super) fn import_tasks(&self, task: &Task, around: &Surroundings) -> Result<Item> {
        no_loop(task)?;
        let other = task.args.members.iter().find(|entry| {
            let name = entry.key.as_str().unwrap_or_default();
            task.short_action() == "import_tasks" && !matches!(name, "file" | "_raw_params")
        });
        if let Some(other) = other {
            return Err(Diagnostic::error(
                "playbook::import-options",
                format!("`{}` is no argument of import_tasks", other.key.to_value()),
            )
            .at(&other.key.span)
            .into());
        }
        let Some((_, node)) = task.args.word(&["file", "_raw_params"]) else {
            return Err(missing(task, "file"));
        };
        let file = self.render_in(task, node)?;
        let path = self.task_file(&file, task, node, true)?;
        if around.stack.len() >= DEPTH || around.stack.iter().filter(|p| **p == path).count() > 1 {
            return Err(Diagnostic::error(
                "playbook::import-loop",
                format!("{} imports itself", shown(&path).display()),
            )
            .at(&node.span)
            .note(chain(&around.stack, &path))
            .into());
        }
        let inside = Surroundings {
            keywords: task.keywords.clone(),
            stack: around.stack.iter().cloned().chain([path.clone()]).collect(),
            notify: task.notify.clone(),
            trail: Arc::new(around.trail.through(&file)),
            ..around.clone()
        };
        let items = (self.items(&*self.file(&path)?, &inside)).map_err(malformed::in_file)?;
        Ok(Item::Block(Arc::new(self.wrap(
            &task.span,
            items,
            around.role.clone(),
        ))))
    }

    /// The file that an import (`fixed`) or include of tasks names.
    ///
    /// # Errors
    /// When there is none.
    pub fn task_file(&self, name: &str, task: &Task, at: &Node, fixed: bool) -> Result<PathBuf> {
        let role = task.role.as_ref().map(|role| role.path.as_path());
        let found = task.trail.find(role, task.handler, name, fixed);
        found.map_err(|tried| {
            let dirs: Vec<PathBuf> = tried
                .iter()
                .filter_map(|path| path.parent().map(Path::to_path_buf))
                .collect();
            let missing = Diagnostic::error("playbook::file", format!("there is no file `{name}`"));
            let told = (tried.last()).map(|path| {
                let path = path.display();
                format!("Could not find or access '{path}' on the Ansible Controller.")
            });
            let missing = Diagnostic { told, ..missing };
            missing.at(&at.span).note(looked_in(&dirs)).into()
        })
    }

    pub(super) fn import_role(&self, task: &Task, around: &Surroundings) -> Result<Item> {
        no_loop(task)?;
        let request = self.role_request(task, |node| self.render_in(task, node))?;
        let parents: Vec<_> = around
            .role
            .iter()
            .flat_map(|role| role.parents.iter().cloned().chain([Arc::clone(role)]))
            .collect();
        let at = task.args.get("name").or(task.args.get("role")).cloned();
        let at = at.unwrap_or_else(|| Node::new(Kind::Null, task.span.clone()));
        let keywords = task.keywords.clone().with_params_of(task.role.as_deref());
        let loaded = self.role(&request, &keywords, &parents, &task.trail, &at)?;
        let mut block = self.wrap(&task.span, loaded.items, around.role.clone());
        block.role.clone_from(&around.role);
        self.add_imported(loaded.handlers, loaded.all);
        Ok(Item::Block(Arc::new(block)))
    }

    /// What `include_role` and `import_role` ask for.
    ///
    /// # Errors
    /// When the name is missing or an argument cannot be expanded.
    pub fn role_request(
        &self,
        task: &Task,
        render: impl Fn(&Node) -> Result<String>,
    ) -> Result<RoleRequest> {
        let text = |name: &str| {
            let text = task.args.get(name).map(&render).transpose()?;
            Ok::<_, Box<Diagnostic>>(text.filter(|text| text != OMIT))
        };
        let flag = |name: &str| -> Result<Option<bool>> {
            Ok(text(name)?.and_then(|word| to_bool(&Value::str(word))))
        };
        let Some(name) = text("name")?.or(text("role")?) else {
            return Err(missing(task, "name"));
        };
        Ok(RoleRequest {
            name,
            by_task: true,
            params: crate::value::Map::new(),
            entry_vars: crate::value::Map::new(),
            tasks_from: text("tasks_from")?,
            vars_from: text("vars_from")?,
            defaults_from: text("defaults_from")?,
            handlers_from: text("handlers_from")?,
            public: flag("public")?,
            allow_duplicates: Some(flag("allow_duplicates")?.unwrap_or(true)),
            no_validation: flag("rolespec_validate")? == Some(false),
        })
    }

    /// The old `include:`: static if it can be, else dynamic; with a warning.
    pub(super) fn legacy_include(&self, task: Task, around: &Surroundings) -> Result<Item> {
        self.warn(
            Diagnostic::warning(
                "playbook::include",
                "`include` was removed from Ansible; it is read as `include_tasks` or `import_tasks`",
            )
            .at(&task.action_span)
            .hint("write `include_tasks` or `import_tasks`"),
        );
        let name = task.args.word(&["file"]).map(|(name, _)| name.to_owned());
        let dynamic = task.items.is_some() || name.is_none_or(|name| name.contains("{{"));
        if dynamic {
            let mut task = task;
            task.action = "include_tasks".into();
            return Ok(Item::Task(Arc::new(task)));
        }
        let mut task = task;
        // `include: file.yml name=value`: other words are variables
        let mut vars = crate::value::Map::new();
        task.args.members.retain(|entry| {
            let own = entry.key.as_str() == Some("file");
            if !own {
                vars.insert(entry.key.to_value(), entry.value.to_value());
            }
            own
        });
        if !vars.is_empty() {
            task.keywords.vars.push(Arc::new(vars));
        }
        self.import_tasks(&task, around)
    }

    /// The plays of a file; an `import_playbook` is replaced by its plays.
    pub(super) fn plays(
        &self,
        path: &Path,
        inherited: &Keywords,
        stack: &mut Vec<PathBuf>,
        at: Option<&Node>,
    ) -> Result<Vec<Play>> {
        if stack.iter().any(|p| p == path) || stack.len() > DEPTH {
            let mut error = Diagnostic::error(
                "playbook::import-loop",
                format!("the playbook {} imports itself", shown(path).display()),
            )
            .note(chain(stack, path));
            error.span = at.map(|node| node.span.clone());
            return Err(error.into());
        }
        stack.push(path.to_owned());
        self.remember_playbook(path);
        let node = self.file(path)?;
        let plays = self.plays_of(&node, path, inherited, stack)?;
        stack.pop();
        Ok(plays)
    }

    pub(super) fn plays_of(
        &self,
        node: &Node,
        path: &Path,
        inherited: &Keywords,
        stack: &mut Vec<PathBuf>,
    ) -> Result<Vec<Play>> {
        let entries = match &node.kind {
            Kind::Seq(items) if items.is_empty() => {
                return Err(Diagnostic::error(
                    "playbook::empty",
                    "A playbook must contain at least one play",
                )
                .at(&node.span)
                .into());
            }
            Kind::Seq(items) => items.as_slice(),
            Kind::Null => {
                return Err(Diagnostic::error(
                    "playbook::empty",
                    format!("{} is empty", shown(path).display()),
                )
                .into());
            }
            _ => {
                return Err(Diagnostic::error(
                    "playbook::not-a-list",
                    format!(
                        "a playbook must be a list of plays, this is {}",
                        node.describe()
                    ),
                )
                .at(&node.span)
                .hint("each play begins with `- hosts: …`")
                .into());
            }
        };
        let mut plays = Vec::new();
        for entry in entries {
            let import = ["import_playbook", "ansible.builtin.import_playbook"]
                .iter()
                .find_map(|key| entry.entry(key));
            let legacy = entry.entry("include");
            match import.or(legacy) {
                Some(import) => {
                    let mut own = Keywords::default();
                    for other in entry.as_map().unwrap_or_default() {
                        let key = other.key.as_str().unwrap_or_default();
                        if other.key.span != import.key.span && key != "name" && !own.take(other)? {
                            return Err(super::keywords::unknown_keyword(
                                &other.key,
                                "import of a playbook",
                                super::keywords::SHARED_KEYWORDS.iter().copied(),
                            ));
                        }
                    }
                    let dir = path.parent().unwrap_or(Path::new(""));
                    let name = self.render_with(&import.value, dir, &own.vars)?;
                    let name = name
                        .split_whitespace()
                        .next()
                        .unwrap_or_default()
                        .to_owned();
                    let target = dir.join(&name);
                    if !target.is_file() {
                        return Err(Diagnostic::error(
                            "playbook::file",
                            format!("there is no playbook `{name}`"),
                        )
                        .at(&import.value.span)
                        .into());
                    }
                    let keywords = inherited.with_child(&own);
                    plays.extend(self.plays(&target, &keywords, stack, Some(&import.value))?);
                }
                None => plays.push(self.play(entry, path, inherited)?),
            }
        }
        Ok(plays)
    }
}

/// Which file led to which.
fn chain(stack: &[PathBuf], path: &Path) -> String {
    let names: Vec<String> = stack
        .iter()
        .map(PathBuf::as_path)
        .chain([path])
        .skip_while(|file| *file != path)
        .map(|file| shown(file).display().to_string())
        .collect();
    names.join(" -> ")
}

fn missing(task: &Task, name: &str) -> Box<Diagnostic> {
    Diagnostic::error(
        "playbook::argument",
        format!("`{}` needs the argument `{name}`", task.short_action()),
    )
    .at(&task.action_span)
    .into()
}

fn no_loop(task: &Task) -> Result<()> {
    let Some((_, node)) = &task.items else {
        return Ok(());
    };
    Err(Diagnostic::error(
        "playbook::import-in-loop",
        format!(
            "`{}` cannot be looped: it is read before the run",
            task.short_action()
        ),
    )
    .at(&node.span)
    .hint(format!(
        "use `{}`",
        task.short_action().replace("import_", "include_")
    ))
    .into())
}
