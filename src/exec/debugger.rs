//! The debugger: asks the user what to do about a task's result, and runs the task again if wanted.
//!
//! Source: Ansible's documentation, "Debugging tasks".

use super::play::PlayState;
use super::run::Run;
use super::scope::with_local;
use super::task::TaskEnd;
use crate::playbook::Task;
use crate::result::{Status, TaskInfo};
use crate::template::{Context, Scope, Variable};
use crate::value::{Map, Value, repr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What the user wants to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Redo,
    Continue,
    Quit,
}

/// A line that the user gave.
#[derive(Debug, PartialEq, Eq)]
enum Command<'a> {
    /// Print an expression; with the flag, over several lines where it is long.
    Print(&'a str, bool),
    /// Set a member of the task's arguments or of its variables.
    Set {
        /// Of the variables, and not of the arguments.
        variable: bool,
        /// The expression that names the member.
        member: &'a str,
        value: &'a str,
    },
    Update,
    Wish(Wish),
    Help,
    Nothing,
}

const HELP: &str = "\
p EXPRESSION: print it; there are task, task_vars, host and result
task.args[KEY] = VALUE: change an argument
task_vars[KEY] = VALUE: change a variable
u: take the arguments as they are written again
r: run the task again
c: go on with the next result
q: quit";

impl<'a> Command<'a> {
    fn parse(line: &'a str) -> Self {
        let line = line.trim();
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        match word {
            "" => return Self::Nothing,
            "p" | "pprint" => return Self::Print(rest.trim(), true),
            "u" | "update_task" => return Self::Update,
            "r" | "redo" => return Self::Wish(Wish::Redo),
            "c" | "continue" => return Self::Wish(Wish::Continue),
            "q" | "quit" | "EOF" => return Self::Wish(Wish::Quit),
            "h" | "help" | "?" => return Self::Help,
            _ => {}
        }
        for (base, variable) in [("task.args[", false), ("task_vars[", true)] {
            let Some(rest) = line.strip_prefix(base) else {
                continue;
            };
            if let Some((member, value)) = rest.split_once(']')
                && let Some(value) = value.trim_start().strip_prefix('=')
                && !value.starts_with('=')
            {
                return Self::Set {
                    variable,
                    member,
                    value: value.trim(),
                };
            }
        }
        Self::Print(line, false)
    }
}

/// What expressions see.
#[derive(Debug)]
struct Seen {
    host: Value,
    task: Value,
    result: Value,
    vars: Arc<dyn Scope>,
}

impl Scope for Seen {
    fn get(&self, name: &str) -> Option<Variable> {
        match name {
            "task" => Some(Variable::Final(self.task.clone())),
            "host" => Some(Variable::Final(self.host.clone())),
            "result" => Some(Variable::Final(self.result.clone())),
            "task_vars" => self.vars.get("vars"),
            _ => None,
        }
    }

    fn names(&self) -> Vec<Arc<str>> {
        ["task", "host", "result", "task_vars"]
            .map(Arc::from)
            .into()
    }
}

/// A task at which the user is asked.
struct Halt<'a> {
    state: &'a Arc<PlayState>,
    /// As it is written.
    written: &'a Arc<Task>,
    /// With what the user changed.
    task: Task,
    /// Variables that the user set.
    vars: Map,
    host: &'a Arc<str>,
}

impl Run {
    /// Whether the user is to be asked about this end of a task.
    fn halts(&self, state: &PlayState, task: &Task, host: &str, end: &TaskEnd) -> bool {
        let keyword = task.keywords.debugger.as_ref().and_then(|node| {
            let (scope, files) = self.task_scope(state, host, task).ok()?;
            let cx = Context::new(scope, files);
            self.inherited(&task.keywords, "debugger", Some(node), &cx)
                .ok()
                .flatten()
        });
        let ignored = self.options.debugger_ignores_errors && end.status == Status::Ignored;
        let failed = end.outcome.failed && !end.outcome.unreachable && !ignored;
        let unreachable = end.outcome.unreachable;
        let keyword = keyword.map(|word| word.to_string());
        match keyword.as_deref() {
            Some("always") => true,
            Some("never") => false,
            Some("on_failed") if failed => true,
            Some("on_unreachable") if unreachable => true,
            Some("on_skipped") if end.status == Status::Skipped => true,
            _ => (self.options.debugger || state.debugs) && (failed || unreachable),
        }
    }

    /// Asks the user about each end that calls for it; what is run again has another end.
    pub(super) async fn debug_ends(
        self: &Arc<Self>,
        state: &Arc<PlayState>,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        ends: Vec<(Arc<str>, TaskEnd)>,
        rescued: &dyn Fn(&str) -> bool,
    ) -> Vec<(Arc<str>, TaskEnd)> {
        let may = self.options.debugger || state.debugs || task.keywords.debugger.is_some();
        if !may {
            return ends;
        }
        let mut after = Vec::new();
        for (host, mut end) in ends {
            let mut halt = Halt {
                state,
                written: task,
                task: (**task).clone(),
                vars: Map::new(),
                host: &host,
            };
            while !self.is_interrupted() && self.halts(state, task, &host, &end) {
                // one question at a time, where hosts do not wait for each other
                let asking = self.asking.lock().await;
                let wish = self.ask_about(&mut halt, info, &end).await;
                drop(asking);
                match wish {
                    Wish::Continue => break,
                    Wish::Quit => {
                        self.prompt.tell("User interrupted execution");
                        self.quit.store(true, Ordering::Relaxed);
                    }
                    Wish::Redo => {
                        self.emitter.take_back(&host, end.status, &end.outcome);
                        let mut again = halt.task.clone();
                        if !halt.vars.is_empty() {
                            again
                                .keywords
                                .include_vars
                                .push(Arc::new(halt.vars.clone()));
                        }
                        let again = Arc::new(again);
                        end = self
                            .task_on_host(state, &again, info, &host, rescued(&host))
                            .await;
                    }
                }
            }
            after.push((host, end));
        }
        after
    }

