//! Which of Ansible's programs runbook was started as.

use super::{adhoc, config, doc, inventory, playbook, pull};
use crate::cli::args::{Cli, Global};
use crate::cli::exit::{CommandResult, Exit};
use crate::cli::show::{Show, Voice};
use crate::cli::streams::{errln, outln};
use clap::error::ErrorKind;
use clap::{Command, Parser as _};
use std::path::Path;

/// The version of ansible-core whose behaviour is followed; scripts look for it.
const FOLLOWED: &str = "2.18.19";

/// How argument errors end, as Python's argparse has it.
const WRONG_ARGUMENTS: i32 = 2;

/// One of Ansible's programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// `ansible-playbook`
    Playbook,
    /// `ansible`
    AdHoc,
    /// `ansible-inventory`
    Inventory,
    /// `ansible-config`
    Config,
    /// `ansible-doc`
    Doc,
    /// `ansible-pull`
    Pull,
    /// `ansible-vault`
    Vault,
}

/// Ansible's programs that runbook does not stand for.
const NOT_BUILT: &[&str] = &["ansible-galaxy", "ansible-console", "ansible-test"];

impl Program {
    /// The program that this process was started as, if its name is one of Ansible's.
    pub fn called() -> Option<Self> {
        let name = std::env::args_os().next()?;
        let name = Path::new(&name).file_name()?.to_str()?.to_owned();
        if NOT_BUILT.contains(&name.as_str()) {
            errln!("ERROR! runbook does not stand for {name}");
            std::process::exit(Exit::Error.code());
        }
        Self::named(&name)
    }

    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ansible-playbook" => Self::Playbook,
            "ansible" => Self::AdHoc,
            "ansible-inventory" => Self::Inventory,
            "ansible-config" => Self::Config,
            "ansible-doc" => Self::Doc,
            "ansible-pull" => Self::Pull,
            "ansible-vault" => Self::Vault,
            _ => return None,
        })
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Playbook => "ansible-playbook",
            Self::AdHoc => "ansible",
            Self::Inventory => "ansible-inventory",
            Self::Config => "ansible-config",
            Self::Doc => "ansible-doc",
            Self::Pull => "ansible-pull",
            Self::Vault => "ansible-vault",
        }
    }

    /// Runs it with this process's arguments; returns its exit code.
    pub fn run(self) -> i32 {
        let words: Vec<String> = std::env::args_os()
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let options = words.iter().take_while(|word| *word != "--");
        if options.clone().any(|word| word == "--version") {
            self.version();
            return Exit::Ok.code();
        }
        match self {
            Self::Playbook => self.go(playbook::command(), &words, playbook::run),
            Self::AdHoc => self.go(adhoc::command(), &words, adhoc::run),
            Self::Inventory => self.go(inventory::command(), &words, inventory::run),
            Self::Config => self.go(config::command(), &words, config::run),
            Self::Doc => self.go(doc::command(), &words, doc::run),
            Self::Pull => self.go(pull::command(), &words, pull::run),
            Self::Vault => vault(&words),
        }
    }

    fn go(
        self,
        command: Command,
        words: &[String],
        run: fn(&clap::ArgMatches, &Show) -> CommandResult,
    ) -> i32 {
        let name = self.name();
        let command = command
            .name(name)
            .bin_name(name)
            .disable_version_flag(true)
            .infer_long_args(true)
            .args_override_self(true)
            .after_help("This is runbook, called as Ansible.");
        let mut help = command.clone();
        let usage = command.clone().render_usage().to_string();
        let line = std::iter::once(name).chain(words.iter().map(String::as_str));
        let matches = match command.try_get_matches_from(line) {
            Ok(matches) => matches,
            Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                let _ = error.print();
                return Exit::Ok.code();
            }
            Err(error) => {
                errln!("{}", argument_error(name, &usage, &error));
                return WRONG_ARGUMENTS;
            }
        };
        let verbose = matches
            .try_get_one::<u8>("verbose")
            .ok()
            .flatten()
            .copied()
            .unwrap_or(0);
        let show = Show {
            voice: Voice::Ansible,
            ..Show::new(&Global {
                verbose,
                no_color: false,
            })
        };
        match run(&matches, &show) {
            Ok(exit) => exit.code(),
            Err(failure) => {
                if failure.exit == Exit::Usage && failure.diagnostic.span.is_none() {
                    // as Ansible: how it is called goes to standard output
                    outln!("{}", help.render_help());
                }
                show.failure(&failure);
                match failure.diagnostic.code {
                    // not an error of the file that names it
                    "playbook::role-not-found" => Exit::Error.code(),
                    code if code.starts_with("inventory::") || code.starts_with("vault::") => {
                        Exit::Error.code()
                    }
                    _ => failure.exit.code(),
                }
            }
        }
    }

    /// What `--version` prints: the first line in Ansible's form, then what this really is.
    pub fn version(self) {
        outln!("{}", self.version_text());
    }

    /// The text of [`Program::version`].
    pub fn version_text(self) -> String {
        let exe = std::env::current_exe().unwrap_or_default();
        let config = std::env::current_dir()
            .ok()
            .and_then(|cwd| {
                crate::config::Config::load(&|name| std::env::var(name).ok(), &cwd).ok()
            })
            .and_then(|config| config.file);
        let config = config.map_or_else(|| "None".to_owned(), |file| file.display().to_string());
        format!(
            "{} [core {FOLLOWED}]\n  runbook {} stands for it: this is not Ansible\n  config file = {config}\n  \
             executable location = {}\n  python version = None",
            self.name(),
            env!("CARGO_PKG_VERSION"),
            exe.display()
        )
    }
}

