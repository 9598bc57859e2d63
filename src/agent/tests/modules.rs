//! Modules that misbehave.

use crate::modules::{Entry, Module, ModuleResult, Plan, Registry};
use crate::result::Diff;
use crate::sys::{Command, Sys};
use crate::value::{Secret, Value};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// runbook's modules and these.
pub fn find(name: &str) -> Option<&'static Entry> {
    const OURS: &[Entry] = &[
        Entry::of::<Panic>(),
        Entry::of::<Sleep>(),
        Entry::of::<Blob>(),
        Entry::of::<Echo>(),
    ];
    Registry
        .find(name)
        .or_else(|| OURS.iter().find(|entry| entry.name == name))
}

crate::module_args! {
    struct SleepArgs {
        /// Where the process's id is written to.
        pid_file: Option<PathBuf> => optional;
    }
}
crate::module_args! {
    struct BlobArgs {
        /// The content.
        sha256: String => required;
    }
}
crate::module_args! {
    struct EchoArgs {
        /// Said.
        password: Secret<String> => required, secret;
        /// Said.
        port: Secret<i64> => required, secret;
    }
}

struct Panic;
impl Module for Panic {
    const NAME: &'static str = "test_panic";
    const DOC: &'static str = "Crashes.";
    type Args = SleepArgs;
    fn plan<'a>(_: &'a SleepArgs, _: &Sys) -> ModuleResult<Plan<'a>> {
        panic!("out of {}", "cheese");
    }
}

struct Sleep;
impl Module for Sleep {
    const NAME: &'static str = "test_sleep";
    const DOC: &'static str = "Sleeps for a minute.";
    type Args = SleepArgs;
    fn plan<'a>(args: &'a SleepArgs, _: &Sys) -> ModuleResult<Plan<'a>> {
        let mut plan = Plan::new();
        plan.opaque("sleep", |sys, _| {
            let file = args.pid_file.clone().unwrap_or_else(|| "/dev/null".into());
            let script = "echo $$ > \"$1\"; sleep 60 & wait";
            let argv = ["sh", "-c", script, "sh", &file.to_string_lossy()].map(str::to_owned);
            sys.run(&Command::new(argv))?;
            Ok(())
        });
        Ok(plan)
    }
}

struct Blob;
impl Module for Blob {
    const NAME: &'static str = "test_blob";
    const DOC: &'static str = "Gets a content and sends it back.";
    type Args = BlobArgs;
    fn plan<'a>(args: &'a BlobArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let path = sys.blob(&args.sha256)?;
        let mode =
            |path: &Path| std::fs::metadata(path).map_or(0, |m| m.permissions().mode() & 0o777);
        let mut plan = Plan::new();
        plan.returns("text", sys.read_text(&path)?);
        plan.returns("path", path.to_string_lossy().into_owned());
        let dir = path.parent().unwrap_or(Path::new("/"));
        plan.returns("mode", format!("{:o} in {:o}", mode(&path), mode(dir)));
        sys.send_blob(&path, &args.sha256)?;
        Ok(plan)
    }
}

struct Echo;
impl Module for Echo {
    const NAME: &'static str = "test_echo";
    const DOC: &'static str = "Says its secrets.";
    type Args = EchoArgs;
    fn plan<'a>(args: &'a EchoArgs, _: &Sys) -> ModuleResult<Plan<'a>> {
        let password = args.password.reveal();
        let mut plan = Plan::new();
        plan.returns("text", Value::data(format!("it is {password}!")));
        plan.returns(
            "list",
            vec![Value::data(password.as_str()), (*args.port.reveal()).into()],
        );
        plan.warn(format!("do not tell {password}"));
        plan.step(Diff::new(password, Some(password), Some("x")), |_| Ok(()));
        Ok(plan)
    }
}
