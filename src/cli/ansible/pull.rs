//! `ansible-pull`: brings a repository of playbooks onto this machine, and runs one of them here.
//!
//! As there, `ansible` checks the repository out and `ansible-playbook` runs the playbook, both as processes of their own.

use super::options::{Hosts, Reaching, Rising, Secrets, Verbosity};
use crate::cli::exit::{CommandFailure, CommandResult, Exit};
use crate::cli::show::Show;
use crate::cli::streams::{out, outln};
use crate::diag::{Diagnostic, io_reason};
use clap::{ArgMatches, Command, FromArgMatches, Parser};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// Pulls playbooks from a repository and runs them on this machine.
#[derive(Clone, Debug, Parser)]
struct PullArgs {
    /// Playbooks, inside the checkout
    #[arg(value_name = "playbook.yml")]
    playbooks: Vec<String>,
    /// URL of the repository
    #[arg(short = 'U', long, value_name = "URL")]
    url: Option<String>,
    /// Where it is checked out
    #[arg(short = 'd', long = "directory", value_name = "DEST")]
    directory: Option<PathBuf>,
    /// Branch, tag or commit
    #[arg(short = 'C', long, value_name = "CHECKOUT")]
    checkout: Option<String>,
    /// The whole history, not only the last commit
    #[arg(long)]
    full: bool,
    /// Discard what was changed in the checkout
    #[arg(long)]
    clean: bool,
    /// Run the playbook even if the repository cannot be updated
    #[arg(short = 'f', long)]
    force: bool,
    /// Run the playbook only if the repository has something new
    #[arg(short = 'o', long)]
    only_if_changed: bool,
    /// Remove the checkout after the run
    #[arg(long)]
    purge: bool,
    /// Wait up to so many seconds first
    #[arg(short = 's', long, value_name = "SLEEP")]
    sleep: Option<String>,
    /// Add the host key of the repository's machine
    #[arg(long)]
    accept_host_key: bool,
    /// The module that checks out: `git`
    #[arg(short = 'm', long, value_name = "MODULE_NAME", default_value = "git")]
    module_name: String,
    /// Check the commit's signature
    #[arg(long)]
    verify_commit: bool,
    /// Submodules follow their branches
    #[arg(long)]
    track_subs: bool,
    /// Predict, change nothing
    #[arg(long)]
    check: bool,
    /// Show what is changed in files
    #[arg(long)]
    diff: bool,
    /// Only plays and tasks with these tags
    #[arg(short, long, value_name = "TAGS")]
    tags: Vec<String>,
    /// No plays and tasks with these tags
    #[arg(long, value_name = "SKIP_TAGS")]
    skip_tags: Vec<String>,
    /// Without effect: modules are part of runbook
    #[arg(short = 'M', long, value_name = "MODULE_PATH")]
    module_path: Vec<String>,
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    vault: Secrets,
    #[command(flatten)]
    connection: Reaching,
    #[command(flatten)]
    who: Rising,
}

/// Its arguments.
pub fn command() -> Command {
    <PullArgs as clap::CommandFactory>::command()
}

