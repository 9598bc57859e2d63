//! Init scripts.

use super::{State, enabled_diff, state_diff};
use crate::modules::streams::command_failed;
use crate::modules::{ModuleResult, Plan};
use crate::sys::{FileKind, Sys};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The init script of that name.
fn script(name: &str) -> PathBuf {
    Path::new("/etc/init.d").join(name)
}

/// Whether there is an init script of that name that can be run.
pub(super) fn script_exists(sys: &Sys, name: &str) -> bool {
    !name.is_empty()
        && !name.contains('/')
        && sys
            .stat(&script(name), true)
            .is_ok_and(|meta| meta.is_some_and(|m| m.kind == FileKind::File && m.mode & 0o111 != 0))
}

/// Whether the script is started in some runlevel.
pub(super) fn starts(sys: &Sys, name: &str) -> bool {
    !sys.glob(Path::new(&format!("/etc/rc?.d/S??{name}")))
        .is_empty()
}

/// What a service with an init script is to be.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub name: String,
    pub state: Option<State>,
    pub enabled: Option<bool>,
    /// Part of the command line by which a running process is known, if the script cannot tell.
    pub pattern: Option<String>,
    /// More words for the script.
    pub arguments: Vec<String>,
    /// Seconds between stop and start.
    pub sleep: Option<u64>,
}

impl Wish {
    pub fn plan(self, plan: &mut Plan<'_>, sys: &Sys) -> ModuleResult<()> {
        if !script_exists(sys, &self.name) {
            return Err(super::systemctl::not_there(&self.name));
        }
        if let Some(enabled) = self.enabled {
            plan.returns("enabled", enabled);
            if starts(sys, &self.name) != enabled {
                let words = boot_words(sys, &self.name, enabled)?;
                let diff = enabled_diff(&self.name, enabled);
                plan.act(words.join(" "), Some(diff), move |sys, _| {
                    run(sys, &words, "change the boot of a service")
                });
            }
        }
        let Some(state) = self.state else {
            return Ok(());
        };
        plan.returns("state", state.reached());
        let running = self.is_running(sys)?;
        let Some(verb) = state.verb(running) else {
            return Ok(());
        };
        if state.repeats() {
            plan.repeats();
        }
        let diff = state_diff(&self.name, running, state);
        plan.act(
            format!("{verb} {}", self.name),
            Some(diff),
            move |sys, _| match (verb, self.sleep) {
                ("restart", Some(seconds)) => {
                    self.act(sys, "stop")?;
                    sys.sleep(Duration::from_secs(seconds))?;
                    self.act(sys, "start")
                }
                _ => self.act(sys, verb),
            },
        );
        Ok(())
    }

    fn words(&self, verb: &str) -> Vec<String> {
        let mut words = vec![
            script(&self.name).to_string_lossy().into_owned(),
            verb.to_owned(),
        ];
        words.extend(self.arguments.iter().cloned());
        words
    }

    fn act(&self, sys: &mut Sys, verb: &str) -> ModuleResult<()> {
        run(
            sys,
            &self.words(verb),
            &format!("Unable to {verb} service {}", self.name),
        )
    }

    fn is_running(&self, sys: &Sys) -> ModuleResult<bool> {
        if let Some(pattern) = &self.pattern {
            return Ok(sys
                .command_lines()
                .iter()
                .any(|line| line.contains(pattern)));
        }
        let output = sys.query(&sys.tool(self.words("status")))?;
        let text = output.text().to_lowercase();
        // LSB: 0 runs, 3 does not; scripts that do not keep to it say it in words
        Ok(match output.rc {
            0 => !["not running", "is stopped", "is dead", "inactive"]
                .iter()
                .any(|words| text.contains(words)),
            1..=3 => false,
            _ => text.contains("running") && !text.contains("not running"),
        })
    }
}

fn boot_words(sys: &Sys, name: &str, enabled: bool) -> ModuleResult<Vec<String>> {
    let known = !sys
        .glob(Path::new(&format!("/etc/rc?.d/[SK]??{name}")))
        .is_empty();
    let words: Vec<&str> = if sys.which("update-rc.d").is_some() {
        match (enabled, known) {
            (true, false) => vec!["update-rc.d", name, "defaults"],
            (true, true) => vec!["update-rc.d", name, "enable"],
            (false, _) => vec!["update-rc.d", name, "disable"],
        }
    } else if sys.which("chkconfig").is_some() {
        vec!["chkconfig", name, if enabled { "on" } else { "off" }]
    } else if sys.which("insserv").is_some() {
        if enabled {
            vec!["insserv", name]
        } else {
            vec!["insserv", "-r", name]
        }
    } else {
        return Err(
            "there is no update-rc.d, chkconfig or insserv to say what starts at boot".into(),
        );
    };
    Ok(words.into_iter().map(str::to_owned).collect())
}

/// Runs a tool; `what` begins the message if it fails.
pub(super) fn run(sys: &mut Sys, words: &[String], what: &str) -> ModuleResult<()> {
    let command = sys.tool(words.iter().map(String::as_str));
    let output = sys.run(&command)?;
    if output.ok() {
        Ok(())
    } else {
        Err(command_failed(what, &command, &output))
    }
}