    async fn ask_about(&self, halt: &mut Halt<'_>, info: &TaskInfo, end: &TaskEnd) -> Wish {
        let kind = if info.handler { "HANDLER" } else { "TASK" };
        let text = format!("[{}] {kind}: {} (debug)> ", halt.host, info.name);
        let mut last = String::new();
        loop {
            let prompt = Arc::clone(&self.prompt);
            let question = text.clone();
            let asked = tokio::task::spawn_blocking(move || prompt.ask(&question, true)).await;
            let Ok(Some(line)) = asked else {
                return Wish::Quit;
            };
            // an empty line is the last one again
            if !line.trim().is_empty() {
                last = line;
            }
            match Command::parse(&last) {
                Command::Wish(wish) => return wish,
                Command::Nothing => {}
                Command::Help => self.prompt.tell(HELP),
                Command::Update => halt.task.args.clone_from(&halt.written.args),
                Command::Print(expression, pretty) => {
                    match self.look(halt, info, end, expression) {
                        Ok(value) if pretty => self.prompt.tell(&pretty_repr(&value)),
                        Ok(value) => self.prompt.tell(&repr(&value)),
                        Err(message) => self.prompt.tell(&format!("***{message}")),
                    }
                }
                Command::Set {
                    variable,
                    member,
                    value,
                } => {
                    let set = self.look(halt, info, end, member).and_then(|name| {
                        let value = self.typed(halt, info, end, value)?;
                        if variable {
                            halt.vars.insert(name, value);
                        } else {
                            let span = halt.written.action_span.clone();
                            halt.task.args.set(&name.to_string(), value, &span);
                        }
                        Ok(())
                    });
                    if let Err(message) = set {
                        self.prompt.tell(&format!("***{message}"));
                    }
                }
            }
        }
    }

    /// A value that the user wrote: text in quotes may be a template, like what stands in a playbook.
    fn typed(
        &self,
        halt: &Halt<'_>,
        info: &TaskInfo,
        end: &TaskEnd,
        value: &str,
    ) -> Result<Value, String> {
        for quote in ['"', '\''] {
            let inner = value
                .strip_prefix(quote)
                .and_then(|rest| rest.strip_suffix(quote))
                .filter(|inner| !inner.contains([quote, '\\']));
            if let Some(inner) = inner {
                return Ok(Value::str(inner));
            }
        }
        self.look(halt, info, end, value)
    }

    /// The value of an expression.
    fn look(
        &self,
        halt: &Halt<'_>,
        info: &TaskInfo,
        end: &TaskEnd,
        expression: &str,
    ) -> Result<Value, String> {
        let (scope, files) = self
            .task_scope(halt.state, halt.host, &halt.task)
            .map_err(|error| error.message.clone())?;
        let vars = with_local(&scope, &files, halt.vars.clone());
        let name = halt
            .task
            .name
            .as_ref()
            .map(|name| name.to_value().to_string());
        let task = Map::new()
            .with("name", Value::data(name.unwrap_or_default()))
            .with("action", Value::data(halt.task.action.as_str()))
            .with("args", Value::map(halt.task.args.to_map()).into_data());
        let result = Map::new()
            .with("_host", Value::data(Arc::clone(halt.host)))
            .with("_task", Value::data(info.name.as_str()))
            .with("_result", end.outcome.to_value().into_data());
        let seen = Seen {
            host: Value::data(Arc::clone(halt.host)),
            // alone, a task is its name
            task: if expression == "task" {
                Value::data(format!("TASK: {}", info.name))
            } else {
                Value::map(task)
            },
            result: Value::map(result),
            vars: Arc::clone(vars.scope()),
        };
        let cx = Context::new(Arc::new(seen), files);
        self.templar
            .expression(expression, &cx)
            .map_err(|error| error.message)
    }
}

/// Python's notation; a mapping or list that is longer than a line has a line for each member.
fn pretty_repr(value: &Value) -> String {
    let plain = repr(value);
    if plain.chars().count() <= 80 {
        return plain;
    }
    let (open, close, lines): (char, char, Vec<String>) = match value {
        Value::Map(map) => {
            let mut lines: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}: {}", repr(key), repr(value)))
                .collect();
            lines.sort();
            ('{', '}', lines)
        }
        Value::List(items) => ('[', ']', items.iter().map(repr).collect()),
        _ => return plain,
    };
    format!("{open}{}{close}", lines.join(",\n "))
}

#[cfg(test)]
mod tests {
    use super::{Command, Wish, pretty_repr};
    use crate::value::{Map, Value};

    #[test]
    fn lines_are_commands_or_expressions() {
        assert_eq!(Command::parse(" r "), Command::Wish(Wish::Redo));
        assert_eq!(Command::parse("quit"), Command::Wish(Wish::Quit));
        assert_eq!(
            Command::parse("p task.args"),
            Command::Print("task.args", true)
        );
        assert_eq!(
            Command::parse("task_vars['a'] == 1"),
            Command::Print("task_vars['a'] == 1", false)
        );
        assert_eq!(
            Command::parse("task.args[\"that\"] = \"true\""),
            Command::Set {
                variable: false,
                member: "\"that\"",
                value: "\"true\"",
            }
        );
    }

    #[test]
    fn long_mappings_have_a_line_for_each_member() {
        let map = Map::new()
            .with("b", "x".repeat(50).as_str())
            .with("a", "y".repeat(50).as_str());
        let text = pretty_repr(&Value::map(map));
        assert!(text.starts_with("{'a': 'yyy"), "{text}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}
