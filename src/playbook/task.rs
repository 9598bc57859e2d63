//! Tasks.

use super::args::short;
use super::keywords::{SHARED_KEYWORDS, TASK_KEYWORDS, unknown_keyword};
use super::library::CustomModule;
use super::{Block, Keywords, Loader, Result, Role, TaskArgs, Trail, malformed};
use crate::diag::{Diagnostic, Span, did_you_mean};
use crate::yaml::{Kind, Node};
use std::sync::Arc;

/// Where a task's items come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoopKind {
    /// `loop:`, a list.
    Loop,
    /// `with_<lookup>:`.
    With(String),
}

/// A task or handler, with everything that applies to it.
#[derive(Clone, Debug)]
pub struct Task {
    /// Unique in the run.
    pub id: u64,
    /// Where it begins.
    pub span: Span,
    /// Its name, not templated.
    pub name: Option<Node>,
    /// The action's name as written.
    pub action: String,
    /// Where that stands.
    pub action_span: Span,
    /// The module of the user's own that the action is, if it is one.
    pub custom: Option<Arc<CustomModule>>,
    /// Its arguments.
    pub args: TaskArgs,
    /// Keywords, inherited ones included.
    pub keywords: Keywords,
    /// Keywords of what surrounds it: what a dynamic include hands down.
    pub around: Keywords,
    /// The variable that gets its result.
    pub register: Option<String>,
    /// Its loop.
    pub items: Option<(LoopKind, Node)>,
    /// `loop_control`.
    pub loop_control: Option<Node>,
    /// `until`: conditions.
    pub until: Vec<Node>,
    /// `retries`.
    pub retries: Option<Node>,
    /// `delay`.
    pub delay: Option<Node>,
    /// `changed_when`: conditions.
    pub changed_when: Option<Vec<Node>>,
    /// `failed_when`: conditions.
    pub failed_when: Option<Vec<Node>>,
    /// Handlers to notify.
    pub notify: Vec<Node>,
    /// Topics that a handler listens to.
    pub listen: Vec<Node>,
    /// `async` and `poll`.
    pub background: Option<(Node, Option<Node>)>,
    /// The role that it belongs to.
    pub role: Option<Arc<Role>>,
    /// Whether it is a handler.
    pub handler: bool,
    /// The directory of the file that it stands in.
    pub dir: std::path::PathBuf,
    /// Whether runbook made it itself (fact gathering, flushes).
    pub implicit: bool,
    /// How many dynamic includes brought it, one through the other.
    pub depth: usize,
    /// What names of files to include are relative to.
    pub trail: Arc<Trail>,
}

impl Task {
    /// Whether the action's name is a template.
    pub fn has_templated_action(&self) -> bool {
        is_template(&self.action)
    }

    /// The task with this action.
    #[must_use]
    pub fn with_action(&self, action: &str) -> Self {
        Self {
            action: action.to_owned(),
            ..self.clone()
        }
    }

    /// The action's name without `ansible.builtin.`.
    pub fn short_action(&self) -> &str {
        short(&self.action)
    }

    /// What to call it before templating: its name, or its action.
    pub fn label(&self) -> String {
        match self.name.as_ref().map(Node::to_value) {
            Some(name) if !name.is_null() && !name.to_string().is_empty() => name.to_string(),
            _ if self.short_action() == "include_role" => {
                let name = self.args.get("name").or_else(|| self.args.get("role"));
                name.map_or_else(
                    || self.action.clone(),
                    |name| format!("{} : {}", self.action, name.to_value()),
                )
            }
            _ => self.action.clone(),
        }
    }

    /// The role whose name a banner puts before the task's. An `include_role` shows the role that it includes.
    pub fn shown_role(&self) -> Option<&Arc<Role>> {
        self.role
            .as_ref()
            .filter(|_| self.short_action() != "include_role")
    }

    /// A task that runbook itself puts into a play.
    pub(super) fn implicit(
        id: u64,
        action: &str,
        span: &Span,
        keywords: Keywords,
        args: TaskArgs,
    ) -> Self {
        Self {
            id,
            span: span.clone(),
            name: None,
            action: action.to_owned(),
            action_span: span.clone(),
            custom: None,
            args,
            keywords,
            around: Keywords::default(),
            register: None,
            items: None,
            loop_control: None,
            until: Vec::new(),
            retries: None,
            delay: None,
            changed_when: None,
            failed_when: None,
            notify: Vec::new(),
            listen: Vec::new(),
            background: None,
            role: None,
            handler: false,
            dir: span
                .path()
                .parent()
                .map(std::path::Path::to_path_buf)
                .unwrap_or_default(),
            implicit: true,
            depth: 0,
            trail: Arc::default(),
        }
    }
}

