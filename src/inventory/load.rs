//! Reading inventory sources.

use super::compose::{self, Rules};
use super::document::read_source;
use super::plugin::{self, Plugin};
use super::script::{Ran, is_script};
use super::{Inventory, SourceSpec, generator, ini, list, script, terraform, toml, yaml};
use crate::diag::{Diagnostic, Severity, Source, did_you_mean, io_reason};
use crate::value::Map;
use crate::vault::Vault;
use crate::yaml::Node;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// File name endings that a directory of inventories may hold and that are not inventories.
const IGNORED_ENDINGS: [&str; 13] = [
    "~", ".orig", ".ini", ".cfg", ".retry", ".bak", ".swp", ".rpm", ".md", ".txt", ".rst", ".pyc",
    ".pyo",
];

/// Names that a directory of inventories may hold and that are not inventories.
const IGNORED_NAMES: [&str; 4] = ["host_vars", "group_vars", "vars_plugins", "Vagrantfile"];

/// What is known of hosts besides what inventory sources say: files of variables and the fact cache.
/// Given the inventory so far and whether such files are wanted, gives the variables by the name of a host.
pub type MoreVars = Arc<
    dyn Fn(&Inventory, bool) -> Result<Box<dyn Fn(&str) -> Result<Map, Diagnostic>>, Diagnostic>
        + Send
        + Sync,
>;

/// What happens to names of groups that could not be names of variables (`force_valid_group_names`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupNames {
    /// They stay, with a warning.
    #[default]
    Never,
    /// They stay.
    Ignore,
    /// Underscores replace what is wrong, with a warning.
    Always,
    /// Underscores replace what is wrong.
    Silently,
}

/// What a host pattern that matches nothing is (`host_pattern_mismatch`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mismatch {
    /// A warning.
    #[default]
    Warning,
    /// An error.
    Error,
    /// Nothing to speak of.
    Ignore,
}

/// What happens when sources cannot be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unparsed {
    /// The first one is an error.
    #[default]
    Fails,
    /// Warnings.
    Warns,
    /// Warnings; an error if none of the sources can be read.
    AllFail,
}

/// How to read inventories.
#[derive(Clone, Default)]
pub struct LoadOptions {
    /// Opens encrypted inventory files.
    pub vault: Arc<Vault>,
    /// File name endings to pass over in directories (`inventory_ignore_extensions`); none for Ansible's.
    pub ignored_endings: Option<Vec<String>>,
    /// Regular expressions of names to pass over in directories (`inventory_ignore_patterns`).
    pub ignored_patterns: Vec<String>,
    /// What to do about sources that cannot be read.
    pub unparsed: Unparsed,
    /// The kinds of sources to try, in this order (`enable_plugins`); none for the usual ones.
    pub enabled: Option<Vec<String>>,
    /// What happens to odd names of groups.
    pub group_names: GroupNames,
    /// What a host pattern that matches nothing is.
    pub mismatch: Mismatch,
    /// Extra variables, for sources that compute variables and ask for them.
    pub extra_vars: Arc<Map>,
    /// Whether such sources see extra variables when they do not say.
    pub use_extra_vars: bool,
    /// What else such sources see.
    pub more_vars: Option<MoreVars>,
}

/// Reads all sources, in order, into one inventory. No source at all gives an inventory without hosts.
///
/// # Errors
/// If a source cannot be read, unless the options tolerate that.
pub fn load(sources: &[SourceSpec], options: &LoadOptions) -> Result<Inventory, Diagnostic> {
    let mut inventory = Inventory::new();
    inventory.group_names = options.group_names;
    inventory.mismatch = options.mismatch;
    let plugins = enabled(&mut inventory, options)?;
    let mut any = false;
    for source in sources {
        let mut reader = Reader {
            inventory: &mut inventory,
            options,
            plugins: &plugins,
        };
        any |= match source {
            SourceSpec::List(_) => reader.file(source)?,
            SourceSpec::Path(path) => reader.any_path(path, 0)?,
        };
        inventory.sources.push(source.clone());
    }
    if !any && options.unparsed != Unparsed::Fails {
        if options.unparsed == Unparsed::AllFail {
            return Err(Diagnostic::error(
                "inventory::none-parsed",
                "No inventory was parsed, please check your configuration and options.",
            ));
        }
        inventory.warnings.push(Diagnostic::warning(
            "inventory::none-parsed",
            "No inventory was parsed, only implicit localhost is available",
        ));
    }
    inventory.reconcile();
    inventory.warn_of_conflicts();
    Ok(inventory)
}

