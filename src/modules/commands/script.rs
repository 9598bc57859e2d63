//! `script`: runs a script of the controller's. This is the machine's half: the content comes as a blob.

use super::run::not_started;
use crate::module_args;
use crate::modules::streams::set_output;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::{Command, Sys};
use crate::value::{Map, Value};
use std::path::PathBuf;

module_args! {
    /// Arguments of `script`.
    #[allow(dead_code, reason = "some are the controller's; here they are only known")]
    pub struct Args {
        /// The script on the controller and its arguments.
        _raw_params: Option<String> => optional;
        /// The same, as an argument of its own.
        cmd: Option<String> => optional;
        /// Go to this directory first; it must be absolute.
        chdir: Option<PathBuf> => optional;
        /// If this path is there, nothing is run.
        creates: Option<PathBuf> => optional;
        /// If this path is not there, nothing is run.
        removes: Option<PathBuf> => optional;
        /// A program, perhaps with arguments, to run the script with.
        executable: Option<String> => optional;
        /// Whether a vaulted script is decrypted, which the controller does.
        decrypt: bool => default(true);
        /// The script's content.
        _sha256: Option<String> => optional;
        /// The script's name, without directories.
        _source_name: Option<String> => optional;
        /// The arguments for the script as they are written, for the shell.
        _arguments: Option<String> => optional;
    }
}

/// The module.
pub struct Script;

impl Module for Script {
    const NAME: &'static str = "script";
    const DOC: &'static str = "Run a script of the controller's on the machine.\nIt is copied to a private place and removed afterwards.";
    const FREE_FORM: Option<&'static str> = Some("_raw_params");
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut plan = Plan::new();
        let there = |path: &PathBuf| matches!(sys.stat(&sys.expand(path), true), Ok(Some(_)));
        let hindrance = match (&args.creates, &args.removes) {
            (Some(path), _) if there(path) => Some(format!(
                "{} exists, matching creates option",
                path.display()
            )),
            (_, Some(path)) if !there(path) => Some(format!(
                "{} does not exist, matching removes option",
                path.display()
            )),
            _ => None,
        };
        if let Some(why) = hindrance {
            plan.returns("msg", Value::data(why.as_str()));
            plan.skip(why);
            return Ok(plan);
        }
        if let Some(dir) = &args.chdir
            && !dir.is_absolute()
        {
            return Err(format!(
                "chdir {} must be an absolute path for a Unix-aware remote node",
                dir.display()
            )
            .into());
        }
        let sha256 = args._sha256.as_deref().ok_or(
            "the script's content did not come along; `script` needs the controller's half",
        )?;
        let name = args._source_name.as_deref().unwrap_or("script");
        let apply = move |sys: &mut Sys, data: &mut Map| run(args, sha256, name, sys, data);
        if args.creates.is_some() || args.removes.is_some() {
            plan.act(format!("run {name}"), None, apply);
        } else {
            plan.opaque(format!("run {name}"), apply);
        }
        Ok(plan)
    }
}

fn run(args: &Args, sha256: &str, name: &str, sys: &mut Sys, data: &mut Map) -> ModuleResult<()> {
    let content = sys.blob(sha256)?;
    let file = sys.private_copy(&content, name)?;
    // the path is given to the shell as a parameter: whatever is in it, it is one word
    let mut line = args
        .executable
        .as_ref()
        .map_or_else(String::new, |program| format!("{program} "));
    line.push_str("\"$RUNBOOK_SCRIPT\"");
    if let Some(arguments) = &args._arguments {
        line.push(' ');
        line.push_str(arguments);
    }
    let mut command = Command::new(["/bin/sh", "-c", line.as_str()])
        .env("RUNBOOK_SCRIPT", file.path().to_string_lossy());
    command.cwd = args.chdir.as_deref().map(|dir| sys.expand(dir));
    let output = sys.run(&command).map_err(not_started)?;
    set_output(data, &output, false);
    if output.ok() {
        Ok(())
    } else {
        Err(Failure::new("non-zero return code").with("changed", true))
    }
}

#[cfg(test)]
mod tests {
    use crate::modules::{Registry, RunMode};
    use crate::sys::Sys;
    use crate::value::{Map, Value};
    use std::sync::Arc;

    #[test]
    fn runs_a_private_copy_and_removes_it() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("abc"),
            "#!/bin/sh\necho \"$0\" \"$@\"\nstat -c %a \"$0\"\nexit $CODE\n",
        )
        .unwrap();
        let mut sys = Sys::real()
            .with_blobs(Arc::new(dir.path().to_owned()))
            .with_environment(vec![("CODE".into(), "0".into())]);
        let args = Map::new()
            .with("_raw_params", "files/my script.sh 'a b'")
            .with("_sha256", "abc")
            .with("_source_name", "my script.sh")
            .with("_arguments", "'a b' $((1 + 1))");
        let script = Registry.find("script").unwrap();
        let outcome = (script.run)(&args, &mut sys, RunMode::default());
        assert!(outcome.changed && !outcome.failed, "{outcome:?}");
        let lines = outcome.data.get("stdout_lines").unwrap().as_list().unwrap();
        let (path, rest) = lines[0].as_str().unwrap().split_once(" a b").unwrap();
        assert_eq!((rest, lines[1].as_str()), (" 2", Some("700")));
        assert!(path.ends_with("/my script.sh") && !std::path::Path::new(path).exists());

        let mut sys = sys.with_environment(vec![("CODE".into(), "4".into())]);
        let outcome = (script.run)(&args, &mut sys, RunMode::default());
        assert!(outcome.failed && outcome.changed);
        assert_eq!(outcome.data.get("rc"), Some(&Value::Int(4)));

        let outcome = (script.run)(&args.with("creates", "/etc"), &mut sys, RunMode::default());
        assert!(outcome.skipped && !outcome.changed);
        assert_eq!(
            outcome.message(),
            Some("/etc exists, matching creates option")
        );
    }
}
