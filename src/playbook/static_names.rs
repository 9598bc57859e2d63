//! Names in static imports: they are expanded before any host is known.
//!
//! Source: Ansible's documentation, "Re-using Ansible artifacts: static imports".

use super::{Loader, Play, Result, Task};
use crate::diag::Diagnostic;
use crate::value::{Map, Value};
use crate::yaml::Node;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

/// What such names may use of a play.
#[derive(Debug, Default)]
pub(super) struct Statics {
    /// Its `vars`.
    vars: Arc<Map>,
    /// Its `vars_files`, as they are written, and the directory that they are relative to.
    files: Vec<Node>,
    dir: PathBuf,
    /// What the files hold, once it was asked for.
    read: Option<Arc<Map>>,
}

/// What is known of a playbook in this directory.
fn magic(dir: &Path) -> Map {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    Map::new().with("playbook_dir", Value::data(dir.display().to_string()))
}

impl Loader {
    /// Sets the play whose variables names in static imports may use.
    pub fn set_play_vars(&self, play: &Play) {
        let statics = Statics {
            vars: Arc::clone(&play.vars),
            files: play.vars_files.clone(),
            dir: play.path.parent().unwrap_or(Path::new("")).to_owned(),
            read: None,
        };
        *self.statics.lock().unwrap_or_else(PoisonError::into_inner) = statics;
    }

    /// Expands a name with the extra variables and those of the play and its files.
    pub(super) fn render(&self, node: &Node) -> Result<String> {
        let dir = self.statics.lock().map(|statics| statics.dir.clone());
        self.render_with(node, &dir.unwrap_or_default(), &[])
    }

    /// Expands a name in a playbook of this directory with these variables as well.
    pub(super) fn render_with(&self, node: &Node, dir: &Path, vars: &[Arc<Map>]) -> Result<String> {
        self.render_over(node, &[Arc::new(magic(dir))], vars)
    }

    /// Expands a name in a task: with the variables of its role and those around it, too.
    pub(super) fn render_in(&self, task: &Task, node: &Node) -> Result<String> {
        let mut below = Vec::new();
        let mut above = Vec::new();
        let mut magic = magic(task.trail.base());
        if let Some(role) = &task.role {
            magic.set("role_name", Value::data(role.name.as_str()));
            magic.set("ansible_role_name", Value::data(role.name.as_str()));
            magic.set("role_path", Value::data(role.path.display().to_string()));
            below.push(Arc::clone(&role.defaults));
            above.extend([Arc::clone(&role.vars), Arc::clone(&role.entry_vars)]);
        }
        below.push(Arc::new(magic));
        above.extend(task.keywords.vars.iter().cloned());
        above.extend(task.role.iter().map(|role| Arc::clone(&role.params)));
        self.render_over(node, &below, &above)
    }

    fn render_over(&self, node: &Node, below: &[Arc<Map>], above: &[Arc<Map>]) -> Result<String> {
        let text = node.to_value().to_string();
        if !text.contains("{{") {
            return Ok(text);
        }
        let [play, files] = self.statics();
        let vars: Vec<Arc<Map>> = below
            .iter()
            .chain([&play, &files])
            .chain(above)
            .cloned()
            .collect();
        (self.options.render)(&text, &vars).map_err(|message| {
            Diagnostic::error("playbook::static-name", message)
                .at(&node.span)
                .note(
                    "names in static imports can only use extra variables, variables of the play and its roles, and what is known of the run",
                )
                .hint("use `include_tasks` or `include_role` for names known only during the run")
                .into()
        })
    }

    /// The play's variables, and those of its files.
    fn statics(&self) -> [Arc<Map>; 2] {
        let mut statics = self.statics.lock().unwrap_or_else(PoisonError::into_inner);
        if statics.read.is_none() {
            let files = self.static_files(&statics);
            statics.read = Some(Arc::new(files));
        }
        [
            Arc::clone(&statics.vars),
            statics.read.clone().unwrap_or_default(),
        ]
    }

    /// What the `vars_files` hold whose names are known already. What is wrong with them is told when the play begins.
    fn static_files(&self, statics: &Statics) -> Map {
        let mut known = Map::new();
        for group in &statics.files {
            let names = group.as_seq().unwrap_or(std::slice::from_ref(group));
            for name in names {
                let text = name.to_value().to_string();
                let vars = [Arc::clone(&statics.vars), Arc::new(known.clone())];
                let Ok(name) = (self.options.render)(&text, &vars) else {
                    break;
                };
                let places = [
                    statics.dir.join("vars").join(&name),
                    statics.dir.join(&name),
                ];
                let Some(path) = places.iter().find(|path| path.is_file()) else {
                    continue;
                };
                if let Ok(node) = self.file(path)
                    && let Some(map) = node.to_value().as_map()
                {
                    for (key, value) in map {
                        known.insert(key.clone(), value.clone());
                    }
                }
                break;
            }
        }
        known
    }
}
