//! `synchronize`: trees of files by rsync.
//!
//! The module runs where rsync is started: on the controller, or on the machine that the task is delegated to. Which ends
//! are elsewhere and how they are reached, the controller has said before (`_rsh`).
//!
//! Source: Ansible's documentation of `ansible.posix.synchronize`; rsync(1), `--out-format`.

mod args;
mod command;
#[cfg(test)]
mod tests;

use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Command, Output, PrivateDir, PrivatePipe, Sys};
use crate::value::{Secret, Value};
use args::Args;
use command::{MARKER, Transfer};

/// The module.
pub struct Synchronize;

impl Module for Synchronize {
    const NAME: &'static str = "synchronize";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Copy trees of files with rsync, between the controller and a machine or between two machines.\n\
                               rsync runs on the controller, or on the machine that the task is delegated to, and has to \
                               be installed at both ends. It is asked first what it would do (`--dry-run`).";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let transfer = Transfer::new(args, sys)?;
        let door = transfer.door(sys)?;
        let output = sys.query(&transfer.command(true, door.as_ref()))?;
        drop(door);
        let foreseen = transfer.judged(&output)?;
        let mut plan = Plan::new();
        for (key, value) in foreseen.returns(&transfer.shown(args._check)) {
            plan.returns(key, value);
        }
        if args.rsync_opts.iter().any(String::is_empty) {
            plan.warn(
                "an empty text in `rsync_opts` makes rsync copy the working directory: write `.` if that is meant",
            );
        }
        if foreseen.changed {
            let diff = Diff::new(
                transfer.dest.as_str(),
                Some(String::new()),
                Some(foreseen.text.clone()),
            );
            plan.act("rsync", Some(diff), move |sys, data| {
                let door = transfer.door(sys)?;
                let command = transfer.command(false, door.as_ref());
                let output = sys.run(&command)?;
                let seen = transfer.judged(&output)?;
                for (key, value) in seen.returns(&transfer.shown(false)) {
                    data.set(key, value);
                }
                Ok(())
            });
        }
        Ok(plan)
    }
}

/// What rsync said.
struct Seen {
    changed: bool,
    text: String,
}

impl Seen {
    fn of(output: &Output, with_links: bool) -> Self {
        let all = output.text();
        let changed = all
            .lines()
            .filter_map(|line| line.strip_prefix(MARKER))
            .any(|line| !with_links || is_change(line));
        Self {
            changed,
            text: all.replace(MARKER, ""),
        }
    }

    fn returns(&self, shown: &str) -> [(&'static str, Value); 4] {
        let lines = self.text.split('\n').filter(|line| !line.is_empty());
        [
            ("msg", Value::data(self.text.as_str())),
            ("rc", Value::from(0)),
            ("cmd", Value::data(shown)),
            (
                "stdout_lines",
                Value::list(lines.map(Value::data).collect()),
            ),
        ]
    }
}

/// With `-vv`, rsync names also what it leaves alone: `.f` and nothing but blanks or dots.
fn is_change(line: &str) -> bool {
    let what: String = line.chars().take(11).collect();
    !what.starts_with('.') || what.chars().skip(2).any(|c| !matches!(c, ' ' | '.'))
}

/// How ssh gets its passwords: a program that it asks, which reads them from a pipe. They are in no argument, in no
/// environment and on no disk.
struct Door {
    askpass: String,
    _pipe: PrivatePipe,
    _dir: PrivateDir,
}

impl Transfer<'_> {
    fn door(&self, sys: &Sys) -> ModuleResult<Option<Door>> {
        let args = self.args;
        if !self.has_rsh() || (args._password.is_none() && args._passphrase.is_none()) {
            return Ok(None);
        }
        let text = |secret: &Option<Secret<String>>| {
            let secret = secret.as_ref().map(|secret| secret.reveal().as_str());
            secret.unwrap_or_default().to_owned()
        };
        let dir = sys.private_dir()?;
        // both lines are read each time that it is asked: once by each ssh for each of the two
        let both = format!("{}\n{}\n", text(&args._password), text(&args._passphrase));
        let (path, pipe) = dir.pipe("password", both.repeat(4).as_bytes())?;
        let script = format!(
            "#!/bin/sh\nexec < {}\nread -r password; read -r phrase\ncase \"$1\" in *assphrase*) printf '%s\\n' \
             \"$phrase\";; *) printf '%s\\n' \"$password\";; esac\n",
            path.display()
        );
        let askpass = dir.add("askpass", script.as_bytes(), 0o700)?;
        Ok(Some(Door {
            askpass: askpass.to_string_lossy().into_owned(),
            _pipe: pipe,
            _dir: dir,
        }))
    }

    fn command(&self, dry: bool, door: Option<&Door>) -> Command {
        let command = Command::new(self.words(dry));
        match door {
            None => command,
            Some(door) => command
                .env("SSH_ASKPASS", door.askpass.as_str())
                .env("SSH_ASKPASS_REQUIRE", "force")
                .env("DISPLAY", ":0"),
        }
    }

    /// # Errors
    /// With what rsync complained about, and what to do where that is known.
    fn judged(&self, output: &Output) -> ModuleResult<Seen> {
        if output.ok() {
            return Ok(Seen::of(output, self.args.link_dest.is_some()));
        }
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let hint = self.hint(&stderr, output.rc);
        let message = match hint {
            Some(hint) => format!("{}\n{hint}", stderr.trim_end()),
            None => stderr,
        };
        Err(Failure::new(message)
            .with("rc", output.rc)
            .with("cmd", Value::data(self.shown(self.args._check))))
    }

    fn hint(&self, stderr: &str, rc: i32) -> Option<String> {
        if !self.has_rsh() {
            return None;
        }
        let has = |part: &str| stderr.contains(part);
        let rsync = self.args.rsync_path.as_deref().unwrap_or("rsync");
        let not_found = has("rsync: not found")
            || has("rsync: command not found")
            || has("rsync: No such file");
        if not_found || (rc == 127 && !has("ssh")) {
            return Some(format!(
                "`{rsync}` is not there at the other end: install rsync on that machine, or say where it is with \
                 `rsync_path`"
            ));
        }
        if has("sudo:") && (has("password is required") || has("terminal is required")) {
            return Some(
                "rsync cannot hand over a password for sudo: let the user start rsync with sudo without one, or give \
                 `rsync_path`"
                    .into(),
            );
        }
        if has("Host key verification failed") {
            return Some(
                "the host's key is not known where rsync runs: add it to known_hosts there (module known_hosts), or set \
                 `verify_host: false`"
                    .into(),
            );
        }
        if has("Failed to exec ssh") {
            return Some("rsync goes through the program `ssh`, which is not there: install an OpenSSH client".into());
        }
        None
    }
}
