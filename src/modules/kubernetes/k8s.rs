//! `k8s`: objects of a cluster.

use super::access::Access;
use super::api::{Api, text_at, value_of};
use super::apply::{Foreseen, Manner, Placed, applied, foresee};
use super::compare::{Change, returned, shown};
use super::condition::{Condition, Progress, Waiting, progress};
use super::definition::{Defaults, Wanted, is_defined_by, objects};
use super::prune;
use super::watch::until;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Map, Value, str_of};
use crate::{choices, module_args};
use serde_json::{Value as Json, json};
use std::cell::RefCell;
use std::io::Read;
use std::path::PathBuf;
use std::rc::Rc;

/// Seconds until a kind that was just defined must be known.
const NEW_KIND: i64 = 30;

choices! {
    /// What there is to be.
    pub enum State {
        /// The objects as they are defined.
        Present = "present",
        /// None of the objects.
        Absent = "absent",
    }
}

choices! {
    /// What becomes of the objects that a deleted object owns.
    pub enum Propagation {
        /// They are deleted afterwards.
        Background = "Background",
        /// They are deleted first.
        Foreground = "Foreground",
        /// They stay.
        Orphan = "Orphan",
    }
}

module_args! {
    /// Arguments of `k8s`.
    pub struct Args {
        access: Access => flatten;
        /// What there is to be.
        state: State => default("present");
        /// The objects: a mapping, a list of mappings, or YAML text with any number of documents.
        definition: Option<Value> => optional, aliases ["resource_definition", "inline"];
        /// A file of definitions (or a list of files), on the controller; on the machine with `remote_src`.
        src: Option<Value> => optional;
        /// A template of definitions on the controller: a path, a list of paths, or a mapping with `path` and options of
        /// the module `template`.
        template: Option<Value> => optional;
        /// Whether `src` lies on the machine.
        remote_src: bool => default(false);
        /// The version of objects whose definition names none.
        api_version: Option<String> => optional, aliases ["api", "version"];
        /// The kind of objects whose definition names none.
        kind: Option<String> => optional;
        /// The name of an object whose definition names none.
        name: Option<String> => optional;
        /// The namespace of objects whose definition names none; else that of the context.
        namespace: Option<String> => optional;
        /// Who the server says manages the fields that are applied.
        field_manager: String => default("runbook");
        /// Take over fields that another manager has set to something else; else that is a failure.
        force_conflicts: bool => default(false);
        /// The same as mapping: `field_manager`, `force_conflicts`.
        server_side_apply: Option<Map> => optional;
        /// Accepted for playbooks that say it: objects are always applied.
        apply: bool => default(true);
        /// What becomes of the objects that a deleted object owns.
        propagation_policy: Propagation => default("Background");
        /// Options of deletion: `propagationPolicy`, `gracePeriodSeconds`.
        delete_options: Option<Map> => optional;
        /// Delete what this field manager applied, carries the label and is not defined any more: `label_selector` and,
        /// unless the kinds of the definition suffice, `kinds` as `apps/v1/Deployment`.
        prune: Option<Map> => optional;
        waiting: Waiting => flatten;
        _sources: Option<Value> => optional;
    }
}

/// The module.
pub struct K8s;

impl Module for K8s {
    const NAME: &'static str = "k8s";
    const COLLECTION: &'static str = "kubernetes.core";
    const DOC: &'static str = "Apply objects to a Kubernetes cluster, or delete them.\nThe server applies (server-side apply), \
        and a dry run there says beforehand what would change.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&["definition", "src", "template"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let condition = args.waiting.condition()?;
        let manner = Manner::of(args)?;
        let wanted = wanted(args, sys)?;
        let api = Api::new(args.access.target(sys)?);
        let mut plan = Plan::new();
        match args.state {
            State::Present => present(args, sys, api, manner, wanted, condition, &mut plan)?,
            State::Absent => absent(args, sys, api, manner, wanted, &mut plan)?,
        }
        Ok(plan)
    }
}

