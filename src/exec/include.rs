//! Dynamic includes: files and roles that tasks bring while the play runs.
//!
//! Source: Ansible's documentation, "Re-using Ansible artifacts".

use super::censor::censored;
use super::fault::Fault;
use super::linear::Cursors;
use super::play::{PlayState, with_roles};
use super::run::Run;
use super::scope::{StaticScope, role_layers};
use crate::diag::Diagnostic;
use crate::playbook::{Item, Keywords, RoleRequest, Task};
use crate::result::{Event, Outcome, Status, TaskInfo};
use crate::template::{Context, FileContext};
use crate::value::{Map, Value};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

/// What a host wants included.
#[derive(Clone, Debug)]
pub(crate) struct Include {
    pub what: What,
    /// Variables of the include (its `vars`, the loop's item).
    pub vars: Map,
    /// The item's label, in a loop.
    pub item: Option<String>,
    /// Whether nothing is to be told of it.
    pub no_log: bool,
}

/// The kinds of things.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A file, and the name that it was called by.
    Tasks(PathBuf, String),
    Role(Box<RoleRequest>),
    /// A file that is not there, what it was called, and what is said of it. As in Ansible, that is found out when the
    /// loop is over.
    Missing(String, Box<Diagnostic>),
}

impl What {
    fn label(&self) -> String {
        match self {
            Self::Tasks(path, _) => path.display().to_string(),
            Self::Role(request) => request.name.clone(),
            Self::Missing(name, _) => name.clone(),
        }
    }
}

impl Include {
    /// Two hosts with the same key get the same tasks, and are kept in step in them.
    fn key(&self) -> String {
        let what = match &self.what {
            What::Tasks(path, _) => path.display().to_string(),
            What::Role(request) => format!("role {request:?}"),
            What::Missing(name, _) => format!("missing {name}"),
        };
        format!("{what} {:?}", self.vars)
    }
}

struct Wanted {
    include: Include,
    hosts: Vec<Arc<str>>,
}

/// Whether something is wrong with how a file is written: that ends the run, where a file that is not there only fails
/// the hosts that want it.
fn is_of_language(error: &Diagnostic) -> bool {
    (error.code.starts_with("playbook::") || error.code.starts_with("yaml::"))
        && !is_missing(error.code)
}

/// Whether this is the code of an error about something to include that is not there, which nothing ignores.
fn is_missing(code: &str) -> bool {
    let codes = [
        "playbook::file",
        "playbook::role-not-found",
        "playbook::role-file",
        "playbook::include-loop",
        "playbook::role-loop",
    ];
    codes.contains(&code)
}

impl Run {
    /// What a task on a host wants included. `cx` has the loop's item.
    pub(crate) fn wants(&self, task: &Task, cx: &Context, item: Map) -> Result<Include, Fault> {
        let render = |node: &crate::yaml::Node| {
            let value = self
                .templar
                .render(&node.to_value(), cx)
                .map_err(|e| Fault::template(&e, node).0)?;
            Ok(value.to_string())
        };
        let what = if task.short_action() == "include_role" {
            What::Role(Box::new(
                self.loader.role_request(task, render).map_err(Fault)?,
            ))
        } else {
            let node = task
                .args
                .get("file")
                .or_else(|| task.args.get("_raw_params"))
                .ok_or_else(|| {
                    Fault::at(
                        "`include_tasks` needs the argument `file`",
                        &task.action_span,
                    )
                })?;
            let name = render(node).map_err(Fault)?;
            match self.loader.task_file(&name, task, node, false) {
                Ok(path) => What::Tasks(path, name),
                Err(missing) => What::Missing(name, missing),
            }
        };
        Ok(Include {
            what,
            vars: item,
            item: None,
            no_log: false,
        })
    }

