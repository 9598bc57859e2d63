//! One run of playbooks.

use super::emit::Emitter;
use super::machines::Machines;
use super::options::RunOptions;
use super::prompt::Prompt;
use super::refresh::Refresh;
use crate::actions::Effect;
use crate::actions::custom::Packed;
use crate::diag::Diagnostic;
use crate::playbook::{Loader, Play};
use crate::result::{Event, EventSink, Stats, TaskInfo};
use crate::template::Templar;
use crate::value::to_bool;
use crate::vars::{RunMagic, VarStore};
use crate::yaml::Node;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

/// What a run is made of.
pub struct RunParts {
    /// Options.
    pub options: RunOptions,
    /// Variables and inventory.
    pub store: Arc<VarStore>,
    /// Templates.
    pub templar: Templar,
    /// Reads files that tasks include.
    pub loader: Arc<Loader>,
    /// Connections.
    pub machines: Arc<Machines>,
    /// Who is asked.
    pub prompt: Arc<dyn Prompt>,
    /// Where events go.
    pub sink: Box<dyn EventSink>,
    /// Magic variables of the run.
    pub magic: Arc<RunMagic>,
    /// Becomes true when the user interrupts.
    pub interrupted: tokio::sync::watch::Receiver<bool>,
    /// What `meta: refresh_inventory` does; without it, that is an error.
    pub refresh: Option<Refresh>,
}

/// How a run ended.
pub struct RunEnd {
    /// Counts.
    pub stats: Stats,
    /// Some host failed.
    pub failed: bool,
    /// Some host could not be reached.
    pub unreachable: bool,
    /// The user interrupted it.
    pub interrupted: bool,
    /// The sink, to read what it collected.
    pub sink: Box<dyn EventSink>,
}

/// Hosts that are out of the run.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    pub failed: HashSet<Arc<str>>,
    pub unreachable: HashSet<Arc<str>>,
    /// Hosts that are out of what follows the batch, though a `rescue` may keep them in it: others took them along
    /// (`any_errors_fatal`), or an include of theirs failed.
    pub later: HashSet<Arc<str>>,
}

impl Lost {
    /// Whether the host takes no part in batches to come.
    pub(crate) fn is_out(&self, host: &Arc<str>) -> bool {
        self.failed.contains(host) || self.unreachable.contains(host) || self.later.contains(host)
    }
}

/// A run.
pub struct Run {
    pub(crate) options: RunOptions,
    pub(crate) store: Arc<VarStore>,
    pub(crate) templar: Templar,
    pub(crate) loader: Arc<Loader>,
    pub(crate) machines: Arc<Machines>,
    pub(crate) prompt: Arc<dyn Prompt>,
    pub(crate) emitter: Emitter,
    pub(crate) magic: Arc<RunMagic>,
    pub(crate) interrupted: tokio::sync::watch::Receiver<bool>,
    pub(crate) lost: Mutex<Lost>,
    /// Whether `--start-at-task` was found.
    pub(crate) started: AtomicBool,
    pub(super) refresh: Option<Refresh>,
    /// Hosts that are left after `--limit`; `None` for all.
    pub(super) limit: RwLock<Option<Vec<Arc<str>>>>,
    /// What tasks added to the inventory, and for which host.
    pub(super) dynamic: Mutex<Vec<(Arc<str>, Effect)>>,
    /// Whether the user is asked before the next task.
    pub(crate) stepping: AtomicBool,
    /// Whether the user quit in the debugger.
    pub(super) quit: AtomicBool,
    /// Handlers that were warned of.
    pub(super) unusable: Mutex<HashSet<String>>,
    /// Names of variables that were warned of.
    pub(super) reserved: Mutex<HashSet<String>>,
    /// Held while the debugger asks.
    pub(super) asking: tokio::sync::Mutex<()>,
    next_task: AtomicU64,
    /// Modules of the user's own that were read, by their file.
    pub(super) packed: Mutex<HashMap<PathBuf, Arc<Packed>>>,
}

impl Run {
    /// A run.
    pub fn new(parts: RunParts) -> Self {
        let emitter = Emitter::new(parts.sink);
        let (warns, deprecates) = (emitter.clone(), emitter.clone());
        let templar = parts.templar.heard_by(
            Arc::new(move |message| warns.warn(message)),
            Arc::new(move |message| deprecates.deprecate(message)),
        );
        Self {
            started: AtomicBool::new(parts.options.start_at.is_none()),
            limit: RwLock::new(parts.options.limit.clone()),
            stepping: AtomicBool::new(parts.options.step),
            quit: AtomicBool::new(false),
            unusable: Mutex::default(),
            reserved: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            options: parts.options,
            refresh: parts.refresh,
            dynamic: Mutex::default(),
            store: parts.store,
            templar,
            loader: parts.loader,
            machines: parts.machines,
            prompt: parts.prompt,
            emitter,
            magic: parts.magic,
            interrupted: parts.interrupted,
            lost: Mutex::default(),
            next_task: AtomicU64::new(1),
            packed: Mutex::default(),
        }
    }

