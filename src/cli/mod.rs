//! The command line: one file per command, exit codes in [`exit`].

mod adhoc;
mod ansible;
mod args;
mod completions;
mod doc;
mod exit;
mod inventory;
mod keys;
mod known;
mod lists;
mod log;
mod play;
mod prompt;
mod rejected;
mod scenario;
mod setup;
mod show;
mod sources;
mod streams;
mod vault;
mod verify;
mod vocabulary;

pub use exit::Exit;

use args::{Cli, Command};
use clap::Parser;
use streams::errln;

/// Runs the command that the process was started with; returns its exit code.
pub fn main() -> i32 {
    // the agent first: it is started on every machine, and needs none of what follows
    let program = ansible::Program::called();
    let words: Vec<std::ffi::OsString> = std::env::args_os().skip(1).collect();
    let option = words.get(1).and_then(|word| word.to_str());
    let starts = match option {
        Some("--check") => crate::agent::check,
        Some("--job") => crate::agent::job,
        _ => crate::agent::run,
    };
    // under Ansible's names, `agent` with anything more is a host or a playbook
    let alone = program.is_none()
        || words.len() == 1
        || words.len() == 2 && matches!(option, Some("--check" | "--job"));
    if alone && words.first().is_some_and(|word| word == "agent") {
        return starts();
    }
    std::panic::set_hook(Box::new(|panic| {
        errln!("a bug in runbook: {panic}");
        errln!("please report it with the playbook that led to it");
    }));
    if let Some(program) = program {
        return std::panic::catch_unwind(|| program.run()).unwrap_or(Exit::Bug.code());
    }
    let run = std::panic::catch_unwind(|| run_line(std::env::args_os()));
    run.unwrap_or(Exit::Bug.code())
}

/// Runs the command of that line, the program's name first; returns its exit code.
fn run_line<T: Into<std::ffi::OsString> + Clone>(line: impl IntoIterator<Item = T>) -> i32 {
    match Cli::try_parse_from(line) {
        Ok(cli) => dispatch(cli).code(),
        Err(error) => {
            let _ = error.print();
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Ok
            };
            exit.code()
        }
    }
}

fn dispatch(cli: Cli) -> Exit {
    let show = show::Show::new(&cli.global);
    carry_out(cli.command, &show)
}

/// Runs a command with its messages shown as wanted.
fn carry_out(command: Command, show: &show::Show) -> Exit {
    let result = match command {
        Command::Play(args) => play::play(*args, show),
        Command::Run(args) => adhoc::run(*args, show),
        Command::Test(args) => scenario::test(&args, show),
        Command::Scenario(args) => scenario::step(&args, show),
        Command::Login(args) => scenario::login(&args),
        Command::Inventory(args) => inventory::inventory(&args, show),
        Command::Vault(command) => vault::vault(command, show),
        Command::Doc(args) => doc::doc(&args),
        Command::Config(args) => ansible::config(&args, show),
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
