//! What a task makes the run remember: variables, facts, hosts and groups.

use super::run::Run;
use super::single::{Place, TurnEnd};
use crate::actions::Effect;
use crate::playbook::Task;
use crate::value::{Value, to_bool};
use std::sync::Arc;

impl Run {
    /// Remembers what a turn brought: its effects, and the facts that its module returned. With `delegate_facts`
    /// they are the delegate's.
    ///
    /// New members of groups wait until all hosts are done ([`Run::join_groups`]): else a group would be in the order
    /// in which its hosts came to their ends.
    pub(super) fn remember(&self, place: &Place<'_>, delegate_facts: bool, end: &mut TurnEnd) {
        if end.outcome.failed {
            end.effects.clear();
            return;
        }
        let action = place.task.action.rsplit('.').next();
        if end.effects.is_empty()
            && action != Some("debug")
            && let Some(Value::Map(facts)) = end.outcome.data.get("ansible_facts")
        {
            end.effects.push(Effect::HostFacts((**facts).clone()));
        }
        if let Some(Value::Map(stats)) = end.outcome.data.get("ansible_stats") {
            let flag = |name: &str, default| stats.get(name).and_then(to_bool).unwrap_or(default);
            let host = end.delegate.as_ref().unwrap_or(place.host);
            let of = if flag("per_host", true) { host } else { "_run" };
            let data = stats.get("data").and_then(Value::as_map);
            for (name, value) in data.into_iter().flatten() {
                self.emitter
                    .custom(of, name, value, flag("aggregate", true));
            }
        }
        let delegate = end.delegate.as_ref().filter(|_| delegate_facts);
        let host = delegate.unwrap_or(place.host);
        for effect in &end.effects {
            match effect {
                Effect::AddHost { name, groups, vars } => {
                    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
                    let added = self
                        .store
                        .update_inventory(|inventory| inventory.add_host(name, &groups, vars));
                    match added {
                        Ok(changed) => {
                            self.note_dynamic(place.host, effect);
                            end.outcome.changed &= changed;
                            if changed {
                                place.state.add_host(name);
                            }
                        }
                        Err(error) => self.emitter.warn(error.to_string()),
                    }
                }
                Effect::GroupBy { key, parents } => {
                    let known = self.store.inventory(|inventory| {
                        let groups = inventory.group_names(place.host);
                        let linked = |parent: &String| {
                            parent == "all"
                                || parent == key
                                || inventory.group(key).is_some_and(|group| {
                                    group.parents.iter().any(|known| **known == **parent)
                                })
                        };
                        groups.iter().any(|group| **group == **key) && parents.iter().all(linked)
                    });
                    end.outcome.changed &= !known;
                }
                effect => self.remember_for(host, effect, place.task),
            }
        }
        if delegate.is_some() {
            // they are not for the other hosts of a `run_once` task
            end.effects.retain(|effect| !effect.is_of_host());
        }
    }

    /// The effects of a `run_once` task, for another host of the batch.
    pub(super) fn remember_too(&self, host: &str, effects: &[Effect], task: &Task) {
        for effect in effects {
            self.remember_for(host, effect, task);
        }
    }

    fn remember_for(&self, host: &str, effect: &Effect, task: &Task) {
        if let Effect::SetFacts { facts: vars, .. }
        | Effect::IncludeVars(vars)
        | Effect::HostFacts(vars) = effect
        {
            self.warn_of_names(vars.str_iter().map(|(name, _)| name));
        }
        match effect {
            Effect::SetFacts { facts, cacheable } => {
                let origin: Arc<str> = task.span.to_string().into();
                for (name, value) in facts.str_iter() {
                    self.store
                        .set_fact(host, name, value.clone(), *cacheable, &origin);
                }
            }
            Effect::IncludeVars(vars) => {
                let origin: Arc<str> = task.span.to_string().into();
                self.store.include_vars(host, vars.clone(), &origin);
            }
            Effect::HostFacts(facts) => self.store.set_facts(host, facts.clone()),
            Effect::AddHost { .. } | Effect::GroupBy { .. } => {}
        }
    }

    /// Puts hosts into the groups that `group_by` named for them, in the order of the hosts, as one change.
    pub(super) fn join_groups<'a>(&self, ends: impl Iterator<Item = (&'a Arc<str>, &'a [Effect])>) {
        let joins: Vec<(&Arc<str>, &Effect)> = ends
            .flat_map(|(host, effects)| effects.iter().map(move |effect| (host, effect)))
            .filter(|(_, effect)| matches!(effect, Effect::GroupBy { .. }))
            .collect();
        if joins.is_empty() {
            return;
        }
        let failures = self.store.update_inventory(|inventory| {
            let mut failures = Vec::new();
            for (at, (host, effect)) in joins.iter().enumerate() {
                let Effect::GroupBy { key, parents } = effect else {
                    continue;
                };
                let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
                if let Err(error) = inventory.group_by(key, host, &parents) {
                    self.emitter.warn(error.to_string());
                    failures.push(at);
                }
            }
            failures
        });
        for (at, (host, effect)) in joins.into_iter().enumerate() {
            if !failures.contains(&at) {
                self.note_dynamic(host, effect);
            }
        }
    }
}