/// The names of this machine: with its domain, if that is known, and without.
fn names() -> Vec<String> {
    let node = nix::unistd::gethostname()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let full = hosts
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>())
        .find(|names| names.contains(&node.as_str()))
        .and_then(|names| {
            names
                .into_iter()
                .find(|name| name.contains('.'))
                .map(str::to_owned)
        })
        .unwrap_or_else(|| node.clone());
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
    let mut names = Vec::new();
    for name in [full.clone(), node.clone(), short(&full), short(&node)] {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn wrong(text: impl Into<String>) -> CommandFailure {
    CommandFailure::new(Exit::Usage, text)
}

/// Runs it.
pub fn run(matches: &ArgMatches, show: &Show) -> CommandResult {
    let args = PullArgs::from_arg_matches(matches).map_err(|e| wrong(e.to_string()))?;
    let names = names();
    let dest = match &args.directory {
        Some(path) => std::path::absolute(path).unwrap_or_else(|_| path.clone()),
        None => home()
            .join("pull")
            .join(names.first().map_or("localhost", String::as_str)),
    };
    if dest.exists() && !dest.is_dir() {
        return Err(wrong(format!(
            "{} is not a valid or accessible directory.",
            dest.display()
        )));
    }
    let sleep = match &args.sleep {
        None => None,
        Some(text) => match text.trim().parse::<u64>() {
            Ok(seconds) => Some(below(seconds)),
            Err(_) => return Err(wrong(format!("{text} is not a number."))),
        },
    };
    let Some(url) = &args.url else {
        return Err(wrong("URL for repository not specified, use -h for help"));
    };
    if args.module_name != "git" {
        return Err(wrong(format!(
            "Unsupported repo module {}, choices are git",
            args.module_name
        )));
    }
    outln!(
        "Starting Ansible Pull at {}",
        jiff::Zoned::now().strftime("%F %T")
    );
    outln!("{}", std::env::args().collect::<Vec<_>>().join(" "));
    if let Some(seconds) = sleep {
        outln!("Sleeping for {seconds} seconds...");
        std::thread::sleep(Duration::from_secs(seconds));
    }
    let limit = format!("localhost,{},127.0.0.1", names.join(","));
    let (ended, text) = checkout(&args, url, &dest, &limit)?;
    if ended != 0 {
        if !args.force {
            return Ok(exit_of(ended));
        }
        show.diagnostic(&Diagnostic::warning(
            "pull::forced",
            "Unable to update repository. Continuing with (forced) run of playbook.",
        ));
    } else if args.only_if_changed
        && ![
            "\"changed\": true",
            "changed: true",
            "changed: True",
            "| CHANGED =>",
        ]
        .iter()
        .any(|sign| text.contains(sign))
    {
        outln!("Repository has not changed, quitting: {}", text.trim_end());
        return Ok(Exit::Ok);
    }
    let playbooks = select(&args, &dest, &names, show)?;
    let ended = play(&args, &playbooks, &dest, &limit)?;
    if args.purge
        && let Err(error) = std::fs::remove_dir_all(&dest)
    {
        show.diagnostic(&Diagnostic::warning(
            "pull::purge",
            format!("Failed to remove {}: {}", dest.display(), io_reason(&error)),
        ));
    }
    Ok(exit_of(ended))
}

/// `$ANSIBLE_HOME`, or the directory of that kind in the user's own.
fn home() -> PathBuf {
    match std::env::var_os("ANSIBLE_HOME").filter(|home| !home.is_empty()) {
        Some(home) => PathBuf::from(home),
        None => PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".ansible"),
    }
}

/// A number below this one, by chance.
fn below(limit: u64) -> u64 {
    let mut bytes = [0; 8];
    if getrandom::fill(&mut bytes).is_err() {
        return 0;
    }
    u64::from_le_bytes(bytes) % limit.max(1)
}

fn exit_of(code: i32) -> Exit {
    [
        Exit::Ok,
        Exit::HostFailed,
        Exit::Unreachable,
        Exit::Usage,
        Exit::Interrupted,
        Exit::Bug,
    ]
    .into_iter()
    .find(|exit| exit.code() == code)
    .unwrap_or(Exit::Error)
}

/// runbook under another of Ansible's names.
fn program(name: &str, args: &PullArgs) -> Result<std::process::Command, CommandFailure> {
    let exe = std::env::current_exe().map_err(|error| {
        CommandFailure::new(
            Exit::Error,
            format!(
                "where runbook is cannot be found out: {}",
                io_reason(&error)
            ),
        )
    })?;
    let mut command = std::process::Command::new(exe);
    command.arg0(name).args(["-c", "local"]);
    if args.verbosity.verbose > 0 {
        command.arg(format!(
            "-{}",
            "v".repeat(usize::from(args.verbosity.verbose))
        ));
    }
    Ok(command)
}

/// What `-i` names and is there.
fn inventories(args: &PullArgs, dir: &Path) -> Vec<String> {
    let there = |source: &&String| source.contains(',') || dir.join(source).exists();
    args.hosts.inventory.iter().filter(there).cloned().collect()
}

/// Runs a program; gives its exit code and what it printed, which is passed on as it comes.
fn passed_on(mut command: std::process::Command) -> Result<(i32, String), CommandFailure> {
    let failed = |error: std::io::Error| {
        CommandFailure::new(
            Exit::Error,
            format!("runbook cannot be started: {}", io_reason(&error)),
        )
    };
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(failed)?;
    let mut all = Vec::new();
    if let Some(mut stdout) = child.stdout.take() {
        let mut buffer = [0; 8192];
        loop {
            match stdout.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => {
                    let part = buffer.get(..count).unwrap_or_default();
                    all.extend_from_slice(part);
                    let mut own = std::io::stdout().lock();
                    let _ = own.write_all(part).and_then(|()| own.flush());
                }
            }
        }
    }
    let status = child.wait().map_err(failed)?;
    out(format_args!(""));
    Ok((
        status.code().unwrap_or(1),
        String::from_utf8_lossy(&all).into_owned(),
    ))
}

