//! A play: its hosts, its batches, the variables that all its tasks share.
//!
//! Source: Ansible's documentation, "Controlling playbook execution: strategies and more".

use super::free::Strategy;
use super::run::Run;
use super::scope::role_layers;
use crate::diag::Diagnostic;
use crate::playbook::{Item, Play, Role, Task, tag_words};
use crate::result::Event;
use crate::template::{Context, FileContext};
use crate::value::{Map, to_bool};
use crate::vars::{Layer, Level, PlayMagic};
use crate::yaml::Node;
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
    /// Whether failures start the debugger (`strategy: debug`).
    pub debugs: bool,
    /// The hosts that the batch began with.
    batch: RwLock<Arc<[Arc<str>]>>,
    /// Hosts that failed or could not be reached in this play, or before it; also those that came back since.
    pub removed: Mutex<HashSet<Arc<str>>>,
}

impl PlayState {
    pub(crate) fn magic(&self) -> Arc<PlayMagic> {
        Arc::clone(&self.magic.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn set_magic(&self, magic: PlayMagic) {
        *self.magic.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(magic);
    }

    /// Takes a host off those that the play's variables tell of.
    pub(crate) fn remove(&self, host: &Arc<str>) {
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        removed.insert(Arc::clone(host));
    }

    /// Notes a host that was added to the inventory: from then on it is one of the play's, though it takes no part.
    pub(crate) fn add_host(&self, host: &str) {
        let magic = self.magic();
        if magic.hosts_all.iter().any(|known| **known == *host) {
            return;
        }
        let with = |hosts: &[Arc<str>]| hosts.iter().cloned().chain([Arc::from(host)]).collect();
        self.set_magic(PlayMagic {
            hosts_all: with(&magic.hosts_all),
            hosts: with(&magic.hosts),
            ..(*magic).clone()
        });
    }

    /// The hosts that the batch began with.
    pub(crate) fn batch(&self) -> Arc<[Arc<str>]> {
        Arc::clone(&self.batch.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a batch: hosts that `meta: end_host` took out of another are the play's again.
    fn set_batch(&self, hosts: &[Arc<str>]) {
        let mut gone = self.gone.write().unwrap_or_else(PoisonError::into_inner);
        gone.clear();
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

/// The play's magic variables once these roles are in it: asked for by the play or a task, or what those depend on.
pub(super) fn with_roles(mut magic: PlayMagic, roles: &[Arc<Role>]) -> PlayMagic {
    for role in roles {
        if role.by_task || role.parents.is_empty() {
            magic.role_names.push(role.name.clone());
        } else if !magic.dependent_role_names.contains(&role.name) {
            magic.dependent_role_names.push(role.name.clone());
        }
    }
    magic
}

impl Run {
    /// Runs a play. `false`: nothing more is to be run.
    pub(crate) async fn play(self: &Arc<Self>, play: &Play) -> Result<bool, Box<Diagnostic>> {
        let (mut cx, dir) = self.play_context(play, None)?;
        self.loader.set_play_vars(play);
        // variables beside an imported playbook are those of its plays
        self.store.set_playbook_dir(dir.clone());
        let asked = self.prompts(play, &cx)?;
        if asked.is_some() {
            cx = self.play_context(play, asked.as_ref())?.0;
        }
        let name = self
            .templar
            .render_str(&play.label(), &cx)
            .map_or_else(|_| play.label(), |value| value.to_string());
        let (hosts, plain) = self.play_hosts(play, &cx)?;
        if hosts.is_empty() {
            self.emitter.emit(&Event::PlayNoHosts { name });
            return Ok(true);
        }
        let (strategy, debugs) = self.strategy(play, &cx)?;
        let mut state = self.state(play, &cx, &name, &plain, dir, asked)?;
        state.strategy = strategy;
        state.debugs = debugs;
        let state = Arc::new(state);
        self.warn_of_play(&state, &plain);
        let items = self.items(&state, &cx)?;
        let batches = self.batches(play, &cx, hosts)?;
        for batch in batches {
            // of those too that were lost before
            let size = batch.len();
            let alive: Vec<Arc<str>> = {
                let mut lost = self.lost();
                let later = std::mem::take(&mut lost.later);
                lost.failed.extend(later);
                batch
                    .into_iter()
                    .filter(|host| !lost.is_out(host))
                    .collect()
            };
            self.emitter.emit(&Event::PlayStart {
                name: name.clone(),
                hosts: alive.iter().map(ToString::to_string).collect(),
                check: self.checks(play.keywords.check_mode.as_ref()),
                strategy: strategy.name().to_owned(),
            });
            if alive.is_empty() {
                continue;
            }
            state.set_batch(&alive);
            let end = match strategy {
                Strategy::Linear => self.batch(&state, &items, alive.clone(), size).await?,
                Strategy::Free | Strategy::HostPinned => {
                    self.batch_apart(&state, &items, &alive).await?
                }
            };
            if end.ended || self.is_interrupted() {
                break;
            }
            // a batch that failed as a whole ends the run
            let lost = self.lost();
            let gone = alive.iter().filter(|host| lost.is_out(host)).count();
            if gone == size || end.aborted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the whole play sees the variables of a role that is one of its own.
    pub(super) fn is_public(&self, role: &crate::playbook::Role) -> bool {
        let private = self.options.private_role_vars.unwrap_or(false);
        role.public.unwrap_or(!private)
    }

    /// How the hosts of a play go through it, and whether the debugger watches them.
    fn strategy(&self, play: &Play, cx: &Context) -> Result<(Strategy, bool), Box<Diagnostic>> {
        let name = match self.play_word(play.strategy.as_ref(), cx)? {
            Some(name) => name.to_string(),
            None => self.options.strategy.clone(),
        };
        let debugs = matches!(name.as_str(), "debug" | "ansible.builtin.debug");
        let strategy = Strategy::named(&name).map(|strategy| (strategy, debugs));
        strategy.ok_or_else(|| {
            let node = play.strategy.as_ref().unwrap_or(&play.hosts);
            let plugin = self.templar.plugins().unsupported("strategy", &name);
            let why = plugin.unwrap_or_else(|| format!("there is no strategy `{name}`"));
            Diagnostic::error("play::strategy", why)
                .at(&node.span)
                .hint("`linear`, `free`, `host_pinned` and `debug` are known")
                .into()
        })
    }

    /// Extra variables of the command line.
    pub(crate) fn extra(&self) -> Arc<Map> {
        self.store.extra_vars()
    }

    fn state(
        &self,
        play: &Play,
        cx: &Context,
        name: &str,
        hosts: &[Arc<str>],
        dir: PathBuf,
        asked: Option<Arc<Map>>,
    ) -> Result<PlayState, Box<Diagnostic>> {
        let mut layers = Vec::new();
        for role in play.roles.iter().filter(|role| self.is_public(role)) {
            layers.extend(role_layers(role, &role.defaults));
        }
        layers.push(Layer::new(
            Level::PlayVars,
            play.span.to_string().as_str(),
            Arc::clone(&play.vars),
        ));
        if let Some(answers) = asked {
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
        let magic = PlayMagic {
            dir: dir.clone(),
            name: name.to_owned(),
            hosts_all: hosts.into(),
            hosts: hosts.into(),
            batch: hosts.into(),
            ..PlayMagic::default()
        };
        let magic = with_roles(magic, &play.roles);
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
            debugs: false,
            batch: RwLock::new(Arc::from([])),
            removed: Mutex::default(),
        })
    }

    /// What the play runs, with only those tasks that `--tags` and `--start-at-task` leave.
    fn items(
        &self,
        state: &PlayState,
        cx: &Context,
    ) -> Result<Arc<Vec<(u32, Item)>>, Box<Diagnostic>> {
        let play = &state.play;
        let mut items: Vec<Item> = Vec::new();
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
        // a play in which `--start-at-task` finds nothing does not gather facts either
        if started.load(Ordering::Relaxed) && self.gathers(play, cx)? {
            let task = self.loader.gather_task(play);
            if self.selects(&task, cx) {
                items.insert(0, Item::Task(task));
            }
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
        let node = play.gather_facts.as_ref();
        let (Some(value), Some(node)) = (self.play_word(node, cx)?, node) else {
            return Ok(self.options.gathering != "explicit");
        };
        to_bool(&value).ok_or_else(|| {
            Diagnostic::error("play::gather-facts", "`gather_facts` must be yes or no")
                .at(&node.span)
                .into()
        })
    }
}
