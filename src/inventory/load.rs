//! Reading inventory sources.

use super::compose::{self, Rules};
use super::directory::entries;
use super::file::{SourceFile, looks_like_yaml};
use super::plugin::{self, Plugin};
use super::script::Ran;
use super::{Inventory, LoadOptions, SourceSpec, Unparsed};
use super::{generator, ini, list, script, terraform, toml, yaml};
use crate::diag::{Diagnostic, Severity, did_you_mean};
use crate::yaml::Node;
use std::path::Path;
use std::sync::Arc;

/// Reads all sources, in order, into one inventory. No source at all gives an inventory without hosts.
///
/// # Errors
/// If a source cannot be read, unless the options tolerate that.
pub fn load(sources: &[SourceSpec], options: &LoadOptions) -> Result<Inventory, Diagnostic> {
    let mut inventory = Inventory::new();
    inventory.merge_hashes = options.merge_hashes;
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
    if !any && !options.unparsed.refuses_files() {
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
        if any {
            return Ok(true);
        }
        match self.options.unparsed {
            Unparsed::FileFails => {}
            Unparsed::Fails => {
                return Err(Diagnostic::error(
                    "inventory::unparsed",
                    format!(
                        "Completely failed to parse inventory source {}",
                        path.display()
                    ),
                ));
            }
            Unparsed::Warns | Unparsed::AllFail => self.unparsed(&path.display().to_string()),
        }
        Ok(false)
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
        if self.options.unparsed.refuses_files() {
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
                "* Failed to parse {source} with {} plugin: {}",
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
                            format!("the inventory config specifies unknown plugin '{name}'"),
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
