//! `expect`: runs a program and answers its questions.
//!
//! Source: the documentation of `ansible.builtin.expect`.

use super::run::{delta, not_started, refused};
use crate::module_args;
use crate::modules::files::pyregex::{Flags, PyRegex};
use crate::modules::streams::set_stream;
use crate::modules::{CheckSupport, Failure, Module, ModuleResult, Plan};
use crate::sys::{Answer, Command, DialogueEnd, FileKind, Manner, Sys};
use crate::value::{
    ArgField, ArgKind, ArgProblem, Args as DecodeArgs, Map, TypeProblem, Value, shell_words, str_of,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

module_args! {
    /// Arguments of `expect`.
    pub struct Args {
        /// The command line; quotes and backslashes work as in a shell, nothing else does.
        command: String => required;
        /// Regular expressions of questions, and what is answered: always the same, or a list of one answer after another.
        responses: Map => required;
        /// Go to this directory first.
        chdir: Option<PathBuf> => optional;
        /// A path: if it is there, nothing is run.
        creates: Option<PathBuf> => optional;
        /// A path: if it is not there, nothing is run.
        removes: Option<PathBuf> => optional;
        /// Show answers in the output.
        echo: bool => default(false);
        patience: Patience => flatten;
    }
}

/// The argument `timeout`: `null` has a meaning of its own.
#[derive(Clone, Copy, Debug)]
pub struct Patience(Option<Duration>);

impl Patience {
    fn read(value: Option<&Value>) -> Result<Self, TypeProblem> {
        let seconds = match value {
            None => return Ok(Self(Some(Duration::from_secs(30)))),
            Some(Value::Null) => return Ok(Self(None)),
            Some(Value::Float(seconds)) => Some(*seconds),
            Some(other) => str_of(other).trim().parse::<f64>().ok(),
        };
        seconds
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .map(|time| Self(Some(time)))
            .ok_or_else(|| TypeProblem("it is not a number of seconds".into()))
    }
}

impl DecodeArgs for Patience {
    fn fields() -> Vec<ArgField> {
        vec![ArgField {
            name: "timeout",
            aliases: &[],
            doc: "Seconds to wait for something to answer, or for the end; `null` waits for ever."
                .into(),
            kind: ArgKind::Raw,
            elements: None,
            required: false,
            default: Some(Value::Int(30)),
            choices: &[],
            secret: false,
            check: |value| Self::read(Some(value)).map(drop),
        }]
    }

    fn decode(args: &Map) -> Result<Self, Vec<ArgProblem>> {
        Self::read(args.get("timeout")).map_err(|problem| {
            vec![ArgProblem::Type {
                name: "timeout".into(),
                failure: format!("argument 'timeout': {}", problem.0),
                message: problem.0,
            }]
        })
    }
}

/// The module.
pub struct Expect;

impl Module for Expect {
    const NAME: &'static str = "expect";
    const DOC: &'static str = "Run a program and answer its questions.";
    const CHECK: CheckSupport = CheckSupport::None;
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.command.trim().is_empty() {
            return Err(refused("no command given", Some(256)));
        }
        let words = shell_words(&args.command)
            .map_err(|why| format!("the command cannot be split: {why}: {}", args.command))?;
        let dir = args.chdir.as_deref().map(|dir| sys.expand(dir));
        if let Some(dir) = &dir {
            let is_dir = sys
                .stat(dir, true)?
                .is_some_and(|meta| meta.kind == FileKind::Directory);
            if !is_dir {
                return Err(
                    format!("Unable to change directory: {} is none", dir.display()).into(),
                );
            }
        }
        let mut plan = Plan::new();
        plan.returns("cmd", Value::data(args.command.as_str()));
        let there = |path: &Path| {
            let path = sys.expand(path);
            let path = dir.as_ref().map_or(path.clone(), |dir| dir.join(&path));
            sys.exists(&path)
        };
        let hindrance = match (&args.creates, &args.removes) {
            (Some(path), _) if there(path) => Some((path, "exists")),
            (_, Some(path)) if !there(path) => Some((path, "does not exist")),
            _ => None,
        };
        if let Some((path, why)) = hindrance {
            let mut data = Map::new();
            set_stream(
                &mut data,
                "stdout",
                &format!("skipped, since {} {why}", path.display()),
            );
            for (key, value) in data {
                plan.returns(key.as_str().unwrap_or_default(), value);
            }
            plan.returns("rc", 0);
            return Ok(plan);
        }
        let questions = questions(&args.responses)?;
        plan.opaque(args.command.as_str(), move |sys, data| {
            let mut command = Command::new(words);
            command.cwd = dir.map(|dir| sys.real_path(&dir));
            run(args, &command, questions, sys, data)
        });
        Ok(plan)
    }
}

