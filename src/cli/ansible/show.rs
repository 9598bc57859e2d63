//! Diagnostics in Ansible's form.

use crate::config::known;
use crate::diag::{Diagnostic, Severity, Span, excerpt, place};
use crate::report::ansible::{Colour, Screen, wrapped};
use std::fmt::Write as _;

/// `[WARNING]: …`, or `ERROR! …` with the place and the line below it.
pub fn message(diagnostic: &Diagnostic, colour: bool) -> String {
    let place = |span: &Span| format!("{}:{}:{}", span.path().display(), span.line, span.column);
    let (text, shade) = match diagnostic.severity {
        Severity::Error => (error(diagnostic), Colour::Error),
        severity => {
            let (word, shade) = if severity == Severity::Warning {
                ("[WARNING]", Colour::Warn)
            } else {
                ("[DEPRECATION WARNING]", Colour::Deprecate)
            };
            let told = told(diagnostic);
            // as there: an item of a list stands apart
            let gap = if told.starts_with("* ") { " " } else { "" };
            let mut text = format!("{word}: {gap}{told}");
            if let Some(span) = diagnostic
                .span
                .as_ref()
                .filter(|_| !places_itself(diagnostic))
            {
                let _ = write!(text, " ({})", place(span));
            }
            (wrapped(&text, Screen::COLUMNS), shade)
        }
    };
    if colour { shade.paint(&text) } else { text }
}

/// The message, in Ansible's words where scripts look for them.
fn told(diagnostic: &Diagnostic) -> String {
    let name = diagnostic.message.split('`').nth(1);
    match (diagnostic.code, name) {
        ("playbook::unknown-module", Some(name)) => format!(
            "couldn't resolve module/action '{name}'. This often indicates a misspelling, missing collection, or \
             incorrect module path."
        ),
        ("playbook::unknown-keyword", Some(name)) => {
            let kind = match diagnostic.message.rsplit(' ').next() {
                Some("play") => "Play",
                Some("block") => "Block",
                Some("playbook") => "PlaybookInclude",
                _ => "Task",
            };
            format!("'{name}' is not a valid attribute for a {kind}")
        }
        ("play::vars-prompt", Some("name")) => {
            "Invalid vars_prompt data structure, missing 'name' key".to_owned()
        }
        ("play::vars-prompt", Some(name)) if diagnostic.message.starts_with("a prompt") => {
            format!("Invalid vars_prompt data structure, found unsupported key '{name}'")
        }
        ("yaml::duplicate-key", Some(name)) => {
            let place = diagnostic.span.as_ref().map_or_else(String::new, |span| {
                format!(
                    "{}, line {}, column {}",
                    span.path().display(),
                    span.line,
                    span.column
                )
            });
            format!(
                "While constructing a mapping from {place}, found a duplicate dict key ({name}). Using last defined \
                 value only."
            )
        }
        ("task::unknown-handler", Some(name)) => format!(
            "The requested handler '{name}' was not found in either the main handlers list nor in the listening \
             handlers list"
        ),
        ("playbook::register-name", Some(name)) => {
            format!("Invalid variable name in 'register' specified: '{name}'")
        }
        ("playbook::handler-role", Some(name)) => {
            format!("Using '{name}' as a handler is not supported.")
        }
        ("playbook::handler-block", _) => "Using a block as a handler is not supported.".to_owned(),
        ("playbook::end-role", Some(_)) if diagnostic.message.contains("handler") => {
            "Cannot execute 'end_role' from a handler".to_owned()
        }
        ("playbook::end-role", _) => "Cannot execute 'end_role' from outside of a role".to_owned(),
        ("playbook::handler-flush", _) => "flush_handlers cannot be used as a handler".to_owned(),
        ("playbook::import-options", Some(name)) => {
            format!("Invalid options for import_tasks: {name}")
        }
        ("inventory::group-name", _) => {
            "Invalid characters were found in group names but not replaced, use -vvvv to see details".to_owned()
        }
        ("inventory::group-name-replaced", _) => {
            "Invalid characters were found in group names and automatically replaced, use -vvvv to see details"
                .to_owned()
        }
        ("config::bad-value", Some(name)) => match setting_of(diagnostic, name) {
            Some(setting) => format!(
                "Invalid type for configuration option setting: {setting}: {}",
                diagnostic.message
            ),
            None => diagnostic.message.clone(),
        },
        _ => diagnostic.told.as_ref().unwrap_or(&diagnostic.message).clone(),
    }
}

/// Whether what is told of it says where.
fn places_itself(diagnostic: &Diagnostic) -> bool {
    diagnostic.code == "yaml::duplicate-key"
}

/// The setting that a wrong value is of, and where that is from.
fn setting_of(diagnostic: &Diagnostic, key: &str) -> Option<String> {
    let of_environment = "the environment variable ";
    if let Some(rest) = diagnostic.message.strip_prefix(of_environment) {
        let variable = rest.split(' ').next()?;
        let mut settings = known::settings().iter();
        let known = settings.find(|known| known.env.contains(&variable))?;
        return Some(format!("{} (from env: {variable})", known.name));
    }
    let mut settings = known::settings().iter();
    let is_key = |place: &&str| place.split_once('.').is_some_and(|(_, name)| name == key);
    let known = settings.find(|known| known.ini.iter().any(is_key))?;
    let file = diagnostic.span.as_ref()?.path().display().to_string();
    Some(format!("{} (from {file})", known.name))
}

fn error(diagnostic: &Diagnostic) -> String {
    let mut text = format!("ERROR! {}", told(diagnostic));
    if let Some(span) = &diagnostic.span {
        text += &place(span);
        text += &excerpt(span);
    }
    for note in &diagnostic.notes {
        let _ = write!(text, "\n{note}");
    }
    if let Some(hint) = &diagnostic.hint {
        let _ = write!(text, "\n{hint}");
    }
    text
}