/// The kinds to try.
fn enabled(inventory: &mut Inventory, options: &LoadOptions) -> Result<Vec<Plugin>, Diagnostic> {
    let Some(names) = &options.enabled else {
        return Ok(plugin::DEFAULT.to_vec());
    };
    let mut plugins = Vec::new();
    for name in names {
        match Plugin::named(name) {
            Some(plugin) => plugins.push(plugin),
            None => inventory.warnings.push(
                Diagnostic::warning(
                    "inventory::plugin",
                    format!("Failed to load inventory plugin, skipping {name}"),
                )
                .maybe_hint(did_you_mean(name, Plugin::names())),
            ),
        }
    }
    if plugins.is_empty() {
        return Err(Diagnostic::error(
            "inventory::plugin",
            "No inventory plugins available to generate inventory, make sure you have at least one enabled.",
        ));
    }
    Ok(plugins)
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    options: &'a LoadOptions,
    plugins: &'a [Plugin],
}

impl Reader<'_> {
    /// Reads a file or directory; whether anything of it could be read.
    fn any_path(&mut self, path: &Path, depth: usize) -> Result<bool, Diagnostic> {
        if depth > 40 {
            return Err(Diagnostic::error(
                "inventory::too-deep",
                format!(
                    "{} is a directory nested too deep (a link loop?)",
                    path.display()
                ),
            ));
        }
        if !path.is_dir() {
            return self.file(&SourceSpec::Path(path.to_owned()));
        }
        let mut any = false;
        for entry in entries(path, self.options)? {
            any |= self.any_path(&entry, depth + 1)?;
        }
        if !any && self.options.unparsed != Unparsed::Fails {
            self.unparsed(&path.display().to_string());
        }
        Ok(any)
    }

    fn unparsed(&mut self, source: &str) {
        self.inventory.warnings.push(Diagnostic::warning(
            "inventory::unparsed",
            format!("Unable to parse {source} as an inventory source"),
        ));
    }

    /// Reads a list or file with the first kind that can; whether one could.
    fn file(&mut self, source: &SourceSpec) -> Result<bool, Diagnostic> {
        let mut failures = Vec::new();
        match self.try_all(source, &mut failures) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(problem) => failures.push((None, problem)),
        }
        if self.options.unparsed == Unparsed::Fails {
            return Err(best(source, failures));
        }
        for (plugin, problem) in failures {
            let Some(plugin) = plugin else {
                if problem.code != "inventory::missing" {
                    self.inventory.warnings.push(as_warning(problem));
                }
                continue;
            };
            let mut warning = as_warning(problem);
            warning.message = format!(
                " * Failed to parse {source} with {} plugin: {}",
                plugin.name(),
                warning.message
            );
            self.inventory.warnings.push(warning);
        }
        self.unparsed(&source.to_string());
        Ok(false)
    }

    fn try_all(
        &mut self,
        source: &SourceSpec,
        failures: &mut Vec<(Option<Plugin>, Diagnostic)>,
    ) -> Result<bool, Diagnostic> {
        let mut file = match source {
            SourceSpec::List(_) => None,
            SourceSpec::Path(path) => Some(SourceFile::open(path, self.options)?),
        };
        let script = file.as_ref().is_some_and(SourceFile::is_script);
        let before = self.inventory.clone();
        for plugin in self.plugins {
            if !plugin.wants(source, script) {
                self.inventory.notes.push(format!(
                    "{} declined parsing {source} as it did not pass its verify_file() method",
                    plugin.name()
                ));
                continue;
            }
            let outcome = match (&mut file, source) {
                (Some(file), _) => self.parse(*plugin, file),
                (None, SourceSpec::List(hosts)) => {
                    list::parse(self.inventory, hosts, *plugin == Plugin::AdvancedHostList)
                        .map(|()| true)
                }
                (None, SourceSpec::Path(_)) => Ok(false),
            };
            match outcome {
                Ok(true) => {
                    self.inventory.notes.push(format!(
                        "Parsed {source} inventory source with {} plugin",
                        plugin.name()
                    ));
                    return Ok(true);
                }
                Ok(false) => {}
                Err(problem) => {
                    // a kind that fails halfway leaves nothing behind
                    let notes = std::mem::take(&mut self.inventory.notes);
                    *self.inventory = before.clone();
                    self.inventory.notes = notes;
                    failures.push((Some(*plugin), problem));
                }
            }
        }
        Ok(false)
    }

    /// Reads a file as one kind; whether it is of that kind.
    fn parse(&mut self, plugin: Plugin, file: &mut SourceFile<'_>) -> Result<bool, Diagnostic> {
        let path = file.path;
        match plugin {
            Plugin::HostList | Plugin::AdvancedHostList => return Ok(false),
            Plugin::Script => match script::parse(self.inventory, path)? {
                Ran::Parsed => {}
                Ran::NotAProgram(error) if file.head.starts_with(b"#!") => {
                    return Err(Diagnostic::error(
                        "inventory::script",
                        format!(
                            "cannot run the inventory script {}: {error}",
                            path.display()
                        ),
                    )
                    .hint(format!("make it executable: chmod +x {}", path.display())));
                }
                // the executable bit on a plain file, as on shared folders
                Ran::NotAProgram(_) => return Ok(false),
            },
            Plugin::Ini => ini::parse(self.inventory, file.source()?)?,
            Plugin::Toml => toml::parse(self.inventory, file.source()?)?,
            Plugin::Yaml => {
                let node = file.document(self.inventory)?;
                if let Some(plugin) = node.get("plugin").filter(|node| !node.is_null()) {
                    return Err(compose::wrong(
                        plugin,
                        "Plugin configuration YAML file, not YAML inventory",
                    ));
                }
                yaml::parse(self.inventory, &node, path)?;
            }
            Plugin::Auto => {
                let node = file.document(self.inventory)?;
                let Some(plugin) = node.get("plugin").filter(|node| !node.is_null()) else {
                    // every YAML inventory is looked at
                    return Ok(false);
                };
                let name = plugin.as_str().unwrap_or("?");
                match Plugin::named(name) {
                    Some(found @ (Plugin::Constructed | Plugin::Generator | Plugin::Terraform)) => {
                        self.configured(found, &node, path)?;
                    }
                    _ => {
                        return Err(compose::wrong(
                            plugin,
                            format!(
                                "inventory config '{}' specifies unknown plugin '{name}'",
                                path.display()
                            ),
                        )
                        .maybe_hint(did_you_mean(name, ["constructed", "generator", "terraform"]).or_else(|| {
                            Some(
                                "plugins are not run; write what it gives to a file once: ansible-inventory --list \
                                 --yaml --output hosts.yml"
                                    .to_owned(),
                            )
                        })));
                    }
                }
            }
            Plugin::Terraform => {
                let node = match file.document(self.inventory) {
                    Ok(node) => node,
                    // no kind of Terraform's files: let others say what is wrong
                    Err(_) if plugin::ending(path) != Some("tfstate") => return Ok(false),
                    Err(problem) => return Err(problem),
                };
                if terraform::is_state(&node) || plugin::ending(path) == Some("tfstate") {
                    terraform::parse(self.inventory, &node, path)?;
                } else if is_config_of(&node, Plugin::Terraform) {
                    self.configured(Plugin::Terraform, &node, path)?;
                } else {
                    return Ok(false);
                }
            }
            Plugin::Constructed | Plugin::Generator => {
                let node = file.document(self.inventory)?;
                if node.is_null() {
                    return Err(Diagnostic::error(
                        "inventory::plugin",
                        format!("{} is empty", path.display()),
                    ));
                }
                if !is_config_of(&node, plugin) {
                    return Err(compose::wrong(
                        node.get("plugin").unwrap_or(&node),
                        "Incorrect plugin name in file",
                    ));
                }
                self.configured(plugin, &node, path)?;
            }
        }
        Ok(true)
    }

    /// Reads a source file that names its plugin.
    fn configured(&mut self, plugin: Plugin, node: &Node, path: &Path) -> Result<(), Diagnostic> {
        match plugin {
            Plugin::Generator => generator::parse(self.inventory, node, path, self.options),
            Plugin::Terraform => terraform::configured(self.inventory, node, path, self.options),
            _ => {
                let mut known = vec!["plugin"];
                known.extend(compose::KEYS);
                compose::check_keys(self.inventory, node, &known);
                let rules = Rules::read(node, self.options)?;
                let hosts: Vec<Arc<str>> = self.inventory.hosts.keys().cloned().collect();
                compose::compose(self.inventory, &rules, &hosts, self.options)
            }
        }
    }
}

