//! `command`: runs a program, without a shell.

use super::run::{Job, RunArgs, refused};
use crate::module_args;
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::{Value, shell_words};
use std::path::Path;

module_args! {
    /// Arguments of `command`.
    pub struct Args {
        /// The command line; quotes and backslashes work as in a shell, nothing else does.
        _raw_params: Option<String> => optional;
        /// The command line, as an argument of its own.
        cmd: Option<String> => optional;
        /// Program and arguments as a list, taken as they are.
        argv: Option<Vec<String>> => optional;
        /// Expand `~` and environment variables in the arguments.
        expand_argument_vars: bool => default(true);
        /// Has no meaning without a shell; it is ignored with a warning.
        executable: Option<String> => optional;
        run: RunArgs => flatten;
    }
}

/// The module.
pub struct CommandModule;

impl Module for CommandModule {
    const NAME: &'static str = "command";
    const DOC: &'static str = "Run a program without a shell.\nIt counts as changed always, unless `creates` or `removes` say that it need not run.";
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let line = args
            ._raw_params
            .as_deref()
            .or(args.cmd.as_deref())
            .filter(|line| !line.trim().is_empty());
        let argv = args.argv.as_ref().filter(|argv| !argv.is_empty());
        let words = match (line, argv) {
            (None, None) => return Err(refused("no command given", Some(256))),
            (Some(_), Some(_)) => {
                return Err(refused(
                    "only command or argv can be given, not both",
                    Some(256),
                ));
            }
            (Some(line), None) => shell_words(line).map_err(|why| {
                refused(format!("the command cannot be split: {why}: {line}"), None)
            })?,
            (None, Some(argv)) => argv.clone(),
        };
        let shown = Value::list(words.iter().map(|w| Value::data(w.as_str())).collect());
        let words = if args.expand_argument_vars {
            words
                .iter()
                .map(|word| sys.expand(Path::new(word)).to_string_lossy().into_owned())
                .collect()
        } else {
            words
        };
        if words.is_empty() {
            return Err(refused("no command given", Some(256)));
        }
        let mut plan = Job {
            argv: words,
            shown,
            args: &args.run,
        }
        .plan(sys)?;
        if args.executable.is_some() {
            plan.warn(
                "As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. Not using \
                 it; use the 'shell' module instead.",
            );
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use crate::modules::{Registry, RunMode};
    use crate::result::Outcome;
    use crate::sys::Sys;
    use crate::value::{Map, Value};

    fn run(module: &str, args: Map, check: bool) -> Outcome {
        let mode = RunMode {
            check,
            ..RunMode::default()
        };
        (Registry.find(module).unwrap().run)(&args, &mut Sys::real(), mode)
    }

    fn text<'a>(outcome: &'a Outcome, key: &str) -> &'a str {
        outcome.data.get(key).and_then(Value::as_str).unwrap_or("-")
    }

    #[test]
    fn runs_and_reports() {
        let args = Map::new()
            .with(
                "_raw_params",
                "sh -c 'cat; echo \"$1\" >&2' x \"a  b\" \\$HOME",
            )
            .with("stdin", "one\ntwo")
            .with("chdir", "/");
        let outcome = run("command", args, false);
        assert!(outcome.changed && !outcome.failed, "{outcome:?}");
        assert_eq!(text(&outcome, "stdout"), "one\ntwo");
        assert_eq!(text(&outcome, "stderr"), "a  b");
        assert_eq!(outcome.data.get("rc"), Some(&0.into()));
        assert_eq!(
            outcome.data.get("stdout_lines"),
            Some(&vec!["one", "two"].into())
        );
        assert!(text(&outcome, "delta").starts_with("0:00:0"));
    }

    #[test]
    fn a_failing_command_has_changed_something() {
        let outcome = run(
            "command",
            Map::new().with("argv", vec!["sh", "-c", "exit 3"]),
            false,
        );
        assert!(outcome.failed && outcome.changed);
        assert_eq!(outcome.message(), Some("non-zero return code"));
        assert_eq!(outcome.data.get("rc"), Some(&3.into()));
    }

    #[test]
    fn a_missing_program_and_a_missing_directory() {
        let outcome = run(
            "command",
            Map::new().with("cmd", "no-such-program-x"),
            false,
        );
        assert!(outcome.failed && !outcome.changed);
        assert_eq!(outcome.data.get("rc"), Some(&2.into()));
        assert_eq!(
            outcome.message(),
            Some("[Errno 2] No such file or directory: b'no-such-program-x'")
        );
        let args = Map::new().with("cmd", "true").with("chdir", "/no-such-dir");
        assert!(
            run("command", args, false)
                .message()
                .unwrap()
                .contains("Unable to change directory")
        );
    }

    #[test]
    fn creates_and_removes() {
        let args = Map::new().with("cmd", "false").with("creates", "/et?");
        let outcome = run("command", args, false);
        assert!(!outcome.changed && !outcome.failed);
        assert_eq!(text(&outcome, "stdout"), "skipped, since /et? exists");
        assert_eq!(outcome.data.get("rc"), Some(&0.into()));
        // relative to chdir
        let args = Map::new()
            .with("cmd", "true")
            .with("removes", "passwd")
            .with("chdir", "/etc");
        assert!(run("command", args.clone(), false).changed);
        // it is known that it would run
        let outcome = run("command", args, true);
        assert!(outcome.changed && !outcome.skipped);
        let outcome = run("command", Map::new().with("cmd", "true"), true);
        assert!(!outcome.changed && outcome.skipped);
    }

    #[test]
    fn shell_expands_and_pipes() {
        let args = Map::new().with("_raw_params", "echo a b | wc -w; echo $0");
        let outcome = run("shell", args, false);
        assert_eq!(text(&outcome, "stdout").trim_start(), "2\n/bin/sh");
        let args = Map::new()
            .with("cmd", "echo $0")
            .with("executable", "/bin/bash");
        assert_eq!(text(&run("shell", args, false), "stdout"), "/bin/bash");
        assert!(run("shell", Map::new().with("cmd", " "), false).failed);
    }
}
