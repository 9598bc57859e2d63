//! Plays.
//!
//! Source: Ansible's documentation, "Playbook Keywords" and "Working with playbooks".

use super::keywords::{PLAY_KEYWORDS, SHARED_KEYWORDS, unknown_keyword, vars_of};
use super::task::Surroundings;
use super::{Item, Keywords, Loader, Result, Role, Task, TaskArgs, Trail, malformed};
use crate::diag::{Diagnostic, Span, did_you_mean};
use crate::value::{Map, Value, to_bool};
use crate::yaml::{Kind, Node};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A play.
#[derive(Clone, Debug)]
pub struct Play {
    /// Where it begins.
    pub span: Span,
    /// The playbook's file.
    pub path: PathBuf,
    /// Its name.
    pub name: Option<Node>,
    /// Which hosts.
    pub hosts: Node,
    /// Keywords that its tasks inherit.
    pub keywords: Keywords,
    /// `vars`.
    pub vars: Arc<Map>,
    /// `gather_facts`.
    pub gather_facts: Option<Node>,
    /// Arguments of the implicit fact gathering.
    pub gather_args: TaskArgs,
    /// `vars_files`.
    pub vars_files: Vec<Node>,
    /// `vars_prompt`.
    pub vars_prompt: Vec<Node>,
    /// `serial`.
    pub serial: Option<Node>,
    /// `strategy`.
    pub strategy: Option<Node>,
    /// `order`.
    pub order: Option<Node>,
    /// `max_fail_percentage`.
    pub max_fail_percentage: Option<Node>,
    /// `force_handlers`.
    pub force_handlers: Option<Node>,
    /// Everything to run, in order, fact gathering not included: sections with flushes between them.
    pub sections: Vec<Section>,
    /// All handlers: those of roles first, then the play's.
    pub handlers: Vec<Item>,
    /// All roles that were read for it, in order, dependencies first.
    pub roles: Vec<Arc<Role>>,
}

/// A part of a play that ends with a flush of handlers.
#[derive(Clone, Debug)]
pub struct Section {
    /// What runs.
    pub items: Vec<Item>,
    /// The same, with a flush that failed hosts run too (`force_handlers`).
    pub forced: Vec<Item>,
    /// What the play says of `force_handlers`, which then counts and not the option.
    pub force: Option<bool>,
    /// The flush.
    pub flush: Arc<Task>,
}

impl Play {
    /// Its name, or its hosts.
    pub fn label(&self) -> String {
        match self.name.as_ref().map(Node::to_value) {
            Some(name) if !name.is_null() => name.to_string(),
            _ => hosts_text(&self.hosts),
        }
    }

    /// All tasks in order of writing, without handlers and flushes.
    pub fn tasks(&self) -> Vec<Arc<Task>> {
        self.sections
            .iter()
            .flat_map(|section| section.items.iter().flat_map(Item::tasks))
            .collect()
    }
}

/// A hosts pattern as one string.
fn hosts_text(node: &Node) -> String {
    match node.to_value() {
        Value::List(items) => {
            let parts: Vec<_> = items.iter().map(ToString::to_string).collect();
            parts.join(",")
        }
        other => other.to_string(),
    }
}

fn nodes(node: &Node) -> Vec<Node> {
    match &node.kind {
        Kind::Seq(items) => items.clone(),
        Kind::Null => Vec::new(),
        _ => vec![node.clone()],
    }
}

/// Keys of a prompt.
const PROMPT_KEYS: &[&str] = &[
    "name",
    "prompt",
    "default",
    "private",
    "confirm",
    "encrypt",
    "salt_size",
    "salt",
    "unsafe",
];

/// The prompts of `vars_prompt`, each with a name and nothing that is not known.
fn prompts(node: &Node) -> Result<Vec<Node>> {
    let prompts = nodes(node);
    for prompt in &prompts {
        let bad =
            |message: String, span: &Span| Diagnostic::error("play::vars-prompt", message).at(span);
        if prompt.get("name").is_none() {
            return Err(bad("this prompt has no `name`".to_owned(), &prompt.span).into());
        }
        for entry in prompt.as_map().unwrap_or_default() {
            let key = entry.key.to_value().to_string();
            if !PROMPT_KEYS.contains(&key.as_str()) {
                return Err(bad(format!("a prompt has no key `{key}`"), &entry.key.span)
                    .maybe_hint(did_you_mean(&key, PROMPT_KEYS.iter().copied()))
                    .into());
            }
        }
    }
    Ok(prompts)
}

