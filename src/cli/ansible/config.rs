//! `ansible-config`, and `runbook config`.

use super::galaxy;
use super::options::Verbosity;
use crate::cli::args::{ConfigAction, ConfigArgs, ConfigFormat};
use crate::cli::exit::{CommandFailure, CommandResult, Exit};
use crate::cli::show::Show;
use crate::cli::streams::{errln, outln};
use crate::config::{Config, Known, known};
use crate::value::{Map, Value, str_of};
use crate::yaml::{EmitOptions, emit};
use clap::{ArgMatches, Command, FromArgMatches, Parser};
use std::collections::BTreeSet;

/// View ansible configuration.
#[derive(Clone, Debug, Parser)]
struct AnsibleConfigArgs {
    #[command(flatten)]
    verbosity: Verbosity,
    #[command(flatten)]
    config: ConfigArgs,
    /// What is shown: `base`, a type of plugins, or `all`
    #[arg(
        short = 't',
        long = "type",
        value_name = "TYPE",
        default_value = "base"
    )]
    kind: String,
    /// Only these plugins
    #[arg(value_name = "ARGS")]
    args: Vec<String>,
}

/// The types of plugins that have settings.
const KINDS: [&str; 11] = [
    "become",
    "cache",
    "callback",
    "cliconf",
    "connection",
    "httpapi",
    "inventory",
    "lookup",
    "netconf",
    "shell",
    "vars",
];

/// Its arguments.
pub fn command() -> Command {
    <AnsibleConfigArgs as clap::CommandFactory>::command()
}

/// Runs it.
pub fn run(matches: &ArgMatches, show: &Show) -> CommandResult {
    let args = AnsibleConfigArgs::from_arg_matches(matches)
        .map_err(|e| CommandFailure::new(Exit::Usage, e.to_string()))?;
    let kind = args.kind.as_str();
    if !matches!(kind, "base" | "all") && !KINDS.contains(&kind) {
        return Err(CommandFailure::new(
            Exit::Usage,
            format!(
                "there are no plugins of the type {} to configure",
                args.kind
            ),
        ));
    }
    go(&args.config, kind, &args.args, show)
}

/// `runbook config`.
pub fn config(args: &ConfigArgs, show: &Show) -> CommandResult {
    go(args, "base", &[], show)
}

