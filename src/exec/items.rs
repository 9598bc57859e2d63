//! A task's loop: its items, their variables, their labels.
//!
//! Source: Ansible's documentation, "Loops".

use super::fault::Fault;
use super::run::Run;
use crate::playbook::{LoopKind, Task};
use crate::template::{Context, TemplateError};
use crate::value::{Map, Text, Value, to_bool};
use crate::yaml::{Kind, Node};

/// `loop_control`, templated where it is known before the items.
#[derive(Clone, Debug)]
pub(crate) struct LoopControl {
    pub var: String,
    pub index_var: Option<String>,
    pub label: Option<Node>,
    pub pause: Option<f64>,
    pub extended: bool,
    pub all_items: bool,
    pub break_when: Vec<Node>,
}

/// Words of `loop_control`.
const WORDS: &[&str] = &[
    "loop_var",
    "index_var",
    "label",
    "pause",
    "extended",
    "extended_allitems",
    "break_when",
];

impl Run {
    pub(crate) fn loop_control(&self, task: &Task, cx: &Context) -> Result<LoopControl, Fault> {
        let mut control = LoopControl {
            var: "item".into(),
            index_var: None,
            label: None,
            pause: None,
            extended: false,
            all_items: true,
            break_when: Vec::new(),
        };
        let Some(node) = &task.loop_control else {
            return Ok(control);
        };
        let Some(entries) = node.as_map() else {
            return Err(Fault::at(
                format!(
                    "`loop_control` must be a mapping, this is {}",
                    node.describe()
                ),
                &node.span,
            ));
        };
        for entry in entries {
            let text =
                || Ok::<_, Fault>(self.keyword(Some(&entry.value), cx)?.map(|v| v.to_string()));
            match entry.key.as_str().unwrap_or_default() {
                "loop_var" => control.var = text()?.unwrap_or_else(|| "item".into()),
                "index_var" => control.index_var = text()?,
                "label" => control.label = Some(entry.value.clone()),
                "pause" => control.pause = self.number("pause", Some(&entry.value), cx)?,
                "extended" => {
                    control.extended = self
                        .flag("extended", Some(&entry.value), cx)?
                        .unwrap_or(false);
                }
                "extended_allitems" => {
                    control.all_items = self
                        .flag("extended_allitems", Some(&entry.value), cx)?
                        .unwrap_or(true);
                }
                "break_when" => match &entry.value.kind {
                    Kind::Seq(items) => control.break_when.clone_from(items),
                    _ => control.break_when.push(entry.value.clone()),
                },
                other => {
                    return Err(Fault(
                        crate::diag::Diagnostic::error(
                            "task::loop-control",
                            format!("`{other}` is not a word of `loop_control`"),
                        )
                        .at(&entry.key.span)
                        .maybe_hint(crate::diag::did_you_mean(other, WORDS.iter().copied()))
                        .into(),
                    ));
                }
            }
        }
        Ok(control)
    }

    /// The items of a task's loop, `None` if it has none.
    pub(crate) fn items_of(&self, task: &Task, cx: &Context) -> Result<Option<Vec<Value>>, Fault> {
        let Some((kind, node)) = &task.items else {
            return Ok(None);
        };
        let value = self.terms(kind, node, cx)?;
        match kind {
            LoopKind::Loop => match value {
                Value::List(items) => Ok(Some(items.to_vec())),
                other => Err(Fault(
                    crate::diag::Diagnostic::error(
                        "task::loop",
                        format!(
                            "`loop` needs a list, this is a {}: {other}",
                            other.type_name()
                        ),
                    )
                    .at(&node.span)
                    .hint("for a mapping, use `| dict2items`; for one item, write `[item]`")
                    .into(),
                )),
            },
            LoopKind::With(lookup) => {
                let mut options = Map::new();
                if lookup.ends_with("first_found") {
                    options.set("_subdir", subdir(&task.action));
                }
                self.templar
                    .lookup(lookup, value, options, cx)
                    .map(Some)
                    .map_err(|e| Fault::template(&e, node))
            }
        }
    }

