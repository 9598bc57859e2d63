//! `ansible-config`, and `runbook config`.

use super::options::Verbosity;
use crate::cli::args::{ConfigAction, ConfigArgs, ConfigFormat};
use crate::cli::exit::{CommandFailure, CommandResult, Exit};
use crate::cli::show::Show;
use crate::cli::streams::outln;
use crate::config::{Config, Origin, Row};
use crate::value::{Map, Value};
use crate::yaml::{EmitOptions, emit};
use clap::{ArgMatches, Command, FromArgMatches, Parser};

/// View ansible configuration.
#[derive(Clone, Debug, Parser)]
struct AnsibleConfigArgs {
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    config: ConfigArgs,
    /// What is shown: only `base` is built
    #[arg(
        short = 't',
        long = "type",
        value_name = "TYPE",
        default_value = "base"
    )]
    kind: String,
    /// Without effect
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

/// Its arguments.
pub fn command() -> Command {
    <AnsibleConfigArgs as clap::CommandFactory>::command()
}

/// Runs it.
pub fn run(matches: &ArgMatches, show: &Show) -> CommandResult {
    let args = AnsibleConfigArgs::from_arg_matches(matches)
        .map_err(|e| CommandFailure::new(Exit::Usage, e.to_string()))?;
    if !matches!(args.kind.as_str(), "base" | "all") {
        return Err(CommandFailure::new(
            Exit::Usage,
            format!(
                "there are no plugins of the type {} to configure",
                args.kind
            ),
        ));
    }
    config(&args.config, show)
}

/// `runbook config`.
pub fn config(args: &ConfigArgs, show: &Show) -> CommandResult {
    let cwd = std::env::current_dir()
        .map_err(|e| CommandFailure::new(Exit::Error, format!("no current directory: {e}")))?;
    let named = args.config.as_ref().map(|path| cwd.join(path));
    let env = |name: &str| match (&named, name) {
        (Some(path), "ANSIBLE_CONFIG") => Some(path.display().to_string()),
        _ => std::env::var(name).ok(),
    };
    let config = Config::load(&env, &cwd)?;
    show.warnings(config.warnings.iter().cloned());
    let mut rows = config.table();
    rows.sort_by_key(Row::constant);
    match args.action {
        ConfigAction::List => list(&rows, args.format.unwrap_or(ConfigFormat::Yaml)),
        ConfigAction::Dump => dump(&config, &rows, args),
        ConfigAction::View => {
            let Some(file) = &config.file else {
                return Err(CommandFailure::new(
                    Exit::Usage,
                    "there is no configuration file",
                ));
            };
            let text = std::fs::read_to_string(file).map_err(|e| {
                let why = crate::diag::io_reason(&e);
                CommandFailure::new(
                    Exit::Error,
                    format!("cannot read {}: {why}", file.display()),
                )
            })?;
            outln!("{}", text.trim_end());
        }
    }
    Ok(Exit::Ok)
}

/// Who set it, in Ansible's words.
fn origin(row: &Row) -> String {
    match &row.origin {
        Origin::Default => "default".to_owned(),
        Origin::File(span) => span.path().display().to_string(),
        Origin::Environment(name) => format!("env: {name}"),
    }
}

fn dump(config: &Config, rows: &[Row], args: &ConfigArgs) {
    let file = config
        .file
        .as_ref()
        .map_or(Value::Null, |file| Value::data(file.display().to_string()));
    let shown = |row: &&Row| !args.only_changed || row.origin != Origin::Default;
    // the file in use stands among the settings, by its name
    let mut entries: Vec<(String, String, Value)> = rows
        .iter()
        .filter(shown)
        .map(|row| (row.constant(), origin(row), row.value.clone()))
        .collect();
    entries.push(("CONFIG_FILE".to_owned(), String::new(), file));
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    match args.format {
        None | Some(ConfigFormat::Display) => {
            for (name, origin, value) in &entries {
                outln!("{name}({origin}) = {}", python(value));
            }
        }
        Some(format) => {
            let list = entries.iter().map(|(name, origin, value)| {
                Value::map(
                    Map::new()
                        .with("name", Value::data(name.as_str()))
                        .with("origin", Value::data(origin.as_str()))
                        .with("value", value.clone()),
                )
            });
            print(&Value::list(list.collect()), format);
        }
    }
}

/// As Python prints it.
fn python(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

fn list(rows: &[Row], format: ConfigFormat) {
    let mut all = Map::new();
    for row in rows {
        let mut about = Map::new();
        about.set("description", Value::data(row.doc.as_str()));
        let env = row.env.iter().map(|name| named("name", name));
        about.set("env", Value::list(env.collect()));
        let ini = row.ini.iter().filter_map(|name| {
            let (section, key) = name.split_once('.')?;
            let mut map = Map::new();
            map.set("key", Value::data(key));
            map.set("section", Value::data(section));
            Some(Value::map(map))
        });
        about.set("ini", Value::list(ini.collect()));
        all.set(&row.constant(), Value::map(about));
    }
    print(&Value::map(all), format);
}

fn named(key: &str, value: &str) -> Value {
    Value::map(Map::new().with(key, Value::data(value)))
}

fn print(value: &Value, format: ConfigFormat) {
    let text = match format {
        ConfigFormat::Json => crate::report::dump(value, Some(4)),
        ConfigFormat::Yaml | ConfigFormat::Display => emit(
            value,
            &EmitOptions {
                indent: 2,
                ..EmitOptions::to_nice_yaml()
            },
        ),
    };
    outln!("{}", text.trim_end());
}