/// Refuses what is no name or pattern of hosts, nor a list of them.
fn hosts_are_names(hosts: &Node) -> Result<()> {
    let refuse = |at: &Node, told: String| {
        let message = format!(
            "`hosts` takes names and patterns, this is {}",
            at.describe()
        );
        let refusal = Diagnostic::error("playbook::hosts", message);
        Err(refusal.at(&at.span).tell(told).into())
    };
    let one = |node: &Node| matches!(node.kind, Kind::Str(_));
    let Some(list) = hosts.as_seq() else {
        let told = "Hosts list must be a sequence or string. Please check your playbook.";
        return if one(hosts) {
            Ok(())
        } else {
            refuse(hosts, told.into())
        };
    };
    match list.iter().find(|entry| !one(entry)) {
        None => Ok(()),
        Some(none) if none.is_null() => {
            let told = "Hosts list cannot contain values of 'None'. Please check your playbook";
            refuse(none, told.into())
        }
        Some(other) => {
            let value = other.to_value();
            refuse(
                other,
                format!("Hosts list contains an invalid host value: '{value}'"),
            )
        }
    }
}

impl Loader {
    pub(super) fn play(&self, node: &Node, path: &Path, inherited: &Keywords) -> Result<Play> {
        let Some(entries) = node.as_map() else {
            return Err(Diagnostic::error(
                "playbook::play-not-a-mapping",
                format!("a play must be a mapping, this is {}", node.describe()),
            )
            .at(&node.span)
            .tell("playbook entries must be either valid plays or 'import_playbook' statements")
            .hint("each play begins with `- hosts: …`")
            .into());
        };
        let Some(hosts) = node.get("hosts") else {
            let task_like = entries
                .iter()
                .filter_map(|entry| entry.key.as_str())
                .find(|key| self.vocabulary.is_action(key));
            let error = match task_like {
                Some(key) => Diagnostic::error(
                    "playbook::unknown-keyword",
                    format!("`{key}` is not a keyword of a play"),
                ),
                None => Diagnostic::error("playbook::no-hosts", "this play has no `hosts`")
                    .tell("the field 'hosts' is required but was not set"),
            };
            return Err(error
                .at(&node.span)
                .hint(if task_like.is_some() {
                    "this looks like a task; a playbook is a list of plays, and tasks stand under `tasks:`"
                } else {
                    "add `hosts: all`, or the group that is meant"
                })
                .into());
        };
        if hosts.is_null() || hosts.as_seq().is_some_and(<[Node]>::is_empty) {
            return Err(Diagnostic::error("playbook::no-hosts", "`hosts` is empty")
                .at(&hosts.span)
                .tell("Hosts list cannot be empty. Please check your playbook")
                .into());
        }
        hosts_are_names(hosts)?;
        let mut own = Keywords::default();
        let mut play = Play {
            span: node.span.clone(),
            path: path.to_owned(),
            name: None,
            hosts: hosts.clone(),
            keywords: Keywords::default(),
            vars: Arc::default(),
            gather_facts: None,
            gather_args: TaskArgs::default(),
            vars_files: Vec::new(),
            vars_prompt: Vec::new(),
            serial: None,
            strategy: None,
            order: None,
            max_fail_percentage: None,
            force_handlers: None,
            sections: Vec::new(),
            handlers: Vec::new(),
            roles: Vec::new(),
        };
        for entry in entries {
            let value = &entry.value;
            match entry.key.as_str().unwrap_or_default() {
                "hosts" | "roles" | "pre_tasks" | "tasks" | "post_tasks" | "handlers" => {}
                "name" => play.name = Some(value.clone()),
                "vars" => play.vars = vars_of(value)?.unwrap_or_default(),
                "gather_facts" => play.gather_facts = Some(value.clone()),
                name @ ("gather_subset" | "gather_timeout" | "fact_path") => {
                    play.gather_args.set(name, value.to_value(), &value.span);
                }
                "vars_files" => play.vars_files = nodes(value),
                "vars_prompt" => play.vars_prompt = prompts(value)?,
                "serial" => play.serial = Some(value.clone()),
                "strategy" => play.strategy = Some(value.clone()),
                "order" => play.order = Some(value.clone()),
                "max_fail_percentage" => play.max_fail_percentage = Some(value.clone()),
                "force_handlers" => play.force_handlers = Some(value.clone()),
                "user" if node.get("remote_user").is_some() => {
                    return Err(Diagnostic::error(
                        "playbook::user-twice",
                        "both 'user' and 'remote_user' are set for this play. The use of 'user' is deprecated, and should be \
                         removed",
                    )
                    .at(&entry.key.span)
                    .into());
                }
                "user" => own.remote_user = Some(value.clone()),
                "when" => {
                    return Err(Diagnostic::error(
                        "playbook::unknown-keyword",
                        "`when` is not a keyword of a play",
                    )
                    .at(&entry.key.span)
                    .hint("put it on a block, on the roles, or on `import_playbook`")
                    .into());
                }
                _ if own.take(entry)? => {}
                _ => {
                    return Err(unknown_keyword(
                        &entry.key,
                        "play",
                        PLAY_KEYWORDS.iter().chain(SHARED_KEYWORDS).copied(),
                    ));
                }
            }
        }
        // variables that come with an import are play variables, above the play's own; the outermost import wins
        if !inherited.vars.is_empty() {
            let mut vars = Map::new();
            for layer in [play.vars.as_ref()]
                .into_iter()
                .chain(inherited.vars.iter().rev().map(Arc::as_ref))
            {
                for (key, value) in layer {
                    vars.insert(key.clone(), value.clone());
                }
            }
            play.vars = Arc::new(vars);
        }
        let mut parent = inherited.clone();
        parent.vars.clear();
        play.keywords = parent.with_child(&own);
        self.set_play_vars(&play);
        self.fill(&mut play, node)?;
        Ok(play)
    }

