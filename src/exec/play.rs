//! A play: its hosts, its batches, the variables that all its tasks share.
//!
//! Source: Ansible's documentation, "Controlling playbook execution: strategies and more".

use super::fault::Fault;
use super::free::Strategy;
use super::run::Run;
use super::scope::StaticScope;
use crate::diag::Diagnostic;
use crate::inventory::HostOrder;
use crate::playbook::{Item, Play, Task, tag_words};
use crate::result::Event;
use crate::template::{Context, FileContext};
use crate::value::{Map, Value, strip_omitted, to_bool};
use crate::vars::{Layer, Level, PlayMagic};
use crate::yaml::Node;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock};

/// A play while it runs.
pub(crate) struct PlayState {
    pub play: Play,
    pub dir: PathBuf,
    pub handlers: RwLock<Arc<Vec<Arc<Task>>>>,
    magic: RwLock<Arc<PlayMagic>>,
    shared: RwLock<Vec<Layer>>,
    /// `vars_files` whose names depend on the host.
    host_files: Vec<Vec<Node>>,
    /// Hosts that `meta: end_host` took out.
    pub gone: RwLock<Vec<Arc<str>>>,
    /// How hosts go through it.
    pub strategy: Strategy,
    /// The hosts that the batch began with.
    batch: RwLock<Arc<[Arc<str>]>>,
}