    /// What stands after `loop` or `with_…`, templated. A bare name of a variable is the variable.
    fn terms(&self, kind: &LoopKind, node: &Node, cx: &Context) -> Result<Value, Fault> {
        let bare = |text: &Text| {
            let word = text.trim();
            let first = word.split(['.', '[']).next().unwrap_or_default();
            let name = !first.is_empty()
                && first.chars().all(|c| c.is_alphanumeric() || c == '_')
                && word
                    .chars()
                    .all(|c| c.is_alphanumeric() || "_.[]'\"".contains(c));
            name && cx.scope().get(first).is_some()
        };
        match (&node.kind, kind) {
            (Kind::Str(text), LoopKind::With(_)) if !text.contains("{{") && bare(text) => self
                .templar
                .expression(text.trim(), cx)
                .map_err(|e| Fault::template(&e, node)),
            // an undefined file name is one that is not there
            (Kind::Seq(items), LoopKind::With(name)) if name.ends_with("first_found") => {
                let mut terms = Vec::new();
                for item in items {
                    terms.extend(
                        self.defined(&item.to_value(), cx)
                            .map_err(|error| Fault::template(&error, item))?,
                    );
                }
                Ok(Value::list(terms))
            }
            (Kind::Seq(items), _) => {
                let mut terms = Vec::new();
                for item in items {
                    let value = self.templar.render(&item.to_value(), cx);
                    terms.push(value.map_err(|e| Fault::template(&e, item))?);
                }
                Ok(Value::list(terms))
            }
            _ => self
                .templar
                .render(&node.to_value(), cx)
                .map_err(|e| Fault::template(&e, node)),
        }
    }
}

impl Run {
    /// The value with its templates expanded, without the strings that use something undefined.
    fn defined(&self, value: &Value, cx: &Context) -> Result<Option<Value>, TemplateError> {
        match value {
            Value::List(items) => {
                let mut kept = Vec::new();
                for item in items.iter() {
                    kept.extend(self.defined(item, cx)?);
                }
                Ok(Some(Value::list(kept)))
            }
            Value::Map(map) => {
                let mut kept = Map::new();
                for (key, value) in map.iter() {
                    if let Some(value) = self.defined(value, cx)? {
                        kept.insert(key.clone(), value);
                    }
                }
                Ok(Some(Value::map(kept)))
            }
            other => match self.templar.render(other, cx) {
                Ok(value) => Ok(Some(value)),
                Err(error) if error.is_undefined() => Ok(None),
                Err(error) => Err(error),
            },
        }
    }
}

/// Where a task's files are looked for: what its action is called says so.
fn subdir(action: &str) -> &'static str {
    if action.contains("template") {
        "templates"
    } else if action.contains("var") {
        "vars"
    } else {
        "files"
    }
}

impl LoopControl {
    /// What a result says of its item.
    pub(crate) fn told(&self, items: &[Value], index: usize) -> Map {
        let mut map = Map::new();
        map.set("ansible_loop_var", self.var.as_str());
        map.set(&self.var, items.get(index).cloned().unwrap_or_default());
        if let Some(name) = &self.index_var {
            map.set("ansible_index_var", name.as_str());
            map.set(name, index);
        }
        if self.extended {
            map.set("ansible_loop", self.extent(items, index));
        }
        map
    }

    /// `ansible_loop`: where the loop is.
    fn extent(&self, items: &[Value], index: usize) -> Map {
        let length = items.len();
        let mut extended = Map::new();
        if self.all_items {
            extended.set("allitems", Value::list(items.to_vec()));
        }
        extended.set("index", index + 1);
        extended.set("index0", index);
        extended.set("first", index == 0);
        extended.set("last", index + 1 == length);
        extended.set("length", length);
        extended.set("revindex", length.saturating_sub(index));
        extended.set("revindex0", length.saturating_sub(index + 1));
        if let Some(next) = items.get(index + 1) {
            extended.set("nextitem", next.clone());
        }
        if let Some(before) = index.checked_sub(1).and_then(|i| items.get(i)) {
            extended.set("previtem", before.clone());
        }
        extended
    }

    /// The variables that an item brings.
    pub(crate) fn locals(&self, items: &[Value], index: usize) -> Map {
        let mut map = Map::new();
        map.set("ansible_loop_var", self.var.as_str());
        map.set(&self.var, items.get(index).cloned().unwrap_or_default());
        if let Some(name) = &self.index_var {
            map.set(name, index);
            map.set("ansible_index_var", name.as_str());
        }
        if self.extended {
            map.set("ansible_loop", self.extent(items, index));
        }
        map
    }
}

/// What a line shows of an item when nothing else is said.
pub(crate) fn plain_label(item: &Value) -> String {
    match item {
        Value::Map(map)
            if to_bool(map.get("_ansible_no_log").unwrap_or(&Value::Null)) == Some(true) =>
        {
            "(censored)".into()
        }
        other => other.to_string(),
    }
}
