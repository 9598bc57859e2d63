//! Reading the inventory that a command was given.

use super::exit::CommandFailure;
use super::setup::Setup;
use super::show::Show;
use super::streams::outln;
use crate::config::{Config, GroupNameRule, HashBehaviour, PatternMismatch};
use crate::diag::Diagnostic;
use crate::exec::{Refresh, Refreshed};
use crate::inventory::{
    self, GroupNames, Inventory, LoadOptions, Mismatch, MoreVars, SourceSpec, Unparsed,
};
use crate::value::Map;
use crate::vars::{StoreOptions, VarStore};
use std::path::Path;
use std::sync::Arc;

/// The sources that the configuration names.
pub fn configured(config: &Config, cwd: &Path) -> Vec<SourceSpec> {
    let set = config.inventory.is_set();
    config
        .inventory
        .iter()
        .filter(|path| set || path.exists())
        .map(|path| SourceSpec::parse(&path.display().to_string(), cwd))
        .collect()
}

impl Setup {
    /// Reads the inventory.
    pub fn inventory(&self, show: &Show) -> Result<Inventory, CommandFailure> {
        if self.sources.is_empty() && !show.is_ansible() {
            show.diagnostic(
                &Diagnostic::warning(
                    "inventory::none",
                    "no inventory was given: only localhost is known",
                )
                .hint("name one with -i"),
            );
        }
        let options = self.load_options(show)?;
        let mut inventory = inventory::load(&self.sources, &options)?;
        let quiet = !*self.config.inventory_unparsed_warning;
        let mut warnings = std::mem::take(&mut inventory.warnings);
        warnings.retain(|warning| !(quiet && warning.code == "inventory::none-parsed"));
        show.checked(warnings)?;
        let notes = std::mem::take(&mut inventory.notes);
        if show.is_ansible() && show.verbosity >= 3 {
            for note in notes {
                outln!("{note}");
            }
        }
        Ok(inventory)
    }

    /// How sources are read.
    fn load_options(&self, show: &Show) -> Result<LoadOptions, CommandFailure> {
        let config = &self.config;
        let unparsed = match () {
            () if *config.inventory_any_unparsed_is_failed => Unparsed::Fails,
            () if *config.inventory_unparsed_is_failed => Unparsed::AllFail,
            // runbook takes nothing less than what it was asked for, unless it is told to
            () if show.is_ansible() || config.inventory_any_unparsed_is_failed.is_set() => {
                Unparsed::Warns
            }
            () => Unparsed::FileFails,
        };
        let extra = self.extra.iter().flat_map(|(_, vars)| vars.iter());
        let extra: Map = extra.map(|(k, v)| (k.clone(), v.clone())).collect();
        Ok(LoadOptions {
            merge_hashes: *self.config.hash_behaviour == HashBehaviour::Merge,
            vault: Arc::clone(&self.vault),
            ignored_endings: config
                .inventory_ignore_extensions
                .is_set()
                .then(|| config.inventory_ignore_extensions.value.clone()),
            ignored_patterns: config.inventory_ignore_patterns.value.clone(),
            unparsed,
            enabled: config
                .inventory_enabled
                .is_set()
                .then(|| config.inventory_enabled.value.clone()),
            group_names: match *config.group_name_rule {
                GroupNameRule::Never => GroupNames::Never,
                GroupNameRule::Ignore => GroupNames::Ignore,
                GroupNameRule::Always => GroupNames::Always,
                GroupNameRule::Silently => GroupNames::Silently,
            },
            mismatch: match *config.host_pattern_mismatch {
                PatternMismatch::Warning => Mismatch::Warning,
                PatternMismatch::Error => Mismatch::Error,
                PatternMismatch::Ignore => Mismatch::Ignore,
            },
            extra_vars: Arc::new(extra),
            use_extra_vars: *config.inventory_use_extra_vars,
            more_vars: Some(self.more_vars()?),
        })
    }

    /// What files beside the sources and the fact cache say of hosts.
    fn more_vars(&self) -> Result<MoreVars, CommandFailure> {
        let cache = self.fact_cache()?;
        let vault = Arc::clone(&self.vault);
        Ok(Arc::new(move |inventory: &Inventory, files: bool| {
            let mut inventory = inventory.clone();
            inventory.reconcile();
            let store = VarStore::new(
                inventory,
                StoreOptions {
                    // no playbook: only the files beside sources
                    playbook_dir: Path::new("/nonexistent").to_owned(),
                    vault: Arc::clone(&vault),
                    cache: cache.clone(),
                    ..StoreOptions::default()
                },
            );
            Ok(Box::new(move |host: &str| {
                let mut vars = if files {
                    store.inventory_vars(host)?
                } else {
                    Map::new()
                };
                let facts = store.facts(host);
                vars.extend(facts.iter().map(|(k, v)| (k.clone(), v.clone())));
                Ok(vars)
            })
                as Box<dyn Fn(&str) -> Result<Map, Diagnostic>>)
        }))
    }

    /// Warns as Ansible does of an inventory without hosts.
    pub fn warn_of_no_hosts(&self, inventory: &Inventory, show: &Show) {
        if show.is_ansible() && inventory.hosts.is_empty() && *self.config.localhost_warning {
            show.diagnostic(&Diagnostic::warning(
                "inventory::empty",
                "provided hosts list is empty, only localhost is available. Note that the implicit localhost does not \
                 match 'all'",
            ));
        }
    }

    /// What `meta: refresh_inventory` does.
    pub fn refresh(&self, limit: &[String], show: &Show) -> Result<Refresh, CommandFailure> {
        let (sources, cwd) = (self.sources.clone(), self.cwd.clone());
        let limit = (!limit.is_empty()).then(|| limit.join(","));
        let options = self.load_options(show)?;
        Ok(Arc::new(move || {
            let inventory = inventory::load(&sources, &options)?;
            let limit = match &limit {
                Some(limit) => Some(inventory.limit(limit, &cwd)?.hosts),
                None => None,
            };
            Ok(Refreshed { inventory, limit })
        }))
    }
}