impl PlayState {
    pub(crate) fn magic(&self) -> Arc<PlayMagic> {
        Arc::clone(&self.magic.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_magic(&self, magic: PlayMagic) {
        *self.magic.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(magic);
    }

    /// The hosts that the batch began with.
    pub(crate) fn batch(&self) -> Arc<[Arc<str>]> {
        Arc::clone(&self.batch.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set_batch(&self, hosts: &[Arc<str>]) {
        *self.batch.write().unwrap_or_else(PoisonError::into_inner) = hosts.into();
    }

    /// Adds layers that later tasks see too (a public `include_role`).
    pub(crate) fn add_layers(&self, layers: Vec<Layer>) {
        self.shared
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(layers);
    }

    /// The play's layers as a host sees them.
    pub(crate) fn layers(&self, run: &Run, host: &str) -> Result<Vec<Layer>, Box<Diagnostic>> {
        let mut layers = self
            .shared
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if self.host_files.is_empty() {
            return Ok(layers);
        }
        let scope = run.store.scope(
            host,
            crate::vars::ScopeParts {
                play: &layers,
                task: &[],
                local: None,
            },
            crate::vars::Magic {
                run: Arc::clone(&run.magic),
                play: Some(self.magic()),
                task: None,
            },
        )?;
        let files = FileContext {
            search_path: vec![self.dir.clone()],
            basedir: self.dir.clone(),
        };
        let cx = Context::new(scope, Arc::new(files));
        for group in &self.host_files {
            if let Some(layer) = run.vars_file(group, &cx, false)? {
                layers.push(layer);
            }
        }
        Ok(layers)
    }
}

impl Run {
    /// Runs a play. `false`: nothing more is to be run.
    pub(crate) async fn play(self: &Arc<Self>, play: &Play) -> Result<bool, Box<Diagnostic>> {
        let (cx, dir) = self.play_context(play);
        let name = self
            .templar
            .render_str(&play.label(), &cx)
            .map_or_else(|_| play.label(), |value| value.to_string());
        // variables beside an imported playbook are those of its plays
        self.store.set_playbook_dir(dir.clone());
        let (hosts, plain) = self.play_hosts(play, &cx)?;
        if hosts.is_empty() {
            self.emitter.emit(&Event::PlayNoHosts { name });
            return Ok(true);
        }
        let strategy = play.strategy.as_ref().map_or_else(
            || self.options.strategy.clone(),
            |node| node.to_value().to_string(),
        );
        let Some(strategy) = Strategy::named(&strategy) else {
            let node = play.strategy.as_ref().unwrap_or(&play.hosts);
            return Err(Diagnostic::error(
                "play::strategy",
                format!("there is no strategy `{strategy}`"),
            )
            .at(&node.span)
            .hint("`linear`, `free` and `host_pinned` are known")
            .into());
        };
        let mut state = self.state(play, &cx, &name, &plain, dir)?;
        state.strategy = strategy;
        let state = Arc::new(state);
        let items = self.items(&state, &cx)?;
        let batches = self.batches(play, &cx, hosts)?;
        for batch in batches {
            let alive: Vec<Arc<str>> = {
                let lost = self.lost();
                batch
                    .into_iter()
                    .filter(|host| !lost.failed.contains(host) && !lost.unreachable.contains(host))
                    .collect()
            };
            self.emitter.emit(&Event::PlayStart {
                name: name.clone(),
                hosts: alive.iter().map(ToString::to_string).collect(),
                check: self.options.check,
                strategy: strategy.name().to_owned(),
            });
            if alive.is_empty() {
                continue;
            }
            let size = alive.len();
            state.set_batch(&alive);
            let end = match strategy {
                Strategy::Linear => self.batch(&state, &items, alive.clone()).await?,
                Strategy::Free | Strategy::HostPinned => {
                    self.batch_apart(&state, &items, &alive).await?
                }
            };
            if end.ended || self.is_interrupted() {
                break;
            }
            // a batch that failed as a whole ends the run
            let lost = self.lost();
            let gone = alive
                .iter()
                .filter(|host| lost.failed.contains(*host) || lost.unreachable.contains(*host))
                .count();
            if gone == size || end.aborted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What the play's own keywords see, and its directory.
    pub(super) fn play_context(&self, play: &Play) -> (Context, PathBuf) {
        let statics: Vec<Arc<Map>> = vec![Arc::clone(&play.vars), self.extra()];
        let dir = play
            .path
            .parent()
            .map(std::path::Path::to_path_buf)
            .unwrap_or_default();
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        let files = FileContext {
            search_path: vec![dir.clone()],
            basedir: dir.clone(),
        };
        let cx = Context::new(Arc::new(StaticScope(statics)), Arc::new(files));
        (cx, dir)
    }

    /// Extra variables of the command line.
    pub(crate) fn extra(&self) -> Arc<Map> {
        self.store.extra_vars()
    }

    /// The hosts of a play: in its `order`, and in that of the inventory.
    #[expect(clippy::type_complexity, reason = "two lists of hosts")]
    pub(super) fn play_hosts(
        &self,
        play: &Play,
        cx: &Context,
    ) -> Result<(Vec<Arc<str>>, Vec<Arc<str>>), Box<Diagnostic>> {
        let value = self
            .templar
            .render(&play.hosts.to_value(), cx)
            .map_err(|e| Fault::template(&e, &play.hosts).0)?;
        let pattern = match &value {
            Value::List(items) => items
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(","),
            other => other.to_string(),
        };
        let selection = self
            .store
            .inventory(|inventory| inventory.select(&pattern))
            .map_err(|e| {
                Box::new(if e.span.is_some() {
                    e
                } else {
                    e.at(&play.hosts.span)
                })
            })?;
        for warning in selection.warnings {
            self.emitter.warn(warning.to_string());
        }
        let mut hosts = selection.hosts;
        let limit = self.limit.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(limit) = limit.as_ref() {
            hosts.retain(|host| limit.contains(host));
        }
        drop(limit);
        let plain = hosts.clone();
        let order = play.order.as_ref().map(|node| node.to_value().to_string());
        match order.as_deref() {
            None | Some("inventory") => {}
            Some("reverse_inventory") => HostOrder::ReverseInventory.arrange(&mut hosts),
            Some("sorted") => HostOrder::Sorted.arrange(&mut hosts),
            Some("reverse_sorted") => HostOrder::ReverseSorted.arrange(&mut hosts),
            Some("shuffle") => hosts.sort_by_cached_key(|_| random()),
            Some(other) => {
                let node = play.order.as_ref().unwrap_or(&play.hosts);
                return Err(Diagnostic::error(
                    "play::order",
                    format!("there is no order `{other}`"),
                )
                .at(&node.span)
                .into());
            }
        }
        Ok((hosts, plain))
    }

    fn state(
        &self,
        play: &Play,
        cx: &Context,
        name: &str,
        hosts: &[Arc<str>],
        dir: PathBuf,
    ) -> Result<PlayState, Box<Diagnostic>> {
        let mut layers = Vec::new();
        for role in &play.roles {
            let origin = format!("role {}", role.name);
            layers.push(Layer::new(
                Level::RoleDefaults,
                origin.as_str(),
                Arc::clone(&role.defaults),
            ));
            layers.push(Layer::new(
                Level::RoleVars,
                origin.as_str(),
                Arc::clone(&role.vars),
            ));
        }
        layers.push(Layer::new(
            Level::PlayVars,
            play.span.to_string().as_str(),
            Arc::clone(&play.vars),
        ));
        if let Some(answers) = self.prompts(play)? {
            layers.push(Layer::new(Level::VarsPrompt, "vars_prompt", answers));
        }
        let mut host_files = Vec::new();
        for node in &play.vars_files {
            let group = match node.as_seq() {
                Some(items) => items.to_vec(),
                None => vec![node.clone()],
            };
            let fixed = group
                .iter()
                .all(|node| !node.to_value().to_string().contains("{{"));
            if fixed && host_files.is_empty() {
                layers.extend(self.vars_file(&group, cx, true)?);
            } else {
                host_files.push(group);
            }
        }
        let names = |roles: &[Arc<crate::playbook::Role>], nested: bool| {
            let mut names: Vec<String> = Vec::new();
            for role in roles {
                if (nested || role.parents.is_empty()) && !names.contains(&role.name) {
                    names.push(role.name.clone());
                }
            }
            names
        };
        let magic = PlayMagic {
            dir: dir.clone(),
            name: name.to_owned(),
            hosts_all: hosts.into(),
            hosts: hosts.into(),
            batch: hosts.into(),
            role_names: names(&play.roles, false),
            dependent_role_names: {
                let all = names(&play.roles, true);
                let own = names(&play.roles, false);
                all.into_iter().filter(|n| !own.contains(n)).collect()
            },
        };
        let handlers: Vec<Arc<Task>> = play.handlers.iter().flat_map(Item::tasks).collect();
        Ok(PlayState {
            play: play.clone(),
            dir,
            handlers: RwLock::new(Arc::new(handlers)),
            magic: RwLock::new(Arc::new(magic)),
            shared: RwLock::new(layers),
            host_files,
            gone: RwLock::default(),
            strategy: Strategy::Linear,
            batch: RwLock::new(Arc::from([])),
        })
    }

    /// One entry of `vars_files`: the first of its files that exists.
    fn vars_file(
        &self,
        group: &[Node],
        cx: &Context,
        strict: bool,
    ) -> Result<Option<Layer>, Box<Diagnostic>> {
        for node in group {
            let name = match self.templar.render(&node.to_value(), cx) {
                Ok(value) => value.to_string(),
                // facts may not be there yet
                Err(error) if error.is_undefined() && !strict => continue,
                Err(error) => return Err(Fault::template(&error, node).0),
            };
            if let Some(path) = cx.files().find("vars", &name).filter(|path| path.is_file()) {
                let (vars, warnings) = crate::vars::load_vars_file(&path, self.store.vault())?;
                for warning in warnings {
                    self.emitter.warn(warning.to_string());
                }
                return Ok(Some(Layer::new(
                    Level::VarsFiles,
                    path.display().to_string().as_str(),
                    Arc::new(vars),
                )));
            }
        }
        if !strict {
            return Ok(None);
        }
        if let Some(first) = group.first() {
            // Ansible goes on without a word
            self.emitter.warn(
                Diagnostic::warning(
                    "play::vars-file",
                    format!("there is no file of variables `{}`", first.to_value()),
                )
                .at(&first.span)
                .to_string(),
            );
        }
        Ok(None)
    }

    fn prompts(&self, play: &Play) -> Result<Option<Arc<Map>>, Box<Diagnostic>> {
        let mut answers = Map::new();
        let extra = self.extra();
        for node in &play.vars_prompt {
            let Some(name) = node.get("name").map(|n| n.to_value().to_string()) else {
                return Err(
                    Diagnostic::error("play::vars-prompt", "this prompt has no `name`")
                        .at(&node.span)
                        .into(),
                );
            };
            if extra.get(name.as_str()).is_some() {
                continue;
            }
            if let Some(encrypt) = node.get("encrypt") {
                return Err(Diagnostic::error(
                    "play::vars-prompt",
                    "`encrypt` of prompts is not built yet",
                )
                .at(&encrypt.span)
                .into());
            }
            let text = node
                .get("prompt")
                .map_or_else(|| name.clone(), |n| n.to_value().to_string());
            let default = node.get("default").map(Node::to_value);
            let flag = |key: &str, default: bool| {
                node.get(key)
                    .and_then(|n| to_bool(&n.to_value()))
                    .unwrap_or(default)
            };
            let private = flag("private", true);
            let shown = match &default {
                Some(default) if !private => format!("{text} [{default}]: "),
                _ => format!("{text}: "),
            };
            let mut answer = self.prompt.ask(&shown, !private).filter(|a| !a.is_empty());
            if flag("confirm", false) && answer.is_some() {
                let again = self.prompt.ask(&format!("confirm {shown}"), !private);
                if again != answer {
                    return Err(
                        Diagnostic::error("play::vars-prompt", "the two answers differ")
                            .at(&node.span)
                            .into(),
                    );
                }
            }
            let value = match (answer.take(), default) {
                (Some(answer), _) if flag("unsafe", false) => Value::data(answer),
                (Some(answer), _) => Value::str(answer),
                (None, Some(default)) => default,
                (None, None) => Value::str(""),
            };
            answers.set(&name, value);
        }
        Ok((!answers.is_empty()).then(|| Arc::new(answers)))
    }

    /// What the play runs, with only those tasks that `--tags` and `--start-at-task` leave.
    fn items(
        &self,
        state: &PlayState,
        cx: &Context,
    ) -> Result<Arc<Vec<(u32, Item)>>, Box<Diagnostic>> {
        let play = &state.play;
        let mut items: Vec<Item> = Vec::new();
        if self.gathers(play, cx)? {
            let task = self.loader.gather_task(play);
            if self.selects(&task, cx) {
                items.push(Item::Task(task));
            }
        }
        let started = &self.started;
        let keep = |task: &Task| {
            if !started.load(Ordering::Relaxed) {
                let pattern = self.options.start_at.as_deref().unwrap_or_default();
                let name = task.label();
                let full = task
                    .role
                    .as_ref()
                    .map_or_else(|| name.clone(), |role| format!("{} : {name}", role.name));
                let found = [name.as_str(), full.as_str()]
                    .iter()
                    .any(|name| *name == pattern || crate::inventory::glob_matches(pattern, name));
                started.store(found, Ordering::Relaxed);
            }
            started.load(Ordering::Relaxed)
                && (task.implicit && task.short_action() == "meta" || self.selects(task, cx))
        };
        for section in &play.sections {
            let forced = section.force.unwrap_or(self.options.force_handlers);
            let list = if forced {
                &section.forced
            } else {
                &section.items
            };
            let kept: Vec<Item> = list.iter().filter_map(|item| item.filter(&keep)).collect();
            items.extend(kept);
            items.push(Item::Task(Arc::clone(&section.flush)));
        }
        Ok(Arc::new(
            items
                .into_iter()
                .enumerate()
                .map(|(i, item)| (u32::try_from(i).unwrap_or(u32::MAX), item))
                .collect(),
        ))
    }

    /// Whether `--tags` selects a task.
    pub(crate) fn selects(&self, task: &Task, cx: &Context) -> bool {
        let mut tags = Vec::new();
        for node in &task.keywords.tags {
            let value = node.to_value();
            let value = self.templar.render(&value, cx).unwrap_or(value);
            tags.extend(tag_words(&value));
        }
        self.options.tags.selects(&tags)
    }

    fn gathers(&self, play: &Play, cx: &Context) -> Result<bool, Box<Diagnostic>> {
        let Some(node) = &play.gather_facts else {
            return Ok(self.options.gathering != "explicit");
        };
        let value = self
            .templar
            .render(&node.to_value(), cx)
            .map_err(|e| Fault::template(&e, node).0)?;
        to_bool(&value).ok_or_else(|| {
            Diagnostic::error("play::gather-facts", "`gather_facts` must be yes or no")
                .at(&node.span)
                .into()
        })
    }

    fn batches(
        &self,
        play: &Play,
        cx: &Context,
        hosts: Vec<Arc<str>>,
    ) -> Result<Vec<Vec<Arc<str>>>, Box<Diagnostic>> {
        let Some(node) = &play.serial else {
            return Ok(vec![hosts]);
        };
        let value = self
            .templar
            .render(&node.to_value(), cx)
            .map_err(|e| Fault::template(&e, node).0)?;
        let Some(value) = strip_omitted(value) else {
            return Ok(vec![hosts]);
        };
        let steps = match value {
            Value::List(items) => items.to_vec(),
            one => vec![one],
        };
        let total = hosts.len();
        let mut sizes = Vec::new();
        for step in &steps {
            let text = step.to_string();
            let size = match text.trim().strip_suffix('%') {
                Some(percent) => percent
                    .trim()
                    .parse::<f64>()
                    .ok()
                    .map(|percent| share(percent, total))
                    .map(|size| size.max(1)),
                None => text.trim().parse::<usize>().ok(),
            };
            let Some(size) = size else {
                return Err(Diagnostic::error(
                    "play::serial",
                    format!("`serial` must be a number or a percentage, this is `{text}`"),
                )
                .at(&node.span)
                .into());
            };
            sizes.push(if size == 0 { total } else { size });
        }
        let mut batches = Vec::new();
        let mut rest = hosts.as_slice();
        let mut step = 0;
        while !rest.is_empty() {
            let size = sizes
                .get(step)
                .or(sizes.last())
                .copied()
                .unwrap_or(total)
                .min(rest.len());
            let (batch, after) = rest.split_at(size);
            batches.push(batch.to_vec());
            rest = after;
            step += 1;
        }
        Ok(batches)
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    // without randomness the order is as written, which is an order too
    let _ = getrandom::fill(&mut bytes);
    u64::from_ne_bytes(bytes)
}

/// So many percent of a number of hosts, rounded down.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of hosts; the cast saturates"
)]
fn share(percent: f64, total: usize) -> usize {
    ((percent / 100.0) * total as f64) as usize
}
