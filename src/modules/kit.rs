//! Plan, then apply: what every module is made of.

use crate::result::{Diff, Outcome};
use crate::sys::{Error as SysError, Sys};
use crate::value::{ArgRule, ArgSpec, Args, Map, Value, check_args};

/// How a module behaves in check mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckSupport {
    /// Its plan says what would change.
    Full,
    /// It cannot tell: the task is skipped in check mode.
    None,
}

/// A module.
pub trait Module: Send + Sync + 'static {
    /// Its short name, e.g. `copy`.
    const NAME: &'static str;
    /// The collection it belongs to.
    const COLLECTION: &'static str = "ansible.builtin";
    /// Other short names, e.g. `systemd_service`.
    const ALIASES: &'static [&'static str] = &[];
    /// What it does; the first line is its summary.
    const DOC: &'static str;
    /// Rules between arguments.
    const RULES: &'static [ArgRule] = &[];
    /// The argument that takes the free form.
    const FREE_FORM: Option<&'static str> = None;
    /// Whether it can predict.
    const CHECK: CheckSupport = CheckSupport::Full;
    /// Its arguments.
    type Args: Args;

    /// Looks, decides, lists steps. It cannot change anything: `Sys` is borrowed shared.
    ///
    /// # Errors
    /// When the wish cannot be met, or the machine cannot be looked at.
    fn plan<'a>(args: &'a Self::Args, sys: &Sys) -> ModuleResult<Plan<'a>>;
}

/// What modules give back, or why they failed.
pub type ModuleResult<T> = Result<T, Failure>;

/// A module's failure: a message for the user and the values that go with it (`rc`, `stderr`, …).
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// One sentence or more.
    pub message: String,
    /// Return values that a failed result still has. `changed: true` says that the machine was changed though the
    /// step failed.
    pub returns: Map,
    /// What check mode warns of beside.
    check_warnings: Vec<String>,
}

impl Failure {
    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            returns: Map::new(),
            check_warnings: Vec::new(),
        }
    }

    /// The same with warnings that are given in check mode only.
    #[must_use]
    pub fn with_check_warnings(mut self, warnings: Vec<String>) -> Self {
        self.check_warnings = warnings;
        self
    }

    /// The same with a return value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.returns.set(key, value);
        self
    }
}

impl From<SysError> for Failure {
    fn from(error: SysError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

/// What a step does; it says whether it changed something.
type Apply<'a> = Box<dyn FnOnce(&mut Sys, &mut Map) -> ModuleResult<bool> + 'a>;

struct Step<'a> {
    what: String,
    diff: Option<Diff>,
    apply: Apply<'a>,
    /// It is known beforehand that it changes something.
    change: bool,
}

/// What is to be done, in order, and what the module returns.
#[derive(Default)]
pub struct Plan<'a> {
    steps: Vec<Step<'a>>,
    returns: Map,
    warnings: Vec<String>,
    /// Those of check mode only.
    check_warnings: Vec<String>,
    opaque: bool,
    repeats: bool,
    skip: Option<String>,
    secret: bool,
}

impl<'a> Plan<'a> {
    /// Nothing to do.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step that changes what the diff shows.
    pub fn step(
        &mut self,
        diff: Diff,
        apply: impl FnOnce(&mut Sys) -> crate::sys::Result<()> + 'a,
    ) {
        self.steps.push(Step {
            what: diff.target.clone(),
            diff: Some(diff),
            apply: Box::new(move |sys, _| Ok(apply(sys).map(|()| true)?)),
            change: true,
        });
    }

    /// Adds a step that may fail in the module's own words and add return values. `what` names it
    /// (`install nginx`); the diff may be missing where there is nothing to show.
    pub fn act(
        &mut self,
        what: impl Into<String>,
        diff: Option<Diff>,
        apply: impl FnOnce(&mut Sys, &mut Map) -> ModuleResult<()> + 'a,
    ) {
        self.steps.push(Step {
            what: what.into(),
            diff,
            apply: Box::new(move |sys, data| apply(sys, data).map(|()| true)),
            change: true,
        });
    }

    /// Adds a step that is done whenever the plan is applied, and that says afterwards whether it changed something
    /// (reloading a daemon's configuration, refreshing a package index). It is no change in check mode and nothing
    /// that is left to do.
    pub fn always(
        &mut self,
        what: impl Into<String>,
        apply: impl FnOnce(&mut Sys, &mut Map) -> ModuleResult<bool> + 'a,
    ) {
        self.steps.push(Step {
            what: what.into(),
            diff: None,
            apply: Box::new(apply),
            change: false,
        });
    }

