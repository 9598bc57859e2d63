//! `runbook completions SHELL`.

use super::args::Cli;
use super::exit::{CommandResult, Exit};
use clap::CommandFactory;

pub fn completions(shell: clap_complete::Shell) -> CommandResult {
    clap_complete::generate(
        shell,
        &mut Cli::command(),
        "runbook",
        &mut std::io::stdout(),
    );
    Ok(Exit::Ok)
}
