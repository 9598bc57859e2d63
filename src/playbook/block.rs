//! Blocks and task lists.

use super::task::Surroundings;
use super::{Keywords, Loader, Result, Role, Task, malformed};
use crate::diag::{Diagnostic, Span};
use crate::yaml::{Kind, Node};
use std::sync::Arc;

/// One entry of a task list.
#[derive(Clone, Debug)]
pub enum Item {
    /// A task.
    Task(Arc<Task>),
    /// A block, an expanded import, or a role.
    Block(Arc<Block>),
}

/// Tasks that belong together, with what to do when one fails.
#[derive(Clone, Debug)]
pub struct Block {
    /// Unique in the run.
    pub id: u64,
    /// Where it is written.
    pub span: Span,
    /// The tasks.
    pub block: Vec<Item>,
    /// What runs when one of them failed.
    pub rescue: Vec<Item>,
    /// What runs in any case.
    pub always: Vec<Item>,
    /// The role that it belongs to.
    pub role: Option<Arc<Role>>,
    /// Whether it is the whole of that role: what counts for running a role once.
    pub role_start: bool,
}

impl Item {
    /// All tasks in it, in order of writing.
    pub fn tasks(&self) -> Vec<Arc<Task>> {
        match self {
            Self::Task(task) => vec![Arc::clone(task)],
            Self::Block(block) => [&block.block, &block.rescue, &block.always]
                .into_iter()
                .flatten()
                .flat_map(Item::tasks)
                .collect(),
        }
    }

    /// The item with only those tasks that pass, `None` if none is left.
    pub fn filter(&self, keep: &dyn Fn(&Task) -> bool) -> Option<Self> {
        match self {
            Self::Task(task) => keep(task).then(|| self.clone()),
            Self::Block(block) => {
                let part = |items: &[Self]| -> Vec<Self> {
                    items.iter().filter_map(|item| item.filter(keep)).collect()
                };
                let kept = Block {
                    block: part(&block.block),
                    rescue: part(&block.rescue),
                    always: part(&block.always),
                    ..(**block).clone()
                };
                let empty =
                    kept.block.is_empty() && kept.rescue.is_empty() && kept.always.is_empty();
                (!empty).then(|| Self::Block(Arc::new(kept)))
            }
        }
    }
}

fn is_block(entry: &Node) -> bool {
    ["block", "rescue", "always"]
        .iter()
        .any(|key| entry.entry(key).is_some())
}

fn no_handler(block: &Node) -> Diagnostic {
    Diagnostic::error("playbook::handler-block", "a block cannot be a handler")
        .at(&block.span)
        .hint("put its tasks into a file, and include that with a handler")
}

impl Loader {
    /// Reads a list of tasks and blocks.
    pub(super) fn items(&self, node: &Node, around: &Surroundings) -> Result<Vec<Item>> {
        let list = match &node.kind {
            Kind::Null => return Ok(Vec::new()),
            Kind::Seq(items) => items,
            _ => {
                return Err(malformed::no_task_list(node).into());
            }
        };
        let mut items = Vec::new();
        for entry in list {
            if entry.is_null() {
                continue;
            }
            let is_block = is_block(entry);
            if is_block && around.handlers && around.depth > 0 {
                items.extend(self.handlers_of_block(entry, around)?);
                continue;
            }
            if is_block && around.handlers {
                return Err(no_handler(entry).into());
            }
            if is_block {
                items.push(self.block(entry, around)?);
                continue;
            }
            let task = self.task(entry, around)?;
            match task.short_action() {
                "import_tasks" => items.push(self.import_tasks(&task, around)?),
                "import_role" => items.push(self.import_role(&task, around)?),
                "include" => items.push(self.legacy_include(task, around)?),
                _ => items.push(Item::Task(Arc::new(task))),
            }
        }
        Ok(items)
    }

    /// The tasks of a block in a file that a handler includes: they run one by one, so there is no rescue.
    fn handlers_of_block(&self, entry: &Node, around: &Surroundings) -> Result<Vec<Item>> {
        for part in ["rescue", "always"] {
            if let Some(part_entry) = entry.entry(part) {
                self.warn(
                    Diagnostic::warning(
                        "playbook::handler-block",
                        format!("`{part}` has no effect among handlers"),
                    )
                    .at(&part_entry.key.span),
                );
            }
        }
        let inside = entry.get("block").and_then(Node::as_seq);
        if let Some(nested) = (inside.into_iter().flatten()).find(|entry| is_block(entry)) {
            return Err(no_handler(nested).into());
        }
        match self.block(entry, around)? {
            Item::Block(block) => Ok(block.block.clone()),
            other @ Item::Task(_) => Ok(vec![other]),
        }
    }

    /// The keywords of a mapping that holds nothing else (`apply`).
    ///
    /// # Errors
    /// When something else stands in it.
    pub fn keywords(&self, node: &Node) -> Result<Keywords> {
        let mut own = Keywords::default();
        for entry in node.as_map().unwrap_or_default() {
            // what the included tasks notify is no keyword of theirs alone
            if entry.key.as_str() != Some("notify") && !own.take(entry)? {
                return Err(super::keywords::unknown_keyword(
                    &entry.key,
                    "block",
                    super::keywords::SHARED_KEYWORDS.iter().copied(),
                ));
            }
        }
        Ok(own)
    }

    fn block(&self, node: &Node, around: &Surroundings) -> Result<Item> {
        let mut own = Keywords::default();
        let mut notify = around.notify.clone();
        for entry in node.as_map().unwrap_or_default() {
            match entry.key.as_str().unwrap_or_default() {
                "block" | "rescue" | "always" | "name" => {}
                "notify" => match &entry.value.kind {
                    Kind::Seq(items) => notify.extend(items.iter().cloned()),
                    _ => notify.push(entry.value.clone()),
                },
                _ if own.take(entry)? => {}
                "loop" | "until" | "register" | "loop_control" | "retries" => {
                    return Err(Diagnostic::error(
                        "playbook::unknown-keyword",
                        format!("`{}` is not a keyword of a block", entry.key.to_value()),
                    )
                    .at(&entry.key.span)
                    .hint("put the tasks into a file of their own and use it with `include_tasks`")
                    .into());
                }
                _ => {
                    return Err(super::keywords::unknown_keyword(
                        &entry.key,
                        "block",
                        super::keywords::SHARED_KEYWORDS
                            .iter()
                            .copied()
                            .chain(["block", "rescue", "always", "notify"]),
                    ));
                }
            }
        }
        if node.entry("block").is_none() {
            return Err(Diagnostic::error(
                "playbook::no-block",
                "`rescue` and `always` need a `block` beside them",
            )
            .at(&node.span)
            .into());
        }
        let inside = Surroundings {
            keywords: around.keywords.with_child(&own),
            notify,
            ..around.clone()
        };
        let part = |name: &str| match node.get(name) {
            Some(list) => (self.items(list, &inside)).map_err(|e| malformed::in_part(name, e)),
            None => Ok(Vec::new()),
        };
        Ok(Item::Block(Arc::new(Block {
            rescue: part("rescue")?,
            always: part("always")?,
            ..self.wrap(&node.span, part("block")?, around.role.clone())
        })))
    }
}
