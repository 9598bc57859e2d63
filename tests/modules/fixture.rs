//! One fixture: read, run, compare.
//!
//! ```yaml
//! about: one line
//! args: {…}
//! files: {/etc/x: "text", /etc/y: {content: "text", mode: "0600"}, /etc/dir/: null, "/l ->": target}
//! commands: {"dpkg-query -W *": {rc: 0, stdout: ""}}    # or just the output
//! blobs: ["contents that the controller has"]
//! env: {NAME: value}
//! expect: {changed: true, failed: false, skipped: false, msg: "…", msg~: "part", data: {…subset…}, warning~: "part",
//!          diff: [{target: /etc/x, before: "…", after: "…"}]}
//! after: {/etc/x: "new text", /etc/gone: null}
//! ran: ["apt-get install *"]        # in this order, others may be between
//! not_ran: ["apt-get update*"]
//! opaque: true                      # check mode cannot tell, and again changes again
//! again: false                      # applying again is not tried
//! root: true                        # left out where the tests do not run as root (it gives files away)
//! ```

use crate::world::{self, World};
use runbook::modules::{Registry, RunMode};
use runbook::result::Outcome;
use runbook::sys::{FakeRunner, Sys, hex};
use runbook::value::{Map, Value, str_of};
use sha2::Digest;
use std::path::Path;
use std::sync::Arc;

/// Members that a fixture may have.
const MEMBERS: &[&str] = &[
    "about", "args", "files", "commands", "blobs", "env", "expect", "after", "ran", "not_ran",
    "opaque", "again", "root",
];
const EXPECTED: &[&str] = &[
    "changed", "failed", "skipped", "msg", "msg~", "data", "warning~", "diff",
];

/// A case.
pub struct Fixture {
    module: String,
    case: Map,
}

/// A root with its world, and the machine on it.
struct Machine {
    root: tempfile::TempDir,
    blobs_dir: tempfile::TempDir,
    runner: Arc<FakeRunner>,
    sys: Sys,
}

