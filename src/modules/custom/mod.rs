//! Modules of the user's own, on the machine: any executable that takes its arguments as Ansible hands them over.
//!
//! Source: Ansible's documentation, "Ansible module architecture". Modules in Python that import
//! `ansible.module_utils` get runbook's own code by that name (in `python/`), written for what modules use of it and
//! for nothing but Python's standard library.

mod answer;
mod interpreter;
mod shared_code;

use super::{Entry, Failure, ModuleResult, NOT_JUDGED, RunMode};
use crate::module_args;
use crate::result::Outcome;
use crate::sys::{Command, Output, Sys};
use crate::value::{ArgSpec, Args as _, JsonStyle, Map, Value, check_args, str_of};

module_args! {
    /// What the controller says of a module of the user's own.
    pub struct Args {
        /// Its name.
        name: String => required;
        /// How it takes its arguments.
        kind: String => required;
        /// Its content.
        sha256: String => required;
        /// Its file's name.
        file_name: String => required;
        /// The name that Python imports it by.
        python_name: Option<String> => optional;
        /// The words of its `#!` line.
        shebang: Vec<String> => optional;
        /// The Python to run it with.
        python: Option<String> => optional;
        /// Its arguments.
        args: Map => required;
        /// What it is told of the run.
        internal: Map => required;
    }
}

/// What the module said on its standard error, for results of jobs; no other result shows it.
pub const COMPLAINT: &str = "_ansible_module_stderr";

/// The family's modules.
pub const MODULES: &[Entry] = &[Entry {
    name: "_custom",
    collection: "ansible.builtin",
    aliases: &[],
    spec,
    run,
}];

fn spec() -> ArgSpec {
    ArgSpec {
        module: "_custom",
        collection: "ansible.builtin",
        aliases: &[],
        doc: "Run a module of the user's own.",
        fields: Args::fields(),
        rules: &[],
        free_form: None,
    }
}

/// Runs one. It plans nothing: in check mode it is told so, and decides itself.
fn run(args: &Map, sys: &mut Sys, mode: RunMode) -> Outcome {
    let problems = check_args(&spec(), &args.as_args());
    let args = match Args::decode(args) {
        Ok(args) if problems.is_empty() => args,
        _ => {
            let list: Vec<_> = problems.iter().map(ToString::to_string).collect();
            return Outcome::failure(format!("_custom: {}", list.join("; ")));
        }
    };
    match started(&args, sys) {
        Ok(output) => {
            let mut outcome = answer::read(&output);
            if !output.stderr.is_empty() {
                let text = String::from_utf8_lossy(&output.stderr);
                outcome.data.set(COMPLAINT, Value::data(&*text));
            }
            if !mode.diff {
                outcome.diffs.clear();
            }
            if mode.replan && !mode.check && outcome.changed {
                outcome.data.set(NOT_JUDGED, true);
            }
            outcome
        }
        Err(failure) => {
            let mut outcome = Outcome::failure(failure.message);
            outcome.data.extend(failure.returns);
            outcome
        }
    }
}

fn started(args: &Args, sys: &mut Sys) -> ModuleResult<Output> {
    let content = sys.blob(&args.sha256)?;
    let scratch = sys.private_dir()?;
    let mut all = args.args.clone();
    for (key, value) in &args.internal {
        all.insert(key.clone(), value.clone());
    }
    all.set(
        "_ansible_tmpdir",
        Value::data(scratch.path().to_string_lossy()),
    );
    let json = JsonStyle::default().written(&Value::map(all.clone()));
    if args.kind == "python" {
        let python = interpreter::python(args, sys)?;
        let code = shared_code::place(sys)?;
        let told = serde_json::json!({ "ANSIBLE_MODULE_ARGS": Value::map(all).to_json() });
        let command = Command::new([
            python.into(),
            code.join("run.py").into_os_string(),
            content.into_os_string(),
            args.python_name.clone().unwrap_or_default().into(),
            args.name.clone().into(),
        ])
        .stdin(told.to_string());
        return interpreter::run(args, sys, &command);
    }
    let content = if args.kind == "json_args" {
        let text = sys.read(&content)?.unwrap_or_default();
        let text = replaced(&String::from_utf8_lossy(&text), &json);
        scratch.add("replaced", text.as_bytes(), 0o600)?
    } else {
        content
    };
    let program = sys.private_copy(&content, &args.file_name)?;
    let mut argv = interpreter::of_script(args, sys)?;
    argv.push(program.path().as_os_str().to_owned());
    if args.kind != "json_args" {
        let told = if args.kind == "old" {
            words(&all)
        } else {
            json
        };
        let file = scratch.add("args", told.as_bytes(), 0o600)?;
        argv.push(file.into_os_string());
    }
    interpreter::run(args, sys, &Command::new(argv))
}

/// The text of a module with its arguments in it.
fn replaced(text: &str, json: &str) -> String {
    let literal = |json: &str| {
        // a string that Python and most other languages read
        let escaped = json.replace('\\', "\\\\").replace('\'', "\\'");
        format!("'{escaped}'")
    };
    text.replace("\"<<INCLUDE_ANSIBLE_MODULE_ARGS>>\"", &literal(json))
        .replace(
            "\"<<INCLUDE_ANSIBLE_MODULE_COMPLEX_ARGS>>\"",
            &literal(json),
        )
        .replace("<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>", json)
        .replace("\"<<ANSIBLE_VERSION>>\"", "\"2.18\"")
}

/// Arguments as `key=value` words for a shell.
fn words(args: &Map) -> String {
    let mut line = String::new();
    for (key, value) in args {
        let text = match value {
            Value::List(_) | Value::Map(_) => value.to_json().to_string(),
            other => str_of(other),
        };
        line.push_str(&format!("{key}={} ", quoted(&text)));
    }
    line
}

fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r#"'"'"'"#))
}

/// The failure of a module that could not be started.
fn failed(args: &Args, why: &str) -> Failure {
    Failure::new(format!("the module `{}` {why}", args.name))
}

#[cfg(test)]
mod tests;
