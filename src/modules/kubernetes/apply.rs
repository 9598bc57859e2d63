//! Applying an object on the server, and foreseeing what that would do.

use super::api::{Api, Reply, Resource, quoted, text_at};
use super::compare::{Change, change};
use super::definition::Wanted;
use super::k8s::Args;
use crate::modules::{Failure, ModuleResult};
use crate::sys::Sys;
use crate::value::{Map, str_of, to_bool};
use serde_json::{Value as Json, json};

/// How a body says that it is to be applied; JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";

/// The group whose objects older servers cannot apply: they end the connection (kubernetes/kubernetes#89264), at the
/// latest until the minor version in which server-side apply became stable.
const NOT_APPLIED_BEFORE: (&str, u64) = ("apiregistration.k8s.io/", 22);
const MERGE: &str = "application/merge-patch+json";

/// How things are done.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    pub(super) manager: String,
    force: bool,
    deletion: Json,
}

impl Manner {
    pub(super) fn of(args: &Args) -> ModuleResult<Self> {
        let mut manner = Self {
            manager: args.field_manager.clone(),
            force: args.force_conflicts,
            deletion: json!({"propagationPolicy": args.propagation_policy.word()}),
        };
        for (name, value) in args.server_side_apply.iter().flat_map(Map::str_iter) {
            match (name, to_bool(value)) {
                ("field_manager", _) => manner.manager = str_of(value),
                ("force_conflicts", Some(flag)) => manner.force = flag,
                _ => {
                    return Err(Failure::new(format!(
                        "server_side_apply: `{name}` cannot be {value}"
                    )));
                }
            }
        }
        for (name, value) in args.delete_options.iter().flat_map(Map::str_iter) {
            if !["propagationPolicy", "gracePeriodSeconds"].contains(&name) {
                return Err(Failure::new(format!(
                    "delete_options has no member `{name}`"
                )));
            }
            if let Some(all) = manner.deletion.as_object_mut() {
                all.insert(name.to_owned(), value.to_json());
            }
        }
        if manner.manager.is_empty() {
            return Err("field_manager needs a name".into());
        }
        Ok(manner)
    }

    pub(super) fn patch(
        &self,
        api: &Api,
        sys: &Sys,
        object: &Placed,
        dry: bool,
    ) -> ModuleResult<Reply> {
        let dry = if dry { "&dryRun=All" } else { "" };
        let manager = format!("fieldManager={}{dry}", quoted(&self.manager));
        let (group, since) = NOT_APPLIED_BEFORE;
        if object.wanted.api_version.starts_with(group) && api.minor(sys)? < since {
            return merged(api, sys, object, &manager);
        }
        let path = format!("{}?{manager}&force={}", object.path(), self.force);
        api.call(sys, "PATCH", &path, Some((APPLY, &object.wanted.body)))
    }

    pub(super) fn delete(&self, api: &Api, sys: &Sys, path: &str, title: &str) -> ModuleResult<()> {
        let reply = api.call(
            sys,
            "DELETE",
            path,
            Some(("application/json", &self.deletion)),
        )?;
        if reply.ok() || reply.status == 404 {
            Ok(())
        } else {
            Err(reply.failure(&format!("{title} cannot be deleted")))
        }
    }
}

/// Makes an object, or sets its fields to what is wanted and leaves others.
fn merged(api: &Api, sys: &Sys, object: &Placed, query: &str) -> ModuleResult<Reply> {
    let body = &object.wanted.body;
    let path = object.path();
    if api.get(sys, &path)?.is_some() {
        return api.call(
            sys,
            "PATCH",
            &format!("{path}?{query}"),
            Some((MERGE, body)),
        );
    }
    let all = object.resource.path(object.namespace.as_deref());
    api.call(
        sys,
        "POST",
        &format!("{all}?{query}"),
        Some(("application/json", body)),
    )
}

/// An object and where it is.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) wanted: Wanted,
    resource: Resource,
    namespace: Option<String>,
}

impl Placed {
    pub(super) fn find(api: &Api, sys: &Sys, wanted: &Wanted) -> ModuleResult<Option<Self>> {
        let Some(resource) = api.resource(sys, &wanted.api_version, &wanted.kind)? else {
            return Ok(None);
        };
        let mut wanted = wanted.clone();
        let namespace = resource.namespaced.then(|| {
            wanted
                .namespace
                .clone()
                .unwrap_or_else(|| api.default_namespace().to_owned())
        });
        if let Some(metadata) = wanted
            .body
            .get_mut("metadata")
            .and_then(Json::as_object_mut)
        {
            match &namespace {
                Some(namespace) => {
                    drop(metadata.insert("namespace".to_owned(), namespace.as_str().into()));
                }
                None => drop(metadata.shift_remove("namespace")),
            }
        }
        Ok(Some(Self {
            wanted,
            resource,
            namespace,
        }))
    }

    pub(super) fn path(&self) -> String {
        self.resource
            .object(self.namespace.as_deref(), &self.wanted.name)
    }

    pub(super) fn title(&self) -> String {
        self.wanted.title(self.namespace.as_deref())
    }
}

/// What is known of an object before it is applied.
pub(super) enum Foreseen {
    /// The server said what it would become.
    Known {
        placed: Box<Placed>,
        before: Option<Json>,
        after: Json,
        change: Change,
    },
    /// The server cannot say: its kind or its namespace is not there yet.
    Unknown { wanted: Wanted, why: String },
}

pub(super) fn foresee(
    api: &Api,
    sys: &Sys,
    manner: &Manner,
    wanted: &Wanted,
    all: &[Wanted],
) -> ModuleResult<Foreseen> {
    let Some(placed) = Placed::find(api, sys, wanted)? else {
        let why = format!(
            "the server does not know {} in {}",
            wanted.kind, wanted.api_version
        );
        return Ok(Foreseen::Unknown {
            wanted: wanted.clone(),
            why,
        });
    };
    let keep_status = wanted
        .body
        .get("status")
        .is_some_and(|status| !status.is_null());
    let mut tries = 0;
    loop {
        let before = api.get(sys, &placed.path())?;
        let reply = manner.patch(api, sys, &placed, true)?;
        if reply.status == 404 && placed.namespace.is_some() {
            let known = all
                .iter()
                .any(|o| o.kind == "Namespace" && Some(&o.name) == placed.namespace.as_ref());
            let why = if known {
                String::new()
            } else {
                reply.message()
            };
            return Ok(Foreseen::Unknown {
                wanted: placed.wanted,
                why,
            });
        }
        let after = applied(reply, &placed)?;
        tries += 1;
        let version = |object: &Json| text_at(object, &["metadata", "resourceVersion"]).to_owned();
        if let Some(before) = &before
            && tries < 4
            && version(before) != version(&after)
        {
            // somebody else changed it between the two looks
            continue;
        }
        let change = match &before {
            None => Change::Content,
            Some(before) => change(before, &after, &manner.manager, keep_status),
        };
        return Ok(Foreseen::Known {
            placed: Box::new(placed),
            before,
            after,
            change,
        });
    }
}

/// The object that the server made of what was applied, or why it did not.
pub(super) fn applied(reply: Reply, placed: &Placed) -> ModuleResult<Json> {
    let what = format!("{} cannot be applied", placed.title());
    if reply.status == 409 && reply.message().contains("conflict") {
        let mut failure = reply.failure(&what);
        failure.message.push_str(
            ". Leave these fields out of the definition, or take them over with force_conflicts=true",
        );
        return Err(failure);
    }
    reply.good(&what)
}
