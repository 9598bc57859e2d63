//! Keywords that plays, roles, blocks and tasks share, and how they are inherited.
//!
//! Source: Ansible's documentation, "Playbook Keywords".

use super::Result;
use crate::diag::{Diagnostic, did_you_mean};
use crate::value::{Map, Value};
use crate::yaml::{Entry, Kind, Node};
use std::sync::Arc;

/// Keywords of every level. A field holds what was written nearest to the task; the lists hold everything from
/// the play down to the task, outermost first.
#[derive(Clone, Debug, Default)]
pub struct Keywords {
    /// Fail every host when one fails.
    pub any_errors_fatal: Option<Node>,
    /// Become another user.
    pub r#become: Option<Node>,
    /// By which program.
    pub become_method: Option<Node>,
    /// Which user.
    pub become_user: Option<Node>,
    /// The program's path.
    pub become_exe: Option<Node>,
    /// The program's options.
    pub become_flags: Option<Node>,
    /// Force or forbid check mode.
    pub check_mode: Option<Node>,
    /// Show diffs.
    pub diff: Option<Node>,
    /// The kind of connection.
    pub connection: Option<Node>,
    /// Collections to look for modules and roles in, first to last.
    pub collections: Option<Vec<String>>,
    /// When to start the debugger.
    pub debugger: Option<Node>,
    /// Run it on this host instead.
    pub delegate_to: Option<Node>,
    /// Facts belong to that host.
    pub delegate_facts: Option<Node>,
    /// A failure does not fail the host.
    pub ignore_errors: Option<Node>,
    /// An unreachable host goes on.
    pub ignore_unreachable: Option<Node>,
    /// Hide results.
    pub no_log: Option<Node>,
    /// SSH port.
    pub port: Option<Node>,
    /// SSH user.
    pub remote_user: Option<Node>,
    /// One host for all.
    pub run_once: Option<Node>,
    /// At most so many hosts at once.
    pub throttle: Option<Node>,
    /// Seconds that the action may take.
    pub timeout: Option<Node>,
    /// Conditions: all must be true.
    pub when: Vec<Node>,
    /// Tags (each may be templated).
    pub tags: Vec<Node>,
    /// Environment variables: mappings, later ones win.
    pub environment: Vec<Node>,
    /// Default arguments of modules.
    pub module_defaults: Vec<Node>,
    /// Variables of blocks and the task, later ones win.
    pub vars: Vec<Arc<Map>>,
    /// Variables that came with an include; they win over nearly all.
    pub include_vars: Vec<Arc<Map>>,
    /// What templates hide that may come to `omit`, nearest first: then what is inherited counts.
    pub beneath: Vec<(&'static str, Node)>,
}

/// Keywords of a play besides the shared ones.
pub const PLAY_KEYWORDS: &[&str] = &[
    "hosts",
    "gather_facts",
    "gather_subset",
    "gather_timeout",
    "fact_path",
    "vars_files",
    "vars_prompt",
    "roles",
    "pre_tasks",
    "tasks",
    "post_tasks",
    "handlers",
    "force_handlers",
    "max_fail_percentage",
    "serial",
    "strategy",
    "order",
    "user",
];

/// Keywords of a task besides the shared ones.
pub const TASK_KEYWORDS: &[&str] = &[
    "action",
    "local_action",
    "args",
    "async",
    "poll",
    "changed_when",
    "failed_when",
    "until",
    "retries",
    "delay",
    "loop",
    "loop_control",
    "notify",
    "register",
    "listen",
    "first_available_file",
];

/// Keywords of every level, in the order of the documentation.
pub const SHARED_KEYWORDS: &[&str] = &[
    "name",
    "any_errors_fatal",
    "become",
    "become_exe",
    "become_flags",
    "become_method",
    "become_user",
    "check_mode",
    "collections",
    "connection",
    "debugger",
    "delegate_to",
    "delegate_facts",
    "diff",
    "environment",
    "ignore_errors",
    "ignore_unreachable",
    "module_defaults",
    "no_log",
    "port",
    "remote_user",
    "run_once",
    "tags",
    "throttle",
    "timeout",
    "vars",
    "when",
];

impl Keywords {
    /// Takes one entry if it is a shared keyword. `Ok(false)` if it is something else.
    pub(super) fn take(&mut self, entry: &Entry) -> Result<bool> {
        let value = entry.value.clone();
        let slot = match entry.key.as_str().unwrap_or_default() {
            "any_errors_fatal" => &mut self.any_errors_fatal,
            "become" => &mut self.r#become,
            "become_method" => &mut self.become_method,
            "become_user" => &mut self.become_user,
            "become_exe" => &mut self.become_exe,
            "become_flags" => &mut self.become_flags,
            "check_mode" => &mut self.check_mode,
            "diff" => &mut self.diff,
            "connection" => &mut self.connection,
            "debugger" => &mut self.debugger,
            "delegate_to" => &mut self.delegate_to,
            "delegate_facts" => &mut self.delegate_facts,
            "ignore_errors" => &mut self.ignore_errors,
            "ignore_unreachable" => &mut self.ignore_unreachable,
            "no_log" => &mut self.no_log,
            "port" => &mut self.port,
            "remote_user" => &mut self.remote_user,
            "run_once" => &mut self.run_once,
            "throttle" => &mut self.throttle,
            "timeout" => &mut self.timeout,
            "when" => {
                extend_list(&mut self.when, super::task::refuse_mappings("when", value)?);
                return Ok(true);
            }
            "tags" => {
                extend_list(&mut self.tags, value);
                return Ok(true);
            }
            "environment" => {
                extend_list(&mut self.environment, value);
                return Ok(true);
            }
            "module_defaults" => {
                extend_list(&mut self.module_defaults, value);
                return Ok(true);
            }
            "vars" => {
                if let Some(map) = vars_of(&entry.value)? {
                    self.vars.push(map);
                }
                return Ok(true);
            }
            "collections" => {
                self.collections = Some(super::library::collections_of(&value));
                return Ok(true);
            }
            _ => return Ok(false),
        };
        *slot = Some(value);
        Ok(true)
    }