fn checkout(
    args: &PullArgs,
    url: &str,
    dest: &Path,
    limit: &str,
) -> Result<(i32, String), CommandFailure> {
    let mut options = serde_json::Map::new();
    let mut set = |name: &str, value: serde_json::Value| options.insert(name.to_owned(), value);
    set("repo", url.into());
    set("dest", dest.display().to_string().into());
    if let Some(version) = &args.checkout {
        set("version", version.as_str().into());
    }
    if args.accept_host_key {
        set("accept_hostkey", true.into());
    }
    if let Some(key) = &args.connection.private_key {
        set("key_file", key.display().to_string().into());
    }
    if args.verify_commit {
        set("verify_commit", true.into());
    }
    if args.track_subs {
        set("track_submodules", true.into());
    }
    if !args.full {
        set("depth", 1.into());
    }
    if args.clean {
        set("force", true.into());
    }
    let cwd = std::env::current_dir().unwrap_or_default();
    let mut sources = inventories(args, &cwd);
    if sources.is_empty() {
        sources.push("localhost,".to_owned());
    }
    let mut command = program("ansible", args)?;
    for source in sources {
        command.arg("-i").arg(source);
    }
    command
        .args(["-m", "git", "-a"])
        .arg(serde_json::Value::Object(options).to_string())
        .args(["all", "-l", limit]);
    for vars in &args.hosts.extra_vars {
        command.arg("-e").arg(vars);
    }
    passed_on(command)
}

/// The playbooks to run: those that were named, or that of this machine, or `local.yml`.
fn select(
    args: &PullArgs,
    dest: &Path,
    names: &[String],
    show: &Show,
) -> Result<Vec<PathBuf>, CommandFailure> {
    let problem = |path: &Path| match std::fs::File::open(path) {
        Ok(_) => None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Some(format!("{}: File does not exist", path.display()))
        }
        Err(_) => Some(format!("{}: File is not readable", path.display())),
    };
    let mut problems = Vec::new();
    let mut found = Vec::new();
    if args.playbooks.is_empty() {
        let full = names.first().map_or("localhost", String::as_str);
        let short = full.split('.').next().unwrap_or(full);
        for name in [full, short, "local"] {
            let path = dest.join(format!("{name}.yml"));
            match problem(&path) {
                None => {
                    found.push(path);
                    break;
                }
                Some(why) => problems.push(why),
            }
        }
        if !found.is_empty() {
            problems.clear();
        }
    } else {
        for name in &args.playbooks {
            let path = dest.join(name);
            match problem(&path) {
                None => found.push(path),
                Some(why) => problems.push(why),
            }
        }
    }
    if problems.is_empty() {
        return Ok(found);
    }
    show.diagnostic(&Diagnostic::warning("pull::playbook", problems.join("\n")));
    Err(wrong("Could not find a playbook to run."))
}

fn play(
    args: &PullArgs,
    playbooks: &[PathBuf],
    dest: &Path,
    limit: &str,
) -> Result<i32, CommandFailure> {
    let mut command = program("ansible-playbook", args)?;
    command.args(playbooks).current_dir(dest);
    let cwd = std::env::current_dir().unwrap_or_default();
    let own = |path: &Path| cwd.join(path);
    for file in &args.vault.vault_password_file {
        command.arg("--vault-password-file").arg(own(file));
    }
    for id in &args.vault.vault_ids {
        command.arg("--vault-id").arg(id);
    }
    if args.vault.ask_vault_password {
        command.arg("--ask-vault-password");
    }
    if let Some(file) = &args.who.become_password_file {
        command.arg("--become-password-file").arg(own(file));
    }
    if let Some(file) = &args.connection.connection_password_file {
        command.arg("--connection-password-file").arg(own(file));
    }
    for vars in &args.hosts.extra_vars {
        command.arg("-e").arg(vars);
    }
    if args.who.ask_become_pass {
        command.arg("--ask-become-pass");
    }
    if !args.skip_tags.is_empty() {
        command.arg("--skip-tags").arg(args.skip_tags.join(","));
    }
    if !args.tags.is_empty() {
        command.arg("--tags").arg(args.tags.join(","));
    }
    let subset = args.hosts.limit.as_deref().unwrap_or(limit);
    command.arg("-l").arg(subset);
    if args.check {
        command.arg("-C");
    }
    if args.diff {
        command.arg("-D");
    }
    for source in inventories(args, dest) {
        command.arg("-i").arg(source);
    }
    passed_on(command).map(|(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::{below, exit_of, names};
    use crate::cli::exit::Exit;

    #[test]
    fn codes_of_programs_are_codes_of_this_one() {
        assert_eq!(exit_of(0), Exit::Ok);
        assert_eq!(exit_of(4), Exit::Unreachable);
        assert_eq!(exit_of(3), Exit::Error);
    }

    #[test]
    fn a_machine_has_a_name_and_waits_no_longer_than_it_may() {
        assert!(!names().is_empty());
        assert!(below(3) < 3);
        assert_eq!(below(0), 0);
    }
}
