//! One turn of a task: a task without a loop, or one of its items.

use super::background::InBackground;
use super::fault::Fault;
use super::handlers::UNKNOWN_HANDLER;
use super::include::{Include, What};
use super::machines::Login;
use super::play::PlayState;
use super::run::Run;
use super::scope::with_local;
use super::settings::Settings;
use crate::actions::{ActionRegistry, Effect, Input, RemoteCall, Step};
use crate::diag::Diagnostic;
use crate::playbook::Task;
use crate::result::{Outcome, TaskInfo};
use crate::template::{Context, FileContext};
use crate::transport::Become;
use crate::value::{Map, Value};
use crate::vars::HostScope;
use crate::yaml::Node;
use std::sync::Arc;

/// Which task where.
pub(crate) struct Place<'a> {
    pub state: &'a Arc<PlayState>,
    pub task: &'a Arc<Task>,
    pub info: &'a Arc<TaskInfo>,
    pub host: &'a Arc<str>,
}

/// A turn that is ready to go.
pub(crate) struct Turn {
    pub step: Step,
    pub include: Option<Include>,
    pub local: Map,
    pub scope: Option<(Arc<HostScope>, Arc<FileContext>)>,
    pub settings: Option<Settings>,
    pub delegate: Option<Arc<str>>,
    pub way: Option<(Login, Option<Become>)>,
    /// Its conditions, keywords or arguments cannot be templated.
    pub broken: bool,
    /// Which attempt it is, where it may be tried again.
    pub attempt: Option<u32>,
}

/// Why a turn did not get ready, with what was known of its keywords by then.
struct Stopped {
    fault: Fault,
    settings: Option<Settings>,
    /// Where it would have gone.
    delegate: Option<Arc<str>>,
    /// See [`TurnEnd::broken`].
    broken: bool,
}

/// How a turn ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct TurnEnd {
    pub outcome: Outcome,
    pub include: Option<Include>,
    pub effects: Vec<Effect>,
    pub notify: Vec<String>,
    pub delegate: Option<Arc<str>>,
    pub no_log: bool,
    pub ignore_errors: bool,
    pub ignore_unreachable: bool,
    pub any_errors_fatal: bool,
    /// Its conditions, keywords or arguments could not be templated.
    pub broken: bool,
    /// What ends the run for all.
    pub abort: Option<Box<Diagnostic>>,
}

/// Whether it is the action with that name, whose way is its own.
fn is_synchronize(task: &Task) -> bool {
    matches!(
        task.short_action(),
        "synchronize" | "ansible.posix.synchronize"
    )
}

impl Turn {
    fn over(outcome: Outcome, local: Map) -> Self {
        Self {
            step: Step::done(outcome),
            include: None,
            local,
            scope: None,
            settings: None,
            delegate: None,
            way: None,
            broken: false,
            attempt: None,
        }
    }

    /// Whether it is one call of a module.
    pub(crate) fn is_call(&self) -> bool {
        let waits = |settings: &Settings| {
            settings
                .background
                .as_ref()
                .is_some_and(InBackground::waits)
        };
        matches!(&self.step, Step::Call(call) if call.receive.is_none())
            && !self.settings.as_ref().is_some_and(waits)
    }

    /// Whether both go to the same agent.
    pub(crate) fn same_way(&self, other: &Self) -> bool {
        let key = |turn: &Self| {
            turn.way.as_ref().map(|(login, who)| {
                (
                    login.target.host.clone(),
                    login.target.port,
                    login.target.user.clone(),
                    login.kind.clone(),
                    who.clone(),
                )
            })
        };
        key(self) == key(other)
    }
}

impl Run {
    /// The skipped outcome if a condition is false.
    pub(crate) fn skips(&self, task: &Task, cx: &Context) -> Result<Option<Outcome>, Fault> {
        for node in &task.keywords.when {
            let value = node.to_value();
            let fits = self.condition(node, cx)?;
            if !fits {
                let mut outcome = Outcome::skip("Conditional result was False");
                outcome.data.set("false_condition", value.into_data());
                return Ok(Some(outcome));
            }
        }
        Ok(None)
    }

