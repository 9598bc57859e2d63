//! `ansible-playbook`.

use super::options::{Hosts, Reaching, Rising, Running, Secrets, Verbosity};
use crate::cli::args::{OutputKind, PlayArgs};
use crate::cli::exit::{CommandFailure, CommandResult, Exit};
use crate::cli::play;
use crate::cli::show::Show;
use clap::{ArgMatches, Args, Command, FromArgMatches, Parser};
use std::path::PathBuf;

/// Runs Ansible playbooks on the targeted hosts.
#[derive(Clone, Debug, Parser)]
struct PlaybookArgs {
    /// Playbooks
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    vault: Secrets,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    playbook: PlaybookOptions,
    #[command(flatten)]
    connection: Reaching,
    #[command(flatten)]
    who: Rising,
}

#[derive(Clone, Debug, Args)]
struct PlaybookOptions {
    /// Only plays and tasks with these tags
    #[arg(short, long, value_name = "TAGS")]
    tags: Vec<String>,
    /// No plays and tasks with these tags
    #[arg(long, value_name = "SKIP_TAGS")]
    skip_tags: Vec<String>,
    /// Run handlers even if a task fails
    #[arg(long)]
    force_handlers: bool,
    /// Without effect: facts are not cached
    #[arg(long)]
    flush_cache: bool,
    /// Read everything, run nothing
    #[arg(long)]
    syntax_check: bool,
    /// List tasks, run nothing
    #[arg(long)]
    list_tasks: bool,
    /// List tags, run nothing
    #[arg(long)]
    list_tags: bool,
    /// Ask before each task
    #[arg(long)]
    step: bool,
    /// Begin at the task of this name
    #[arg(long, value_name = "START_AT_TASK")]
    start_at_task: Option<String>,
}

/// Its arguments.
pub fn command() -> Command {
    <PlaybookArgs as clap::CommandFactory>::command()
}

/// Runs it.
pub fn run(matches: &ArgMatches, show: &Show) -> CommandResult {
    let args = PlaybookArgs::from_arg_matches(matches)
        .map_err(|e| CommandFailure::new(Exit::Usage, e.to_string()))?;
    let options = args.playbook;
    play::play(
        PlayArgs {
            playbooks: args.playbooks,
            sources: args.hosts.sources(&args.running.module_path),
            vault: args.vault.args(),
            connection: args.connection.args(&args.who, &args.running),
            tags: options.tags,
            skip_tags: options.skip_tags,
            check: args.running.check,
            diff: args.running.diff,
            verify: None,
            list_hosts: args.running.list_hosts,
            list_tasks: options.list_tasks,
            list_tags: options.list_tags,
            syntax_check: options.syntax_check,
            step: options.step,
            start_at_task: options.start_at_task,
            force_handlers: options.force_handlers,
            flush_cache: options.flush_cache,
            output: OutputKind::Ansible,
            events: None,
            timing: false,
        },
        show,
    )
}
