//! What `command` and `shell` share: conditions, the run, its results.

use crate::module_args;
use crate::modules::streams::{set_output, set_stream};
use crate::modules::{Failure, ModuleResult, Plan};
use crate::sys::{Command, Error, Sys};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};

module_args! {
    /// Arguments that both modules have.
    pub struct RunArgs {
        /// Go to this directory first.
        chdir: Option<PathBuf> => optional;
        /// A path or shell pattern: if it is there, nothing is run.
        creates: Option<PathBuf> => optional;
        /// A path or shell pattern: if it is not there, nothing is run.
        removes: Option<PathBuf> => optional;
        /// What the command reads from its standard input.
        stdin: Option<String> => optional;
        /// End `stdin` with a line break.
        stdin_add_newline: bool => default(true);
        /// Drop empty lines at the end of the output.
        strip_empty_ends: bool => default(true);
    }
}

/// A command that is ready to be planned.
pub(super) struct Job<'a> {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// What the result shows as `cmd`.
    pub shown: Value,
    /// The shared arguments.
    pub args: &'a RunArgs,
}

/// A failure before anything was run, with the keys that results always have.
pub(super) fn refused(message: impl Into<String>, rc: Option<i64>) -> Failure {
    let mut failure = Failure::new(message);
    failure.returns = blank(&Value::Null);
    failure.returns.set("rc", rc);
    failure
}

fn blank(cmd: &Value) -> Map {
    let mut data = Map::new().with("cmd", cmd.clone());
    for name in ["rc", "start", "end", "delta"] {
        data.set(name, Value::Null);
    }
    set_stream(&mut data, "stdout", "");
    set_stream(&mut data, "stderr", "");
    data
}

impl<'a> Job<'a> {
    /// Plans it: nothing if `creates` or `removes` say so.
    pub fn plan(self, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut plan = Plan::new();
        let dir = self.args.chdir.as_deref().map(|dir| sys.expand(dir));
        if let Some(dir) = &dir {
            enter(sys, dir, &self.shown)?;
        }
        let there = |pattern: &Path| {
            let pattern = sys.expand(pattern);
            let pattern = dir
                .as_ref()
                .map_or(pattern.clone(), |dir| dir.join(&pattern));
            !sys.glob(&pattern).is_empty()
        };
        for (key, value) in &blank(&self.shown) {
            plan.returns(key.as_str().unwrap_or_default(), value.clone());
        }
        let (creates, removes) = (self.args.creates.as_deref(), self.args.removes.as_deref());
        let hindrance = match (creates, removes) {
            (Some(path), _) if there(path) => Some((path, "exists")),
            (_, Some(path)) if !there(path) => Some((path, "does not exist")),
            _ => None,
        };
        plan.returns("msg", "");
        if let Some((path, why)) = hindrance {
            let path = path.display();
            plan.returns(
                "msg",
                Value::data(format!("Did not run command since '{path}' {why}")),
            );
            let text = format!("skipped, since {path} {why}");
            plan.returns("stdout", Value::data(text.as_str()));
            plan.returns("stdout_lines", Value::list(vec![Value::data(text)]));
            plan.returns("rc", 0);
            return Ok(plan);
        }
        let conditional = creates.is_some() || removes.is_some();
        let what = self.argv.join(" ");
        let apply = move |sys: &mut Sys, data: &mut Map| self.run(dir, sys, data);
        // what check mode, which does not run it, says
        plan.returns("rc", 0);
        if conditional {
            // it is known that it would run: check mode says so
            plan.returns("msg", "Command would have run if not in check mode");
            plan.act(what, None, apply);
        } else {
            plan.opaque(what, apply);
        }
        Ok(plan)
    }

    fn run(self, dir: Option<PathBuf>, sys: &mut Sys, data: &mut Map) -> ModuleResult<()> {
        let mut command = Command::new(self.argv.iter().map(String::as_str));
        command.cwd = dir;
        if let Some(stdin) = self.args.stdin.as_deref().filter(|stdin| !stdin.is_empty()) {
            command.stdin = stdin.into();
            if self.args.stdin_add_newline {
                command.stdin.push(b'\n');
            }
        }
        data.set("msg", "");
        let start = sys.local_time();
        let output = match sys.run(&command) {
            Ok(output) => output,
            Err(error) => {
                // nothing began: no times; the command is told as one text
                for key in ["start", "end", "delta"] {
                    data.take(key);
                }
                let words = self.argv.iter().map(|word| quoted(word));
                let cmd = words.collect::<Vec<_>>().join(" ");
                data.set("cmd", Value::data(cmd));
                return Err(not_started(error));
            }
        };
        let end = sys.local_time();
        set_output(data, &output, self.args.strip_empty_ends);
        let show =
            |time: &jiff::Zoned| Value::data(time.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string());
        data.set("start", show(&start));
        data.set("end", show(&end));
        let micros = end.timestamp().as_microsecond() - start.timestamp().as_microsecond();
        data.set("delta", Value::data(delta(micros)));
        if output.ok() {
            Ok(())
        } else {
            Err(Failure::new("non-zero return code").with("changed", true))
        }
    }
}

/// A word as a shell would need it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

/// The failure of a program that cannot be started, with the system's error number as `rc`.
pub(super) fn not_started(error: Error) -> Failure {
    if let Error::Start { program, source } = &error {
        let number = source.raw_os_error().unwrap_or(1);
        let text = match source.kind() {
            std::io::ErrorKind::NotFound => "No such file or directory".to_owned(),
            std::io::ErrorKind::PermissionDenied => "Permission denied".to_owned(),
            _ => source.to_string(),
        };
        return Failure::new(format!("[Errno {number}] {text}: b'{program}'")).with("rc", number);
    }
    error.into()
}

fn enter(sys: &Sys, dir: &Path, shown: &Value) -> ModuleResult<()> {
    let why = match sys.stat(dir, true)? {
        None => "[Errno 2] No such file or directory",
        Some(meta) if meta.kind != crate::sys::FileKind::Directory => "[Errno 20] Not a directory",
        Some(_) => return Ok(()),
    };
    let mut failure = Failure::new(format!(
        "Unable to change directory before execution: {why}: b'{}'",
        dir.display()
    ));
    failure.returns = blank(shown);
    Err(failure)
}

/// A duration as Python's `str(timedelta)` shows it.
pub(super) fn delta(micros: i64) -> String {
    let micros = micros.max(0);
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let (days, in_day) = (seconds / 86400, seconds % 86400);
    let prefix = match days {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        n => format!("{n} days, "),
    };
    let (hours, minutes, seconds) = (in_day / 3600, in_day / 60 % 60, in_day % 60);
    let fraction = match rest {
        0 => String::new(),
        n => format!(".{n:06}"),
    };
    format!("{prefix}{hours}:{minutes:02}:{seconds:02}{fraction}")
}

#[cfg(test)]
mod tests {
    use super::delta;

    #[test]
    fn delta_reads_as_in_python() {
        assert_eq!(delta(2_025), "0:00:00.002025");
        assert_eq!(delta(3_600_000_000 + 61_000_000), "1:01:01");
        assert_eq!(delta(2 * 86_400_000_000 + 1), "2 days, 0:00:00.000001");
    }
}