    /// These keywords as a child with its own on top sees them.
    #[must_use]
    pub fn with_child(&self, child: &Self) -> Self {
        let mut beneath = child.beneath.clone();
        beneath.extend(self.beneath.iter().cloned());
        let mut pick = |name: &'static str, own: &Option<Node>, parent: &Option<Node>| {
            let Some(own) = own else {
                return parent.clone();
            };
            if let Some(parent) = parent
                && own.as_str().is_some_and(|text| text.contains("{{"))
            {
                beneath.insert(child.beneath.len(), (name, parent.clone()));
            }
            Some(own.clone())
        };
        let join = |parent: &[Node], own: &[Node]| [parent, own].concat();
        let mut merged = Self {
            any_errors_fatal: pick(
                "any_errors_fatal",
                &child.any_errors_fatal,
                &self.any_errors_fatal,
            ),
            r#become: pick("become", &child.r#become, &self.r#become),
            become_method: pick("become_method", &child.become_method, &self.become_method),
            become_user: pick("become_user", &child.become_user, &self.become_user),
            become_exe: pick("become_exe", &child.become_exe, &self.become_exe),
            become_flags: pick("become_flags", &child.become_flags, &self.become_flags),
            check_mode: pick("check_mode", &child.check_mode, &self.check_mode),
            diff: pick("diff", &child.diff, &self.diff),
            connection: pick("connection", &child.connection, &self.connection),
            collections: child
                .collections
                .clone()
                .or_else(|| self.collections.clone()),
            debugger: pick("debugger", &child.debugger, &self.debugger),
            delegate_to: pick("delegate_to", &child.delegate_to, &self.delegate_to),
            delegate_facts: pick(
                "delegate_facts",
                &child.delegate_facts,
                &self.delegate_facts,
            ),
            ignore_errors: pick("ignore_errors", &child.ignore_errors, &self.ignore_errors),
            ignore_unreachable: pick(
                "ignore_unreachable",
                &child.ignore_unreachable,
                &self.ignore_unreachable,
            ),
            no_log: pick("no_log", &child.no_log, &self.no_log),
            port: pick("port", &child.port, &self.port),
            remote_user: pick("remote_user", &child.remote_user, &self.remote_user),
            run_once: pick("run_once", &child.run_once, &self.run_once),
            throttle: pick("throttle", &child.throttle, &self.throttle),
            timeout: pick("timeout", &child.timeout, &self.timeout),
            when: join(&self.when, &child.when),
            tags: join(&self.tags, &child.tags),
            environment: join(&self.environment, &child.environment),
            module_defaults: join(&self.module_defaults, &child.module_defaults),
            vars: [self.vars.as_slice(), child.vars.as_slice()].concat(),
            include_vars: [self.include_vars.as_slice(), child.include_vars.as_slice()].concat(),
            beneath: Vec::new(),
        };
        merged.beneath = beneath;
        merged
    }