fn is_config_of(node: &Node, plugin: Plugin) -> bool {
    let named = node.get("plugin").and_then(Node::as_str);
    named.and_then(Plugin::named) == Some(plugin)
}

fn as_warning(problem: Diagnostic) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        ..problem
    }
}

/// The failure that says most about a source that no kind could read.
fn best(source: &SourceSpec, mut failures: Vec<(Option<Plugin>, Diagnostic)>) -> Diagnostic {
    let likely = |plugin: Option<Plugin>| match plugin {
        // it could not even be opened, or it says itself what it is
        None | Some(Plugin::Script | Plugin::Auto | Plugin::Terraform) => true,
        Some(Plugin::Yaml) => match source {
            SourceSpec::Path(path) => match plugin::ending(path) {
                None => std::fs::read_to_string(path).is_ok_and(|text| looks_like_yaml(&text)),
                Some(_) => true,
            },
            SourceSpec::List(_) => false,
        },
        Some(_) => false,
    };
    let at = failures
        .iter()
        .position(|(plugin, _)| likely(*plugin))
        .or_else(|| failures.len().checked_sub(1));
    match at {
        Some(at) => failures.swap_remove(at).1,
        None => Diagnostic::error(
            "inventory::unparsed",
            format!("{source} is no inventory of any kind that is enabled"),
        ),
    }
}

