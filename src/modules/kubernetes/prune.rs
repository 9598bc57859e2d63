//! Objects that were applied once and are not defined any more.

use super::api::{Api, text_at};
use super::definition::Wanted;
use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use crate::value::{Map, Value, str_of};
use serde_json::Value as Json;

/// An object to delete.
pub(super) struct Superfluous {
    pub(super) path: String,
    pub(super) title: String,
    pub(super) body: Json,
}

/// What carries the label, was applied by this manager, and is not wanted.
///
/// # Errors
/// When the argument is wrong, or the server complains.
pub(super) fn superfluous(
    prune: Option<&Map>,
    sys: &Sys,
    api: &Api,
    manager: &str,
    wanted: &[Wanted],
    namespace: Option<&str>,
) -> ModuleResult<Vec<Superfluous>> {
    let Some(prune) = prune else {
        return Ok(Vec::new());
    };
    if let Some((name, _)) = prune
        .str_iter()
        .find(|(name, _)| !["label_selector", "kinds"].contains(name))
    {
        return Err(Failure::new(format!(
            "prune has no member `{name}`; it has label_selector and kinds"
        )));
    }
    let selector = prune
        .get("label_selector")
        .map(str_of)
        .filter(|text| !text.trim().is_empty());
    let selector = selector
        .ok_or("prune needs a label_selector: without one it would delete what others made")?;
    let mut kinds: Vec<(String, String)> = Vec::new();
    match prune.get("kinds").and_then(Value::as_list) {
        Some(list) => {
            for kind in list.iter().map(str_of) {
                let (version, kind) = kind.rsplit_once('/').ok_or_else(|| {
                    Failure::new(format!(
                        "prune: `{kind}` should be a version and a kind, like apps/v1/Deployment"
                    ))
                })?;
                kinds.push((version.to_owned(), kind.to_owned()));
            }
        }
        None => {
            for object in wanted {
                let kind = (object.api_version.clone(), object.kind.clone());
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
        }
    }
    let mut found = Vec::new();
    for (api_version, kind) in kinds {
        let Some(resource) = api.resource(sys, &api_version, &kind)? else {
            continue;
        };
        let query = [("labelSelector", selector.clone())];
        for body in api.list(sys, &resource.path(namespace), &query)? {
            let name = text_at(&body, &["metadata", "name"]).to_owned();
            let place =
                Some(text_at(&body, &["metadata", "namespace"])).filter(|text| !text.is_empty());
            let is_wanted = wanted.iter().any(|object| {
                let of = object
                    .namespace
                    .as_deref()
                    .unwrap_or(api.default_namespace());
                object.kind == resource.kind
                    && object.name == name
                    && place.is_none_or(|place| place == of)
            });
            let goes = !text_at(&body, &["metadata", "deletionTimestamp"]).is_empty();
            let owned = body.pointer("/metadata/ownerReferences").is_some();
            if is_wanted || goes || owned || !is_of(&body, manager) {
                continue;
            }
            found.push(Superfluous {
                path: resource.object(place, &name),
                title: match place {
                    Some(place) => format!("{} {place}/{name}", resource.kind),
                    None => format!("{} {name}", resource.kind),
                },
                body,
            });
        }
    }
    Ok(found)
}

fn is_of(object: &Json, manager: &str) -> bool {
    let all = object
        .pointer("/metadata/managedFields")
        .and_then(Json::as_array);
    all.into_iter().flatten().any(|entry| {
        text_at(entry, &["manager"]) == manager && text_at(entry, &["operation"]) == "Apply"
    })
}