/// Usage and error in the form of argparse.
fn argument_error(name: &str, usage: &str, error: &clap::Error) -> String {
    let text = error.render().to_string();
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let context = |kind| {
        error
            .get(kind)
            .map(ToString::to_string)
            .unwrap_or_default()
            .replace(['<', '>'], "")
    };
    let told = match error.kind() {
        ErrorKind::UnknownArgument => format!(
            "unrecognized arguments: {}",
            context(clap::error::ContextKind::InvalidArg)
        ),
        ErrorKind::MissingRequiredArgument => format!(
            "the following arguments are required: {}",
            context(clap::error::ContextKind::InvalidArg)
                .trim_end_matches("...")
                .to_lowercase()
        ),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "the following arguments are required: action".to_owned()
        }
        ErrorKind::InvalidValue if first.contains("none was supplied") => {
            let argument = context(clap::error::ContextKind::InvalidArg);
            let option = argument.split(' ').next().unwrap_or_default();
            format!("argument {option}: expected one argument")
        }
        _ => first.to_owned(),
    };
    let usage = usage.trim().replacen("Usage", "usage", 1);
    format!("{usage}\n{name}: error: {told}")
}

/// `runbook vault`, with Ansible's messages and exit codes.
fn vault(words: &[String]) -> i32 {
    let line = ["runbook", "vault"]
        .into_iter()
        .chain(words.iter().map(String::as_str));
    let name = Program::Vault.name();
    let usage = format!("usage: {name} [OPTIONS] <ACTION>");
    match Cli::try_parse_from(line) {
        Ok(cli) => {
            let show = Show {
                voice: Voice::Ansible,
                ..Show::new(&cli.global)
            };
            crate::cli::carry_out(cli.command, &show).code()
        }
        Err(error) if error.use_stderr() => {
            errln!("{}", argument_error(name, &usage, &error));
            WRONG_ARGUMENTS
        }
        Err(error) => {
            let _ = error.print();
            Exit::Ok.code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Program;

    #[test]
    fn names_stand_for_programs() {
        assert_eq!(Program::named("ansible-playbook"), Some(Program::Playbook));
        assert_eq!(Program::named("ansible"), Some(Program::AdHoc));
        assert_eq!(Program::named("runbook"), None);
    }

    #[test]
    fn the_first_line_of_the_version_is_parsed_by_scripts() {
        let text = Program::Playbook.version_text();
        assert!(text.starts_with("ansible-playbook [core 2.18."), "{text}");
        assert!(text.contains("runbook"), "{text}");
    }
}