impl Fixture {
    /// Reads a case; its directory names the module.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
        let source = runbook::diag::Source::new(path, text);
        let document = runbook::yaml::parse(&source).map_err(|e| format!("{e:?}"))?;
        let Value::Map(case) = document.node.to_value() else {
            return Err("not a mapping".into());
        };
        let known = |map: &Map, names: &[&str]| -> Result<(), String> {
            match map.str_iter().find(|(name, _)| !names.contains(name)) {
                Some((name, _)) => Err(format!("unknown member `{name}`")),
                None => Ok(()),
            }
        };
        known(&case, MEMBERS)?;
        if let Some(expect) = case.get("expect").and_then(Value::as_map) {
            known(expect, EXPECTED)?;
        }
        let module = path
            .parent()
            .and_then(Path::file_name)
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        Ok(Self {
            module,
            case: (*case).clone(),
        })
    }

    /// A case that is in no file.
    #[allow(dead_code)] // only some of the programs that this file is part of make them
    pub fn of(module: &str, case: Map) -> Self {
        Self {
            module: module.to_owned(),
            case,
        }
    }

    /// Runs it as it is and says what is wrong in any case, whatever the fixture expects.
    #[allow(dead_code)]
    pub fn survives(&self) -> Result<(), String> {
        let Ok(mut machine) = self.machine() else {
            return Ok(());
        };
        let before = world::snapshot(machine.root.path());
        self.invoke(&mut machine, true)?;
        let looked = world::snapshot(machine.root.path());
        if let Some(difference) = world::differences(&before, &looked).first() {
            return Err(format!("{}: check mode changed {difference}", self.module));
        }
        self.invoke(&mut machine, false)?;
        let after = world::snapshot(machine.root.path());
        match litter(&before, &after).first() {
            Some(left) => Err(format!("{}: {left}", self.module)),
            None => Ok(()),
        }
    }

    fn map(&self, name: &str) -> Map {
        let found = self.case.get(name).and_then(Value::as_map);
        found.cloned().unwrap_or_default()
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.case
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or(default)
    }

    fn words(&self, name: &str) -> Vec<String> {
        let list = self.case.get(name).and_then(Value::as_list);
        list.unwrap_or_default().iter().map(str_of).collect()
    }

    fn runner(&self) -> Arc<FakeRunner> {
        let mut runner = FakeRunner::new();
        for (words, answer) in self.map("commands").str_iter() {
            let text = |name: &str| answer.get(name).map(str_of).unwrap_or_default();
            let rc = answer.get("rc").and_then(Value::as_int).unwrap_or(0);
            let rc = i32::try_from(rc).unwrap_or(1);
            runner = match answer {
                Value::Map(_) => runner.answer(words, rc, &text("stdout"), &text("stderr")),
                Value::Null => runner.answer(words, 0, "", ""),
                other => runner.answer(words, 0, &str_of(other), ""),
            };
        }
        Arc::new(runner)
    }

    /// The machine as it is before.
    fn machine(&self) -> Result<Machine, String> {
        let failed = |e: std::io::Error| e.to_string();
        let root = tempfile::tempdir().map_err(failed)?;
        let blobs = tempfile::tempdir().map_err(failed)?;
        for blob in self.words("blobs") {
            let name = hex(&sha2::Sha256::digest(blob.as_bytes()));
            std::fs::write(blobs.path().join(name), blob).map_err(failed)?;
        }
        let mut files = Map::new()
            .with("/tmp/", Value::Null)
            .with("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
            .with("/etc/group", "root:x:0:\n");
        files.extend(self.map("files"));
        world::make(root.path(), &files)?;
        let runner = self.runner();
        let environment = self
            .map("env")
            .str_iter()
            .map(|(name, value)| (name.to_owned(), str_of(value)))
            .collect();
        let sys = Sys::rooted(root.path(), Arc::<FakeRunner>::clone(&runner))
            .with_blobs(Arc::new(blobs.path().to_owned()))
            .with_environment(environment);
        Ok(Machine {
            root,
            blobs_dir: blobs,
            runner,
            sys,
        })
    }

    fn invoke(&self, machine: &mut Machine, check: bool) -> Result<Outcome, String> {
        let entry = Registry
            .find(&self.module)
            .ok_or_else(|| format!("no module `{}`", self.module))?;
        let mode = RunMode {
            check,
            diff: true,
            replan: false,
        };
        Ok((entry.run)(&self.map("args"), &mut machine.sys, mode))
    }

    /// Runs it and says what is wrong.
    pub fn run(&self) -> Vec<String> {
        self.try_run().unwrap_or_else(|problem| vec![problem])
    }

    fn try_run(&self) -> Result<Vec<String>, String> {
        let mut problems = Vec::new();
        if self.flag("root", false) && !nix::unistd::geteuid().is_root() {
            return Ok(problems);
        }
        let mut machine = self.machine()?;
        let before = world::snapshot(machine.root.path());

        let check = self.invoke(&mut machine, true)?;
        let looked = world::snapshot(machine.root.path());
        for difference in world::differences(&before, &looked) {
            problems.push(format!("check mode changed {difference}"));
        }

        machine.runner = self.runner();
        let mut machine = self.with_new_runner(machine);
        let applied = self.invoke(&mut machine, false)?;
        let after = world::snapshot(machine.root.path());
        problems.extend(self.compare(&applied));
        problems.extend(self.compare_commands(&machine.runner.log()));
        problems.extend(world::compare(&after, &self.map("after")));
        problems.extend(litter(&before, &after));
        let is_opaque = self.flag("opaque", false);
        if !is_opaque && !applied.failed && !check.skipped {
            problems.extend(foretold(&check, &applied));
        }
        if !applied.changed && !applied.failed {
            for difference in world::differences(&before, &after) {
                problems.push(format!("not `changed`, but {difference}"));
            }
        }

        if !is_opaque && !applied.failed && self.flag("again", true) {
            let again = self.invoke(&mut machine, false)?;
            if again.failed {
                problems.push(format!("again fails: {:?}", again.data));
            } else if again.changed {
                problems.push(format!("again changes: {:?}", again.diffs));
            }
        }
        Ok(problems)
    }

    /// The same machine with a runner that has not run anything yet.
    fn with_new_runner(&self, machine: Machine) -> Machine {
        let environment = self
            .map("env")
            .str_iter()
            .map(|(name, value)| (name.to_owned(), str_of(value)))
            .collect();
        let sys = Sys::rooted(
            machine.root.path(),
            Arc::<FakeRunner>::clone(&machine.runner),
        )
        .with_blobs(Arc::new(machine.blobs_dir.path().to_owned()))
        .with_environment(environment);
        Machine { sys, ..machine }
    }

    fn compare(&self, outcome: &Outcome) -> Vec<String> {
        let expect = self.map("expect");
        let mut problems = Vec::new();
        for (name, now) in [
            ("changed", outcome.changed),
            ("failed", outcome.failed),
            ("skipped", outcome.skipped),
        ] {
            let wanted = expect.get(name).and_then(Value::as_bool);
            // failing is never expected silently
            let wanted = wanted.or((name == "failed").then_some(false));
            if wanted.is_some_and(|wanted| wanted != now) {
                let message = outcome.message().unwrap_or_default();
                problems.push(format!("{name} is {now}: {message}"));
            }
        }
        let message = outcome.message().unwrap_or_default();
        if let Some(wanted) = expect.get("msg").map(str_of)
            && wanted != message
        {
            problems.push(format!("msg is {message:?} instead of {wanted:?}"));
        }
        if let Some(part) = expect.get("msg~").map(str_of)
            && !message.contains(&part)
        {
            problems.push(format!("msg is {message:?}, without {part:?}"));
        }
        if let Some(part) = expect.get("warning~").map(str_of)
            && !outcome
                .warnings
                .iter()
                .any(|warning| warning.contains(&part))
        {
            problems.push(format!("no warning has {part:?}: {:?}", outcome.warnings));
        }
        if let Some(data) = expect.get("data") {
            subset(
                &mut problems,
                "data",
                data,
                &Value::map(outcome.data.clone()),
            );
        }
        if let Some(diffs) = expect.get("diff") {
            let side = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::str);
            let now = outcome
                .diffs
                .iter()
                .map(|diff| {
                    Map::new()
                        .with("target", diff.target.as_str())
                        .with("before", side(&diff.before))
                        .with("after", side(&diff.after))
                })
                .collect::<Vec<_>>();
            subset(&mut problems, "diff", diffs, &Value::from(now));
        }
        problems
    }

    fn compare_commands(&self, log: &[String]) -> Vec<String> {
        let fits = |pattern: &str, line: &str| match pattern.strip_suffix('*') {
            Some(start) => line.starts_with(start),
            None => line == pattern,
        };
        let mut problems = Vec::new();
        let mut lines = log.iter();
        for wanted in self.words("ran") {
            if !lines.any(|line| fits(&wanted, line)) {
                problems.push(format!("`{wanted}` was not run (in this order): {log:?}"));
            }
        }
        for unwanted in self.words("not_ran") {
            if log.iter().any(|line| fits(&unwanted, line)) {
                problems.push(format!("`{unwanted}` was run"));
            }
        }
        problems
    }
}

