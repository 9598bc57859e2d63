//! Running `apt-get`: its switches, its locks, and what a simulation foretells.

use super::Args;
use crate::modules::{Failure, ModuleResult};
use crate::result::Diff;
use crate::sys::{Command, Output, Sys};
use std::path::Path;
use std::time::{Duration, Instant};

/// A call of `apt-get`, less the program's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    words: Vec<String>,
}

impl Call {
    /// A call with the switches that the task asks for. `verb` may be two words.
    pub fn new(args: &Args, verb: &[&str], names: &[String]) -> Self {
        let mut words: Vec<String> = vec!["-q".into(), "-y".into()];
        for option in args.dpkg_options.split(',').filter(|o| !o.is_empty()) {
            words.push("-o".into());
            words.push(format!("Dpkg::Options::=--{}", option.trim()));
        }
        let force = args.force;
        for (given, switch) in [
            (args.fail_on_autoremove, "--no-remove"),
            (
                args.allow_unauthenticated || force,
                "--allow-unauthenticated",
            ),
            (args.allow_downgrade || force, "--allow-downgrades"),
            (
                args.allow_change_held_packages || force,
                "--allow-change-held-packages",
            ),
            (force, "--allow-remove-essential"),
        ] {
            if given {
                words.push(switch.into());
            }
        }
        if let Some(release) = &args.default_release {
            words.extend(["-t".into(), release.clone()]);
        }
        if let Some(recommends) = args.install_recommends {
            let word = if recommends { "yes" } else { "no" };
            words.extend(["-o".into(), format!("APT::Install-Recommends={word}")]);
        }
        words.extend(verb.iter().map(|word| (*word).to_owned()));
        words.extend(names.iter().cloned());
        Self { words }
    }

    fn command(&self, sys: &Sys, simulate: bool) -> Command {
        let head = ["apt-get"].into_iter().chain(simulate.then_some("-s"));
        let words = head.chain(self.words.iter().map(String::as_str));
        environment(sys.tool(words))
    }

    /// What it would do. Nothing is changed and no lock is taken.
    pub fn simulate(&self, sys: &Sys) -> ModuleResult<Foretold> {
        let command = self.command(sys, true);
        let output = sys.query(&command)?;
        if !output.ok() {
            return Err(failed(&command, &output));
        }
        Ok(Foretold::read(&output.text()))
    }

    /// Does it, waiting for locks at most `lock_timeout`.
    pub fn run(&self, args: &Args, sys: &mut Sys) -> ModuleResult<Output> {
        let command = self.command(sys, false);
        let output = with_policy(args.policy_rc_d, sys, |sys| {
            run_patiently(&command, args.lock_timeout, sys)
        })?;
        if output.ok() {
            Ok(output)
        } else {
            Err(failed(&command, &output))
        }
    }

    /// Its words, for messages.
    pub fn shown(&self) -> String {
        format!("apt-get {}", self.words.join(" "))
    }
}

/// The environment in which apt and dpkg ask no questions.
pub(super) fn environment(command: Command) -> Command {
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("DEBIAN_PRIORITY", "critical")
        .env("NEEDRESTART_MODE", "l")
        .env("LANGUAGE", "C")
}

/// Runs a command again and again while another process holds apt's or dpkg's locks.
pub(super) fn run_patiently(
    command: &Command,
    timeout: u64,
    sys: &mut Sys,
) -> ModuleResult<Output> {
    let end = Instant::now() + Duration::from_secs(timeout);
    loop {
        let output = sys.run(command)?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        let locked = !output.ok()
            && [
                "Could not get lock",
                "Unable to acquire the dpkg frontend lock",
                "Unable to lock",
                "frontend lock was locked by another process",
                "lock was locked by another process",
            ]
            .iter()
            .any(|words| complaint.contains(words));
        if !locked || Instant::now() >= end {
            return Ok(output);
        }
        sys.sleep(Duration::from_secs(1))?;
    }
}

/// The failure of a call, in the words that fit best.
fn failed(command: &Command, output: &Output) -> Failure {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let message = reason(&stderr).unwrap_or_else(|| {
        format!(
            "'{}' failed: {}",
            command.words().join(" "),
            output.complaint()
        )
    });
    let mut failure = Failure::new(message);
    crate::modules::streams::set_output(&mut failure.returns, output, false);
    failure
}

