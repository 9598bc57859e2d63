//! The command line: one file per command, exit codes in [`exit`].

mod adhoc;
mod args;
mod completions;
mod doc;
mod exit;
mod inventory;
mod known;
mod lists;
mod play;
mod prompt;
mod setup;
mod show;
mod streams;
mod verify;
mod vocabulary;

pub use exit::Exit;

use args::{Cli, Command};
use clap::Parser;
use streams::errln;

/// Runs the command that the process was started with; returns its exit code.
pub fn main() -> i32 {
    // the agent first: it is started on every machine, and needs none of what follows
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|word| word == "agent") {
        return match words.next() {
            Some(word) if word == "--check" => crate::agent::check(),
            Some(word) if word == "--job" => crate::agent::job(),
            _ => crate::agent::run(),
        };
    }
    std::panic::set_hook(Box::new(|panic| {
        errln!("a bug in runbook: {panic}");
        errln!("please report it with the playbook that led to it");
    }));
    let run = std::panic::catch_unwind(|| {
        let cli = match Cli::try_parse() {
            Ok(cli) => cli,
            Err(error) => {
                let _ = error.print();
                return if error.use_stderr() {
                    Exit::Usage
                } else {
                    Exit::Ok
                };
            }
        };
        dispatch(cli)
    });
    run.unwrap_or(Exit::Bug).code()
}

fn dispatch(cli: Cli) -> Exit {
    let show = show::Show::new(&cli.global);
    let result = match cli.command {
        Command::Play(args) => play::play(*args, &show),
        Command::Run(args) => adhoc::run(*args, &show),
        Command::Inventory(args) => inventory::inventory(&args, &show),
        Command::Doc(args) => doc::doc(&args),
        Command::Completions { shell } => completions::completions(shell),
        // taken before parsing; here for `--help` and completions
        Command::Agent => Ok(Exit::Usage),
    };
    match result {
        Ok(exit) => exit,
        Err(failure) => {
            show.failure(&failure);
            failure.exit
        }
    }
}
