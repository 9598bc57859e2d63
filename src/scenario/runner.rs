//! Takes the steps of a scenario one after the other.

use super::bed;
use super::chance::Chance;
use super::driver::{self, Driver, Reach};
use super::play::{Ended, Player, Wanted};
use super::report::{Finding, StepEnd, Verdict};
use super::work::{State, Work};
use super::{DriverKind, Scenario, Step};
use crate::yaml::{EmitOptions, emit};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// When machines stay after a test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Always.
    Always,
    /// If a step failed.
    OnFailure,
    /// Never.
    #[default]
    Never,
}

/// How scenarios are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// When machines stay.
    pub keep: Keep,
    /// The driver, instead of the scenario's own.
    pub driver: Option<DriverKind>,
    /// The seed of what is chosen by chance.
    pub seed: u64,
    /// How often a run is interrupted in the step of that name.
    pub interrupts: usize,
    /// Whether prepared machines are kept as a snapshot, and brought back from one.
    pub snapshots: bool,
    /// The runbook that plays.
    pub program: PathBuf,
    /// Shows what playbooks print.
    pub show: bool,
    /// Directory of the scenarios' states, instead of the user's cache.
    pub states: Option<PathBuf>,
}

/// Is told of steps.
pub trait Watch: Sync {
    /// One begins.
    fn begins(&self, scenario: &str, step: Step);
    /// One is over.
    fn ended(&self, end: &StepEnd);
    /// Something to know that is no verdict.
    fn note(&self, scenario: &str, text: &str);
}

/// What a step says at its end.
pub(super) struct Said {
    pub verdict: Verdict,
    pub summary: String,
    pub findings: Vec<Finding>,
    pub log: Option<PathBuf>,
}

impl Said {
    pub fn passed(summary: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Passed,
            summary: summary.into(),
            findings: Vec::new(),
            log: None,
        }
    }

    pub fn skipped(why: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Skipped,
            ..Self::passed(why)
        }
    }

    pub fn failed(summary: impl Into<String>, findings: Vec<Finding>) -> Self {
        Self {
            verdict: Verdict::Failed,
            findings,
            ..Self::passed(summary)
        }
    }

    /// Passed if there are no findings.
    pub fn by(findings: Vec<Finding>, well: impl Into<String>, ill: impl Into<String>) -> Self {
        if findings.is_empty() {
            Self::passed(well)
        } else {
            Self::failed(ill, findings)
        }
    }

    pub fn log(mut self, log: &Path) -> Self {
        self.log = Some(log.to_owned());
        self
    }
}

/// The command that opens a shell on a machine of a scenario, if there is such a machine now.
///
/// # Errors
/// The scenario's state cannot be read.
pub fn login(
    scenario: &Scenario,
    states: Option<&Path>,
    host: &str,
) -> Result<Option<Command>, String> {
    let work = match states {
        Some(top) => Work::under(top, scenario)?,
        None => Work::of(scenario)?,
    };
    let Some(kind) = work.state().driver() else {
        return Ok(None);
    };
    Ok(driver::open(kind, scenario, &work.directory)?.login(host))
}

/// A scenario at work.
pub struct Runner<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) options: &'a Options,
    pub(super) work: Work,
    pub(super) state: State,
    pub(super) driver: Box<dyn Driver>,
    pub(super) kind: DriverKind,
    pub(super) chance: Chance,
    watch: &'a dyn Watch,
    stop: &'a AtomicBool,
    count: u32,
}

impl<'a> Runner<'a> {
    /// For a scenario, going on where the last command left it.
    ///
    /// # Errors
    /// Its state cannot be kept, or its driver is not built.
    pub fn new(
        scenario: &'a Scenario,
        options: &'a Options,
        watch: &'a dyn Watch,
        stop: &'a AtomicBool,
    ) -> Result<Self, String> {
        let work = match &options.states {
            Some(top) => Work::under(top, scenario)?,
            None => Work::of(scenario)?,
        };
        let state = work.state();
        let kind = match state.driver() {
            Some(kind) => kind,
            None => driver::kind_of(scenario, options.driver),
        };
        Ok(Self {
            driver: driver::open(kind, scenario, &work.directory)?,
            chance: Chance::new(scenario.seed.unwrap_or(options.seed)),
            scenario,
            options,
            work,
            state,
            kind,
            watch,
            stop,
            count: 0,
        })
    }