/// apt's reason in Ansible's words, where it has words of its own.
fn reason(stderr: &str) -> Option<String> {
    stderr.lines().find_map(|line| {
        let line = line.strip_prefix("E: ")?;
        if let Some(name) = line.strip_prefix("Unable to locate package ") {
            return Some(format!(
                "No package matching '{name}' is available (is the package index up to date? see update_cache)"
            ));
        }
        let mut quoted = line.split('\'').skip(1).step_by(2);
        if line.ends_with("has no installation candidate") {
            let name = quoted.next()?;
            return Some(format!("no available installation candidate for {name}"));
        }
        if line.starts_with("Version '") && line.ends_with("was not found") {
            let (version, name) = (quoted.next()?, quoted.next()?);
            return Some(format!("no available installation candidate for {name}={version}"));
        }
        None
    })
}

/// Keeps services from being started while something runs, if asked to: `/usr/sbin/policy-rc.d` answers with that
/// code meanwhile, and is as before afterwards.
fn with_policy<T>(
    code: Option<i64>,
    sys: &mut Sys,
    work: impl FnOnce(&mut Sys) -> ModuleResult<T>,
) -> ModuleResult<T> {
    let Some(code) = code else {
        return work(sys);
    };
    let path = Path::new("/usr/sbin/policy-rc.d");
    let before = sys.read(path)?;
    let mode = sys.stat(path, true)?.map(|meta| meta.mode);
    let options = |mode| crate::sys::WriteOptions {
        mode: Some(mode),
        ..Default::default()
    };
    let script = format!("#!/bin/sh\nexit {code}\n");
    sys.write(path, script.as_bytes(), &options(0o755))?;
    let result = work(sys);
    match before {
        Some(bytes) => sys.write(path, &bytes, &options(mode.unwrap_or(0o755)))?,
        None => sys.remove_file(path)?,
    }
    result
}

/// What a simulation says: packages with their versions before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Foretold {
    changes: Vec<(String, Option<String>, Option<String>)>,
    /// apt took a name for a pattern.
    pub guessed: Option<String>,
}

impl Foretold {
    fn read(text: &str) -> Self {
        let mut foretold = Self::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let in_brackets = |open: char, close: char| {
                let (_, rest) = line.split_once(open)?;
                let inner = rest.split([close, ' ']).next()?;
                Some(inner.to_owned())
            };
            match (words.next(), words.next()) {
                (Some("Inst"), Some(name)) => {
                    // the old version stands before the parenthesis, if there is one
                    let head = line.split('(').next().unwrap_or_default();
                    let before = head.contains('[').then(|| in_brackets('[', ']')).flatten();
                    let after = in_brackets('(', ')');
                    foretold.changes.push((name.to_owned(), before, after));
                }
                (Some("Remv" | "Purg"), Some(name)) => {
                    foretold
                        .changes
                        .push((name.to_owned(), in_brackets('[', ']'), None));
                }
                // autoclean: what it would delete
                (Some("Del"), Some(name)) => {
                    foretold
                        .changes
                        .push((name.to_owned(), words.next().map(str::to_owned), None));
                }
                (Some("Note,"), _) if line.contains("for regex") => {
                    foretold.guessed = line.split('\'').rev().nth(1).map(str::to_owned);
                }
                _ => {}
            }
        }
        foretold
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The packages with their versions.
    pub fn diff(&self) -> Diff {
        let side = |after: bool| -> Option<String> {
            let lines: String = self
                .changes
                .iter()
                .filter_map(|(name, old, new)| {
                    let version = if after { new } else { old };
                    version
                        .as_ref()
                        .map(|version| format!("{name} {version}\n"))
                })
                .collect();
            (!lines.is_empty()).then_some(lines)
        };
        Diff::new("packages", side(false), side(true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simulations_are_read() {
        let foretold = Foretold::read(
            "Reading package lists...\nInst sl (5.02-1+b1 Debian:12.15/oldstable [amd64])\n\
             Inst bash [5.2.15-2+b8] (5.2.15-2+b13 Debian:12 [amd64]) []\nRemv less [590-2]\nPurg x [1]\nConf sl (5)\n",
        );
        let diff = foretold.diff();
        assert_eq!(
            diff.before.as_deref(),
            Some("bash 5.2.15-2+b8\nless 590-2\nx 1\n")
        );
        assert_eq!(
            diff.after.as_deref(),
            Some("sl 5.02-1+b1\nbash 5.2.15-2+b13\n")
        );
        assert!(Foretold::read("0 upgraded, 0 newly installed\n").is_empty());
    }

    #[test]
    fn reasons() {
        for (stderr, part) in [
            (
                "E: Unable to locate package nginxx\n",
                "No package matching 'nginxx' is available",
            ),
            (
                "W: x\nE: Package 'a' has no installation candidate\n",
                "no available installation candidate for a",
            ),
            (
                "E: Version '9' for 'a' was not found\n",
                "no available installation candidate for a=9",
            ),
        ] {
            assert!(reason(stderr).unwrap().starts_with(part), "{stderr}");
        }
    }
}
