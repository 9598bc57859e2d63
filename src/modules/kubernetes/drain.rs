//! `k8s_drain`: a node is kept free of new pods, and its pods are sent away as budgets of disruption allow.
//!
//! Behaviour: the documentation of `kubernetes.core.k8s_drain`, and "Safely Drain a Node" and "API-initiated eviction" of
//! Kubernetes.

use super::access::Access;
use super::api::{Api, quoted, text_at};
use super::watch::until;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{Map, Value, str_of};
use crate::{choices, module_args};
use serde_json::{Value as Json, json};
use std::rc::Rc;

/// How long is waited for pods if nothing is said, in seconds.
const PATIENCE: i64 = 300;
/// What `wait_timeout: 0` means, in seconds.
const FOR_EVER: i64 = 24 * 3600;

choices! {
    /// What is to be.
    pub enum State {
        /// The node gets no new pods, and those that it has go.
        Drain = "drain",
        /// It gets no new pods.
        Cordon = "cordon",
        /// It gets pods again.
        Uncordon = "uncordon",
    }
}

module_args! {
    /// Arguments of `k8s_drain`.
    pub struct Args {
        access: Access => flatten;
        /// The node.
        name: String => required;
        /// What is to be.
        state: State => default("drain");
        /// Only pods with these labels are sent away; all of them must fit.
        pod_selectors: Vec<String> => default(Vec::<String>::new()), aliases ["label_selectors"];
        /// How: `force` (pods that no controller makes again), `ignore_daemonsets`, `delete_emptydir_data`,
        /// `disable_eviction` (delete, whatever budgets of disruption say), `terminate_grace_period` (seconds, else the
        /// pods' own), `wait_timeout` (seconds until all are gone, 300 if nothing is said, 0 for no end), `wait_sleep`.
        delete_options: Option<Map> => optional;
    }
}

/// The module.
pub struct K8sDrain;

#[derive(Clone, Copy, Debug)]
struct Manner {
    force: bool,
    ignore_daemonsets: bool,
    delete_emptydir_data: bool,
    disable_eviction: bool,
    grace: Option<i64>,
    timeout: i64,
    pause: i64,
}

impl Manner {
    fn of(options: Option<&Map>) -> ModuleResult<Self> {
        let mut manner = Self {
            force: false,
            ignore_daemonsets: false,
            delete_emptydir_data: false,
            disable_eviction: false,
            grace: None,
            timeout: PATIENCE,
            pause: 5,
        };
        for (name, value) in options.into_iter().flat_map(Map::str_iter) {
            if value.is_null() {
                continue;
            }
            let seconds = || {
                str_of(value)
                    .trim()
                    .parse::<i64>()
                    .ok()
                    .filter(|number| *number >= 0)
                    .ok_or_else(|| {
                        Failure::new(format!("delete_options: `{name}` cannot be {value}"))
                    })
            };
            match name {
                "force" => manner.force = value.truthy(),
                "ignore_daemonsets" => manner.ignore_daemonsets = value.truthy(),
                "delete_emptydir_data" => manner.delete_emptydir_data = value.truthy(),
                "disable_eviction" => manner.disable_eviction = value.truthy(),
                "terminate_grace_period" => manner.grace = Some(seconds()?),
                "wait_timeout" => {
                    let wanted = seconds()?;
                    manner.timeout = if wanted == 0 { FOR_EVER } else { wanted };
                }
                "wait_sleep" => manner.pause = seconds()?.max(1),
                _ => {
                    return Err(Failure::new(format!(
                        "delete_options has no member `{name}`"
                    )));
                }
            }
        }
        Ok(manner)
    }

    /// What becomes of a pod: `Ok(true)` if it goes, `Ok(false)` if it stays, else why it cannot be sent away.
    fn verdict(&self, pod: &Json) -> Result<bool, &'static str> {
        let annotations = pod.pointer("/metadata/annotations");
        if annotations.is_some_and(|all| all.get("kubernetes.io/config.mirror").is_some()) {
            return Ok(false);
        }
        if matches!(text_at(pod, &["status", "phase"]), "Succeeded" | "Failed") {
            return Ok(true);
        }
        let owners = pod
            .pointer("/metadata/ownerReferences")
            .and_then(Json::as_array);
        let controller = owners.into_iter().flatten().find(|owner| {
            owner
                .get("controller")
                .and_then(Json::as_bool)
                .unwrap_or(false)
        });
        match controller.map(|owner| text_at(owner, &["kind"])) {
            Some("DaemonSet") if self.ignore_daemonsets => return Ok(false),
            Some("DaemonSet") => {
                return Err("is of a DaemonSet, which makes it again (ignore_daemonsets)");
            }
            None if !self.force => {
                return Err("is of no controller, so nobody makes it again (force)");
            }
            _ => {}
        }
        let volumes = pod.pointer("/spec/volumes").and_then(Json::as_array);
        if !self.delete_emptydir_data
            && volumes
                .into_iter()
                .flatten()
                .any(|volume| volume.get("emptyDir").is_some())
        {
            return Err("loses what is in its emptyDir (delete_emptydir_data)");
        }
        Ok(true)
    }
}

