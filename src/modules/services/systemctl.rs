//! Talking to systemd through `systemctl`.

use crate::choices;
use crate::modules::streams::command_failed;
use crate::modules::{Failure, ModuleResult};
use crate::sys::{Command, Output, Sys};
use crate::value::{Map, Value};
use std::path::Path;

choices! {
    /// Whose systemd.
    pub enum Scope {
        /// The machine's.
        System = "system",
        /// The user's that the task runs as.
        User = "user",
        /// All users'.
        Global = "global",
    }
}

/// `systemctl` with the switches of a task.
#[derive(Clone, Debug)]
pub(super) struct Systemctl {
    pub scope: Scope,
    pub no_block: bool,
    pub force: bool,
}

impl Systemctl {
    fn command(&self, sys: &Sys, verb: &str, unit: &str) -> Command {
        let mut words = vec!["systemctl"];
        match self.scope {
            Scope::System => {}
            Scope::User => words.push("--user"),
            Scope::Global => words.push("--global"),
        }
        if self.no_block {
            words.push("--no-block");
        }
        if self.force {
            words.push("--force");
        }
        words.push(verb);
        // a name such as `-.mount` is no option
        if unit.starts_with('-') {
            words.push("--");
        }
        if !unit.is_empty() {
            words.push(unit);
        }
        let mut command = sys.tool(words);
        if sys.env("XDG_RUNTIME_DIR").is_none() {
            let uid = nix::unistd::geteuid();
            command = command.env("XDG_RUNTIME_DIR", format!("/run/user/{uid}"));
        }
        command
    }

    /// Asks.
    pub fn query(&self, sys: &Sys, verb: &str, unit: &str) -> ModuleResult<Output> {
        Ok(sys.query(&self.command(sys, verb, unit))?)
    }

    /// Does; a failure has systemd's words and what the unit said last.
    pub fn act(&self, sys: &mut Sys, verb: &str, unit: &str) -> ModuleResult<()> {
        let command = self.command(sys, verb, unit);
        let output = sys.run(&command)?;
        if output.ok() {
            return Ok(());
        }
        let mut failure = command_failed(
            &format!("Unable to {verb} service {unit}"),
            &command,
            &output,
        );
        if matches!(verb, "start" | "restart" | "reload")
            && let Some(text) = self.last_words(sys, unit)
        {
            failure.message.push_str("\nWhat systemd knows of it:\n");
            failure.message.push_str(&text);
        }
        Err(failure)
    }

    fn last_words(&self, sys: &Sys, unit: &str) -> Option<String> {
        let mut command = self.command(sys, "status", unit);
        command
            .argv
            .extend(["--no-pager", "--full", "--lines=10"].map(Into::into));
        let text = sys.query(&command).ok()?.text();
        let text = text.trim_end();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// `daemon-reload` or `daemon-reexec`. A machine that was not booted by systemd has no daemon to tell.
    pub fn daemon(&self, sys: &mut Sys, verb: &str) -> ModuleResult<bool> {
        let command = self.command(sys, verb, "");
        let output = sys.run(&command)?;
        if output.ok() || is_offline(sys) {
            return Ok(false);
        }
        let what = format!("failure {} during {verb}", output.rc);
        Err(command_failed(&what, &command, &output))
    }
}

/// Whether the task runs in a chroot, or systemd was told to be offline.
pub(super) fn is_offline(sys: &Sys) -> bool {
    if sys.env("SYSTEMD_OFFLINE").as_deref() == Some("1") {
        return true;
    }
    let place = |path: &str| {
        let meta = sys.stat(Path::new(path), true).ok().flatten()?;
        Some((meta.dev, meta.inode))
    };
    match (place("/"), place("/proc/1/root/.")) {
        (Some(ours), Some(first)) => ours != first,
        // not root: the root of an ordinary file system has this inode
        _ => false,
    }
}

/// The properties that `systemctl show` prints. Only `Exec…` ones may have more than one line, in braces.
pub(super) fn properties(text: &str) -> Map {
    let mut found = Map::new();
    let mut open: Option<(&str, String)> = None;
    for line in text.lines() {
        if let Some((key, mut value)) = open.take() {
            value.push('\n');
            value.push_str(line);
            if line.trim_end().ends_with('}') {
                found.set(key, Value::data(value.trim()));
            } else {
                open = Some((key, value));
            }
        } else if let Some((key, value)) = line.split_once('=') {
            let many = key.starts_with("Exec") && value.trim_start().starts_with('{');
            if many && !value.trim_end().ends_with('}') {
                open = Some((key, value.to_owned()));
            } else {
                found.set(key, Value::data(value.trim()));
            }
        }
    }
    found
}

/// The failure for a unit that is not there.
pub(super) fn not_there(unit: &str) -> Failure {
    Failure::new(format!("Could not find the requested service {unit}: host"))
}

#[cfg(test)]
mod tests {
    use super::properties;
    use crate::value::Value;

    #[test]
    fn values_of_many_lines() {
        let map = properties(
            "Id=x.service\nExecStart={ path=/bin/sh ; argv[]=sh -c a\nb=1 ; }\nDescription={ odd\nAfter=a=b\n",
        );
        let get = |key| map.get(key).and_then(Value::as_str);
        assert_eq!(
            get("ExecStart"),
            Some("{ path=/bin/sh ; argv[]=sh -c a\nb=1 ; }")
        );
        assert_eq!(get("Description"), Some("{ odd"));
        assert_eq!(get("After"), Some("a=b"));
        assert_eq!(get("b"), None);
    }
}