/// A question with its answers.
struct Question {
    text: String,
    pattern: PyRegex,
    answers: Answers,
}

enum Answers {
    Always(String),
    InTurn(std::vec::IntoIter<String>),
}

impl Answers {
    fn next(&mut self) -> Option<String> {
        match self {
            Self::Always(answer) => Some(answer.clone()),
            Self::InTurn(answers) => answers.next(),
        }
    }
}

fn questions(responses: &Map) -> ModuleResult<Vec<Question>> {
    let line = |value: &Value| format!("{}\n", str_of(value).trim_end_matches('\n'));
    responses
        .into_iter()
        .map(|(key, value)| {
            let text = str_of(key);
            let flags = Flags {
                multiline: false,
                dotall: true,
            };
            Ok(Question {
                pattern: PyRegex::new(&text, flags, "responses")?,
                text,
                answers: match value.as_list() {
                    Some(list) => {
                        Answers::InTurn(list.iter().map(line).collect::<Vec<_>>().into_iter())
                    }
                    None => Answers::Always(line(value)),
                },
            })
        })
        .collect()
}

fn run(
    args: &Args,
    command: &Command,
    mut questions: Vec<Question>,
    sys: &mut Sys,
    data: &mut Map,
) -> ModuleResult<()> {
    let manner = Manner {
        echo: args.echo,
        timeout: args.patience.0,
    };
    let mut problem = None;
    let start = sys.local_time();
    let dialogue = sys.dialogue(command, manner, &mut |said| {
        let text = String::from_utf8_lossy(said);
        match answer(&mut questions, &text) {
            Ok(Some((answer, upto))) => Answer::Say {
                text: answer.into_bytes(),
                upto: upto.min(said.len()),
            },
            Ok(None) => Answer::Wait,
            Err(failure) => {
                problem = Some(failure);
                Answer::Stop
            }
        }
    });
    let dialogue = dialogue.map_err(not_started)?;
    let end = sys.local_time();
    let show = |time: &jiff::Zoned| Value::data(time.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string());
    data.set("start", show(&start));
    data.set("end", show(&end));
    let micros = end.timestamp().as_microsecond() - start.timestamp().as_microsecond();
    data.set("delta", Value::data(delta(micros)));
    let ran = |message: String| Failure::new(message).with("changed", true);
    let Ok(text) = String::from_utf8(dialogue.output) else {
        return Err(Failure::new("the command returned non UTF-8 data"));
    };
    let text = text.trim_end_matches(['\r', '\n']);
    if let Some(question) = problem {
        return Err(match question {
            // no change, as Ansible counts it
            Problem::NoAnswer(question) => Failure::new(format!(
                "No remaining responses for '{question}', output was '{text}'"
            )),
            Problem::Other(failure) => failure.with("changed", true),
        });
    }
    set_stream(data, "stdout", text);
    match dialogue.end {
        DialogueEnd::Exit(rc) => {
            data.set("rc", rc);
            if rc == 0 {
                Ok(())
            } else {
                Err(ran("non-zero return code".into()))
            }
        }
        DialogueEnd::Timeout | DialogueEnd::Stopped => {
            data.set("rc", Value::Null);
            Err(ran("command exceeded timeout".into()))
        }
    }
}