    /// Everything that comes before the machine: conditions, arguments, the controller's half.
    pub(crate) fn begin(&self, place: &Place<'_>, local: Map) -> Turn {
        match self.try_begin(place, &local) {
            Ok(turn) => turn,
            Err(stop) => Turn {
                broken: stop.broken,
                settings: stop.settings,
                delegate: stop.delegate,
                ..Turn::over(stop.fault.outcome(), local)
            },
        }
    }

    fn try_begin(&self, place: &Place<'_>, local: &Map) -> Result<Turn, Stopped> {
        let early = |fault: Fault| Stopped {
            fault,
            settings: None,
            delegate: None,
            broken: true,
        };
        let task = place.task;
        let (scope, files) = self
            .task_scope(place.state, place.host, task)
            .map_err(|e| early(Fault(e)))?;
        let cx = with_local(&scope, &files, local.clone());
        // who fails is told with the host that it would have gone to
        let (delegate, undefined) = match self.keyword(task.keywords.delegate_to.as_ref(), &cx) {
            Ok(value) => (value.map(|value| value.to_string()), None),
            Err(fault) => {
                let node = task.keywords.delegate_to.as_ref();
                (node.map(|node| node.to_value().to_string()), Some(fault))
            }
        };
        // what comes to nothing is an error, nothing at all is not
        let written = |node: &&Node| !node.to_value().to_string().is_empty();
        let nobody = delegate.as_ref().is_some_and(String::is_empty)
            && task
                .keywords
                .delegate_to
                .as_ref()
                .is_some_and(|node| written(&node));
        let delegate = delegate
            .filter(|name| !name.is_empty())
            .map(Arc::<str>::from);
        let target = delegate.as_ref().filter(|_| undefined.is_none());
        let scope = self.connected(place, task, (&scope, &files), target);
        let cx = with_local(&scope, &files, local.clone());
        let known = self.known_action(task, &cx);
        let early = |fault: Fault| Stopped {
            fault,
            settings: Some(self.flags_of_failure(task, &cx)),
            delegate: None,
            broken: true,
        };
        if let Some(node) = task.keywords.delegate_to.as_ref().filter(|_| nobody) {
            let message = format!(
                "Empty hostname produced from delegate_to: \"{}\"",
                node.to_value()
            );
            return Err(Stopped {
                delegate: Some(Arc::from(node.to_value().to_string())),
                ..early(Fault::at(message, &node.span))
            });
        }
        if let Some(outcome) = self.skips(task, &cx).map_err(early)? {
            let mut turn = Turn::over(outcome, local.clone());
            // a secret item must not show in the line that says it was skipped
            let no_log = self.flag("no_log", task.keywords.no_log.as_ref(), &cx);
            if matches!(no_log, Ok(Some(true))) {
                turn.settings = self.settings(task, &cx).ok();
            }
            return Ok(turn);
        }
        let task = &known.map_err(early)?;
        let early = |fault: Fault| Stopped {
            delegate: delegate.clone(),
            ..early(fault)
        };
        let mut settings = self.settings(task, &cx).map_err(early)?;
        let own = |fault: Fault| Stopped {
            fault,
            settings: Some(settings.clone()),
            delegate: delegate.clone(),
            broken: false,
        };
        // arithmetic fails for one item of a loop, what cannot be read for all
        let later = |fault: Fault| Stopped {
            broken: !fault.is_arithmetic(),
            ..own(fault)
        };
        self.words_of_connection(task, &cx).map_err(later)?;
        if matches!(task.short_action(), "include_tasks" | "include_role") {
            // in a loop, its label is told when the item is done
            let mut include = self.wants(task, &cx, local.clone()).map_err(later)?;
            include.no_log = settings.no_log;
            let mut outcome = Outcome::ok();
            if let What::Tasks(_, name) | What::Missing(name, _) = &include.what {
                outcome.data.set("include", name.as_str());
                outcome.data.set("include_args", Map::new());
            }
            return Ok(Turn {
                include: Some(include),
                settings: Some(settings.clone()),
                ..Turn::over(outcome, local.clone())
            });
        }
        if let Some(fault) = undefined {
            return Err(later(fault));
        }
        let args = self.arguments(task, &cx).map_err(later)?;
        self.loader
            .check_rendered(task, &args)
            .map_err(|e| later(Fault(e)))?;
        let mut background = self.background(task, &cx).map_err(later)?;
        let action = ActionRegistry.find(task.short_action());
        let mut step = match action {
            // it is made when the machine is known
            _ if task.custom.is_some() => Step::Call(RemoteCall::new(String::new(), args)),
            Some(action) => {
                let input = Input {
                    args,
                    templar: &self.templar,
                    cx: &cx,
                    check: settings.check,
                    verbosity: self.options.verbosity,
                    host: place.host,
                    managed: &self.options.managed,
                    no_log: settings.no_log,
                };
                action(&input)
                    .map_err(|e| own(Fault::action(&e, &task.action_span, &task.args.members)))?
            }
            None => Step::Call(RemoteCall::new(task.action.clone(), args)),
        };
        if let Step::Done(outcome, _) = &mut step {
            super::fault::point(outcome, &task.args.members);
        }
        let way = if matches!(step, Step::Done(..) | Step::Pause { .. }) {
            None
        } else {
            let target = delegate.as_ref().unwrap_or(place.host);
            let at = match &delegate {
                // connection and privileges are the delegate's, everything else the host's
                Some(delegate) => {
                    let (scope, files) = self
                        .task_scope(place.state, delegate, task)
                        .map_err(|e| later(Fault(e)))?;
                    with_local(&scope, &files, local.clone())
                }
                None => cx.clone(),
            };
            if let (Some(custom), Step::Call(call)) = (&task.custom, &mut step) {
                let args = std::mem::take(&mut call.args);
                step = self
                    .custom_step(task, custom, args, &settings, &at)
                    .map_err(own)?;
            }
            let login = self.login(target, task, &at).map_err(later)?;
            let who = self.becomes(task, &at).map_err(later)?;
            self.job_files(task, &at, &mut step, background.as_mut())
                .map_err(later)?;
            let mut way = (login, who);
            if task.custom.is_none() && is_synchronize(task) {
                let delegate = delegate.as_deref();
                (step, way) = self
                    .synchronized(place, task, (step, way), delegate, local)
                    .map_err(later)?;
            }
            Some(way)
        };
        settings.background = background;
        Ok(Turn {
            step,
            include: None,
            local: local.clone(),
            scope: Some((scope, files)),
            settings: Some(settings),
            delegate,
            way,
            broken: false,
            attempt: None,
        })
    }

