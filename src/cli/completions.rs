//! `runbook completions SHELL`.

use super::args::Cli;
use super::exit::{CommandResult, Exit};
use super::streams::outln;
use clap::CommandFactory;

pub fn completions(shell: clap_complete::Shell) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "runbook", &mut script);
    outln!("{}", String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Ok)
}