    /// Takes the steps; returns what each came to. After one that fails, only those that clean up are taken.
    ///
    /// # Errors
    /// Another command works on the scenario.
    pub fn run(&mut self, steps: &[Step], whole: bool) -> Result<Vec<StepEnd>, String> {
        let _lock = self.work.lock()?;
        let mut ends = Vec::new();
        if let Some(why) = self.missing(steps) {
            let end = self.end(Step::Create, Instant::now(), Ok(Said::skipped(why)));
            self.watch.ended(&end);
            return Ok(vec![end]);
        }
        let _ = std::fs::remove_dir_all(self.work.file("logs"));
        let mut failed = false;
        for (at, step) in steps.iter().enumerate() {
            if self.stop.load(Ordering::Relaxed) {
                failed = true;
            }
            let last_part = steps.iter().skip(at).all(|step| step.tears_down());
            if failed && !last_part {
                continue;
            }
            let keeps = match self.options.keep {
                Keep::Always => true,
                Keep::OnFailure => failed,
                Keep::Never => false,
            };
            if whole && last_part && keeps {
                self.say_how_to_log_in();
                break;
            }
            self.watch.begins(&self.scenario.name, *step);
            let began = Instant::now();
            let said = self.take(*step);
            let end = self.end(*step, began, said);
            failed |= end.verdict == Verdict::Failed;
            self.watch.ended(&end);
            ends.push(end);
        }
        Ok(ends)
    }

    fn end(&self, step: Step, began: Instant, said: Result<Said, String>) -> StepEnd {
        let said = said.unwrap_or_else(|why| Said::failed(why, Vec::new()));
        StepEnd {
            scenario: self.scenario.name.clone(),
            step,
            verdict: said.verdict,
            summary: said.summary,
            findings: said.findings,
            log: said.log,
            took: began.elapsed(),
        }
    }

