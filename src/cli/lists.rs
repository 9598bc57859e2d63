//! `--list-hosts`, `--list-tasks`, `--list-tags`.

use super::args::PlayArgs;
use super::exit::{CommandResult, Exit};
use super::play::Loaded;
use super::streams::outln;
use crate::inventory::python_literal;
use crate::playbook::{Loader, Play, TagFilter, Task};
use crate::value::{Map, Value};
use crate::vars::VarStore;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Renders a text with these variables.
pub type Render<'a> = &'a dyn Fn(&str, &[Arc<Map>]) -> Result<String, String>;

pub fn lists(
    args: &PlayArgs,
    (playbooks, loader): (&Loaded, &Loader),
    store: &Arc<VarStore>,
    limit: Option<&[Arc<str>]>,
    (tags, render): (&TagFilter, Render<'_>),
) -> CommandResult {
    for (path, plays) in playbooks {
        outln!("\nplaybook: {}", path.display());
        for (number, play) in plays.iter().enumerate() {
            let pattern = pattern(play, loader);
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
                for (task, mut tags) in selected(play, tags, render) {
                    tags.sort();
                    tags.dedup();
                    outln!("      {}\tTAGS: [{}]", listed(&task), tags.join(", "));
                }
            }
            if args.list_tags {
                let mut all = BTreeSet::new();
                for (_, tags) in selected(play, tags, render) {
                    all.extend(tags);
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

/// The tasks of a play that the tags select, with their tags as far as these can be known before the run.
fn selected(play: &Play, tags: &TagFilter, render: Render<'_>) -> Vec<(Arc<Task>, Vec<String>)> {
    let known = |task: &Task| -> Vec<String> {
        let mut vars = vec![Arc::clone(&play.vars)];
        vars.extend(task.keywords.vars.iter().cloned());
        task.static_tags()
            .into_iter()
            .flat_map(|tag| {
                if !tag.contains("{{") {
                    return vec![tag];
                }
                let Ok(text) = render(&tag, &vars) else {
                    return vec![tag];
                };
                let value = python_literal(&text).unwrap_or_else(|| Value::data(text));
                crate::playbook::tag_words(&value)
            })
            .collect()
    };
    play.tasks()
        .into_iter()
        .filter(|task| !task.implicit || task.name.is_some())
        .map(|task| {
            let tags = known(&task);
            (task, tags)
        })
        .filter(|(_, own)| tags.selects(own))
        .collect()
}
