//! `runbook test`, `runbook scenario` and `runbook login`.

use super::exit::{CommandFailure, CommandResult, Exit};
use super::show::Show;
use super::streams::{errln, outln};
use crate::report::{Label, Palette};
use crate::scenario::{
    DriverKind, Found, Keep, Options, Runner, Scenario, Step, StepEnd, Verdict, Watch, choose,
    junit, login as shell,
};
use clap::{Args, ValueEnum};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What all commands on scenarios take.
#[derive(Clone, Debug, Args)]
pub struct CommonArgs {
    /// Scenarios: names, globs of names, or directories; all if none is given
    pub scenarios: Vec<String>,
    /// Make machines by this driver, whatever the scenario says
    #[arg(long, value_name = "DRIVER", value_parser = driver)]
    pub driver: Option<DriverKind>,
    /// The seed of what is chosen by chance
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// How often the step `interrupt` interrupts
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub interrupts: usize,
    /// Prepare machines each time, instead of bringing back a snapshot of prepared ones
    #[arg(long)]
    pub no_snapshot: bool,
    /// What goes to standard output: lines for people, or one JSON object per step
    #[arg(long, value_enum, default_value = "human", value_name = "KIND")]
    pub output: StepOutput,
    /// Also write a JUnit document to this file
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// How many scenarios to work on at once
    #[arg(short, long, value_name = "COUNT", default_value_t = 1)]
    pub jobs: usize,
    /// A scenario that cannot run here is a failure
    #[arg(long)]
    pub require: bool,
}

/// Arguments of `runbook test`.
#[derive(Clone, Debug, Args)]
pub struct TestArgs {
    #[command(flatten)]
    pub common: CommonArgs,
    /// Whether machines stay afterwards
    #[arg(long, value_enum, default_value = "never", value_name = "WHEN")]
    pub keep: KeepArg,
    /// These steps instead of the scenario's own sequence; each destroy comes with a cleanup
    #[arg(long, value_name = "STEPS", value_delimiter = ',', value_parser = step_name)]
    pub steps: Vec<Step>,
}

/// Arguments of `runbook scenario`.
#[derive(Clone, Debug, Args)]
pub struct ScenarioArgs {
    /// A step (dependency, cleanup, destroy, syntax, create, prepare, converge, check, idempotence, predict, interrupt,
    /// side_effect, verify), or `list`
    #[arg(value_name = "STEP", value_parser = step_or_list)]
    pub step: StepOrList,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// Arguments of `runbook login`.
#[derive(Clone, Debug, Args)]
pub struct LoginArgs {
    /// The machine
    pub host: String,
    /// Its scenario; the only one that has a machine of that name, if none is given
    #[arg(short, long, value_name = "SCENARIO")]
    pub scenario: Option<String>,
}

/// What `runbook scenario` is asked for.
#[derive(Clone, Copy, Debug)]
pub enum StepOrList {
    Step(Step),
    List,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeepArg {
    /// Always
    Always,
    /// If a step failed
    OnFailure,
    /// Never
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StepOutput {
    /// For people
    Human,
    /// One object per step
    Json,
}

fn driver(text: &str) -> Result<DriverKind, String> {
    let names = DriverKind::ALL.map(DriverKind::name).join(", ");
    DriverKind::named(text).ok_or_else(|| format!("there are {names}"))
}

fn step_name(text: &str) -> Result<Step, String> {
    let names = Step::ALL.map(Step::name).join(", ");
    Step::named(text).ok_or_else(|| format!("there are {names}"))
}

fn step_or_list(text: &str) -> Result<StepOrList, String> {
    if text == "list" {
        return Ok(StepOrList::List);
    }
    step_name(text).map(StepOrList::Step)
}

/// `runbook test`.
pub fn test(args: &TestArgs, show: &Show) -> CommandResult {
    let keep = match args.keep {
        KeepArg::Always => Keep::Always,
        KeepArg::OnFailure => Keep::OnFailure,
        KeepArg::Never => Keep::Never,
    };
    run(&args.common, show, keep, &|scenario| {
        let steps = if args.steps.is_empty() {
            scenario.sequence.clone()
        } else {
            Step::by_hand(&args.steps)
        };
        (steps, true)
    })
}

/// `runbook scenario`.
pub fn step(args: &ScenarioArgs, show: &Show) -> CommandResult {
    match args.step {
        StepOrList::List => list(&args.common),
        StepOrList::Step(step) => run(&args.common, show, Keep::Always, &|_| (step.alone(), false)),
    }
}

fn list(args: &CommonArgs) -> CommandResult {
    for found in choose(&cwd()?, &args.scenarios)? {
        let scenario = found.read()?;
        let driver = scenario.driver.map_or("best", DriverKind::name);
        outln!("{:<20} {driver:<10} {}", scenario.name, scenario.about);
    }
    Ok(Exit::Ok)
}

/// `runbook login`: becomes the program that logs in.
pub fn login(args: &LoginArgs) -> CommandResult {
    let wanted: Vec<String> = args.scenario.iter().cloned().collect();
    for found in choose(&cwd()?, &wanted)? {
        let scenario = found.read()?;
        if let Some(mut command) = shell(&scenario, None, &args.host).map_err(failed)? {
            let error = command.exec();
            return Err(failed(format!(
                "{}: {error}",
                command.get_program().to_string_lossy()
            )));
        }
    }
    let mut failure = failed(format!("there is no machine `{}` now", args.host));
    failure.diagnostic.hint =
        Some("`runbook scenario converge NAME` makes those of a scenario".to_owned());
    Err(failure)
}

fn cwd() -> Result<PathBuf, CommandFailure> {
    std::env::current_dir().map_err(|error| failed(format!("the current directory: {error}")))
}

fn failed(why: impl Into<String>) -> CommandFailure {
    CommandFailure::new(Exit::Error, why)
}

/// Tells of steps as they go.
struct Teller<'a> {
    show: &'a Show,
    output: StepOutput,
    /// Whether lines of several scenarios mix.
    several: bool,
    ends: Mutex<Vec<StepEnd>>,
}

impl Watch for Teller<'_> {
    fn begins(&self, scenario: &str, step: Step) {
        if self.output == StepOutput::Human && console::user_attended_stderr() && !self.several {
            // gone when the step's own line comes
            super::streams::err(format_args!("{scenario}: {step} …\r"));
        }
    }

