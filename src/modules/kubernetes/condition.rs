//! When an object counts as ready.
//!
//! Source: Kubernetes' documentation of the kinds' status; `kubectl rollout status` judges by the same numbers.

use super::api::text_at;
use crate::module_args;
use crate::modules::{Failure, ModuleResult};
use crate::value::{Map, str_of};
use serde_json::Value as Json;

module_args! {
    /// Arguments of waiting.
    pub struct Waiting {
        /// Wait until the objects are ready, or gone.
        wait: bool => default(false);
        /// Seconds to wait at most, for all objects together.
        wait_timeout: i64 => default(120_i64);
        /// Seconds between looks.
        wait_sleep: i64 => default(2_i64);
        /// The condition to wait for: `type`, `status` (`True` unless given) and `reason`. Without it each kind is ready in
        /// its own way: rollouts are complete, pods ready, namespaces active, jobs done, definitions of kinds established.
        wait_condition: Option<Map> => optional;
    }
}

/// A condition of an object's status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    kind: String,
    status: String,
    reason: Option<String>,
}

impl Waiting {
    /// The condition that is asked for.
    ///
    /// # Errors
    /// When it has no type, or members that mean nothing.
    pub(super) fn condition(&self) -> ModuleResult<Option<Condition>> {
        let Some(map) = &self.wait_condition else {
            return Ok(None);
        };
        if let Some((name, _)) = map
            .str_iter()
            .find(|(name, _)| !["type", "status", "reason"].contains(name))
        {
            return Err(Failure::new(format!(
                "wait_condition has no member `{name}`; it has type, status and reason"
            )));
        }
        let text = |name: &str| map.get(name).filter(|v| !v.is_null()).map(str_of);
        Ok(Some(Condition {
            kind: text("type").ok_or("wait_condition needs a type")?,
            status: text("status").unwrap_or_else(|| "True".to_owned()),
            reason: text("reason"),
        }))
    }
}

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is ready.
    Ready,
    /// It is not, because.
    NotYet(String),
    /// It never will be, because.
    Failed(String),
}

fn found<'a>(object: &'a Json, kind: &str) -> Option<&'a Json> {
    let all = object
        .pointer("/status/conditions")
        .and_then(Json::as_array)?;
    all.iter().find(|one| text_at(one, &["type"]) == kind)
}

fn said(condition: Option<&Json>, kind: &str) -> String {
    match condition {
        None => format!("it has no condition {kind} yet"),
        Some(one) => {
            let (status, reason, message) = (
                text_at(one, &["status"]),
                text_at(one, &["reason"]),
                text_at(one, &["message"]),
            );
            let parts: Vec<&str> = [reason, message]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect();
            let why = if parts.is_empty() {
                String::new()
            } else {
                format!(" ({})", parts.join(": "))
            };
            format!("{kind} is {status}{why}")
        }
    }
}

fn is_true(object: &Json, kind: &str) -> Progress {
    let one = found(object, kind);
    if one.is_some_and(|one| text_at(one, &["status"]) == "True") {
        Progress::Ready
    } else {
        Progress::NotYet(said(one, kind))
    }
}

