//! `rhsm_repository`: repositories of a subscription of Red Hat's, by `subscription-manager`.
//!
//! Source: Ansible's documentation of `community.general.rhsm_repository`.

use crate::modules::steps::{ask_tool, run_tool};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, fnmatch};
use crate::value::{Map, Value};
use crate::{choices, module_args};

choices! {
    /// What becomes of the repositories.
    pub enum State {
        /// They are used.
        Enabled = "enabled",
        /// They are not used.
        Disabled = "disabled",
    }
}

module_args! {
    /// Arguments of `rhsm_repository`.
    pub struct Args {
        /// Ids of repositories, or patterns for them.
        name: Vec<String> => required;
        /// What becomes of them.
        state: State => default("enabled");
        /// Disable all others that are enabled.
        purge: bool => default(false);
    }
}

/// The module.
pub struct RhsmRepository;

/// A repository of the subscription.
#[derive(Clone, Default)]
struct Repository {
    id: String,
    name: String,
    url: String,
    enabled: bool,
}

impl Module for RhsmRepository {
    const NAME: &'static str = "rhsm_repository";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Enable and disable repositories of a subscription of Red Hat's.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if sys.which("subscription-manager").is_none() {
            return Err(
                "subscription-manager is not there: the machine has no subscription of Red Hat's"
                    .into(),
            );
        }
        let text = ask_tool(sys, &["subscription-manager", "repos", "--list"])?;
        if text.trim() == "This system has no repositories available through subscriptions." {
            return Err("This system has no repositories available through subscriptions".into());
        }
        let mut all = listed(&text);
        let wanted = args.state == State::Enabled;
        let mut told = Vec::new();
        let mut switched: Vec<(String, bool)> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        let state = |enabled: bool| if enabled { "enabled" } else { "disabled" };
        let line = |id: &str, enabled: bool| {
            format!("Repository '{id}' is {} for this system", state(enabled))
        };
        for pattern in &args.name {
            if seen.contains(&pattern.as_str()) {
                continue;
            }
            seen.push(pattern);
            let mut any = false;
            for repository in all
                .iter_mut()
                .filter(|repository| fnmatch(pattern, &repository.id))
            {
                any = true;
                told.push(line(&repository.id, wanted));
                if repository.enabled != wanted {
                    repository.enabled = wanted;
                    switched.push((repository.id.clone(), wanted));
                }
            }
            if !any {
                return Err(Failure::new(format!(
                    "{pattern} is not a valid repository ID"
                )));
            }
        }
        if args.purge {
            // only what is named stays: a pattern names what it fits
            let is_named = |id: &str| args.name.iter().any(|pattern| fnmatch(pattern, id));
            for repository in all
                .iter_mut()
                .filter(|one| one.enabled && !is_named(&one.id))
            {
                repository.enabled = false;
                told.push(line(&repository.id, false));
                switched.push((repository.id.clone(), false));
            }
        }
        let mut plan = Plan::new();
        plan.returns(
            "results",
            told.into_iter().map(Value::data).collect::<Vec<_>>(),
        );
        let shown = all.into_iter().map(|repository| {
            Value::map(
                Map::new()
                    .with("id", Value::data(repository.id))
                    .with("name", Value::data(repository.name))
                    .with("url", Value::data(repository.url))
                    .with("enabled", repository.enabled),
            )
        });
        plan.returns("repositories", shown.collect::<Vec<_>>());
        if switched.is_empty() {
            return Ok(plan);
        }
        let side = |turned: bool| {
            let lines = switched
                .iter()
                .map(|(id, enabled)| line(id, *enabled != turned) + "\n");
            lines.collect::<String>()
        };
        let diff = Diff::new("RHSM repositories", Some(side(true)), Some(side(false)));
        let mut words = vec!["subscription-manager".to_owned(), "repos".to_owned()];
        for (id, enabled) in &switched {
            let option = if *enabled { "--enable" } else { "--disable" };
            words.extend([option.to_owned(), id.clone()]);
        }
        plan.act("switch repositories", Some(diff), move |sys, data| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let output = run_tool(sys, &words)?.text();
            data.set(
                "results",
                output.lines().map(Value::data).collect::<Vec<_>>(),
            );
            Ok(())
        });
        Ok(plan)
    }
}

fn listed(text: &str) -> Vec<Repository> {
    let mut all = Vec::new();
    let mut one = Repository::default();
    for line in text.lines() {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        let value = value.trim();
        match name {
            "Repo ID" => value.clone_into(&mut one.id),
            "Repo Name" => value.clone_into(&mut one.name),
            "Repo URL" => value.clone_into(&mut one.url),
            "Enabled" => {
                one.enabled = value == "1";
                all.push(std::mem::take(&mut one));
            }
            _ => {}
        }
    }
    all
}
