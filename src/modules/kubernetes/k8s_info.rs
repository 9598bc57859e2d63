//! `k8s_info`: objects of a cluster as they are.

use super::access::Access;
use super::api::{Api, value_of};
use super::condition::{Condition, Progress, Waiting, progress};
use super::watch::until;
use crate::module_args;
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::Sys;
use crate::value::Value;
use serde_json::Value as Json;

module_args! {
    /// Arguments of `k8s_info`.
    pub struct Args {
        access: Access => flatten;
        /// The group and version, like `apps/v1`.
        api_version: String => default("v1"), aliases ["api", "version"];
        /// The kind, its plural or a short name.
        kind: String => required;
        /// One object instead of all.
        name: Option<String> => optional;
        /// One namespace instead of all. An object that is named is in that of the context unless this is given.
        namespace: Option<String> => optional;
        /// Labels to select by: `app=web`, `tier in (a, b)`, …; all of them must fit.
        label_selectors: Vec<String> => default(Vec::<String>::new());
        /// Fields to select by: `status.phase=Running`, …; all of them must fit.
        field_selectors: Vec<String> => default(Vec::<String>::new());
        waiting: Waiting => flatten;
    }
}

/// The module.
pub struct K8sInfo;

impl Module for K8sInfo {
    const NAME: &'static str = "k8s_info";
    const COLLECTION: &'static str = "kubernetes.core";
    const DOC: &'static str = "Read objects of a Kubernetes cluster, and wait for them to be ready.\nSecrets come as they are: \
        use no_log.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let condition = args.waiting.condition()?;
        let api = Api::new(args.access.target(sys)?);
        let mut plan = Plan::new();
        let found = look(args, sys, &api)?;
        let is_there = found.is_some();
        let state = waited(found.as_deref(), condition.as_ref())?;
        plan.returns("api_found", is_there);
        plan.returns("resources", values(&found.unwrap_or_default()));
        if args.waiting.wait && state.is_err() {
            let what = match &args.name {
                Some(name) => format!("{} {name} did not get ready", args.kind),
                None => format!("no {} got ready", args.kind),
            };
            plan.always("wait", move |sys, data| {
                let times = (args.waiting.wait_timeout, args.waiting.wait_sleep);
                let found = until(sys, times, &what, |sys| {
                    let found = look(args, sys, &api)?;
                    if found.is_none() {
                        api.forget();
                    }
                    let state = waited(found.as_deref(), condition.as_ref())?;
                    Ok(state.map(|()| found.unwrap_or_default()))
                })?;
                data.set("api_found", true);
                data.set("resources", values(&found));
                Ok(false)
            });
        }
        Ok(plan)
    }
}

fn values(objects: &[Json]) -> Vec<Value> {
    objects.iter().map(value_of).collect()
}

/// The objects; `None` if the server does not know their kind.
fn look(args: &Args, sys: &Sys, api: &Api) -> ModuleResult<Option<Vec<Json>>> {
    let Some(resource) = api.resource(sys, &args.api_version, &args.kind)? else {
        return Ok(None);
    };
    if let Some(name) = &args.name {
        let namespace = args.namespace.as_deref().unwrap_or(api.default_namespace());
        let found = api.get(sys, &resource.object(Some(namespace), name))?;
        return Ok(Some(found.into_iter().collect()));
    }
    let mut query = Vec::new();
    for (name, list) in [
        ("labelSelector", &args.label_selectors),
        ("fieldSelector", &args.field_selectors),
    ] {
        if !list.is_empty() {
            query.push((name, list.join(",")));
        }
    }
    api.list(sys, &resource.path(args.namespace.as_deref()), &query)
        .map(Some)
}

/// Whether all of them are ready and there is one at all; else why not.
fn waited(
    found: Option<&[Json]>,
    condition: Option<&Condition>,
) -> ModuleResult<Result<(), String>> {
    let Some(found) = found else {
        return Ok(Err("the server does not know the kind".to_owned()));
    };
    if found.is_empty() {
        return Ok(Err("there is none".to_owned()));
    }
    for object in found {
        let name = super::api::text_at(object, &["metadata", "name"]);
        match progress(object, condition) {
            Progress::Ready => {}
            Progress::NotYet(why) | Progress::Failed(why) => {
                return Ok(Err(format!("{name}: {why}")));
            }
        }
    }
    Ok(Ok(()))
}