/// How far it is: by the condition, or in the way of its kind.
pub(super) fn progress(object: &Json, condition: Option<&Condition>) -> Progress {
    if let Some(wanted) = condition {
        let one = found(object, &wanted.kind);
        let fits = one.is_some_and(|one| {
            text_at(one, &["status"]).eq_ignore_ascii_case(&wanted.status)
                && wanted
                    .reason
                    .as_ref()
                    .is_none_or(|reason| text_at(one, &["reason"]) == reason)
        });
        return if fits {
            Progress::Ready
        } else {
            Progress::NotYet(said(one, &wanted.kind))
        };
    }
    let number = |path: &str| object.pointer(path).and_then(Json::as_i64).unwrap_or(0);
    let phase = |wanted: &[&str]| {
        let phase = text_at(object, &["status", "phase"]);
        if wanted.contains(&phase) {
            Progress::Ready
        } else {
            Progress::NotYet(format!("its phase is `{phase}`"))
        }
    };
    let counted = |of: &str, have: i64, want: i64| {
        if number("/status/observedGeneration") < number("/metadata/generation") {
            Progress::NotYet("its controller has not seen it yet".to_owned())
        } else if have < want {
            Progress::NotYet(format!("{have} of {want} {of}"))
        } else {
            Progress::Ready
        }
    };
    let replicas = object
        .pointer("/spec/replicas")
        .and_then(Json::as_i64)
        .unwrap_or(1);
    match text_at(object, &["kind"]) {
        "Deployment" => {
            let given_up = found(object, "Progressing")
                .filter(|one| text_at(one, &["reason"]) == "ProgressDeadlineExceeded");
            if given_up.is_some() {
                return Progress::Failed(said(given_up, "Progressing"));
            }
            let updated = number("/status/updatedReplicas");
            match counted("replicas updated", updated, replicas) {
                Progress::Ready if number("/status/replicas") > updated => {
                    Progress::NotYet(format!(
                        "{} old replicas are still there",
                        number("/status/replicas") - updated
                    ))
                }
                Progress::Ready => counted(
                    "replicas available",
                    number("/status/availableReplicas"),
                    replicas,
                ),
                other => other,
            }
        }
        "StatefulSet" => {
            let behind = text_at(object, &["status", "updateRevision"])
                != text_at(object, &["status", "currentRevision"]);
            match counted("replicas ready", number("/status/readyReplicas"), replicas) {
                Progress::Ready if behind => counted(
                    "replicas updated",
                    number("/status/updatedReplicas"),
                    replicas,
                ),
                other => other,
            }
        }
        "DaemonSet" => {
            let wanted = number("/status/desiredNumberScheduled");
            match counted(
                "pods updated",
                number("/status/updatedNumberScheduled"),
                wanted,
            ) {
                Progress::Ready => {
                    counted("pods available", number("/status/numberAvailable"), wanted)
                }
                other => other,
            }
        }
        "ReplicaSet" | "ReplicationController" => {
            counted("replicas ready", number("/status/readyReplicas"), replicas)
        }
        "Pod" => match text_at(object, &["status", "phase"]) {
            "Succeeded" => Progress::Ready,
            "Failed" => Progress::Failed(format!(
                "the pod failed: {}",
                text_at(object, &["status", "message"])
            )),
            _ => is_true(object, "Ready"),
        },
        "Job" => match found(object, "Failed") {
            Some(failed) if text_at(failed, &["status"]) == "True" => {
                Progress::Failed(said(Some(failed), "Failed"))
            }
            _ => is_true(object, "Complete"),
        },
        "Namespace" => phase(&["Active"]),
        "PersistentVolumeClaim" => phase(&["Bound"]),
        "PersistentVolume" => phase(&["Available", "Bound"]),
        "Node" => is_true(object, "Ready"),
        "CustomResourceDefinition" => is_true(object, "Established"),
        "APIService" => is_true(object, "Available"),
        _ => Progress::Ready,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn kinds_are_ready_in_their_own_way() {
        let not_yet = |object: Json, part: &str| match progress(&object, None) {
            Progress::NotYet(why) => assert!(why.contains(part), "{why}"),
            other => panic!("{other:?}"),
        };
        let deployment = |status: Json| json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status});
        not_yet(deployment(json!({"observedGeneration": 1})), "not seen");
        not_yet(
            deployment(json!({"observedGeneration": 2, "updatedReplicas": 1})),
            "1 of 2 replicas updated",
        );
        not_yet(
            deployment(json!({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 3})),
            "1 old",
        );
        not_yet(
            deployment(
                json!({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 1}),
            ),
            "available",
        );
        let done = json!({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2, "availableReplicas": 2});
        assert_eq!(progress(&deployment(done), None), Progress::Ready);
        not_yet(
            json!({"kind": "Pod", "status": {"phase": "Pending"}}),
            "no condition Ready",
        );
        let failed = json!({"kind": "Job", "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]}});
        assert!(
            matches!(progress(&failed, None), Progress::Failed(why) if why.contains("BackoffLimitExceeded"))
        );
        assert_eq!(
            progress(&json!({"kind": "ConfigMap"}), None),
            Progress::Ready
        );
    }

    #[test]
    fn a_condition_that_is_asked_for() {
        let wait = |map: Map| Waiting {
            wait: true,
            wait_timeout: 1,
            wait_sleep: 1,
            wait_condition: Some(map),
        };
        let condition = wait(Map::new().with("type", "Ready").with("status", "False"))
            .condition()
            .expect("fine");
        let node = |status: &str| json!({"kind": "Node", "status": {"conditions": [{"type": "Ready", "status": status}]}});
        assert_eq!(
            progress(&node("False"), condition.as_ref()),
            Progress::Ready
        );
        assert!(matches!(
            progress(&node("True"), condition.as_ref()),
            Progress::NotYet(_)
        ));
        assert!(wait(Map::new().with("typ", "Ready")).condition().is_err());
    }
}