    fn ended(&self, end: &StepEnd) {
        match self.output {
            StepOutput::Json => {
                outln!("{}", serde_json::to_string(end).unwrap_or_default());
            }
            StepOutput::Human => self.line(end),
        }
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.push(end.clone());
    }

    fn note(&self, scenario: &str, text: &str) {
        errln!("{scenario}: {text}");
    }
}

impl Teller<'_> {
    fn line(&self, end: &StepEnd) {
        let palette = Palette {
            color: self.show.colour_out,
        };
        let (word, label) = match end.verdict {
            Verdict::Passed => ("passed", Label::Ok),
            Verdict::Failed => ("FAILED", Label::Failed),
            Verdict::Skipped => ("skipped", Label::Skipped),
        };
        outln!(
            "{:<12} {:<12} {} {:>7.1} s  {}",
            end.scenario,
            end.step.name(),
            palette.paint(label, &format!("{word:<7}")),
            end.took.as_secs_f64(),
            end.summary
        );
        if end.verdict == Verdict::Failed {
            super::streams::out(format_args!("{}", end.details()));
            if let Some(log) = &end.log {
                outln!("  all of its output: {}", log.display());
            }
        }
    }
}

fn run(
    args: &CommonArgs,
    show: &Show,
    keep: Keep,
    steps: &(dyn Fn(&Scenario) -> (Vec<Step>, bool) + Sync),
) -> CommandResult {
    let found = choose(&cwd()?, &args.scenarios)?;
    let scenarios: Vec<Scenario> = found.iter().map(Found::read).collect::<Result<_, _>>()?;
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let options = Options {
        keep,
        driver: args.driver,
        seed: args.seed,
        interrupts: args.interrupts,
        snapshots: !args.no_snapshot,
        program,
        show: show.verbosity > 0,
        states: None,
    };
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ] {
        signal_hook::flag::register(signal, Arc::clone(&stop))
            .map_err(|error| failed(error.to_string()))?;
    }
    let teller = Teller {
        show,
        output: args.output,
        several: scenarios.len() > 1,
        ends: Mutex::new(Vec::new()),
    };
    let next = AtomicUsize::new(0);
    let errors = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.clamp(1, scenarios.len().max(1)) {
            scope.spawn(|| {
                while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (steps, whole) = steps(scenario);
                    let ran = Runner::new(scenario, &options, &teller, &stop)
                        .and_then(|mut runner| runner.run(&steps, whole));
                    if let Err(why) = ran {
                        errln!("{}: {why}", scenario.name);
                        errors
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .push(scenario.name.clone());
                    }
                }
            });
        }
    });
    let ends = teller
        .ends
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = &args.junit {
        std::fs::write(path, junit(&ends))
            .map_err(|error| failed(format!("{}: {error}", path.display())))?;
    }
    let errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
    if stop.load(Ordering::Relaxed) {
        return Ok(Exit::Interrupted);
    }
    Ok(sum_up(&scenarios, &ends, &errors, args))
}

/// The last line, and the exit code.
fn sum_up(scenarios: &[Scenario], ends: &[StepEnd], errors: &[String], args: &CommonArgs) -> Exit {
    let (mut passed, mut wrong, mut left) = (0, 0, 0);
    for scenario in scenarios {
        let own = || ends.iter().filter(|end| end.scenario == scenario.name);
        let failed = own().any(|end| end.verdict == Verdict::Failed);
        if failed || errors.contains(&scenario.name) {
            wrong += 1;
        } else if own().any(|end| end.verdict == Verdict::Passed) {
            passed += 1;
        } else {
            left += 1;
        }
    }
    if args.output == StepOutput::Human && scenarios.len() + left > 1 {
        let mut text = format!("{passed} passed, {wrong} failed");
        if left > 0 {
            text.push_str(&format!(", {left} SKIPPED"));
        }
        outln!("{text}");
    }
    if wrong > 0 || args.require && left > 0 {
        Exit::Error
    } else {
        Exit::Ok
    }
}