/// What surrounds the tasks of a list.
#[derive(Clone)]
pub(super) struct Surroundings {
    /// Inherited keywords.
    pub keywords: Keywords,
    /// The role.
    pub role: Option<Arc<Role>>,
    /// Whether they are handlers.
    pub handlers: bool,
    /// Files being imported, outermost first: against endless imports.
    pub stack: Vec<std::path::PathBuf>,
    /// Handlers that a block notifies for all its tasks.
    pub notify: Vec<Node>,
    /// How many dynamic includes brought them.
    pub depth: usize,
    /// What names of files to include are relative to.
    pub trail: Arc<Trail>,
}

pub(super) fn list(node: &Node) -> Vec<Node> {
    match &node.kind {
        Kind::Null => Vec::new(),
        Kind::Seq(items) => items.clone(),
        Kind::Str(text) if text.contains(',') && !text.contains("{{") => text
            .split(',')
            .map(|part| {
                Node::new(
                    Kind::Str(crate::value::Text::template(part.trim())),
                    node.span.clone(),
                )
            })
            .collect(),
        _ => vec![node.clone()],
    }
}

fn conditions(keyword: &str, node: &Node) -> Result<Vec<Node>> {
    let node = refuse_mappings(keyword, node.clone())?;
    Ok(match node.kind {
        Kind::Seq(items) => items,
        _ => vec![node],
    })
}

/// The node, if none of the conditions in it is a mapping, which would always be true.
pub(super) fn refuse_mappings(keyword: &str, node: Node) -> Result<Node> {
    let conditions = match &node.kind {
        Kind::Seq(items) => items.as_slice(),
        _ => std::slice::from_ref(&node),
    };
    for condition in conditions {
        if condition.as_map().is_some() {
            return Err(Diagnostic::error(
                "playbook::condition",
                format!("a condition of `{keyword}` must be an expression, this is a mapping"),
            )
            .at(&condition.span)
            .hint("an expression that YAML would read as something else needs quotes around it")
            .into());
        }
    }
    Ok(node)
}