    /// What a dynamic include hands down: what surrounds it (`around`), and its variables. Its
    /// condition, tags and loop are its own.
    #[must_use]
    pub fn for_included(&self, around: &Self) -> Self {
        Self {
            vars: self.vars.clone(),
            include_vars: self.include_vars.clone(),
            ..around.clone()
        }
    }

    /// What a role asked for by a task is under: the parameters of the role that the task is of win over the task's `vars`.
    #[must_use]
    pub fn with_params_of(mut self, role: Option<&super::Role>) -> Self {
        let params = role
            .map(|role| &role.params)
            .filter(|params| !params.is_empty());
        self.include_vars.extend(params.map(Arc::clone));
        self
    }
}

fn extend_list(list: &mut Vec<Node>, value: Node) {
    match value.kind {
        Kind::Null => {}
        Kind::Seq(items) => list.extend(items),
        _ => list.push(value),
    }
}

/// A `vars:` value: a mapping, or (old) a list of mappings.
pub(super) fn vars_of(node: &Node) -> Result<Option<Arc<Map>>> {
    match &node.kind {
        Kind::Null => Ok(None),
        Kind::Map(entries) => {
            for entry in entries {
                check_name(&entry.key)?;
            }
            Ok(match node.to_value() {
                Value::Map(map) => Some(map),
                _ => None,
            })
        }
        Kind::Seq(items) => {
            let mut all = Map::new();
            for item in items {
                for (key, value) in vars_of(item)?.iter().flat_map(|map| map.iter()) {
                    all.insert(key.clone(), value.clone());
                }
            }
            Ok(Some(Arc::new(all)))
        }
        _ => Err(Diagnostic::error(
            "playbook::vars-not-a-mapping",
            format!(
                "`vars` must be a mapping of names to values, this is {}",
                node.describe()
            ),
        )
        .at(&node.span)
        .into()),
    }
}

/// Checks a variable's name: letters, digits and underscores, not beginning with a digit.
pub(super) fn check_name(key: &Node) -> Result<()> {
    let name = key.as_str().unwrap_or_default();
    let mut chars = name.chars();
    let good = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_');
    if good {
        return Ok(());
    }
    Err(Diagnostic::error(
        "playbook::variable-name",
        format!("`{}` is not a variable name", key.to_value()),
    )
    .at(&key.span)
    .hint("names are letters, digits and underscores, and do not begin with a digit")
    .into())
}

/// The error for a key that is nothing known.
pub(super) fn unknown_keyword<'a>(
    key: &Node,
    what: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Box<Diagnostic> {
    let name = key.to_value().to_string();
    Diagnostic::error(
        "playbook::unknown-keyword",
        format!("`{name}` is not a keyword of a {what}"),
    )
    .at(&key.span)
    .maybe_hint(did_you_mean(&name, known))
    .into()
}
