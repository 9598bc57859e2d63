//! `ansible-doc`.

use super::options::Verbosity;
use crate::cli::args::DocArgs;
use crate::cli::doc;
use crate::cli::exit::{CommandFailure, CommandResult, Exit};
use crate::cli::show::Show;
use clap::{ArgMatches, Command, FromArgMatches, Parser};
use std::path::PathBuf;

/// Shows modules.
#[derive(Clone, Debug, Parser)]
struct AnsibleDocArgs {
    /// Modules
    #[arg(value_name = "PLUGIN")]
    plugins: Vec<String>,
    #[command(flatten)]
    verbosity: Verbosity,
    /// Without effect: modules are part of runbook
    #[arg(short = 'M', long, value_name = "MODULE_PATH")]
    module_path: Vec<String>,
    /// Without effect
    #[arg(long, value_name = "BASEDIR")]
    playbook_dir: Option<PathBuf>,
    /// What is shown: only `module` is built
    #[arg(
        short = 't',
        long = "type",
        value_name = "TYPE",
        default_value = "module"
    )]
    kind: String,
    /// As JSON
    #[arg(short, long)]
    json: bool,
    /// Without effect
    #[arg(short, long, value_name = "ROLES_PATH")]
    roles_path: Vec<String>,
    /// Without effect
    #[arg(short, long, value_name = "ENTRY_POINT")]
    entry_point: Option<String>,
    /// A task to copy
    #[arg(short, long)]
    snippet: bool,
    /// List the modules
    #[arg(short = 'l', long)]
    list: bool,
    /// List the modules
    #[arg(short = 'F', long = "list_files")]
    list_files: bool,
    /// Everything as JSON
    #[arg(long)]
    metadata_dump: bool,
    /// Without effect
    #[arg(long)]
    no_fail_on_errors: bool,
}

/// Its arguments.
pub fn command() -> Command {
    <AnsibleDocArgs as clap::CommandFactory>::command()
}

/// Runs it.
pub fn run(matches: &ArgMatches, _: &Show) -> CommandResult {
    let args = AnsibleDocArgs::from_arg_matches(matches)
        .map_err(|e| CommandFailure::new(Exit::Usage, e.to_string()))?;
    if args.kind != "module" {
        return Err(CommandFailure::new(
            Exit::Usage,
            format!(
                "only modules can be shown, no plugins of the type {}",
                args.kind
            ),
        ));
    }
    if args.list || args.list_files {
        return doc::ansible_list(&args.plugins, args.json);
    }
    if args.metadata_dump {
        return doc::doc(&DocArgs {
            module: None,
            json: true,
        });
    }
    if args.plugins.is_empty() {
        return Err(CommandFailure::new(Exit::Usage, "Incorrect options passed"));
    }
    for name in args.plugins {
        if args.snippet {
            doc::snippet(&name)?;
        } else {
            doc::doc(&DocArgs {
                module: Some(name),
                json: args.json,
            })?;
        }
    }
    Ok(Exit::Ok)
}