impl Loader {
    /// Reads one entry of a task list that is not a block.
    pub(super) fn task(&self, node: &Node, around: &Surroundings) -> Result<Task> {
        let Some(entries) = node.as_map() else {
            return Err(malformed::no_task(node).into());
        };
        let mut own = Keywords::default();
        let mut task = Task::implicit(
            self.next_id(),
            "",
            &node.span,
            Keywords::default(),
            TaskArgs::default(),
        );
        task.implicit = false;
        task.role.clone_from(&around.role);
        task.handler = around.handlers;
        task.depth = around.depth;
        task.trail = Arc::clone(&around.trail);
        task.notify.clone_from(&around.notify);
        let mut action: Option<(&Node, &Node)> = None;
        let mut args_keyword = None;
        let mut unknown = Vec::new();
        // where an action is looked for is known before it
        let mut search = around.keywords.clone();
        if let Some(node) = node.get("collections") {
            search.collections = Some(super::library::collections_of(node));
        }
        let near = self.near_libraries(node, around);
        let near: Vec<&std::path::Path> = near.iter().map(AsRef::as_ref).collect();
        for entry in entries {
            if own.take(entry)? {
                continue;
            }
            let (key, value) = (&entry.key, &entry.value);
            match key.as_str().unwrap_or_default() {
                "name" => task.name = Some(value.clone()),
                "register" => task.register = Some(register_name(value)?),
                "loop" => task.items = Some((LoopKind::Loop, value.clone())),
                "loop_control" => task.loop_control = Some(value.clone()),
                "until" => task.until = conditions("until", value)?,
                "retries" => task.retries = Some(value.clone()),
                "delay" => task.delay = Some(value.clone()),
                "changed_when" => task.changed_when = Some(conditions("changed_when", value)?),
                "failed_when" => task.failed_when = Some(conditions("failed_when", value)?),
                "notify" => task.notify.extend(list(value)),
                "listen" => task.listen = list(value),
                "async" => task.background = Some((value.clone(), node.get("poll").cloned())),
                "poll" => {}
                "args" => args_keyword = Some(value),
                "action" | "local_action" => {
                    self.legacy_action(&mut task, (key, value), &mut own)?;
                    // which action a template means is known on each host, for each item
                    if !is_template(&task.action)
                        && !self.is_action(&task.action, &near, &search, &value.span)?
                    {
                        return Err(self.no_action(&task.action, &value.span));
                    }
                }
                name if name.starts_with("with_") => {
                    let lookup = name.trim_start_matches("with_").to_owned();
                    task.items = Some((LoopKind::With(lookup), value.clone()));
                }
                name if self.is_action(name, &near, &search, &key.span)? => match action {
                    None => action = Some((key, value)),
                    Some((first, _)) => {
                        return Err(Diagnostic::error(
                            "playbook::two-actions",
                            format!(
                                "a task has one action, this one has two: `{}` and `{name}`",
                                first.to_value()
                            ),
                        )
                        .at(&key.span)
                        .label("the second one")
                        .related(&first.span, "the first one")
                        .hint("begin another task with `-`")
                        .into());
                    }
                },
                _ => unknown.push(entry),
            }
        }
        if let Some((key, value)) = action {
            task.action = key.to_value().to_string();
            task.action_span = key.span.clone();
            task.args = TaskArgs::parse(&task.action, value)?;
        }
        if let Some(entry) = unknown.first() {
            return Err(self.unknown_key(&task, entry));
        }
        if task.action.is_empty() {
            return Err(
                Diagnostic::error("playbook::no-action", "this task has no action")
                    .at(&node.span)
                    .hint("name a module, for example `command: ls`")
                    .into(),
            );
        }
        if let Some(node) = args_keyword {
            task.args.add_keyword(node)?;
        }
        // the place is shown relative to the current directory, the directory must be found from any
        if let Some(path) = std::path::absolute(node.span.path()).ok()
            && let Some(parent) = path.parent()
        {
            task.dir = parent.to_path_buf();
        }
        task.keywords = around.keywords.with_child(&own);
        self.settle_action(&mut task, &near)?;
        self.check_defaults(&task.keywords)?;
        if matches!(
            task.short_action(),
            "include_tasks" | "include_role" | "include"
        ) {
            task.around = around.keywords.clone();
        }
        self.check_arguments(&task)?;
        fits_its_place(&task)?;
        Ok(task)
    }

    /// The directories whose `library/` may hold an action of a task: the playbook's, and those of its roles.
    fn near_libraries(&self, node: &Node, around: &Surroundings) -> Vec<std::path::PathBuf> {
        let roles = around
            .role
            .iter()
            .flat_map(|role| std::iter::once(role).chain(&role.parents))
            .map(|role| role.path.clone());
        let files = std::iter::once(node.span.path().to_path_buf())
            .chain(around.stack.iter().cloned())
            .filter_map(|file| file.parent().map(std::path::Path::to_path_buf));
        roles.chain(files).chain(self.playbook_dirs()).collect()
    }

    fn unknown_key(&self, task: &Task, entry: &crate::yaml::Entry) -> Box<Diagnostic> {
        let name = entry.key.to_value().to_string();
        let keywords = || {
            SHARED_KEYWORDS
                .iter()
                .chain(TASK_KEYWORDS)
                .copied()
                .filter(|k| *k != "name" || name.len() < 6)
        };
        let near_keyword = did_you_mean(&name, keywords());
        if task.action.is_empty() {
            let names = self.vocabulary.action_names();
            let near_action = did_you_mean(&name, names.iter().map(String::as_str));
            if near_action.is_some() || near_keyword.is_none() {
                return Diagnostic::error(
                    "playbook::unknown-module",
                    format!("there is no module or keyword `{name}`"),
                )
                .at(&entry.key.span)
                .maybe_hint(
                    near_action.or_else(|| Some("`runbook doc` lists the modules".to_owned())),
                )
                .into();
            }
        }
        unknown_keyword(&entry.key, "task", keywords())
    }