/// A source that is a file; its text and document are read once.
struct SourceFile<'a> {
    path: &'a Path,
    head: Vec<u8>,
    vault: Arc<Vault>,
    source: Option<Arc<Source>>,
    node: Option<Node>,
}

impl<'a> SourceFile<'a> {
    fn open(path: &'a Path, options: &LoadOptions) -> Result<Self, Diagnostic> {
        if !path.exists() {
            return Err(missing(path));
        }
        let head = head(path).map_err(|error| {
            Diagnostic::error(
                "inventory::unreadable",
                format!("cannot read {}: {}", path.display(), io_reason(&error)),
            )
        })?;
        Ok(Self {
            path,
            head,
            vault: Arc::clone(&options.vault),
            source: None,
            node: None,
        })
    }

    fn is_script(&self) -> bool {
        is_script(self.path, &self.head)
    }

    fn source(&mut self) -> Result<&Arc<Source>, Diagnostic> {
        let source = match self.source.take() {
            Some(source) => source,
            None => read_source(self.path, &self.vault)?,
        };
        Ok(self.source.insert(source))
    }

    /// The YAML or JSON document.
    fn document(&mut self, inventory: &mut Inventory) -> Result<Node, Diagnostic> {
        if let Some(node) = &self.node {
            return Ok(node.clone());
        }
        let document = crate::yaml::parse(self.source()?)?;
        inventory.warnings.extend(document.warnings);
        Ok(self.node.insert(document.node).clone())
    }
}

fn missing(path: &Path) -> Diagnostic {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut near: Vec<String> = Vec::new();
    for folder in [folder.to_path_buf(), folder.join("inventories")] {
        for entry in std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .take(1000)
        {
            near.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Diagnostic::error(
        "inventory::missing",
        format!("there is no inventory {}", path.display()),
    )
    .maybe_hint(
        did_you_mean(&name, near.iter().map(String::as_str))
            .or_else(|| Some(format!("a list of hosts needs a comma: `-i {name},`"))),
    )
}

/// The inventories of a directory, in the order of their names. As in Ansible, `.ini` files are not among them;
/// but where there is nothing else, they are what was meant.
fn entries(directory: &Path, options: &LoadOptions) -> Result<Vec<PathBuf>, Diagnostic> {
    let unreadable = |error: std::io::Error| {
        Diagnostic::error(
            "inventory::unreadable",
            format!("cannot read {}: {}", directory.display(), io_reason(&error)),
        )
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        names.push(
            entry
                .map_err(unreadable)?
                .file_name()
                .to_string_lossy()
                .into_owned(),
        );
    }
    names.sort();
    names.retain(|name| !name.starts_with('.') && !IGNORED_NAMES.contains(&name.as_str()));
    for pattern in &options.ignored_patterns {
        let regex = fancy_regex::Regex::new(pattern).map_err(|error| {
            Diagnostic::error(
                "inventory::ignore-pattern",
                format!("`{pattern}` is not a regular expression: {error}"),
            )
        })?;
        names.retain(|name| !regex.is_match(name).unwrap_or(false));
    }
    let ignored: Vec<&str> = match &options.ignored_endings {
        Some(endings) => endings.iter().map(String::as_str).collect(),
        None => IGNORED_ENDINGS.to_vec(),
    };
    let kept = |ignored: &[&str]| -> Vec<PathBuf> {
        names
            .iter()
            .filter(|name| !ignored.iter().any(|ending| name.ends_with(ending)))
            .map(|name| directory.join(name))
            .collect()
    };
    let found = kept(&ignored);
    if !found.is_empty() || options.ignored_endings.is_some() {
        return Ok(found);
    }
    let without_ini: Vec<&str> = ignored
        .into_iter()
        .filter(|ending| *ending != ".ini")
        .collect();
    Ok(kept(&without_ini))
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut head = Vec::new();
    std::fs::File::open(path)?.take(2).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether a file without an extension is YAML: its first line that says something is `---`, a brace, or a key.
fn looks_like_yaml(text: &str) -> bool {
    let line = text
        .lines()
        .map(str::trim_end)
        .find(|line| !line.trim().is_empty() && !line.trim_start().starts_with(['#', ';']));
    line.is_some_and(|line| {
        line == "---"
            || line.starts_with("--- ")
            || line.starts_with(['{', '%'])
            || line.split_once(':').is_some_and(|(key, rest)| {
                !key.is_empty()
                    && !key.contains([' ', '=', '[', ']'])
                    && (rest.is_empty() || rest.starts_with(' '))
                    && !rest.contains('=')
            })
    })
}
