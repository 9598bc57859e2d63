//! Playbooks: they are read, or refused with a diagnostic that can be shown.

use crate::files;
use runbook::actions::ActionRegistry;
use runbook::diag::{RenderOptions, Source, render};
use runbook::modules::Registry;
use runbook::playbook::{Bases, DuplicateKeys, LoadOptions, Loader, Vocabulary};
use runbook::value::ArgSpec;
use runbook::vault::Vault;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Words;

impl Vocabulary for Words {
    fn is_action(&self, _: &str) -> bool {
        true
    }

    fn collection(&self, name: &str) -> Option<&'static str> {
        Registry.find(name).map(|entry| entry.collection)
    }

    fn action_names(&self) -> Vec<String> {
        Registry
            .entries()
            .map(|entry| entry.name.to_owned())
            .collect()
    }

    fn spec(&self, name: &str) -> Option<ArgSpec> {
        Registry.find(name).map(|entry| (entry.spec)())
    }

    fn is_built(&self, name: &str) -> bool {
        Registry.find(name).is_some()
    }

    fn is_flow(&self, name: &str) -> bool {
        ActionRegistry.is_flow(name)
    }

    fn has_controller_half(&self, name: &str) -> bool {
        ActionRegistry.find(name).is_some()
    }
}

/// No directory is searched for modules.
struct NoBases;

impl Bases for NoBases {
    fn add(&self, _: PathBuf) {}

    fn all(&self) -> Vec<PathBuf> {
        Vec::new()
    }
}

pub fn corpus() -> Vec<Vec<u8>> {
    let paths = files::under(&["playbooks", "tests/cli", "tests/robust"], |path| {
        files::ends(path, &["yml"])
    });
    let mut all = files::texts(&paths);
    all.extend(files::of_cases(|name| {
        files::ends(Path::new(name), &["yml"])
    }));
    all
}

pub fn run(input: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(input).into_owned();
    let loader = Loader::new(
        Arc::new(Words),
        LoadOptions {
            roles_path: Vec::new(),
            collections_path: Vec::new(),
            library: Vec::new(),
            module_utils: Vec::new(),
            bases: Arc::new(NoBases),
            arguments_later: false,
            duplicate_keys: DuplicateKeys::default(),
            render: Arc::new(|text, _| Ok(text.to_owned())),
            vault: Arc::new(Vault::default()),
        },
    );
    let path = Path::new("/nonexistent/play.yml");
    let shown = RenderOptions { colour: false };
    match loader.playbook_text(&Source::new(path, text), path) {
        Ok(plays) => {
            for play in plays {
                play.label();
                for task in play.tasks() {
                    task.label();
                }
            }
        }
        Err(error) => {
            render(&error, shown);
        }
    }
    for warning in loader.take_warnings() {
        render(&warning, shown);
    }
    Ok(())
}