    /// Why the scenario cannot run here.
    fn missing(&self, steps: &[Step]) -> Option<String> {
        let getting = |step: &&Step| **step == Step::Dependency;
        let mut steps_after = steps.iter().skip_while(getting).peekable();
        if steps_after.peek().is_some() && steps_after.all(|step| step.tears_down()) {
            // machines can go, whatever it was that their playbooks need
            return None;
        }
        let file = self.scenario.needs_files.iter().find(|file| !file.exists());
        if let Some(file) = file {
            return Some(format!("{} is not there", file.display()));
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = |name: &str| std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
        if let Some(name) = self
            .scenario
            .needs_programs
            .iter()
            .find(|name| !found(name))
        {
            return Some(format!("{name} is not installed"));
        }
        let mut variables = self.scenario.needs_environment.iter();
        if let Some(name) = variables.find(|name| std::env::var_os(name).is_none()) {
            return Some(format!("{name} is not set in the environment"));
        }
        if steps.contains(&Step::Create)
            && let Err(why) = self.driver.preflight()
        {
            return Some(format!("no machines by {}: {why}", self.kind.name()));
        }
        None
    }

    fn say_how_to_log_in(&self) {
        for platform in &self.scenario.platforms {
            if self.driver.login(&platform.name).is_some() {
                let text = format!(
                    "kept: runbook login {} -s {}",
                    platform.name, self.scenario.name
                );
                self.watch.note(&self.scenario.name, &text);
            }
        }
    }

    fn take(&mut self, step: Step) -> Result<Said, String> {
        if step.needs_machines() && self.state.driver.is_none() {
            return Err("there are no machines; `create` makes them".to_owned());
        }
        match step {
            Step::Dependency => self.dependency(),
            Step::Create => self.create(),
            Step::Prepare => self.prepare(),
            Step::Destroy => self.destroy(),
            Step::Syntax => self.syntax(),
            Step::Converge => self.converge(),
            Step::Check => self.check(),
            Step::Idempotence => self.idempotence(),
            Step::Predict => self.predict(),
            Step::Interrupt => self.interrupt(),
            Step::Cleanup => self.cleanup(),
            Step::SideEffect | Step::Verify => self.plain(step),
        }
    }

    /// Runs a playbook.
    pub(super) fn play(
        &mut self,
        step: Step,
        playbook: &Path,
        wanted: &Wanted,
    ) -> Result<Ended, String> {
        self.with_player(|player| player.play(step, playbook, wanted))
    }

    /// Something that runs playbooks itself.
    pub(super) fn with_player<T>(&mut self, run: impl FnOnce(&Player<'_>) -> T) -> T {
        let player = Player {
            scenario: self.scenario,
            work: &self.work,
            program: &self.options.program,
            show: self
                .options
                .show
                .then(|| format!("{} | ", self.scenario.name)),
            stop: self.stop,
            count: std::cell::Cell::new(self.count),
        };
        let result = run(&player);
        self.count = player.count.get();
        result
    }

    /// What is under test.
    pub(super) fn converge_playbook(&self) -> Result<PathBuf, String> {
        match self.scenario.playbooks.of(Step::Converge) {
            Some(path) => Ok(path.to_owned()),
            None => Err(format!(
                "{}: there is no converge.yml",
                self.scenario.directory.display()
            )),
        }
    }

    /// Writes the inventory of the machines.
    pub(super) fn write_inventory(&self, reach: &Reach) -> Result<(), String> {
        let path = self.work.file("inventory.yml");
        if self.scenario.platforms.is_empty() {
            let _ = std::fs::remove_file(&path);
            return Ok(());
        }
        let text = emit(
            &self.scenario.inventory(reach),
            &EmitOptions::to_nice_yaml(),
        );
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    pub(super) fn remember(&self) -> Result<(), String> {
        self.work.remember(&self.state)
    }

    fn dependency(&mut self) -> Result<Said, String> {
        if let Some(command) = &self.scenario.dependency {
            let mut shell = Command::new("sh");
            shell
                .args(["-c", command])
                .current_dir(&self.scenario.project);
            let output = bed::run(&mut shell, self.scenario.limit)?;
            if !output.status.success() {
                let why = Finding::new(bed::text(&output.stderr));
                return Ok(Said::failed(format!("`{command}` failed"), vec![why]));
            }
            return Ok(Said::passed(format!("`{command}`")));
        }
        match &self.scenario.requirements {
            Some(file) if file.exists() => Err(format!(
                "{}: fetching roles and collections is not built; `dependency` can be a command that does it",
                file.display()
            )),
            _ => Ok(Said::skipped("nothing to get")),
        }
    }

    fn syntax(&mut self) -> Result<Said, String> {
        let playbook = self.converge_playbook()?;
        let ended = self.play(Step::Syntax, &playbook, &Wanted::with(&["--syntax-check"]))?;
        if ended.well() {
            return Ok(Said::passed("").log(&ended.log));
        }
        Ok(failure(&ended).log(&ended.log))
    }

    pub(super) fn plain(&mut self, step: Step) -> Result<Said, String> {
        let Some(playbook) = self.scenario.playbooks.of(step).map(Path::to_owned) else {
            return Ok(Said::skipped(format!("there is no {step}.yml")));
        };
        let ended = self.play(step, &playbook, &Wanted::default())?;
        if !ended.well() {
            return Ok(failure(&ended).log(&ended.log));
        }
        if step == Step::Verify && ended.seen.tasks() == 0 {
            let what = "it ran no task, which proves nothing";
            return Ok(Said::failed(what, Vec::new()).log(&ended.log));
        }
        Ok(Said::passed(tasks(&ended)).log(&ended.log))
    }
}

/// How many tasks ran where.
pub(super) fn tasks(ended: &Ended) -> String {
    format!(
        "{} on {}",
        count(ended.seen.tasks(), "task result"),
        count(ended.seen.hosts.len(), "host")
    )
}

/// A number of things.
pub(super) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// What a run failed of: its failed tasks, or the end of what it printed.
pub(super) fn failure(ended: &Ended) -> Said {
    let mut findings: Vec<Finding> = ended
        .seen
        .failures()
        .map(|(place, seen)| Finding {
            place: Some(place.clone()),
            what: seen.message.clone(),
            diff: String::new(),
        })
        .collect();
    if findings.is_empty() {
        let text = std::fs::read_to_string(&ended.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines
            .get(lines.len().saturating_sub(20)..)
            .unwrap_or_default();
        findings.push(Finding::new(tail.join("\n")));
    }
    let how = match (ended.late, ended.code) {
        (true, _) => "its time was over".to_owned(),
        (_, Some(code)) => format!("exit code {code}"),
        (_, None) => "it was killed".to_owned(),
    };
    Said::failed(how, findings)
}
