//! A task's arguments as written.

use super::Result;
use crate::diag::{Diagnostic, Span};
use crate::value::{COMMAND_OPTIONS, Map, Text, Value};
use crate::yaml::{Entry, Kind, Node};

/// Arguments of a task's action: each value with its place. Values are not templated yet.
#[derive(Clone, Debug, Default)]
pub struct TaskArgs {
    /// In order; the free form of `command` and its like stands under `_raw_params`.
    pub members: Vec<Entry>,
    /// `args: "{{ mapping }}"`: more arguments, lower than the others.
    pub more: Option<Node>,
}

/// Actions whose free form is their own text, with the options that it may carry.
const FREE_FORM: &[(&str, &[&str])] = &[
    ("command", COMMAND_OPTIONS),
    ("shell", COMMAND_OPTIONS),
    (
        "script",
        &["creates", "removes", "chdir", "executable", "cmd"],
    ),
    ("raw", &["executable"]),
    ("win_command", &["creates", "removes", "chdir"]),
    ("win_shell", &["creates", "removes", "chdir", "executable"]),
];

/// Actions whose single free-form word is an argument of another name.
const FREE_WORD: &[(&str, &str)] = &[
    ("include_tasks", "file"),
    ("import_tasks", "file"),
    ("include", "file"),
    ("import_playbook", "file"),
    ("include_vars", "file"),
    ("meta", "_raw_params"),
    ("include_role", "name"),
    ("import_role", "name"),
];

/// The name without its collection, if that is one of Ansible's own.
pub(super) fn short(action: &str) -> &str {
    action
        .strip_prefix("ansible.builtin.")
        .or_else(|| action.strip_prefix("ansible.legacy."))
        .unwrap_or(action)
}

/// Whether the language itself gives an action a free form.
pub(super) fn is_free_form(action: &str) -> bool {
    let name = short(action);
    FREE_FORM.iter().any(|(known, _)| *known == name)
        || FREE_WORD.iter().any(|(known, _)| *known == name)
        || matches!(name, "add_host" | "group_by" | "set_fact")
}

impl TaskArgs {
    /// Reads the value of an action's key.
    pub(super) fn parse(action: &str, value: &Node) -> Result<Self> {
        let mut args = Self::default();
        match &value.kind {
            Kind::Null => {}
            Kind::Map(entries) => args.members.clone_from(entries),
            Kind::Str(text) => args.free_form(action, text, &value.span)?,
            Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) => {
                let text = Text::template(value.to_value().to_string());
                args.free_form(action, &text, &value.span)?;
            }
            Kind::Seq(_) => {
                return Err(Diagnostic::error(
                    "playbook::arguments",
                    format!(
                        "the arguments of `{action}` must be a mapping or a string, this is a list"
                    ),
                )
                .at(&value.span)
                .into());
            }
        }
        args.check_names(action)?;
        Ok(args)
    }

    /// No argument has a name of those that Ansible passes on by itself.
    fn check_names(&self, action: &str) -> Result<()> {
        if FREE_FORM.iter().any(|(known, _)| *known == short(action)) {
            return Ok(());
        }
        if matches!(short(action), "include_role" | "import_role") {
            self.check_files()?;
        }
        let reserved = |entry: &&Entry| {
            let name = entry.key.as_str();
            name.is_some_and(|name| name.starts_with("_ansible_"))
        };
        let Some(entry) = self.members.iter().find(reserved) else {
            return Ok(());
        };
        Err(Diagnostic::error(
            "playbook::arguments",
            format!(
                "Invalid parameter specified beginning with keyword '_ansible_' for action '{action}': '{}'. The prefix \
                 '_ansible_' is reserved for internal use only.",
                entry.key.as_str().unwrap_or_default()
            ),
        )
        .at(&entry.key.span)
        .into())
    }

    /// The names of a role's files are texts.
    fn check_files(&self) -> Result<()> {
        let names = ["tasks_from", "vars_from", "defaults_from", "handlers_from"];
        for entry in &self.members {
            let name = entry.key.as_str().unwrap_or_default();
            if names.contains(&name) && !matches!(entry.value.kind, Kind::Str(_)) {
                return Err(Diagnostic::error(
                    "playbook::arguments",
                    format!(
                        "Expected a string for {name} but got {} instead",
                        entry.value.describe()
                    ),
                )
                .at(&entry.value.span)
                .into());
            }
        }
        Ok(())
    }

    fn free_form(&mut self, action: &str, text: &Text, span: &Span) -> Result<()> {
        let name = short(action);
        let options = FREE_FORM.iter().find(|(n, _)| *n == name).map(|(_, o)| *o);
        let free_word = FREE_WORD.iter().find(|(n, _)| *n == name).map(|(_, w)| *w);
        let (rest, members) = crate::value::split_free_form(text, options).map_err(|message| {
            Diagnostic::error("playbook::arguments", message)
                .at(span)
                .hint("quote the value, or write the arguments as a mapping")
        })?;
        for (key, member) in members.str_iter() {
            self.set(key, member.clone(), span);
        }
        let whole = rest.as_str();
        let rest = rest.trim();
        if rest.is_empty() {
            return Ok(());
        }
        if matches!(name, "command" | "shell" | "raw") {
            // a command line is passed on as it is
            self.set("_raw_params", Value::str(whole), span);
        } else if options.is_some() {
            self.set("_raw_params", Value::str(rest), span);
        } else if is_one_template(rest) && members.is_empty() && free_word.is_none() {
            // `copy: "{{ arguments }}"`
            self.more = Some(Node::new(Kind::Str(Text::template(rest)), span.clone()));
        } else {
            self.set(free_word.unwrap_or("_raw_params"), Value::str(rest), span);
        }
        Ok(())
    }

    /// Sets an argument.
    pub fn set(&mut self, name: &str, value: Value, span: &Span) {
        self.members
            .retain(|entry| entry.key.as_str() != Some(name));
        self.members.push(Entry {
            key: Node::new(Kind::Str(Text::template(name)), span.clone()),
            value: Node::from_value(&value, span),
        });
    }

    /// Adds the members of an `args:` keyword; they are lower than what stands in the action itself.
    pub(super) fn add_keyword(&mut self, node: &Node) -> Result<()> {
        match &node.kind {
            Kind::Null => Ok(()),
            Kind::Map(entries) => {
                for entry in entries {
                    let name = entry.key.as_str().unwrap_or_default();
                    if self.get(name).is_none() {
                        self.members.push(entry.clone());
                    }
                }
                Ok(())
            }
            Kind::Str(_) => {
                self.more = Some(node.clone());
                Ok(())
            }
            _ => Err(Diagnostic::error(
                "playbook::arguments",
                format!("`args` must be a mapping, this is {}", node.describe()),
            )
            .at(&node.span)
            .into()),
        }
    }

    /// The argument of that name.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members
            .iter()
            .find(|entry| entry.key.as_str() == Some(name))
            .map(|entry| &entry.value)
    }

    /// The first of these arguments that is there, as a string.
    pub(super) fn word(&self, names: &[&str]) -> Option<(&str, &Node)> {
        names
            .iter()
            .find_map(|name| self.get(name))
            .and_then(|node| Some((node.as_str()?, node)))
    }

    /// The arguments as a mapping, not templated.
    pub fn to_map(&self) -> Map {
        self.members
            .iter()
            .map(|entry| (entry.key.to_value(), entry.value.to_value()))
            .collect()
    }
}

fn is_one_template(text: &str) -> bool {
    text.starts_with("{{") && text.ends_with("}}") && text.matches("{{").count() == 1
}
