//! `--verify`: the second run, and what it proves.

use super::args::{OutputKind, PlayArgs};
use super::exit::{CommandFailure, Exit};
use super::play::{exit_of, human, load};
use super::setup::Setup;
use super::show::Show;
use super::streams::errln;
use crate::exec::{Run, RunOptions, RunParts};
use crate::modules::NOT_JUDGED;
use crate::report::{Fan, Label, Palette, unified};
use crate::result::{Event, EventSink, Outcome, Status, TaskInfo};
use indexmap::{IndexMap, IndexSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Something that should not have been: a change in the second run, or a step left to do.
#[derive(Clone, Debug)]
struct Finding {
    host: String,
    task: Arc<TaskInfo>,
    item: Option<String>,
    outcome: Arc<Outcome>,
}

#[derive(Debug, Default)]
struct Seen {
    changes: Vec<Finding>,
    left: Vec<Finding>,
    /// What does the same each time it runs, so that planning it again says nothing.
    not_judged: Vec<Finding>,
    hosts: IndexSet<String>,
    executed: IndexMap<String, usize>,
    looped: IndexMap<(u64, String), usize>,
}

/// What was seen of a run.
#[derive(Clone, Debug, Default)]
pub struct Verdict(Arc<Mutex<Seen>>);

struct Collector(Verdict);

impl EventSink for Collector {
    fn event(&mut self, event: &Event) {
        let mut seen = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::PlayStart { hosts, .. } => seen.hosts.extend(hosts.iter().cloned()),
            Event::ItemDone {
                task,
                host,
                item,
                status,
                outcome,
                ..
            } => {
                let finding = Finding {
                    host: host.clone(),
                    task: Arc::clone(task),
                    item: Some(item.label.clone()),
                    outcome: Arc::clone(outcome),
                };
                if !outcome.left_to_do.is_empty() {
                    seen.left.push(finding.clone());
                }
                if is_not_judged(task, outcome) {
                    seen.not_judged.push(finding.clone());
                }
                if *status == Status::Changed || outcome.changed {
                    *seen.looped.entry((task.id, host.clone())).or_default() += 1;
                    seen.changes.push(finding);
                }
            }
            Event::TaskDone {
                task,
                host,
                status,
                outcome,
                looped,
                quiet,
                ..
            } => {
                if !quiet
                    && !matches!(status, Status::Skipped | Status::Unreachable)
                    && task.action != "gather_facts"
                {
                    *seen.executed.entry(host.clone()).or_default() += 1;
                }
                let finding = Finding {
                    host: host.clone(),
                    task: Arc::clone(task),
                    item: None,
                    outcome: Arc::clone(outcome),
                };
                if !looped && !outcome.left_to_do.is_empty() {
                    seen.left.push(finding.clone());
                }
                if !looped && is_not_judged(task, outcome) {
                    seen.not_judged.push(finding.clone());
                }
                // a loop may count as changed though no item does (changed_when)
                let items = seen
                    .looped
                    .get(&(task.id, host.clone()))
                    .copied()
                    .unwrap_or(0);
                if outcome.changed && items == 0 {
                    seen.changes.push(finding);
                }
            }
            _ => {}
        }
    }
}