    /// Variables with the turn's own result under the name that `register` gives it.
    pub(super) fn result_context(
        &self,
        place: &Place<'_>,
        local: &Map,
        outcome: &Outcome,
    ) -> Result<Context, Fault> {
        let (scope, files) = self
            .task_scope(place.state, place.host, place.task)
            .map_err(Fault)?;
        let scope = self.connected(place, place.task, (&scope, &files), None);
        let mut local = local.clone();
        if let Some(name) = &place.task.register {
            local.set(name, outcome.to_value().into_data());
        }
        Ok(with_local(&scope, &files, local))
    }

    /// What comes after the machine: `changed_when`, `failed_when`, facts, notifications.
    pub(crate) fn finish(
        &self,
        place: &Place<'_>,
        turn: TurnRest,
        outcome: Outcome,
        effects: Vec<Effect>,
    ) -> TurnEnd {
        let mut end = TurnEnd {
            outcome,
            include: turn.include,
            effects,
            delegate: turn.delegate,
            broken: turn.broken,
            ..TurnEnd::default()
        };
        if let Some(settings) = &turn.settings {
            end.no_log = settings.no_log;
            end.ignore_errors = settings.ignore_errors;
            end.ignore_unreachable = settings.ignore_unreachable;
            end.any_errors_fatal = settings.any_errors_fatal;
        }
        if let Some(attempt) = turn.attempt
            && turn.ran
            && !end.outcome.unreachable
        {
            end.outcome.data.set("attempts", attempt);
        }
        if let Err((keyword, fault)) = self.judge(place, &turn.local, turn.ran, &mut end.outcome) {
            // the result stays: what is wrong is the condition on it
            let fault = fault.outcome();
            let why = fault.data.get("msg").cloned().unwrap_or_default();
            end.outcome.failed = true;
            end.outcome.diagnosis = fault.diagnosis;
            end.outcome.data.set(keyword, why.clone());
            end.outcome.data.set("msg", why);
        }
        let delegate_facts = turn.settings.as_ref().is_some_and(|s| s.delegate_facts);
        self.remember(place, delegate_facts, &mut end);
        if !end.outcome.failed && turn.ran && !place.task.notify.is_empty() {
            match self.notified(place, &turn.local, end.outcome.changed) {
                Ok(names) => end.notify = names,
                // nobody knows what the play meant to do: that is the end of the run
                Err(fault) if fault.0.code == UNKNOWN_HANDLER => end.abort = Some(fault.0),
                Err(fault) => end.outcome = fault.outcome(),
            }
        }
        end
    }