    /// `action: module k=v`, `action: {module: x, …}`, `local_action: …`.
    fn legacy_action(
        &self,
        task: &mut Task,
        (key, value): (&Node, &Node),
        own: &mut Keywords,
    ) -> Result<()> {
        let bad = |span: &Span| {
            Diagnostic::error("playbook::action", "this action names no module")
                .at(span)
                .hint("write `action: module key=value`, or better `module: {key: value}`")
        };
        match &value.kind {
            Kind::Str(text) => {
                let (module, rest) = first_word(text.as_str());
                task.action = module.to_owned();
                let rest = Node::new(
                    Kind::Str(crate::value::Text::template(rest)),
                    value.span.clone(),
                );
                task.args = TaskArgs::parse(module, &rest)?;
            }
            Kind::Map(entries) => {
                let Some(module) = value.get("module").and_then(Node::as_str) else {
                    return Err(bad(&value.span).into());
                };
                let (module, rest) = first_word(module);
                task.action = module.to_owned();
                let rest = Node::new(
                    Kind::Str(crate::value::Text::template(rest)),
                    value.span.clone(),
                );
                task.args = TaskArgs::parse(module, &rest)?;
                for entry in entries {
                    if entry.key.as_str() != Some("module") {
                        task.args.members.push(entry.clone());
                    }
                }
            }
            _ => return Err(bad(&value.span).into()),
        }
        task.action_span = value.span.clone();
        if key.as_str() == Some("local_action") {
            own.delegate_to = Some(Node::new(
                Kind::Str(crate::value::Text::template("localhost")),
                key.span.clone(),
            ));
        }
        Ok(())
    }

    /// The block that stands for a list of tasks with keywords of its own.
    pub(super) fn wrap(
        &self,
        span: &Span,
        items: Vec<super::Item>,
        role: Option<Arc<Role>>,
    ) -> Block {
        Block {
            id: self.next_id(),
            span: span.clone(),
            block: items,
            rescue: Vec::new(),
            always: Vec::new(),
            role,
            role_start: false,
        }
    }
}

/// Whether an action's name is known only during the run.
pub(crate) fn is_template(action: &str) -> bool {
    action.contains("{{") || action.contains("{%")
}

/// A text's first word and what follows; blanks within a template do not part words.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match (before, c) {
            ('{', '{' | '%') => depth += 1,
            ('}' | '%', '}') => depth = depth.saturating_sub(1),
            (_, c) if c.is_whitespace() && depth == 0 => {
                return (
                    text.get(..at).unwrap_or(text),
                    text.get(at..).unwrap_or_default(),
                );
            }
            _ => {}
        }
        before = c;
    }
    (text, "")
}

/// Refuses actions where they mean nothing: some among handlers, `meta: end_role` outside of roles.
fn fits_its_place(task: &Task) -> Result<()> {
    let word = task
        .args
        .get("_raw_params")
        .map(|node| node.to_value().to_string());
    let bad = match (task.short_action(), word.as_deref()) {
        (action @ ("include_role" | "import_role"), _) if task.handler => (
            "playbook::handler-role",
            format!("`{action}` cannot be a handler"),
        ),
        ("meta", Some("flush_handlers")) if task.handler => (
            "playbook::handler-flush",
            "`flush_handlers` cannot be a handler".to_owned(),
        ),
        ("include_tasks", _) if task.args.more.is_none() && no_file(task) => (
            "playbook::no-file",
            format!("No file specified for {}", task.action),
        ),
        ("meta", Some("end_role")) if task.handler => (
            "playbook::end-role",
            "`end_role` cannot be a handler".to_owned(),
        ),
        ("meta", Some("end_role")) if task.role.is_none() => (
            "playbook::end-role",
            "`end_role` means nothing outside of a role".to_owned(),
        ),
        _ => return Ok(()),
    };
    let place = if bad.0 == "playbook::no-file" {
        &task.span
    } else {
        &task.action_span
    };
    Err(Diagnostic::error(bad.0, bad.1).at(place).into())
}

/// Whether an include names no file.
fn no_file(task: &Task) -> bool {
    ["file", "_raw_params"]
        .iter()
        .filter_map(|name| task.args.get(name))
        .all(Node::is_null)
}

fn register_name(node: &Node) -> Result<String> {
    super::keywords::check_name(node).map_err(|mut error| {
        error.code = "playbook::register-name";
        error
    })?;
    Ok(node.as_str().unwrap_or_default().to_owned())
}