/// A pod that is to go.
#[derive(Clone, Debug)]
struct Leaving {
    namespace: String,
    name: String,
    uid: String,
    goes_already: bool,
}

impl Leaving {
    fn of(pod: &Json) -> Self {
        let text = |name: &str| text_at(pod, &["metadata", name]).to_owned();
        Self {
            namespace: text("namespace"),
            name: text("name"),
            uid: text("uid"),
            goes_already: !text("deletionTimestamp").is_empty(),
        }
    }

    fn title(&self) -> String {
        format!("pod {}/{}", self.namespace, self.name)
    }

    fn path(&self) -> String {
        format!(
            "/api/v1/namespaces/{}/pods/{}",
            quoted(&self.namespace),
            quoted(&self.name)
        )
    }

    /// Asks the server to evict it, again and again as long as a budget forbids it; or deletes it.
    fn send_away(
        &self,
        api: &Api,
        sys: &Sys,
        eviction: Option<&str>,
        manner: Manner,
    ) -> ModuleResult<()> {
        let mut options = json!({"preconditions": {"uid": self.uid}});
        if let (Some(seconds), Some(map)) = (manner.grace, options.as_object_mut()) {
            map.insert("gracePeriodSeconds".to_owned(), seconds.into());
        }
        let path = self.path();
        let what = format!("{} cannot be sent away", self.title());
        let Some(version) = eviction else {
            let reply = api.call(sys, "DELETE", &path, Some(("application/json", &options)))?;
            return if reply.ok() || matches!(reply.status, 404 | 409) {
                Ok(())
            } else {
                Err(reply.failure(&what))
            };
        };
        let body = json!({
            "apiVersion": version,
            "kind": "Eviction",
            "metadata": {"name": self.name, "namespace": self.namespace},
            "deleteOptions": options,
        });
        until(sys, (manner.timeout, manner.pause), &what, |sys| {
            let reply = api.call(
                sys,
                "POST",
                &format!("{path}/eviction"),
                Some(("application/json", &body)),
            )?;
            // 409: another pod of this name has come
            if reply.ok() || matches!(reply.status, 404 | 409) {
                Ok(Ok(()))
            } else if reply.status == 429 {
                Ok(Err(reply.message()))
            } else {
                Err(reply.failure(&what))
            }
        })
    }
}

impl Module for K8sDrain {
    const NAME: &'static str = "k8s_drain";
    const COLLECTION: &'static str = "kubernetes.core";
    const DOC: &'static str =
        "Keep new pods away from a node, send its pods away, or let it have pods again.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let manner = Manner::of(args.delete_options.as_ref())?;
        let api = Rc::new(Api::new(args.access.target(sys)?));
        let path = format!("/api/v1/nodes/{}", quoted(&args.name));
        let node = api
            .get(sys, &path)?
            .ok_or_else(|| Failure::new(format!("there is no node {}", args.name)))?;
        let mut plan = Plan::new();
        let closed = node
            .pointer("/spec/unschedulable")
            .and_then(Json::as_bool)
            .unwrap_or(false);
        let close = args.state != State::Uncordon;
        if closed != close {
            let text = |closed: bool| Some(format!("unschedulable: {closed}\n"));
            let title = format!("node {}", args.name);
            let diff = Diff::new(title.as_str(), text(closed), text(close));
            let api = Rc::clone(&api);
            let word = args.state.word();
            plan.act(format!("{word} {title}"), Some(diff), move |sys, _| {
                let wanted = if close { Json::Bool(true) } else { Json::Null };
                let body = json!({"spec": {"unschedulable": wanted}});
                let kind = "application/merge-patch+json";
                let reply = api.call(sys, "PATCH", &path, Some((kind, &body)))?;
                reply.good(&format!("{title} cannot be changed")).map(drop)
            });
        }
        if args.state == State::Drain {
            drain(args, sys, api, manner, &mut plan)?;
        }
        Ok(plan)
    }
}

