//! What a play's own keywords see, before there is a host.

use super::fault::Fault;
use super::run::Run;
use super::scope::StaticScope;
use crate::diag::Diagnostic;
use crate::playbook::Play;
use crate::template::{Context, FileContext, Scope, Variable};
use crate::value::{Map, Value};
use crate::vars::{HostScope, Layer, Level, Magic, RunMagic, ScopeParts, VarStore};
use crate::yaml::Node;
use std::path::PathBuf;
use std::sync::Arc;

/// The variables of a play before it has a host: its own, those of its roles and files, and what is known of the run.
#[derive(Debug)]
pub struct PlayScope {
    statics: StaticScope,
    run: Arc<HostScope>,
}

impl PlayScope {
    /// `vars` are from the lowest to the highest.
    ///
    /// # Errors
    /// When variables of the inventory cannot be read.
    pub fn new(
        vars: Vec<Arc<Map>>,
        store: &Arc<VarStore>,
        run: &Arc<RunMagic>,
    ) -> Result<Self, Box<Diagnostic>> {
        let magic = Magic {
            run: Arc::clone(run),
            play: None,
            task: None,
        };
        Ok(Self {
            statics: StaticScope(vars),
            run: store.scope("localhost", ScopeParts::default(), magic)?,
        })
    }
}

/// What is known of the run without a host.
const OF_RUN: &[&str] = &[
    "groups",
    "hostvars",
    "omit",
    "ansible_check_mode",
    "ansible_config_file",
    "ansible_diff_mode",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_playbook_python",
    "ansible_run_tags",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
];

impl Scope for PlayScope {
    fn get(&self, name: &str) -> Option<Variable> {
        if OF_RUN.contains(&name) {
            return self.run.get(name);
        }
        self.statics.get(name)
    }

    fn names(&self) -> Vec<Arc<str>> {
        let mut names = self.statics.names();
        names.extend(OF_RUN.iter().map(|name| Arc::from(*name)));
        names
    }
}

impl Run {
    /// What the play's own keywords see, and its directory. `asked` are the answers of `vars_prompt`.
    pub(super) fn play_context(
        self: &Arc<Self>,
        play: &Play,
        asked: Option<&Arc<Map>>,
    ) -> Result<(Context, PathBuf), Box<Diagnostic>> {
        let dir = play
            .path
            .parent()
            .map(std::path::Path::to_path_buf)
            .unwrap_or_default();
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        let files = Arc::new(FileContext {
            search_path: vec![dir.clone()],
            basedir: dir.clone(),
        });
        let mut layers: Vec<Arc<Map>> = Vec::new();
        let roles: Vec<_> = play.roles.iter().filter(|r| self.is_public(r)).collect();
        layers.extend(roles.iter().map(|role| Arc::clone(&role.defaults)));
        layers.push(Arc::clone(&play.vars));
        layers.extend(asked.map(Arc::clone));
        let place = Arc::new(Map::new().with("playbook_dir", dir.display().to_string()));
        let context = |layers: &[Arc<Map>]| {
            let above = [self.extra(), Arc::clone(&place)];
            let vars = layers.iter().cloned().chain(above).collect();
            let scope = PlayScope::new(vars, &self.store, &self.magic)?;
            Ok::<_, Box<Diagnostic>>(Context::new(Arc::new(scope), Arc::clone(&files) as _))
        };
        let mut cx = context(&layers)?;
        for node in &play.vars_files {
            let group = match node.as_seq() {
                Some(items) => items.to_vec(),
                None => vec![node.clone()],
            };
            if let Some(layer) = self.vars_file(&group, &cx, false)? {
                layers.push(Arc::clone(&layer.vars));
                cx = context(&layers)?;
            }
        }
        if !roles.is_empty() {
            layers.extend(roles.iter().map(|role| Arc::clone(&role.vars)));
            cx = context(&layers)?;
        }
        Ok((cx, dir))
    }

    /// A keyword of a play, templated; `None` if it is not there or omitted.
    pub(super) fn play_word(
        &self,
        node: Option<&Node>,
        cx: &Context,
    ) -> Result<Option<Value>, Box<Diagnostic>> {
        self.keyword(node, cx).map_err(|fault| fault.0)
    }

    /// One entry of `vars_files`: the first of its files that exists.
    pub(super) fn vars_file(
        &self,
        group: &[Node],
        cx: &Context,
        strict: bool,
    ) -> Result<Option<Layer>, Box<Diagnostic>> {
        for node in group {
            let name = match self.templar.render(&node.to_value(), cx) {
                Ok(value) => value.to_string(),
                // facts may not be there yet; none of the group counts then
                Err(error) if error.is_undefined() && !strict => return Ok(None),
                Err(error) => return Err(Fault::template(&error, node).0),
            };
            if let Some(path) = cx.files().find("vars", &name).filter(|path| path.is_file()) {
                let (vars, warnings) = crate::vars::load_vars_list(&path, self.store.vault())?;
                for warning in warnings {
                    self.emitter.warn(warning.to_string());
                }
                return Ok(Some(Layer::new(
                    Level::VarsFiles,
                    path.display().to_string().as_str(),
                    Arc::new(vars),
                )));
            }
        }
        if !strict {
            return Ok(None);
        }
        if let Some(first) = group.first() {
            // Ansible goes on without a word
            self.emitter.warn(
                Diagnostic::warning(
                    "play::vars-file",
                    format!("there is no file of variables `{}`", first.to_value()),
                )
                .at(&first.span)
                .to_string(),
            );
        }
        Ok(None)
    }
}