impl Verdict {
    /// A sink that fills it.
    pub fn collector(&self) -> impl EventSink + use<> {
        Collector(self.clone())
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The verdict of `--verify=task`.
    pub fn of_tasks(&self, show: &Show) -> Exit {
        let seen = self.seen();
        let blind = count(seen.not_judged.len(), "result");
        let tell_blind = || {
            for finding in &seen.not_judged {
                print(show, finding);
            }
        };
        if seen.left.is_empty() && seen.not_judged.is_empty() {
            say(
                show,
                "VERIFY: every task, planned again right after it was applied, had nothing left to do",
            );
            return Exit::Ok;
        }
        if seen.left.is_empty() {
            say(
                show,
                &format!(
                    "VERIFY: what can be planned again had nothing left to do; {blind} of commands and restarts cannot \
                     be judged so, a second run (--verify) can:"
                ),
            );
            tell_blind();
            return Exit::Ok;
        }
        say(
            show,
            &format!(
                "VERIFY FAILED: {} had something left to do",
                count(seen.left.len(), "task")
            ),
        );
        for finding in &seen.left {
            print(show, finding);
            for step in &finding.outcome.left_to_do {
                say(show, &format!("    left to do: {step}"));
            }
        }
        if !seen.not_judged.is_empty() {
            say(
                show,
                &format!("  {blind} of commands and restarts cannot be judged so:"),
            );
            tell_blind();
        }
        Exit::NotIdempotent
    }

    /// The verdict over a second run.
    fn of_run(&self, show: &Show, check: bool) -> Exit {
        let seen = self.seen();
        let what = if check { "predicts" } else { "made" };
        if !seen.changes.is_empty() {
            say(
                show,
                &format!(
                    "VERIFY FAILED: the second run {what} {}",
                    count(seen.changes.len(), "change")
                ),
            );
            for finding in &seen.changes {
                print(show, finding);
                for diff in &finding.outcome.diffs {
                    for line in unified(diff).lines() {
                        say(show, &format!("    {line}"));
                    }
                }
            }
            return Exit::NotIdempotent;
        }
        let idle: Vec<&String> = seen
            .hosts
            .iter()
            .filter(|host| seen.executed.get(*host).copied().unwrap_or(0) == 0)
            .collect();
        if seen.hosts.is_empty() {
            say(
                show,
                "VERIFY FAILED: the second run had no hosts, which proves nothing",
            );
            return Exit::NothingVerified;
        }
        if !idle.is_empty() {
            let names: Vec<&str> = idle.iter().map(|name| name.as_str()).collect();
            say(
                show,
                &format!(
                    "VERIFY FAILED: the second run executed no task on {}, which proves nothing",
                    names.join(", ")
                ),
            );
            return Exit::NothingVerified;
        }
        let tasks: usize = seen.executed.values().sum();
        say(
            show,
            &format!(
                "VERIFY: idempotent: the second run {} on {} ({})",
                if check {
                    "predicts no change"
                } else {
                    "changed nothing"
                },
                count(seen.hosts.len(), "host"),
                count(tasks, "task result"),
            ),
        );
        Exit::Ok
    }
}

fn is_not_judged(task: &TaskInfo, outcome: &Outcome) -> bool {
    outcome.data.get(NOT_JUDGED).is_some()
        || (outcome.changed && task.action.rsplit('.').next() == Some("raw"))
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn say(show: &Show, line: &str) {
    let palette = Palette { color: show.colour };
    let label = match () {
        () if line.starts_with("VERIFY FAILED") => Label::Failed,
        () if line.starts_with("VERIFY") => Label::Ok,
        () => {
            errln!("{line}");
            return;
        }
    };
    errln!("{}", palette.paint(label, line));
}

fn print(show: &Show, finding: &Finding) {
    let kind = if finding.task.handler {
        "handler"
    } else {
        "task"
    };
    let item = finding
        .item
        .as_ref()
        .map(|item| format!(" (item={item})"))
        .unwrap_or_default();
    say(
        show,
        &format!(
            "  {}: {kind} [{}]{item} at {}",
            finding.host, finding.task.name, finding.task.path
        ),
    );
}

/// The second run.
pub struct Second<'a> {
    pub setup: &'a Setup,
    pub args: &'a PlayArgs,
    pub show: &'a Show,
    pub options: RunOptions,
    pub dir: &'a Path,
}

impl Second<'_> {
    /// Everything again from the beginning, as a new process would.
    pub async fn run(
        self,
        interrupted: tokio::sync::watch::Receiver<bool>,
    ) -> Result<Exit, CommandFailure> {
        let (setup, args, show) = (self.setup, self.args, self.show);
        let check = self.options.check;
        say(
            show,
            if check {
                "VERIFY: second run, in check mode"
            } else {
                "VERIFY: second run"
            },
        );
        let inventory = setup.inventory(&Show {
            verbosity: 0,
            ..*show
        })?;
        let store = setup.store(inventory, self.dir)?;
        let templar = setup.templar(&store);
        let magic = Arc::new(setup.magic(&self.options, &args.sources.limit));
        let loader = setup.loader(&templar, &store, &magic);
        let playbooks = load(&args.playbooks, &loader, show)?;
        let verdict = Verdict::default();
        let mut sink = Fan::new().with(verdict.collector());
        if args.output == OutputKind::Human {
            sink = sink.with(human(show, true, check));
        }
        let run = Arc::new(Run::new(RunParts {
            options: self.options,
            store,
            templar,
            loader,
            machines: setup.machines(&args.connection)?,
            prompt: Setup::prompt(args.output != OutputKind::Human),
            sink: Box::new(sink),
            magic,
            interrupted,
            refresh: Some(setup.refresh(&args.sources.limit, show)?),
        }));
        let end = run.playbooks(&playbooks).await?;
        let exit = exit_of(&end);
        drop(end);
        if exit != Exit::Ok {
            say(show, "VERIFY FAILED: the second run did not end well");
            return Ok(exit);
        }
        Ok(verdict.of_run(show, check))
    }
}
