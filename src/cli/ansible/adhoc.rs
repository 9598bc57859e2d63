//! `ansible`.

use super::options::{Hosts, Reaching, Rising, Running, Secrets, Verbosity};
use crate::cli::adhoc;
use crate::cli::args::{OutputKind, RunArgs, RunMore};
use crate::cli::exit::{CommandFailure, CommandResult, Exit};
use crate::cli::show::Show;
use clap::{ArgMatches, Command, FromArgMatches, Parser};
use std::path::PathBuf;

/// Runs a single task on a set of hosts.
#[derive(Clone, Debug, Parser)]
struct AdHocArgs {
    /// Host pattern
    #[arg(value_name = "PATTERN")]
    pattern: String,
    /// The action
    #[arg(short, long, default_value = "command", value_name = "MODULE_NAME")]
    module_name: String,
    /// Its options: k=v, or JSON
    #[arg(
        short,
        long,
        default_value = "",
        value_name = "MODULE_ARGS",
        allow_hyphen_values = true
    )]
    args: String,
    /// Condense output
    #[arg(short, long)]
    one_line: bool,
    /// Write results into this directory
    #[arg(short, long, value_name = "TREE")]
    tree: Option<PathBuf>,
    /// Not built: an error
    #[arg(short = 'B', long, value_name = "SECONDS")]
    background: Option<u64>,
    /// Without effect without -B
    #[arg(short = 'P', long, value_name = "POLL_INTERVAL")]
    poll: Option<u64>,
    /// The directory that stands for a playbook's
    #[arg(long, value_name = "BASEDIR")]
    playbook_dir: Option<PathBuf>,
    /// Seconds that the task may take
    #[arg(long, value_name = "TASK_TIMEOUT")]
    task_timeout: Option<u64>,
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    hosts: Hosts,
    #[command(flatten)]
    vault: Secrets,
    #[command(flatten)]
    running: Running,
    #[command(flatten)]
    connection: Reaching,
    #[command(flatten)]
    who: Rising,
}

/// Its arguments.
pub fn command() -> Command {
    <AdHocArgs as clap::CommandFactory>::command()
}

/// Runs it.
pub fn run(matches: &ArgMatches, show: &Show) -> CommandResult {
    let args = AdHocArgs::from_arg_matches(matches)
        .map_err(|e| CommandFailure::new(Exit::Usage, e.to_string()))?;
    let wrong = |text: String| Err(CommandFailure::new(Exit::Usage, text));
    if args.background.is_some_and(|seconds| seconds > 0) {
        return wrong("-B is not built into runbook".to_owned());
    }
    let module = args.module_name.as_str();
    let short = module.strip_prefix("ansible.builtin.").unwrap_or(module);
    if matches!(short, "command" | "shell" | "script" | "raw")
        && args.args.trim().is_empty()
        && !args.running.list_hosts
    {
        return wrong(format!("No argument passed to {module} module"));
    }
    if crate::actions::ActionRegistry.is_flow(short)
        && !matches!(
            short,
            "include_role" | "import_role" | "include_tasks" | "import_tasks" | "meta"
        )
    {
        return wrong(format!(
            "'{module}' is not a valid action for ad-hoc commands"
        ));
    }
    adhoc::run(
        RunArgs {
            pattern: args.pattern,
            sources: args.hosts.sources(&args.running.module_path),
            vault: args.vault.args(),
            connection: args.connection.args(&args.who, &args.running),
            module: args.module_name,
            args: args.args,
            check: args.running.check,
            diff: args.running.diff,
            list_hosts: args.running.list_hosts,
            one_line: args.one_line,
            output: OutputKind::Ansible,
            more: RunMore {
                tree: args.tree,
                playbook_dir: args.playbook_dir,
                task_timeout: args.task_timeout,
            },
        },
        show,
    )
}
