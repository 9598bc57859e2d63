//! `runbook vault`: files and values that are encrypted as Ansible does, a file per kind of work.
//!
//! Source of the behaviour: Ansible's documentation, "Protecting sensitive data with Ansible vault" and the command
//! `ansible-vault`.

mod edit;
mod files;
mod passwords;
mod strings;

pub use passwords::Passwords;

use super::args::VaultCommand;
use super::exit::{CommandFailure, CommandResult, Exit};
use super::setup::configuration;
use super::show::Show;
use super::streams::errln;
use crate::vault::Vault;
use files::Place;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

pub fn vault(command: VaultCommand, show: &Show) -> CommandResult {
    let (config, _) = configuration(show)?;
    let passwords = Passwords::of(&config);
    let open = |args| -> Result<Vault, CommandFailure> {
        Ok(Vault::new(
            passwords.required(args, false, show)?,
            *config.vault_id_match,
        )
        .with_default_id(config.vault_identity.as_str()))
    };
    match command {
        VaultCommand::Create {
            vault,
            with,
            skip_tty_check,
            file,
        } => {
            if !skip_tty_check && !std::io::stdout().is_terminal() {
                return Err(usage("there is no terminal for the editor")
                    .with_hint("--skip-tty-check runs it all the same"));
            }
            let key = passwords.encrypting(&vault, &with, show)?;
            edit::create(&file, &key)
        }
        VaultCommand::Encrypt { vault, with, files } => {
            let places = places(&files.files, files.output.as_deref())?;
            let key = passwords.encrypting(&vault, &with, show)?;
            for (from, to) in places {
                files::encrypt(&from, &to, &key)?;
            }
            done("encrypted")
        }
        VaultCommand::Decrypt { vault, files } => {
            let places = places(&files.files, files.output.as_deref())?;
            let vault = open(&vault)?;
            for (from, to) in places {
                files::decrypt(&from, &to, &vault)?;
            }
            done("decrypted")
        }
        VaultCommand::View { vault, files } => {
            let places = places(&files, Some(Path::new("-")).filter(|_| files.len() < 2))?;
            let vault = open(&vault)?;
            for (from, _) in places {
                files::view(&from, &vault)?;
            }
            Ok(Exit::Ok)
        }
        VaultCommand::Edit { vault, files } => {
            let vault = open(&vault)?;
            for file in files {
                edit::edit(&file, &vault, passwords.salt())?;
            }
            Ok(Exit::Ok)
        }
        VaultCommand::Rekey {
            vault,
            with,
            new_vault_id,
            new_vault_password_file,
            files,
        } => {
            let vault = open(&vault)?;
            let key = passwords.new_key(
                new_vault_id.as_deref(),
                new_vault_password_file.as_deref(),
                &with,
                show,
            )?;
            for file in files {
                files::rekey(&file, &vault, &key)?;
            }
            done("rekeyed")
        }
        VaultCommand::EncryptString(args) => {
            strings::check(&args)?;
            let key = passwords.encrypting(&args.vault, &args.with, show)?;
            strings::encrypt(&args, &key)
        }
    }
}

/// From where to where; without an output, in place.
fn places(files: &[PathBuf], output: Option<&Path>) -> Result<Vec<(Place, Place)>, CommandFailure> {
    if output.is_some() && files.len() > 1 {
        return Err(usage("--output takes one file to read, not several"));
    }
    let standard = [PathBuf::from("-")];
    let files = if files.is_empty() { &standard } else { files };
    Ok(files
        .iter()
        .map(|file| {
            let from = Place::of(file);
            let to = output.map_or_else(|| from.clone(), Place::of);
            (from, to)
        })
        .collect())
}

/// Tells people that it is done; programs see the exit code.
fn done(what: &str) -> CommandResult {
    if std::io::stdout().is_terminal() {
        errln!("{what}");
    }
    Ok(Exit::Ok)
}

fn usage(message: &str) -> CommandFailure {
    CommandFailure::new(Exit::Usage, message)
}