/// What is asked for: settings, and the options of plugins under `kind.plugin`.
struct Asked {
    base: bool,
    options: Vec<(String, Vec<&'static Known>)>,
}

impl Asked {
    fn new(kind: &str, only: &[String]) -> Self {
        let mut options: Vec<(String, Vec<&'static Known>)> = Vec::new();
        for known in known::options() {
            let Some((plugin, _)) = known.name.rsplit_once('.') else {
                continue;
            };
            let Some((of, name)) = plugin.split_once('.') else {
                continue;
            };
            if kind != "all" && of != kind || !only.is_empty() && !only.iter().any(|o| o == name) {
                continue;
            }
            match options.last_mut() {
                Some((last, list)) if last == plugin => list.push(known),
                _ => options.push((plugin.to_owned(), vec![known])),
            }
        }
        Self {
            base: matches!(kind, "base" | "all"),
            options,
        }
    }

    fn all(&self) -> impl Iterator<Item = &'static Known> + '_ {
        let base: &'static [Known] = if self.base { known::settings() } else { &[] };
        base.iter().chain(
            self.options
                .iter()
                .flat_map(|(_, list)| list.iter().copied()),
        )
    }
}

fn go(args: &ConfigArgs, kind: &str, only: &[String], show: &Show) -> CommandResult {
    let cwd = std::env::current_dir()
        .map_err(|e| CommandFailure::new(Exit::Error, format!("no current directory: {e}")))?;
    let named = args.config.as_ref().map(|path| cwd.join(path));
    if let Some(path) = &named {
        let failed = |text: String| Err(CommandFailure::new(Exit::Error, text));
        if std::fs::File::open(path).is_err() {
            return failed(format!(
                "The provided configuration file is missing or not accessible: {}",
                path.display()
            ));
        }
        let ending = path.extension().and_then(|ending| ending.to_str());
        if !matches!(ending, Some("cfg" | "ini")) {
            return failed(format!(
                "Unsupported configuration file extension for {}: {}",
                path.display(),
                ending.unwrap_or_default()
            ));
        }
    }
    let env = |name: &str| match (&named, name) {
        (Some(path), "ANSIBLE_CONFIG") => Some(path.display().to_string()),
        _ => std::env::var(name).ok(),
    };
    let config = Config::load(&env, &cwd)?;
    show.warnings(config.warnings.iter().cloned());
    if show.is_ansible() {
        show.begins(&config);
    }
    let asked = Asked::new(kind, only);
    match args.action {
        ConfigAction::List => list(&config, &asked, args.format.unwrap_or(ConfigFormat::Yaml)),
        ConfigAction::Dump => dump(&config, &asked, args, &env),
        ConfigAction::Init => init(&asked, args),
        ConfigAction::Validate => return validate(&config, &asked, args),
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

/// A setting with its value.
struct Entry {
    name: String,
    origin: String,
    value: Value,
}

impl Entry {
    fn line(&self) {
        outln!("{}({}) = {}", self.name, self.origin, python(&self.value));
    }

    fn value(&self) -> Value {
        Value::map(
            Map::new()
                .with("name", Value::data(self.name.as_str()))
                .with("origin", Value::data(self.origin.as_str()))
                .with("value", self.value.clone()),
        )
    }
}

/// The settings: those that runbook uses as it read them, the others as Ansible would.
fn base(config: &Config, env: &dyn Fn(&str) -> Option<String>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = config
        .table()
        .iter()
        .map(|row| Entry {
            name: row.constant(),
            origin: match &row.origin {
                crate::config::Origin::Default => "default".to_owned(),
                crate::config::Origin::File(span) => span.path().display().to_string(),
                crate::config::Origin::Environment(name) => format!("env: {name}"),
            },
            value: row.value.clone(),
        })
        .collect();
    for known in known::settings() {
        if !entries.iter().any(|entry| entry.name == known.name) {
            let (value, origin) = config.known(known, env);
            entries.push(Entry {
                name: known.name.to_owned(),
                origin,
                value,
            });
        }
    }
    // the file in use stands among the settings, by its name
    entries.retain(|entry| entry.name != "CONFIG_FILE");
    entries.push(Entry {
        name: "CONFIG_FILE".to_owned(),
        origin: String::new(),
        value: config
            .file
            .as_ref()
            .map_or(Value::Null, |file| Value::data(file.display().to_string())),
    });
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

fn dump(config: &Config, asked: &Asked, args: &ConfigArgs, env: &dyn Fn(&str) -> Option<String>) {
    let shown = |entry: &Entry| !args.only_changed || entry.origin != "default";
    let mut entries = if asked.base {
        base(config, env)
    } else {
        Vec::new()
    };
    entries.retain(shown);
    let plugins: Vec<(&str, Vec<Entry>)> = asked
        .options
        .iter()
        .map(|(plugin, options)| {
            let list = options.iter().map(|known| {
                let (value, origin) = config.known(known, env);
                Entry {
                    name: known.name.rsplit('.').next().unwrap_or_default().to_owned(),
                    origin,
                    value,
                }
            });
            (plugin.as_str(), list.filter(shown).collect::<Vec<Entry>>())
        })
        .filter(|(_, list)| !list.is_empty())
        .collect();
    let servers = if asked.base {
        galaxy::servers(config, env)
    } else {
        Vec::new()
    };
    let short = |plugin: &str| plugin.rsplit('.').next().unwrap_or(plugin).to_owned();
    match args.format {
        None
        | Some(
            ConfigFormat::Display | ConfigFormat::Ini | ConfigFormat::Env | ConfigFormat::Vars,
        ) => {
            entries.iter().for_each(Entry::line);
            for (name, settings) in &servers {
                outln!("\n{name}\n{}", "=".repeat(name.chars().count()));
                for setting in settings
                    .iter()
                    .filter(|s| !args.only_changed || s.origin != "default")
                {
                    outln!(
                        "{}({}) = {}",
                        setting.name,
                        setting.origin,
                        python(&setting.value)
                    );
                }
            }
            let mut last = "";
            for (plugin, list) in &plugins {
                let name = short(plugin);
                let kind = plugin.split('.').next().unwrap_or_default();
                if asked.base && kind != last {
                    outln!("\n{}:\n{}", kind.to_uppercase(), "=".repeat(kind.len() + 1));
                    last = kind;
                }
                outln!("\n{name}:\n{}", "_".repeat(name.chars().count() + 1));
                list.iter().for_each(Entry::line);
            }
        }
        Some(format) => {
            let mut all: Vec<Value> = entries.iter().map(Entry::value).collect();
            if asked.base {
                let of = servers.iter().map(|(name, settings)| {
                    let settings = settings.iter().map(|s| (Value::data(s.name), s.as_value()));
                    (Value::data(name.as_str()), Value::map(settings.collect()))
                });
                let servers = Value::map(of.collect());
                all.push(Value::map(Map::new().with("GALAXY_SERVERS", servers)));
            }
            for (plugin, list) in &plugins {
                let list = Value::list(list.iter().map(Entry::value).collect());
                all.push(Value::map(Map::new().with(&short(plugin), list)));
            }
            print(&Value::list(all), format);
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

fn about(known: &Known, doc: Option<&str>) -> Value {
    let mut about = Map::new();
    if let Some(doc) = doc {
        about.set("description", Value::data(doc));
    }
    about.set("default", known.default.clone());
    about.set("type", Value::data(known.kind));
    let named = |names: &[&'static str]| {
        let named = names
            .iter()
            .map(|name| Map::new().with("name", Value::data(*name)));
        Value::list(named.map(Value::map).collect())
    };
    about.set("env", named(&known.env));
    let ini = known.ini.iter().filter_map(|name| {
        let (section, key) = name.split_once('.')?;
        Some(Value::map(
            Map::new()
                .with("key", Value::data(key))
                .with("section", Value::data(section)),
        ))
    });
    about.set("ini", Value::list(ini.collect()));
    if !known.vars.is_empty() {
        about.set("vars", named(&known.vars));
    }
    if !known.choices.is_empty() {
        let choices = known.choices.iter().map(|choice| Value::data(*choice));
        about.set("choices", Value::list(choices.collect()));
    }
    Value::map(about)
}

fn list(config: &Config, asked: &Asked, format: ConfigFormat) {
    let mut all = Map::new();
    if asked.base {
        let rows = config.table();
        let mut base: Vec<(String, Value)> = Vec::new();
        for row in &rows {
            let name = row.constant();
            if known::setting(&name).is_none() {
                base.push((
                    name,
                    about(
                        &Known {
                            name: row.field,
                            kind: "",
                            default: Value::Null,
                            env: row.env.to_vec(),
                            ini: row.ini.to_vec(),
                            vars: Vec::new(),
                            choices: Vec::new(),
                        },
                        Some(&row.doc),
                    ),
                ));
            }
        }
        for known in known::settings() {
            let row = rows.iter().find(|row| row.constant() == known.name);
            base.push((
                known.name.to_owned(),
                about(known, row.map(|row| row.doc.as_str())),
            ));
        }
        base.sort_by(|a, b| a.0.cmp(&b.0));
        for (name, value) in base {
            all.set(&name, value);
        }
    }
    let mut plugins = Map::new();
    for (plugin, options) in &asked.options {
        let Some((kind, plugin)) = plugin.split_once('.') else {
            continue;
        };
        let mut of = Map::new();
        for known in options {
            of.set(
                known.name.rsplit('.').next().unwrap_or_default(),
                about(known, None),
            );
        }
        let key = kind.to_uppercase();
        let mut group = plugins
            .take(&key)
            .and_then(|group| group.as_map().cloned())
            .unwrap_or_default();
        group.set(plugin, Value::map(of));
        plugins.set(&key, Value::map(group));
    }
    if !plugins.is_empty() {
        all.set("PLUGINS", Value::map(plugins));
    }
    print(&Value::map(all), format);
}

/// What a value is in a file.
fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::List(items) => items.iter().map(str_of).collect::<Vec<_>>().join(", "),
        other => str_of(other),
    }
}

/// A file, a list of variables or an environment to begin with, each thing once.
fn init(asked: &Asked, args: &ConfigArgs) {
    let mut sections: Vec<(&str, Vec<(&str, &Known)>)> = Vec::new();
    let mut seen = BTreeSet::new();
    let off = if args.disabled { ";" } else { "" };
    match args.format {
        Some(ConfigFormat::Env) => {
            for known in asked.all() {
                for name in known.env.iter().filter(|name| seen.insert(**name)) {
                    let off = if args.disabled { "#" } else { "" };
                    let value = written(&known.default).replace('\'', r"'\''");
                    outln!("{off}{name}='{value}'");
                }
            }
        }
        Some(ConfigFormat::Vars) => {
            for known in asked.all() {
                for name in known.vars.iter().filter(|name| seen.insert(**name)) {
                    let off = if args.disabled { "#" } else { "" };
                    let mut text = emit(&known.default, &EmitOptions::to_nice_yaml());
                    if let Some(end) = text.find("...\n") {
                        text.truncate(end);
                    }
                    outln!("{off}{name}: {}", serde_json::Value::from(text.trim_end()));
                }
            }
        }
        _ => {
            for known in asked.all() {
                for place in known.ini.iter().filter(|place| seen.insert(**place)) {
                    let Some((section, key)) = place.split_once('.') else {
                        continue;
                    };
                    match sections.iter_mut().find(|(name, _)| *name == section) {
                        Some((_, keys)) => keys.push((key, known)),
                        None => sections.push((section, vec![(key, known)])),
                    }
                }
            }
            for (section, keys) in sections {
                outln!("[{section}]");
                for (key, known) in keys {
                    outln!("# ({}) {}", known.kind, known.name);
                    outln!("{off}{key}={}\n", written(&known.default));
                }
            }
        }
    }
}

/// Names all settings that do not exist.
fn validate(config: &Config, asked: &Asked, args: &ConfigArgs) -> CommandResult {
    let mut wrong = Vec::new();
    if args.format == Some(ConfigFormat::Env) {
        let known: BTreeSet<&str> = asked.all().flat_map(|known| known.env.clone()).collect();
        for (name, _) in std::env::vars() {
            let is_ansibles = name.starts_with("ANSIBLE_")
                && !name.starts_with("ANSIBLE_TEST_")
                && !name.starts_with("ANSIBLE_LINT_")
                && name != "ANSIBLE_CONFIG"
                && name != "ANSIBLE_DEV_HOME";
            if is_ansibles && !known.contains(name.as_str()) {
                wrong.push(format!("Found unknown environment variable '{name}'."));
            }
        }
    } else {
        let places: BTreeSet<&str> = asked.all().flat_map(|known| known.ini.clone()).collect();
        let sections: BTreeSet<&str> = places
            .iter()
            .filter_map(|place| place.split_once('.'))
            .map(|(section, _)| section)
            .collect();
        let file = config.file.as_ref().map(|file| file.display().to_string());
        let file = file.unwrap_or_default();
        let mut unknown = BTreeSet::new();
        for (section, key, _) in config.lines() {
            match galaxy::knows(config, section, key) {
                Some(true) => continue,
                Some(false) => {
                    wrong.push(format!(
                        "Found unknown key '{key}' in section '{section}' in '{file}'."
                    ));
                    continue;
                }
                None => {}
            }
            if !sections.contains(section) {
                if unknown.insert(section) {
                    wrong.push(format!("Found unknown section '{section}' in '{file}'."));
                }
            } else if !places.contains(format!("{section}.{key}").as_str()) {
                wrong.push(format!(
                    "Found unknown key '{key}' in section '{section}' in '{file}'."
                ));
            }
        }
    }
    if wrong.is_empty() {
        outln!("All configurations seem valid!");
        return Ok(Exit::Ok);
    }
    for text in wrong {
        errln!("ERROR: {text}");
    }
    Ok(Exit::Error)
}

fn print(value: &Value, format: ConfigFormat) {
    let text = match format {
        ConfigFormat::Json => crate::report::dump(value, Some(4)),
        _ => emit(
            value,
            &EmitOptions {
                indent: 2,
                ..EmitOptions::to_nice_yaml()
            },
        ),
    };
    outln!("{}", text.trim_end());
}