/// All objects that the arguments define.
fn wanted(args: &Args, sys: &Sys) -> ModuleResult<Vec<Wanted>> {
    let defaults = Defaults {
        api_version: args.api_version.as_deref(),
        kind: args.kind.as_deref(),
        name: args.name.as_deref(),
        namespace: args.namespace.as_deref(),
    };
    let mut all = Vec::new();
    if let Some(definition) = &args.definition {
        all = objects(definition, "the definition", &defaults)?;
    } else if let Some(sources) = args._sources.as_ref().and_then(Value::as_list) {
        for source in sources {
            let text = |name: &str| source.get(name).map(str_of).unwrap_or_default();
            let mut content = String::new();
            sys.open_blob(&text("sha256"))?
                .read_to_string(&mut content)
                .map_err(|e| Failure::new(format!("{} cannot be read: {e}", text("name"))))?;
            all.extend(objects(&Value::data(content), &text("name"), &defaults)?);
        }
    } else if let Some(src) = &args.src {
        let paths: Vec<String> = match src {
            Value::List(items) => items.iter().map(str_of).collect(),
            other => vec![str_of(other)],
        };
        for path in paths {
            let path = sys.expand(&PathBuf::from(path));
            let text = sys.read_text(&path)?.ok_or_else(|| {
                Failure::new(format!(
                    "there is no file {} on the machine",
                    path.display()
                ))
            })?;
            all.extend(objects(
                &Value::data(text),
                &path.to_string_lossy(),
                &defaults,
            )?);
        }
    } else if args.template.is_some() {
        return Err(
            "`template` is rendered on the controller; this call did not come from there".into(),
        );
    } else {
        let default = json!({"apiVersion": args.api_version.as_deref().unwrap_or("v1")});
        if args.kind.is_none() || args.name.is_none() {
            return Err("one of definition, src and template is needed, or kind and name".into());
        }
        all = objects(&value_of(&default), "the arguments", &defaults)?;
    }
    if all.is_empty() && args.prune.is_none() {
        return Err("there is no object in the definition".into());
    }
    Ok(all)
}

type Results = Rc<RefCell<Vec<Json>>>;

fn set(results: &Results, index: usize, object: &Json) {
    if let Some(slot) = results.borrow_mut().get_mut(index) {
        *slot = returned(object);
    }
}

fn present<'a>(
    args: &'a Args,
    sys: &Sys,
    api: Api,
    manner: Manner,
    wanted: Vec<Wanted>,
    condition: Option<Condition>,
    plan: &mut Plan<'a>,
) -> ModuleResult<()> {
    let results: Results = Rc::new(RefCell::new(vec![Json::Null; wanted.len()]));
    let (api, manner) = (Rc::new(api), Rc::new(manner));
    let pruned = prune::superfluous(
        args.prune.as_ref(),
        sys,
        &api,
        &manner.manager,
        &wanted,
        args.namespace.as_deref(),
    )?;
    let mut methods: Vec<&str> = Vec::new();
    for (index, object) in wanted.iter().enumerate() {
        let (api, manner, results) = (Rc::clone(&api), Rc::clone(&manner), Rc::clone(&results));
        match foresee(&api, sys, &manner, object, &wanted)? {
            Foreseen::Known {
                change: Change::None,
                before,
                after,
                ..
            } => {
                methods.push("");
                set(&results, index, before.as_ref().unwrap_or(&after));
            }
            Foreseen::Known {
                placed,
                before,
                after,
                change,
            } => {
                set(&results, index, &after);
                methods.push(if before.is_some() { "update" } else { "create" });
                let mut text = shown(&after, before.as_ref(), true);
                if change == Change::Managers {
                    text.push_str(&format!(
                        "# these fields are managed by {} from now on\n",
                        manner.manager
                    ));
                }
                let old = before
                    .as_ref()
                    .map(|before| shown(before, Some(&after), false));
                let diff = Diff::new(placed.title(), old, Some(text));
                plan.act(
                    format!("apply {}", placed.title()),
                    Some(diff),
                    move |sys, _| {
                        let reply = manner.patch(&api, sys, &placed, false)?;
                        set(&results, index, &applied(reply, &placed)?);
                        Ok(())
                    },
                );
            }
            Foreseen::Unknown {
                wanted: object,
                why,
            } => {
                set(&results, index, &object.body);
                methods.push("create");
                let defined = is_defined_by(&wanted, &object);
                let title = object.title(object.namespace.as_deref());
                if !why.is_empty() && !defined {
                    plan.warn(format!(
                        "{title}: {why}; it must come before, or this fails"
                    ));
                }
                let diff = Diff::new(
                    title.as_str(),
                    None::<String>,
                    Some(shown(&object.body, None, true)),
                );
                plan.act(format!("apply {title}"), Some(diff), move |sys, _| {
                    let patience = if defined { NEW_KIND } else { 0 };
                    let reply = until(
                        sys,
                        (patience, 1),
                        &format!("{title} cannot be applied"),
                        |sys| {
                            api.forget();
                            let Some(placed) = Placed::find(&api, sys, &object)? else {
                                return Ok(Err(why.clone()));
                            };
                            let reply = manner.patch(&api, sys, &placed, false)?;
                            if defined && reply.status == 404 {
                                return Ok(Err(reply.message()));
                            }
                            applied(reply, &placed).map(Ok)
                        },
                    )?;
                    set(&results, index, &reply);
                    Ok(())
                });
            }
        }
    }
    for object in pruned {
        let (api, manner) = (Rc::clone(&api), Rc::clone(&manner));
        let diff = Diff::new(
            object.title.as_str(),
            Some(shown(&object.body, None, false)),
            None::<String>,
        );
        plan.act(
            format!("delete {}", object.title),
            Some(diff),
            move |sys, _| manner.delete(&api, sys, &object.path, &object.title),
        );
    }
    returns(&results, &methods, &mut |name, value| {
        plan.returns(name, value);
    });
    plan.always("wait", move |sys, data| {
        if args.waiting.wait {
            let begun = std::time::Instant::now();
            for (index, object) in wanted.iter().enumerate() {
                let elapsed = i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX);
                let left = (args.waiting.wait_timeout - elapsed).max(0);
                let ready = wait_for(
                    &api,
                    sys,
                    object,
                    condition.as_ref(),
                    (left, args.waiting.wait_sleep),
                )?;
                set(&results, index, &ready);
            }
        }
        returns(&results, &methods, &mut |name, value| {
            drop(data.set(name, value));
        });
        Ok(false)
    });
    Ok(())
}

