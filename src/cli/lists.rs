//! `--list-hosts`, `--list-tasks`, `--list-tags`.

use super::args::PlayArgs;
use super::exit::{CommandResult, Exit};
use super::play::Loaded;
use super::streams::outln;
use crate::playbook::{Loader, Play, TagFilter, Task, tag_words};
use crate::template::{Context, Overlay, Templar};
use crate::value::Value;
use crate::vars::VarStore;
use crate::yaml::Node;
use std::collections::BTreeSet;
use std::sync::Arc;

pub fn lists(
    args: &PlayArgs,
    (playbooks, loader): (&Loaded, &Loader),
    store: &Arc<VarStore>,
    limit: Option<&[Arc<str>]>,
    tags: &TagFilter,
    templar: &Templar,
) -> CommandResult {
    for (path, plays) in playbooks {
        outln!("\nplaybook: {}", path.display());
        for (number, play) in plays.iter().enumerate() {
            let pattern = pattern(play, loader);
            let vars: crate::value::Map = [&*play.vars, &*store.extra_vars()]
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            let nothing = Overlay {
                base: Arc::new(super::setup::Nothing),
                vars,
            };
            let cx = Context::new(Arc::new(nothing), Arc::default());
            let tags_of = |task: &Task| -> Vec<String> {
                let words = task.keywords.tags.iter().map(Node::to_value);
                words
                    .flat_map(|value| tag_words(&templar.render(&value, &cx).unwrap_or(value)))
                    .collect()
            };
            let own: Vec<String> = play
                .keywords
                .tags
                .iter()
                .flat_map(|node| crate::playbook::tag_words(&node.to_value()))
                .collect();
            outln!(
                "\n  play #{} ({}): {}\tTAGS: [{}]",
                number + 1,
                pattern.join(","),
                play.label(),
                own.join(",")
            );
            if args.list_hosts {
                let selection =
                    store.inventory(|inventory| inventory.select(&pattern.join(",")))?;
                let hosts: Vec<_> = selection
                    .hosts
                    .iter()
                    .filter(|host| limit.is_none_or(|limit| limit.contains(host)))
                    .collect();
                let shown: Vec<String> = pattern.iter().map(|p| format!("'{p}'")).collect();
                outln!(
                    "    pattern: [{}]\n    hosts ({}):",
                    shown.join(", "),
                    hosts.len()
                );
                for host in hosts {
                    outln!("      {host}");
                }
            }
            if args.list_tasks {
                outln!("    tasks:");
                for task in selected(play, tags, &tags_of) {
                    let mut tags: Vec<String> = tags_of(&task);
                    tags.sort();
                    tags.dedup();
                    outln!("      {}\tTAGS: [{}]", listed(&task), tags.join(", "));
                }
            }
            if args.list_tags {
                let mut all = BTreeSet::new();
                for task in selected(play, tags, &tags_of) {
                    all.extend(tags_of(&task));
                }
                let all: Vec<_> = all.into_iter().collect();
                outln!("      TASK TAGS: [{}]", all.join(", "));
            }
        }
    }
    Ok(Exit::Ok)
}

/// The hosts that a play is for, as words. What cannot be known before the run stays as it is written.
fn pattern(play: &Play, loader: &Loader) -> Vec<String> {
    let expand = |value: &Value| {
        let text = value.to_string();
        loader.expand(&text).unwrap_or(text)
    };
    match play.hosts.to_value() {
        Value::List(items) => items.iter().map(expand).collect(),
        other => expand(&other)
            .split(',')
            .map(|p| p.trim().to_owned())
            .collect(),
    }
}

/// What Ansible's list calls a task: the role stands before names only, and not before included roles.
fn listed(task: &Task) -> String {
    match &task.role {
        Some(role) if task.name.is_some() && task.short_action() != "include_role" => {
            format!("{} : {}", role.name, task.label())
        }
        _ => task.label(),
    }
}

fn selected(
    play: &Play,
    tags: &TagFilter,
    tags_of: &dyn Fn(&Task) -> Vec<String>,
) -> Vec<Arc<Task>> {
    play.tasks()
        .into_iter()
        .filter(|task| (!task.implicit || task.name.is_some()) && tags.selects(&tags_of(task)))
        .collect()
}
