//! `meta: refresh_inventory`: the sources are read again while the play goes on.
//!
//! Source: Ansible's documentation of the module `meta`. As there, hosts and groups that tasks added are added again,
//! facts stay, hosts that came wait for the next play, and those that went leave this one.

use super::linear::Cursors;
use super::play::PlayState;
use super::run::Run;
use crate::actions::Effect;
use crate::diag::Diagnostic;
use crate::inventory::Inventory;
use crate::playbook::Task;
use crate::vars::PlayMagic;
use std::sync::{Arc, PoisonError};

/// What reading the inventory again brought.
pub struct Refreshed {
    /// The inventory.
    pub inventory: Inventory,
    /// The hosts that `--limit` leaves of it; `None` for all.
    pub limit: Option<Vec<Arc<str>>>,
}

/// Reads the inventory again.
pub type Refresh = Arc<dyn Fn() -> Result<Refreshed, Box<Diagnostic>> + Send + Sync>;

impl Run {
    /// Notes a host or a membership that a task brought.
    pub(super) fn note_dynamic(&self, host: &str, effect: &Effect) {
        self.dynamic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((Arc::from(host), effect.clone()));
    }

    pub(super) async fn refresh_inventory(
        self: &Arc<Self>,
        state: &PlayState,
        cursors: &mut Cursors,
        task: &Task,
    ) -> Result<(), Box<Diagnostic>> {
        let Some(refresh) = self.refresh.clone() else {
            return Err(
                Diagnostic::error("task::meta", "this inventory cannot be read again")
                    .at(&task.span)
                    .into(),
            );
        };
        // scripts may take their time
        let read = tokio::task::spawn_blocking(move || refresh()).await;
        let Refreshed {
            mut inventory,
            limit,
        } = read.map_err(|error| {
            Diagnostic::error("task::meta", format!("a bug in runbook: {error}")).at(&task.span)
        })??;
        for warning in std::mem::take(&mut inventory.warnings) {
            self.emitter.warn(warning.to_string());
        }
        self.add_dynamic(&mut inventory);
        self.store.replace_inventory(inventory);
        *self.limit.write().unwrap_or_else(PoisonError::into_inner) = limit;
        let (cx, _) = self.play_context(&state.play, None)?;
        let (_, plain) = self.play_hosts(&state.play, &cx)?;
        let mut gone = state.gone.write().unwrap_or_else(PoisonError::into_inner);
        for (host, cursor) in cursors.iter_mut() {
            if !plain.contains(host) && !cursor.is_failed() {
                cursor.end();
                gone.push(Arc::clone(host));
            }
        }
        drop(gone);
        let magic = state.magic();
        state.set_magic(PlayMagic {
            hosts_all: plain.into(),
            ..(*magic).clone()
        });
        Ok(())
    }

    /// What `add_host` and `group_by` brought, once more.
    fn add_dynamic(&self, inventory: &mut Inventory) {
        let dynamic = self
            .dynamic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut problems = Vec::new();
        for (_, effect) in &dynamic {
            if let Effect::AddHost { name, groups, vars } = effect {
                let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
                problems.extend(inventory.add_host(name, &groups, vars).err());
            }
        }
        for (host, effect) in &dynamic {
            // of a host that is gone, its groups go too
            if let Effect::GroupBy { key, parents } = effect
                && inventory.host(host).is_some()
            {
                let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
                problems.extend(inventory.group_by(key, host, &parents).err());
            }
        }
        for problem in problems {
            self.emitter.warn(problem.to_string());
        }
    }
}