    /// Adds a step of which only doing it tells whether it changes something. In check mode it counts as a change.
    pub fn perhaps(
        &mut self,
        what: impl Into<String>,
        apply: impl FnOnce(&mut Sys, &mut Map) -> ModuleResult<bool> + 'a,
    ) {
        self.steps.push(Step {
            what: what.into(),
            diff: None,
            apply: Box::new(apply),
            change: true,
        });
    }

    /// Says that `what` would be done, for check mode, which may run before what makes it possible; doing it fails.
    pub fn fails(what: impl Into<String>, diff: Option<Diff>, failure: Failure) -> Self {
        let mut plan = Self::new();
        plan.act(what, diff, move |_, _| Err(failure));
        plan
    }

    /// What is planned would be planned again right after it was applied, and that is meant so (a restart).
    pub fn repeats(&mut self) {
        self.repeats = true;
    }

    /// Adds a step whose effect cannot be known (a command). In check mode the whole task counts as skipped.
    pub fn opaque(
        &mut self,
        what: impl Into<String>,
        apply: impl FnOnce(&mut Sys, &mut Map) -> ModuleResult<()> + 'a,
    ) {
        self.opaque = true;
        self.act(what, None, apply);
    }

    /// Sets a return value. A step may set it again when it is applied.
    pub fn returns(&mut self, key: &str, value: impl Into<Value>) {
        self.returns.set(key, value);
    }

    /// Adds another plan's steps and warnings after its own; the other's return values are dropped.
    pub fn absorb(&mut self, other: Self) {
        self.steps.extend(other.steps.into_iter().map(|step| Step {
            what: step.what,
            diff: step.diff,
            apply: Box::new(move |sys, _| (step.apply)(sys, &mut Map::new())),
            change: step.change,
        }));
        self.warnings.extend(other.warnings);
    }

    /// The same, but for one return value of the other's steps.
    pub fn absorb_with(&mut self, other: Self, key: &'static str) {
        self.steps.extend(other.steps.into_iter().map(|step| {
            let apply = move |sys: &mut Sys, data: &mut Map| {
                let mut own = Map::new();
                let changed = (step.apply)(sys, &mut own);
                if let Some(value) = own.take(key) {
                    data.set(key, value);
                }
                changed
            };
            Step {
                what: step.what,
                diff: step.diff,
                apply: Box::new(apply),
                change: step.change,
            }
        }));
        self.warnings.extend(other.warnings);
    }

    /// Adds what another plan says, for check mode and diffs, and nothing that is done: an earlier step plans the same
    /// once more when it is known better, and does it.
    pub fn foretell(&mut self, other: Self) {
        self.steps.extend(other.steps.into_iter().map(|step| Step {
            what: step.what,
            diff: step.diff,
            apply: Box::new(|_, _| Ok(false)),
            change: step.change,
        }));
        for (key, value) in other.returns {
            self.returns.insert(key, value);
        }
        self.warnings.extend(other.warnings);
        self.check_warnings.extend(other.check_warnings);
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    /// Adds a warning that is given in check mode only: where doing it would fail, or does not matter.
    pub fn warn_in_check(&mut self, warning: impl Into<String>) {
        self.check_warnings.push(warning.into());
    }

    /// Nothing is done, and the task counts as skipped for this reason.
    pub fn skip(&mut self, reason: impl Into<String>) {
        self.skip = Some(reason.into());
    }

    /// Texts in diffs of this plan must not be shown.
    pub fn secret(&mut self) {
        self.secret = true;
    }

    /// Whether something is to be done.
    pub fn changes(&self) -> bool {
        self.steps.iter().any(|step| step.change)
    }

    /// Applies the plan inside a step of another one, for what can only be planned then. Says whether something was
    /// changed; its warnings are dropped.
    pub(crate) fn apply_within(self, sys: &mut Sys, data: &mut Map) -> ModuleResult<bool> {
        for (key, value) in self.returns {
            data.insert(key, value);
        }
        let mut changed = false;
        for step in self.steps {
            changed |= (step.apply)(sys, data)?;
        }
        Ok(changed)
    }

    /// The diffs, for tests.
    pub fn diffs(&self) -> Vec<Diff> {
        self.steps.iter().filter_map(|s| s.diff.clone()).collect()
    }
}

/// How to run a module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunMode {
    /// Plan only.
    pub check: bool,
    /// Return diffs.
    pub diff: bool,
    /// Plan again after applying.
    pub replan: bool,
}

/// The module's interface as data.
pub fn spec_of<M: Module>() -> ArgSpec {
    ArgSpec {
        module: M::NAME,
        collection: M::COLLECTION,
        aliases: M::ALIASES,
        doc: M::DOC,
        fields: M::Args::fields(),
        rules: M::RULES,
        free_form: M::FREE_FORM,
    }
}