    fn fill(&self, play: &mut Play, node: &Node) -> Result<()> {
        let around = Surroundings {
            keywords: play.keywords.clone(),
            role: None,
            handlers: false,
            stack: Vec::new(),
            notify: Vec::new(),
            depth: 0,
            trail: Arc::new(Trail::of_playbook(
                play.path.parent().unwrap_or(Path::new("")),
            )),
        };
        drop(self.take_imported());
        let part = |name: &str, around: &Surroundings| match node.get(name) {
            Some(list) => (self.items(list, around)).map_err(|e| malformed::in_part(name, e)),
            None => Ok(Vec::new()),
        };
        let pre = part("pre_tasks", &around)?;
        let mut main = Vec::new();
        let roles = node.get("roles");
        if let Some(other) = roles.filter(|roles| !roles.is_null() && roles.as_seq().is_none()) {
            return Err(malformed::no_role_list(other).into());
        }
        for entry in roles.map(nodes).unwrap_or_default() {
            let (request, own) = self.role_entry(&entry)?;
            let keywords = play.keywords.with_child(&own);
            let loaded = self.role(&request, &keywords, &[], &around.trail, &entry)?;
            main.extend(loaded.items);
            self.add_imported(loaded.handlers, loaded.all);
        }
        main.extend(part("tasks", &around)?);
        let post = part("post_tasks", &around)?;
        let own_handlers = part(
            "handlers",
            &Surroundings {
                handlers: true,
                ..around.clone()
            },
        )?;
        let (handlers, roles) = self.take_imported();
        play.handlers = handlers.into_iter().chain(own_handlers).collect();
        play.roles = roles;
        let force = play
            .force_handlers
            .as_ref()
            .and_then(|node| to_bool(&node.to_value()));
        play.sections = [pre, main, post]
            .into_iter()
            .map(|items| self.section(items, play, force))
            .collect();
        Ok(())
    }

    fn section(&self, items: Vec<Item>, play: &Play, force: Option<bool>) -> Section {
        let mut args = TaskArgs::default();
        args.set("_raw_params", Value::str("flush_handlers"), &play.span);
        let flush = Arc::new(Task::implicit(
            self.next_id(),
            "meta",
            &play.span,
            Keywords::default(),
            args,
        ));
        let forced = if items.is_empty() {
            Vec::new()
        } else {
            // a failed host still runs what it was notified of
            let mut block = self.wrap(&play.span, items.clone(), None);
            block.always = vec![Item::Task(Arc::clone(&flush))];
            vec![Item::Block(Arc::new(block))]
        };
        Section {
            items,
            forced,
            force,
            flush,
        }
    }

    /// The implicit gathering of facts at the beginning of a play.
    pub fn gather_task(&self, play: &Play) -> Arc<Task> {
        // conditions are those of an import: they hold for this too
        let mut keywords = play.keywords.clone();
        if keywords.tags.is_empty() {
            keywords.tags.push(Node::new(
                Kind::Str(crate::value::Text::data("always")),
                play.span.clone(),
            ));
        }
        // facts are each host's own
        keywords.run_once = None;
        let mut task = Task::implicit(
            self.next_id(),
            "gather_facts",
            &play.span,
            keywords,
            play.gather_args.clone(),
        );
        task.name = Some(Node::new(
            Kind::Str(crate::value::Text::data("Gathering Facts")),
            play.span.clone(),
        ));
        Arc::new(task)
    }
}