enum Problem {
    NoAnswer(String),
    Other(Failure),
}

/// The answer to the first question in the text, and where the question ends.
fn answer(questions: &mut [Question], text: &str) -> Result<Option<(String, usize)>, Problem> {
    let mut first: Option<(usize, usize, &mut Question)> = None;
    for question in questions {
        let Some(found) = question.pattern.find(text).map_err(Problem::Other)? else {
            continue;
        };
        let Some(all) = found.get(0) else { continue };
        // what fits nothing would be answered for ever
        if all.end() == 0 {
            continue;
        }
        if first
            .as_ref()
            .is_none_or(|(start, ..)| all.start() < *start)
        {
            first = Some((all.start(), all.end(), question));
        }
    }
    let Some((_, end, question)) = first else {
        return Ok(None);
    };
    match question.answers.next() {
        Some(answer) => Ok(Some((answer, end))),
        None => Err(Problem::NoAnswer(question.text.clone())),
    }
}

#[cfg(test)]
mod tests {
    use crate::modules::{Registry, RunMode};
    use crate::result::Outcome;
    use crate::sys::Sys;
    use crate::value::{Map, Value};

    fn run(args: Map) -> Outcome {
        let entry = Registry.find("expect").expect("there");
        (entry.run)(&args, &mut Sys::real(), RunMode::default())
    }

    fn ask(script: &str, responses: Map) -> Map {
        Map::new()
            .with("command", format!("sh -c '{script}'"))
            .with("responses", responses)
    }

    fn lines(outcome: &Outcome) -> Vec<&str> {
        let lines = outcome.data.get("stdout_lines").and_then(Value::as_list);
        lines
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .collect()
    }

    const SCRIPT: &str =
        "test -t 0 && echo tty; printf \"Name: \"; read a; printf \"Name: \"; read b; echo $a-$b";

    #[test]
    fn questions_are_answered() {
        let outcome = run(ask(SCRIPT, Map::new().with("(?i)name", "jo\n")));
        assert!(outcome.changed && !outcome.failed, "{outcome:?}");
        assert_eq!(lines(&outcome), ["tty", "Name: Name: jo-jo"]);
        assert_eq!(outcome.data.get("rc"), Some(&0.into()));
        let answers = Map::new().with("Name", vec!["a", "b"]);
        let outcome = run(ask(SCRIPT, answers).with("echo", true));
        assert_eq!(lines(&outcome), ["tty", "Name: a", "Name: b", "a-b"]);
    }

    #[test]
    fn answers_run_out() {
        let outcome = run(ask(SCRIPT, Map::new().with("Name", vec!["a"])));
        assert!(outcome.failed && !outcome.changed);
        assert!(
            outcome
                .message()
                .unwrap_or_default()
                .starts_with("No remaining responses for 'Name', output was 'tty")
        );
    }

    #[test]
    fn time_runs_out() {
        let begun = std::time::Instant::now();
        let outcome = run(ask("sleep 30", Map::new().with("x", "y")).with("timeout", 0.2));
        assert_eq!(outcome.message(), Some("command exceeded timeout"));
        assert!(begun.elapsed() < std::time::Duration::from_secs(10));
        let outcome = run(ask("exit 3", Map::new().with("x", "y")).with("timeout", Value::Null));
        assert_eq!(outcome.message(), Some("non-zero return code"));
        assert_eq!(outcome.data.get("rc"), Some(&3.into()));
        let outcome = run(ask("true", Map::new()).with("timeout", "soon"));
        assert!(outcome.failed && !outcome.changed);
    }

    #[test]
    fn text_must_be_utf_8() {
        let outcome = run(ask("printf \"\\350\"", Map::new()));
        assert!(
            outcome
                .message()
                .unwrap_or_default()
                .contains("returned non UTF-8 data")
        );
    }
}