/// Runs a module: checks and reads the arguments, plans, applies unless in check mode.
pub fn run<M: Module>(args: &Map, sys: &mut Sys, mode: RunMode) -> Outcome {
    let spec = spec_of::<M>();
    let problems = check_args(&spec, &args.as_args());
    if !problems.is_empty() {
        return Outcome::failure(spec.refusal(&problems));
    }
    let args = match M::Args::decode(args) {
        Ok(args) => args,
        Err(problems) => return Outcome::failure(spec.refusal(&problems)),
    };
    if mode.check && M::CHECK == CheckSupport::None {
        let mut outcome = Outcome::skip("check mode");
        outcome.data.set(
            "msg",
            format!("remote module ({}) does not support check mode", M::NAME),
        );
        return outcome;
    }
    let plan = match M::plan(&args, sys) {
        Ok(plan) => plan,
        Err(mut failure) => {
            let warnings = std::mem::take(&mut failure.check_warnings);
            let mut outcome = failed(failure, Map::new());
            complete(&mut outcome.data, sys);
            if mode.check {
                outcome.warnings.extend(warnings);
            }
            return outcome;
        }
    };
    let repeats = plan.opaque || plan.repeats;
    let mut outcome = apply(plan, sys, mode);
    complete(&mut outcome.data, sys);
    let done = !outcome.failed && !outcome.skipped && !mode.check;
    if mode.replan && done && repeats && outcome.changed {
        outcome.data.set(NOT_JUDGED, true);
    }
    if mode.replan && done && !repeats {
        match M::plan(&args, sys) {
            Ok(again) => {
                outcome.left_to_do = again
                    .steps
                    .into_iter()
                    .filter(|step| step.change)
                    .map(|step| step.what)
                    .collect();
            }
            Err(failure) => outcome.left_to_do = vec![failure.message],
        }
    }
    outcome
}

/// Adds what every result has beside what its module says: the lines of streams, and what the file is that `path` or
/// `dest` names, if the module has not told that.
fn complete(data: &mut Map, sys: &Sys) {
    super::streams::split(data);
    if data.get("state").is_some() || data.get("uid").is_some() {
        return;
    }
    let path = data.get("path").or_else(|| data.get("dest"));
    if let Some(path) = path.and_then(Value::as_str).map(std::path::PathBuf::from)
        && let Ok(Some(meta)) = sys.stat(&path, false)
    {
        let mut facts = Map::new();
        super::files::attrs::Facts::of(sys, &meta).refresh(&mut facts);
        for (key, value) in facts {
            data.entry(key).or_insert(value);
        }
    }
}

/// Marks, for reports, the outcome of what was to be planned again, but does the same each time it runs (a command, a
/// restart).
pub const NOT_JUDGED: &str = "_ansible_not_judged";

fn apply(plan: Plan<'_>, sys: &mut Sys, mode: RunMode) -> Outcome {
    let mut outcome = Outcome {
        changed: plan.changes() && plan.skip.is_none(),
        warnings: plan.warnings,
        data: plan.returns,
        ..Outcome::ok()
    };
    if let Some(reason) = plan.skip {
        outcome.skipped = true;
        outcome.data.set("skip_reason", reason);
        return outcome;
    }
    if mode.diff {
        outcome.diffs = plan
            .steps
            .iter()
            .filter_map(|step| step.diff.clone())
            .map(|diff| if plan.secret { diff.redacted() } else { diff })
            .collect();
    }
    if mode.check {
        outcome.warnings.extend(plan.check_warnings);
        if plan.opaque {
            outcome.changed = false;
            outcome.skipped = true;
            outcome
                .data
                .set("msg", "Command would have run if not in check mode");
        }
        return outcome;
    }
    let mut begun = false;
    outcome.changed = false;
    for step in plan.steps {
        let result = if sys.cancel().is_stopped() {
            Err(SysError::Cancelled.into())
        } else {
            (step.apply)(sys, &mut outcome.data)
        };
        match result {
            Ok(changed) => begun |= changed,
            Err(mut failure) => {
                // a command that failed has run: its task counts as changed
                let ran = failure.returns.take("changed").is_some_and(|v| v.truthy());
                let mut failure = failed(failure, outcome.data);
                failure.changed = begun || ran;
                failure.warnings = outcome.warnings;
                return failure;
            }
        }
    }
    outcome.changed = begun;
    outcome
}

fn failed(mut failure: Failure, mut data: Map) -> Outcome {
    let warnings = match failure.returns.take("warnings") {
        Some(Value::List(all)) => all.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    data.set("msg", Value::data(failure.message));
    for (key, value) in failure.returns {
        data.insert(key, value);
    }
    Outcome {
        failed: true,
        warnings,
        data,
        ..Outcome::default()
    }
}
