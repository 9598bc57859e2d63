//! `debconf`: answers to the questions that Debian packages ask.
//!
//! Source: debconf-set-selections(1), debconf-show(1), and the documentation of `ansible.builtin.debconf`.

use crate::modules::streams::command_failed;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Map, Value, str_of};
use crate::{choices, module_args};

choices! {
    /// The type of an answer.
    pub enum Vtype {
        /// Yes or no.
        Boolean = "boolean",
        /// A message.
        Error = "error",
        /// Some of several words.
        Multiselect = "multiselect",
        /// A message.
        Note = "note",
        /// A password.
        Password = "password",
        /// Whether the question was seen.
        Seen = "seen",
        /// One of several words.
        Select = "select",
        /// A line.
        String = "string",
        /// A message.
        Text = "text",
        /// A title.
        Title = "title",
    }
}

module_args! {
    /// Arguments of `debconf`.
    pub struct Args {
        /// The package.
        name: String => required, aliases ["pkg"];
        /// The question; without it, answers are only read.
        question: Option<String> => optional, aliases ["selection", "setting"];
        /// The type of the answer.
        vtype: Option<Vtype> => optional;
        /// The answer; a list is possible for `multiselect`.
        value: Option<Value> => optional, aliases ["answer"];
        /// The question counts as not seen yet.
        unseen: bool => default(false);
    }
}

/// The module.
pub struct Debconf;

impl Module for Debconf {
    const NAME: &'static str = "debconf";
    const DOC: &'static str = "Answer questions of Debian packages, before they are asked.";
    const RULES: &'static [ArgRule] = &[ArgRule::Together(&["question", "vtype", "value"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let known = known(&args.name, sys)?;
        let mut plan = Plan::new();
        plan.returns("msg", "");
        plan.returns("current", answers(&known));
        let (Some(question), Some(vtype), Some(value)) = (&args.question, args.vtype, &args.value)
        else {
            return Ok(plan);
        };
        let value = text(vtype, value)?;
        if value.contains('\n') || question.contains(char::is_whitespace) {
            return Err("a question is a word and its answer one line".into());
        }
        let answer = known.iter().find(|answer| answer.question == *question);
        let before = match (answer, vtype) {
            (None, _) => None,
            (Some(answer), Vtype::Seen) => Some(answer.seen.to_string()),
            (Some(_), Vtype::Password) => password(&args.name, question, sys)?,
            (Some(answer), _) => Some(answer.value.clone()),
        };
        let same = match (&before, vtype) {
            (Some(before), Vtype::Multiselect) if args.value.as_ref().is_some_and(is_list) => {
                words(before) == words(&value)
            }
            (before, _) => before.as_deref() == Some(value.as_str()),
        };
        if same {
            return Ok(plan);
        }
        let secret = vtype == Vtype::Password;
        let shown = |value: &str| Value::data(if secret { "(password omitted)" } else { value });
        let mut previous = match (&before, answer) {
            (Some(_), _) => Map::new(),
            (None, _) => answers(&known),
        };
        previous.set(question, shown(before.as_deref().unwrap_or_default()));
        plan.returns("previous", previous);
        plan.returns("current", Map::new().with(question, shown(&value)));
        if secret {
            plan.secret();
        }
        let line = |value: &str| format!("{question}: {value}\n");
        let diff = Diff::new(
            format!("debconf of {}", args.name),
            before.as_deref().map(line),
            Some(line(&value)),
        );
        let input = format!("{} {question} {} {value}\n", args.name, vtype.word());
        plan.act(format!("answer {question}"), Some(diff), move |sys, _| {
            let words = ["debconf-set-selections"]
                .into_iter()
                .chain(args.unseen.then_some("-u"));
            let command = sys.tool(words).stdin(input);
            let output = sys.run(&command)?;
            if output.ok() {
                Ok(())
            } else {
                Err(command_failed(
                    "the answer cannot be set",
                    &command,
                    &output,
                ))
            }
        });
        Ok(plan)
    }
}

/// What debconf knows of a question.
struct Answer {
    question: String,
    value: String,
    seen: bool,
}

fn answers(known: &[Answer]) -> Map {
    let mut map = Map::new();
    for answer in known {
        map.set(&answer.question, Value::data(answer.value.as_str()));
    }
    map
}

fn known(package: &str, sys: &Sys) -> ModuleResult<Vec<Answer>> {
    if sys.which("debconf-show").is_none() {
        return Err("there is no debconf on this machine: it is for Debian and its kin".into());
    }
    let command = sys.tool(["debconf-show", package]);
    let output = sys.query(&command)?;
    if !output.ok() {
        return Err(command_failed("debconf cannot be read", &command, &output));
    }
    Ok(output
        .text()
        .lines()
        .filter_map(|line| {
            let (question, value) = line.split_once(':')?;
            Some(Answer {
                question: question.trim_start_matches(['*', ' ']).trim().to_owned(),
                value: value.trim().to_owned(),
                seen: line.starts_with('*'),
            })
        })
        .collect())
}

/// A password, which `debconf-show` does not say.
fn password(package: &str, question: &str, sys: &Sys) -> ModuleResult<Option<String>> {
    if sys.which("debconf-get-selections").is_some() {
        let output = sys.query(&sys.tool(["debconf-get-selections"]))?;
        let text = output.text();
        let found = text.lines().find_map(|line| {
            let mut fields = line.splitn(4, '\t').skip(1);
            let name = fields.next()?;
            let value = fields.nth(1)?;
            (name == question).then(|| value.to_owned())
        });
        return Ok(found);
    }
    let command = sys
        .tool(["debconf-communicate", "-fnoninteractive", package])
        .stdin(format!("GET {question}\n"));
    let output = sys.query(&command)?;
    let text = output.text();
    // `0` and the value
    Ok(text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix('0'))
        .map(|value| value.trim().to_owned()))
}

fn is_list(value: &Value) -> bool {
    value.as_list().is_some()
}

fn words(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split(',').map(str::trim).collect();
    words.sort_unstable();
    words
}

fn text(vtype: Vtype, value: &Value) -> ModuleResult<String> {
    if let Some(items) = value.as_list() {
        if vtype != Vtype::Multiselect {
            return Err(format!("a list is no answer of the type {}", vtype.word()).into());
        }
        let words: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        return words.map(|words| words.join(", ")).ok_or_else(|| {
            "Invalid value provided for 'multiselect': all its words must be strings".into()
        });
    }
    let text = str_of(value);
    Ok(match vtype {
        Vtype::Boolean | Vtype::Seen => text.to_lowercase(),
        _ => text,
    })
}