fn wait_for(
    api: &Api,
    sys: &Sys,
    object: &Wanted,
    condition: Option<&Condition>,
    times: (i64, i64),
) -> ModuleResult<Json> {
    let title = object.title(object.namespace.as_deref());
    until(sys, times, &format!("{title} did not get ready"), |sys| {
        let Some(placed) = Placed::find(api, sys, object)? else {
            api.forget();
            return Ok(Err("the server does not know its kind".to_owned()));
        };
        let Some(found) = api.get(sys, &placed.path())? else {
            return Ok(Err("it is not there".to_owned()));
        };
        match progress(&found, condition) {
            Progress::Ready => Ok(Ok(found)),
            Progress::NotYet(why) => Ok(Err(why)),
            Progress::Failed(why) => Err(Failure::new(format!("{title} failed: {why}"))),
        }
    })
}

/// `result` is the object, or of several `{results: […]}`; `results` always is the list.
fn returns(results: &Results, methods: &[&str], set: &mut dyn FnMut(&str, Value)) {
    let all = results.borrow();
    let list: Vec<Json> = all
        .iter()
        .zip(methods)
        .map(|(object, method)| json!({"changed": !method.is_empty(), "method": method, "result": object}))
        .collect();
    let result = match all.as_slice() {
        [only] => value_of(only),
        _ => value_of(&json!({"results": list})),
    };
    set("result", result);
    set("results", value_of(&Json::Array(list)));
}

fn absent<'a>(
    args: &'a Args,
    sys: &Sys,
    api: Api,
    manner: Manner,
    wanted: Vec<Wanted>,
    plan: &mut Plan<'a>,
) -> ModuleResult<()> {
    let (api, manner) = (Rc::new(api), Rc::new(manner));
    let mut paths = Vec::new();
    // what was made first may hold what was made after it
    for object in wanted.iter().rev() {
        let Some(placed) = Placed::find(&api, sys, object)? else {
            continue;
        };
        let Some(found) = api.get(sys, &placed.path())? else {
            continue;
        };
        paths.push((placed.path(), placed.title()));
        if !text_at(&found, &["metadata", "deletionTimestamp"]).is_empty() {
            continue;
        }
        let (api, manner) = (Rc::clone(&api), Rc::clone(&manner));
        let diff = Diff::new(
            placed.title(),
            Some(shown(&found, None, false)),
            None::<String>,
        );
        plan.act(
            format!("delete {}", placed.title()),
            Some(diff),
            move |sys, _| manner.delete(&api, sys, &placed.path(), &placed.title()),
        );
    }
    let times = (args.waiting.wait_timeout, args.waiting.wait_sleep);
    if args.waiting.wait {
        plan.always("wait", move |sys, _| {
            for (path, title) in &paths {
                until(sys, times, &format!("{title} did not go away"), |sys| {
                    Ok(match api.get(sys, path)? {
                        None => Ok(()),
                        Some(object) => Err(left_over(&object)),
                    })
                })?;
            }
            Ok(false)
        });
    }
    Ok(())
}

fn left_over(object: &Json) -> String {
    let finalizers = object
        .pointer("/metadata/finalizers")
        .and_then(Json::as_array);
    let names: Vec<&str> = finalizers
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect();
    if names.is_empty() {
        "it is still there".to_owned()
    } else {
        format!("its finalizers are still there: {}", names.join(", "))
    }
}