    /// Runs playbooks that were loaded, each with its path.
    ///
    /// # Errors
    /// When something in a playbook is wrong in a way that no host could run it.
    pub async fn playbooks(
        self: Arc<Self>,
        playbooks: &[(std::path::PathBuf, Vec<Play>)],
    ) -> Result<RunEnd, Box<Diagnostic>> {
        let begun = Instant::now();
        let mut result = Ok(());
        'all: for (number, (path, plays)) in playbooks.iter().enumerate() {
            self.emitter.emit(&Event::PlaybookStart {
                path: path.display().to_string(),
                plays: plays.len(),
            });
            let dir = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            let dir = dir.parent().unwrap_or(Path::new("/")).to_owned();
            self.store.set_playbook_dir(dir);
            for play in plays {
                if self.is_interrupted() {
                    break 'all;
                }
                match self.play(play).await {
                    Ok(true) => {}
                    Ok(false) => break 'all,
                    Err(error) => {
                        result = Err(error);
                        break 'all;
                    }
                }
            }
            if self.options.recap_each && number + 1 < playbooks.len() {
                self.emitter.emit(&Event::Recap {
                    stats: self.emitter.stats(),
                    elapsed_ms: elapsed_ms(begun),
                });
            }
        }
        let machines = self.machines.costs();
        self.machines.close().await;
        result?;
        if !machines.is_empty() {
            self.emitter.emit(&Event::Connections { machines });
        }
        let stats = self.emitter.stats();
        self.emitter.emit(&Event::Recap {
            stats: stats.clone(),
            elapsed_ms: elapsed_ms(begun),
        });
        let (failed, unreachable) = {
            let lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            (!lost.failed.is_empty(), !lost.unreachable.is_empty())
        };
        let interrupted = self.is_interrupted();
        let sink = match Arc::try_unwrap(self) {
            Ok(run) => run.emitter.take_sink(Box::new(Nobody)),
            // a task that was given up still holds the run; its events no longer matter
            Err(_) => Box::new(Nobody),
        };
        Ok(RunEnd {
            stats,
            failed,
            unreachable,
            interrupted,
            sink,
        })
    }

    /// Whether the user interrupted the run.
    pub(crate) fn is_interrupted(&self) -> bool {
        *self.interrupted.borrow() || self.quit.load(Ordering::Relaxed)
    }

    pub(crate) fn lost(&self) -> std::sync::MutexGuard<'_, Lost> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a keyword that is no template, or the run, asks for check mode.
    pub(crate) fn checks(&self, keyword: Option<&Node>) -> bool {
        keyword
            .and_then(|node| to_bool(&node.to_value()))
            .unwrap_or(self.options.check)
    }

    /// What reports are told of a task.
    pub(crate) fn info(
        &self,
        task: &crate::playbook::Task,
        name: String,
        handler: bool,
    ) -> Arc<TaskInfo> {
        let role = task.shown_role().map(|role| role.name.clone());
        let name = match &role {
            Some(role) => format!("{role} : {name}"),
            None => name,
        };
        Arc::new(TaskInfo {
            id: self.next_task.fetch_add(1, Ordering::Relaxed),
            name,
            action: task.action.clone(),
            path: task.span.to_string(),
            role,
            handler,
            check: self.checks(task.keywords.check_mode.as_ref()),
            args: written_args(task),
        })
    }
}

/// The arguments as they are written, unless they are secret.
fn written_args(task: &crate::playbook::Task) -> String {
    if task.keywords.no_log.is_some() {
        return String::new();
    }
    let members: Vec<String> = task
        .args
        .members
        .iter()
        .map(|entry| format!("{}={}", entry.key.to_value(), entry.value.to_value()))
        .collect();
    members.join(", ")
}

struct Nobody;

impl EventSink for Nobody {
    fn event(&mut self, _: &Event) {}
}

/// Milliseconds since then.
pub(crate) fn elapsed_ms(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Comes back when the user interrupts the run.
pub(crate) async fn stopped(interrupted: &mut tokio::sync::watch::Receiver<bool>) {
    if interrupted.wait_for(|stop| *stop).await.is_err() {
        // nobody can interrupt any more
        std::future::pending::<()>().await;
    }
}