fn drain<'a>(
    args: &'a Args,
    sys: &Sys,
    api: Rc<Api>,
    manner: Manner,
    plan: &mut Plan<'a>,
) -> ModuleResult<()> {
    let mut query = vec![("fieldSelector", format!("spec.nodeName={}", args.name))];
    if !args.pod_selectors.is_empty() {
        query.push(("labelSelector", args.pod_selectors.join(",")));
    }
    let (mut leaving, mut refusals) = (Vec::new(), Vec::new());
    for pod in api.list(sys, "/api/v1/pods", &query)? {
        let one = Leaving::of(&pod);
        match manner.verdict(&pod) {
            Ok(true) => leaving.push(one),
            Ok(false) => {}
            Err(_) if one.goes_already => leaving.push(one),
            Err(why) => refusals.push(format!("{} {why}", one.title())),
        }
    }
    if !refusals.is_empty() {
        return Err(Failure::new(format!(
            "the node {} cannot be drained: {}",
            args.name,
            refusals.join("; ")
        )));
    }
    let eviction = if manner.disable_eviction {
        None
    } else {
        Some(eviction_version(&api, sys)?)
    };
    let names: Vec<Value> = leaving
        .iter()
        .map(|pod| Value::data(format!("{}/{}", pod.namespace, pod.name)))
        .collect();
    plan.returns("pods", names);
    for pod in leaving.iter().filter(|pod| !pod.goes_already).cloned() {
        let (api, eviction) = (Rc::clone(&api), eviction.clone());
        let diff = Diff::new(
            pod.title(),
            Some(format!("on {}\n", args.name)),
            None::<String>,
        );
        plan.act(
            format!("send away {}", pod.title()),
            Some(diff),
            move |sys, _| pod.send_away(&api, sys, eviction.as_deref(), manner),
        );
    }
    if !leaving.is_empty() {
        plan.always("wait", move |sys, _| {
            let times = (manner.timeout, manner.pause);
            let what = format!("pods of the node {} did not go", args.name);
            until(sys, times, &what, |sys| {
                let mut left = Vec::new();
                for pod in &leaving {
                    let now = api.get(sys, &pod.path())?;
                    if now.is_some_and(|now| text_at(&now, &["metadata", "uid"]) == pod.uid) {
                        left.push(format!("{}/{}", pod.namespace, pod.name));
                    }
                }
                Ok(if left.is_empty() {
                    Ok(())
                } else {
                    Err(left.join(", "))
                })
            })?;
            Ok(false)
        });
    }
    Ok(())
}

/// In which version the server wants to be asked for an eviction.
fn eviction_version(api: &Api, sys: &Sys) -> ModuleResult<String> {
    let list = api.get(sys, "/api/v1")?.unwrap_or_default();
    let all = list.get("resources").and_then(Json::as_array);
    let found = all
        .into_iter()
        .flatten()
        .find(|item| text_at(item, &["name"]) == "pods/eviction");
    let version = found.map(|item| {
        format!(
            "{}/{}",
            text_at(item, &["group"]),
            text_at(item, &["version"])
        )
    });
    version.ok_or_else(|| {
        "the server knows no evictions; disable_eviction deletes pods instead".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manner(pairs: &[(&str, Value)]) -> Manner {
        let mut map = Map::new();
        for (name, value) in pairs {
            map = map.with(name, value.clone());
        }
        Manner::of(Some(&map)).unwrap()
    }

    fn owned(kind: &str) -> Json {
        json!({"metadata": {"ownerReferences": [{"kind": kind, "controller": true}]}})
    }

    #[test]
    fn who_stays_and_who_goes() {
        let strict = manner(&[]);
        let mirror = json!({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}});
        assert_eq!(strict.verdict(&mirror), Ok(false));
        assert_eq!(strict.verdict(&owned("ReplicaSet")), Ok(true));
        assert!(strict.verdict(&owned("DaemonSet")).is_err());
        assert!(strict.verdict(&json!({"metadata": {}})).is_err());
        assert_eq!(
            strict.verdict(&json!({"status": {"phase": "Succeeded"}})),
            Ok(true)
        );
        let mut scratch = owned("Job");
        scratch["spec"] = json!({"volumes": [{"name": "a", "emptyDir": {}}]});
        assert!(strict.verdict(&scratch).is_err());

        let free = manner(&[
            ("force", true.into()),
            ("ignore_daemonsets", true.into()),
            ("delete_emptydir_data", true.into()),
        ]);
        assert_eq!(free.verdict(&owned("DaemonSet")), Ok(false));
        assert_eq!(free.verdict(&json!({"metadata": {}})), Ok(true));
        assert_eq!(free.verdict(&scratch), Ok(true));
    }

    #[test]
    fn options() {
        let some = manner(&[("wait_timeout", 0.into()), ("wait_sleep", 0.into())]);
        assert_eq!((some.timeout, some.pause), (FOR_EVER, 1));
        let error = |name: &str| {
            Manner::of(Some(&Map::new().with(name, Value::str("x"))))
                .unwrap_err()
                .message
        };
        assert!(error("forse").contains("`forse`"));
        assert!(error("wait_timeout").contains("wait_timeout"));
    }
}