    /// Reads what hosts want and puts it next for them. Returns how many hosts were lost over it; those that failed
    /// are added to `failing`.
    pub(crate) fn include(
        self: &Arc<Self>,
        state: &Arc<PlayState>,
        cursors: &mut Cursors,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        wants: Vec<(Arc<str>, Vec<Include>)>,
        failing: &mut Vec<Arc<str>>,
    ) -> Result<usize, Box<Diagnostic>> {
        let mut list: Vec<Wanted> = Vec::new();
        let mut keys: Vec<String> = Vec::new();
        for (host, includes) in &wants {
            for include in includes {
                let key = include.key();
                // a host that wants the same twice (equal items of a loop) gets it twice
                let same = (list.iter_mut().zip(&keys))
                    .find(|(wanted, known)| **known == key && !wanted.hosts.contains(host));
                if let Some((wanted, _)) = same {
                    wanted.hosts.push(Arc::clone(host));
                } else {
                    keys.push(key);
                    list.push(Wanted {
                        include: include.clone(),
                        hosts: vec![Arc::clone(host)],
                    });
                }
            }
        }
        let mut lost = 0;
        let mut brought: Vec<(u32, Vec<Arc<str>>, Vec<Item>)> = Vec::new();
        let mut failed: Vec<Arc<str>> = Vec::new();
        for (label, wanted) in list.into_iter().enumerate() {
            match self.read_include(state, task, &wanted) {
                Ok(items) => {
                    self.emitter.emit(&Event::Included {
                        task: Arc::clone(info),
                        what: wanted.include.what.label(),
                        hosts: wanted.hosts.iter().map(ToString::to_string).collect(),
                        item: wanted.include.item.clone(),
                    });
                    brought.push((
                        u32::try_from(label).unwrap_or(u32::MAX),
                        wanted.hosts,
                        items,
                    ));
                }
                Err(error) if is_of_language(&error) => return Err(error),
                Err(error) => {
                    let mut outcome = Fault(error).outcome();
                    if let What::Missing(name, _) = &wanted.include.what {
                        outcome.data.set("include", name.as_str());
                    }
                    let looped = wanted.include.item.is_some();
                    if looped {
                        outcome.data.set("results", Value::list(Vec::new()));
                    }
                    if wanted.include.no_log {
                        outcome = censored(&outcome);
                    }
                    let outcome = Arc::new(outcome);
                    for host in wanted.hosts {
                        // each item counts
                        self.emitter.emit(&Event::TaskDone {
                            task: Arc::clone(info),
                            host: host.to_string(),
                            status: Status::Failed,
                            outcome: Arc::<Outcome>::clone(&outcome),
                            delegated_to: None,
                            elapsed_ms: 0,
                            looped,
                            quiet: false,
                        });
                        if !failed.contains(&host) {
                            failed.push(host);
                        }
                    }
                }
            }
        }
        for warning in self.loader.take_warnings() {
            self.emitter.warn(warning.to_string());
        }
        for (host, _) in &wants {
            let Some(cursor) = cursors.get_mut(host) else {
                continue;
            };
            if failed.contains(host) {
                failing.push(Arc::clone(host));
                state.remove(host);
                self.lost().later.insert(Arc::clone(host));
                if cursor.fail() == crate::plan::Failure::Final {
                    self.lost().failed.insert(Arc::clone(host));
                    lost += usize::from(cursor.next().is_none());
                }
                continue;
            }
            let items: Vec<(u32, Item)> = brought
                .iter()
                .filter(|(_, hosts, _)| hosts.contains(host))
                .flat_map(|(label, _, items)| {
                    items.iter().enumerate().map(move |(i, item)| {
                        // labels order includes first, then their items
                        let place =
                            label.saturating_mul(1 << 16) + u32::try_from(i).unwrap_or(u32::MAX);
                        (place, item.clone())
                    })
                })
                .collect();
            cursor.include(Arc::new(items));
        }
        Ok(lost)
    }

    fn read_include(
        &self,
        state: &Arc<PlayState>,
        task: &Arc<Task>,
        wanted: &Wanted,
    ) -> Result<Vec<Item>, Box<Diagnostic>> {
        let mut apply = Keywords::default();
        if let Some(node) = task.args.get("apply") {
            apply = self.loader.keywords(node)?;
        }
        let mut keywords = task.keywords.for_included(&task.around);
        // the include's own variables win over nearly all; those of blocks around it stay what they are
        let inherited = task.around.vars.len().min(keywords.vars.len());
        let own = keywords.vars.split_off(inherited);
        let mut vars = Map::new();
        for layer in own.iter().map(Arc::as_ref).chain([&wanted.include.vars]) {
            for (key, value) in layer {
                vars.insert(key.clone(), value.clone());
            }
        }
        if !vars.is_empty() {
            keywords.include_vars.push(Arc::new(vars));
        }
        let keywords = keywords.with_child(&apply);
        let items = match &wanted.include.what {
            What::Tasks(path, name) => self.loader.include_tasks(path, name, keywords, task)?,
            What::Role(request) => {
                let keywords = keywords.with_params_of(task.role.as_deref());
                self.read_role(state, task, request, &keywords)?
            }
            What::Missing(_, problem) => return Err(problem.clone()),
        };
        let statics: Vec<Arc<Map>> = vec![Arc::clone(&state.play.vars), self.extra()];
        let cx = Context::new(
            Arc::new(StaticScope(statics)),
            Arc::new(FileContext::default()),
        );
        Ok(items
            .iter()
            .filter_map(|item| item.filter(&|task| self.selects(task, &cx)))
            .collect())
    }

    fn read_role(
        &self,
        state: &Arc<PlayState>,
        task: &Arc<Task>,
        request: &RoleRequest,
        keywords: &Keywords,
    ) -> Result<Vec<Item>, Box<Diagnostic>> {
        let parents: Vec<_> = task
            .role
            .iter()
            .flat_map(|role| role.parents.iter().cloned().chain([Arc::clone(role)]))
            .collect();
        let at = task
            .args
            .get("name")
            .or_else(|| task.args.get("role"))
            .cloned();
        let at = at
            .unwrap_or_else(|| crate::yaml::Node::new(crate::yaml::Kind::Null, task.span.clone()));
        drop(self.loader.take_imported());
        let loaded = self
            .loader
            .role(request, keywords, &parents, &task.trail, &at)?;
        let (imported, roles) = self.loader.take_imported();
        let magic = (*state.magic()).clone();
        state.set_magic(with_roles(with_roles(magic, &roles), &loaded.all));
        let handlers: Vec<Arc<Task>> = loaded
            .handlers
            .iter()
            .chain(&imported)
            .flat_map(Item::tasks)
            .collect();
        if !handlers.is_empty() {
            let mut known = state
                .handlers
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            let mut all = (**known).clone();
            // the same role included again brings the same handlers again: who is meant by a name is the last one, so
            // the others can go, unless handlers run right now and are known by their places
            if !task.handler {
                all.retain(|old| {
                    old.name.is_none()
                        || !handlers.iter().any(|new| {
                            old.span == new.span
                                && old.keywords.include_vars.len()
                                    == new.keywords.include_vars.len()
                        })
                });
            }
            all.extend(handlers);
            *known = Arc::new(all);
        }
        let public = (request.public).unwrap_or(self.options.private_role_vars == Some(false));
        if public {
            let mut layers = Vec::new();
            for role in &loaded.all {
                layers.extend(role_layers(role, &role.defaults));
            }
            state.add_layers(layers);
        }
        Ok(loaded.items)
    }
}