    fn judge(
        &self,
        place: &Place<'_>,
        local: &Map,
        ran: bool,
        outcome: &mut Outcome,
    ) -> Result<(), (&'static str, Fault)> {
        let task = place.task;
        // what check mode left out has no result to judge
        if !ran
            || outcome.skipped
            || outcome.unreachable
            || (task.changed_when.is_none() && task.failed_when.is_none())
        {
            return Ok(());
        }
        let all = |nodes: &[crate::yaml::Node], outcome: &Outcome| {
            let cx = self.result_context(place, local, outcome)?;
            for node in nodes {
                let fits = self.condition(node, &cx)?;
                if !fits {
                    return Ok(false);
                }
            }
            Ok::<_, Fault>(true)
        };
        if let Some(nodes) = &task.changed_when {
            outcome.changed = all(nodes, outcome).map_err(|e| ("changed_when_result", e))?;
        }
        if let Some(nodes) = &task.failed_when {
            let failed = all(nodes, outcome).map_err(|e| ("failed_when_result", e))?;
            outcome.failed = failed;
            outcome.data.set("failed_when_result", failed);
        }
        Ok(())
    }

    /// The handlers that a turn notifies; those of one that changed something must exist.
    fn notified(
        &self,
        place: &Place<'_>,
        local: &Map,
        changed: bool,
    ) -> Result<Vec<String>, Fault> {
        let (scope, files) = self
            .task_scope(place.state, place.host, place.task)
            .map_err(Fault)?;
        let cx = with_local(&scope, &files, local.clone());
        let mut names = Vec::new();
        for node in &place.task.notify {
            let wanted: Vec<String> = match self.keyword(Some(node), &cx)? {
                Some(Value::List(items)) => items.iter().map(ToString::to_string).collect(),
                Some(one) => vec![one.to_string()],
                None => Vec::new(),
            };
            for name in wanted.iter().filter(|_| changed) {
                self.known_handler(place, name, node)?;
            }
            names.extend(wanted);
        }
        Ok(names)
    }
}

/// What is left of a turn when its step is taken out.
pub(crate) struct TurnRest {
    pub include: Option<Include>,
    pub local: Map,
    pub settings: Option<Settings>,
    pub delegate: Option<Arc<str>>,
    /// Whether the action really ran (a task whose condition is false did not).
    pub ran: bool,
    /// See [`TurnEnd::broken`].
    pub broken: bool,
    /// See [`Turn::attempt`].
    pub attempt: Option<u32>,
}
