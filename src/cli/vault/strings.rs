//! `runbook vault encrypt-string`: `!vault` values for files of variables.

use super::files::{Keep, replace};
use super::passwords::Key;
use super::usage;
use crate::cli::args::StringArgs;
use crate::cli::exit::{CommandFailure, CommandResult, Exit};
use crate::cli::prompt::Terminal;
use crate::cli::streams::{err, errln, out};
use crate::exec::Prompt;
use std::io::{IsTerminal, Read};
use std::path::Path;
use zeroize::Zeroizing;

/// Columns before the lines of a value, as Ansible writes it.
const INDENT: usize = 10;

/// Something to encrypt.
struct Plain {
    text: Zeroizing<Vec<u8>>,
    name: Option<String>,
    origin: &'static str,
}

/// Refuses options that contradict each other, before anybody is asked for a password.
pub fn check(args: &StringArgs) -> Result<(), CommandFailure> {
    let from_stdin = args.stdin_name.is_some() || args.strings.iter().any(|text| text == "-");
    if args.prompt && from_stdin {
        return Err(usage("--prompt and standard input exclude each other"));
    }
    Ok(())
}

pub fn encrypt(args: &StringArgs, key: &Key) -> CommandResult {
    let all = gather(args)?;
    let several = all.len() > 1;
    let mut text = String::new();
    for (number, plain) in all.iter().enumerate() {
        let sealed = key.seal(&plain.text).map_err(|error| {
            CommandFailure::new(Exit::Error, format!("cannot encrypt: {error}"))
        })?;
        let value = value(plain.name.as_deref(), &sealed);
        if several && args.output.is_none() {
            let number = number + 1;
            match &plain.name {
                Some(name) => errln!("# `{name}`, string {number}, {}", plain.origin),
                None => errln!("# string {number}, {}", plain.origin),
            }
            out(format_args!("{value}"));
        }
        text.push_str(&value);
    }
    match &args.output {
        Some(path) if path.as_path() != Path::new("-") => {
            replace(path, text.as_bytes(), Keep::Nothing)?;
        }
        _ if several && args.output.is_none() => {}
        _ => out(format_args!("{text}")),
    }
    super::done("encrypted")
}

/// `name: !vault |` and the lines under it.
fn value(name: Option<&str>, sealed: &str) -> String {
    let mut text = match name {
        Some(name) => format!("{name}: !vault |\n"),
        None => "!vault |\n".to_owned(),
    };
    for line in sealed.lines() {
        text.push_str(&format!("{:INDENT$}{line}\n", ""));
    }
    text
}

fn gather(args: &StringArgs) -> Result<Vec<Plain>, CommandFailure> {
    let mut all = Vec::new();
    if args.prompt {
        all.push(asked(args)?);
    }
    let dash = args.strings.iter().any(|text| text == "-");
    if dash || args.stdin_name.is_some() || (args.strings.is_empty() && !args.prompt) {
        all.push(standard_input(args)?);
    }
    let strings: Vec<&String> = args.strings.iter().filter(|text| *text != "-").collect();
    if !args.name.is_empty() && args.name.len() != strings.len() && !strings.is_empty() {
        errln!(
            "--name was given {} times, for {} strings",
            args.name.len(),
            strings.len()
        );
    }
    for (number, text) in strings.into_iter().enumerate() {
        if text.is_empty() {
            return Err(usage(
                "an empty string on the command line is not encrypted",
            ));
        }
        all.push(Plain {
            text: Zeroizing::new(text.clone().into_bytes()),
            name: args.name.get(number).cloned(),
            origin: "from the command line",
        });
    }
    Ok(all)
}

fn asked(args: &StringArgs) -> Result<Plain, CommandFailure> {
    let nobody = || CommandFailure::new(Exit::Error, "nobody answers the question for the string");
    let name = match args.name.first() {
        Some(name) => name.clone(),
        None => Terminal::default()
            .ask("Variable name (enter for no name): ", true)
            .ok_or_else(nobody)?,
    };
    let question = if args.show_input {
        "String to encrypt: "
    } else {
        "String to encrypt (hidden): "
    };
    let text = Terminal::default()
        .ask(question, args.show_input)
        .ok_or_else(nobody)?;
    if !args.show_input && std::io::stdin().is_terminal() {
        err(format_args!("\n"));
    }
    if text.is_empty() {
        return Err(usage("an empty string is not encrypted"));
    }
    Ok(Plain {
        text: Zeroizing::new(text.into_bytes()),
        name: Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
        origin: "asked for",
    })
}

fn standard_input(args: &StringArgs) -> Result<Plain, CommandFailure> {
    if std::io::stdin().is_terminal() {
        errln!(
            "reading the string from standard input; Ctrl-D ends it, twice if it has no line break at its end"
        );
    }
    let mut text = Zeroizing::new(Vec::new());
    std::io::stdin()
        .lock()
        .read_to_end(&mut text)
        .map_err(|e| super::files::failed("cannot read", Path::new("standard input"), &e))?;
    if text.is_empty() {
        return Err(usage("standard input is empty: nothing to encrypt"));
    }
    Ok(Plain {
        text,
        name: args.stdin_name.clone(),
        origin: "from standard input",
    })
}