/// Check mode must have said what applying then did.
fn foretold(check: &Outcome, applied: &Outcome) -> Vec<String> {
    let mut problems = Vec::new();
    if check.failed {
        let message = check.message().unwrap_or_default();
        problems.push(format!("check mode fails, applying does not: {message}"));
    } else if check.changed != applied.changed {
        problems.push(format!("check mode says changed: {}", check.changed));
    } else if check.diffs != applied.diffs {
        problems.push(format!(
            "check mode's diff {:?} is not {:?}",
            check.diffs, applied.diffs
        ));
    }
    problems
}

/// Temporary files must not stay.
fn litter(before: &World, after: &World) -> Vec<String> {
    after
        .keys()
        .filter(|path| !before.contains_key(*path))
        .filter(|path| path.contains(".runbook-") || path.contains("/tmp/runbook-"))
        .map(|path| format!("{path} was left behind"))
        .collect()
}

/// Every member that is wanted must be there; lists must be equal in length and item by item.
fn subset(problems: &mut Vec<String>, place: &str, wanted: &Value, now: &Value) {
    match (wanted, now) {
        (Value::Map(wanted), Value::Map(now)) => {
            for (key, value) in wanted.str_iter() {
                match now.get(key) {
                    Some(found) => subset(problems, &format!("{place}.{key}"), value, found),
                    None => problems.push(format!("{place} has no `{key}`: {now:?}")),
                }
            }
        }
        (Value::List(wanted), Value::List(now)) if wanted.len() == now.len() => {
            for (i, (wanted, now)) in wanted.iter().zip(now.iter()).enumerate() {
                subset(problems, &format!("{place}[{i}]"), wanted, now);
            }
        }
        _ if wanted != now => {
            problems.push(format!("{place} is {now:?} instead of {wanted:?}"));
        }
        _ => {}
    }
}
