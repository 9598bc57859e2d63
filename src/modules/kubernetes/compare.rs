//! What differs between an object as it is and as it would be, and how that is shown.

use crate::value::Value;
use crate::yaml::{EmitOptions, FlowStyle, emit};
use serde_json::Value as Json;

/// Members of `metadata` that the server keeps by itself.
const KEPT: &[&str] = &[
    "managedFields",
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "generation",
    "selfLink",
];

fn without(object: &Json, names: &[&str], keep_status: bool) -> Json {
    let mut object = object.clone();
    if let Some(members) = object.as_object_mut() {
        if !keep_status {
            members.shift_remove("status");
        }
        if let Some(metadata) = members.get_mut("metadata").and_then(Json::as_object_mut) {
            for name in names {
                metadata.shift_remove(*name);
            }
        }
    }
    object
}

/// Who manages which fields, without the times of it: managers, operations and their fields, in no order.
fn managers(object: &Json, only: &str) -> Vec<String> {
    let all = object
        .pointer("/metadata/managedFields")
        .and_then(Json::as_array);
    let mut found: Vec<String> = all
        .into_iter()
        .flatten()
        .filter(|entry| {
            let text = |name: &str| entry.get(name).and_then(Json::as_str).unwrap_or_default();
            text("manager") == only && text("operation") == "Apply"
        })
        .map(|entry| {
            let part = |name: &str| entry.get(name).map(sorted).unwrap_or_default().to_string();
            format!("{} {}", part("apiVersion"), part("fieldsV1"))
        })
        .collect();
    found.sort();
    found
}

/// The same with members in alphabetical order, so that two texts of it can be compared.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let mut all: Vec<_> = members.iter().collect();
            all.sort_by_key(|(name, _)| name.as_str());
            all.into_iter()
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect()
        }
        Json::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// How an object would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Not at all.
    None,
    /// Only in who manages its fields.
    Managers,
    /// In its content.
    Content,
}

/// How `after`, as the server would make it, differs from `before`. The status counts only where it is asked for: others
/// write it all the time.
pub(super) fn change(before: &Json, after: &Json, manager: &str, keep_status: bool) -> Change {
    let content = |object| sorted(&without(object, KEPT, keep_status));
    if content(before) != content(after) {
        Change::Content
    } else if managers(before, manager) != managers(after, manager) {
        Change::Managers
    } else {
        Change::None
    }
}

/// The object as a diff shows it: without what the server keeps by itself. Data of secrets is hidden; `other` is the other
/// side, to say where it differs.
pub(super) fn shown(object: &Json, other: Option<&Json>, new: bool) -> String {
    let mut object = without(object, KEPT, false);
    hide(&mut object, other, new);
    let options = EmitOptions {
        indent: 2,
        default_flow_style: FlowStyle::Block,
        sort_keys: true,
        width: -1,
        ..EmitOptions::default()
    };
    emit(&Value::from_json(&object).into_data(), &options)
}

/// The object as results show it: complete, but without the data of a secret.
pub(super) fn returned(object: &Json) -> Json {
    let mut object = object.clone();
    hide(&mut object, None, false);
    object
}

fn hide(object: &mut Json, other: Option<&Json>, new: bool) {
    if object.get("kind").and_then(Json::as_str) != Some("Secret") {
        return;
    }
    let Some(data) = object.get_mut("data").and_then(Json::as_object_mut) else {
        return;
    };
    for (name, value) in data.iter_mut() {
        let before = other.and_then(|other| other.get("data")?.get(name));
        let differs = new && before.is_some_and(|before| before != value);
        *value = if differs {
            "[hidden, another one]"
        } else {
            "[hidden]"
        }
        .into();
    }
    if let Some(annotations) = object
        .pointer_mut("/metadata/annotations")
        .and_then(Json::as_object_mut)
    {
        // kubectl keeps a copy of all that it applied
        if let Some(copy) = annotations.get_mut("kubectl.kubernetes.io/last-applied-configuration")
        {
            *copy = "[hidden]".into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_counts_as_a_change() {
        let fields = |time: &str, fields: Json| json!([{"manager": "runbook", "operation": "Apply", "time": time, "apiVersion": "v1", "fieldsV1": fields}]);
        let object = |a: i64, version: &str, managed: Json| {
            json!({"kind": "A", "spec": {"a": a}, "status": version,
                   "metadata": {"name": "x", "resourceVersion": version, "managedFields": managed}})
        };
        let before = object(1, "7", fields("t1", json!({"f:a": {}, "f:b": {}})));
        let same = object(1, "8", fields("t2", json!({"f:b": {}, "f:a": {}})));
        assert_eq!(change(&before, &same, "runbook", false), Change::None);
        assert_eq!(change(&before, &same, "runbook", true), Change::Content);
        let managed = object(1, "7", fields("t1", json!({"f:a": {}})));
        assert_eq!(
            change(&before, &managed, "runbook", false),
            Change::Managers
        );
        assert_eq!(change(&before, &managed, "other", false), Change::None);
        let content = object(2, "7", json!([]));
        assert_eq!(change(&before, &content, "runbook", false), Change::Content);
    }

    #[test]
    fn secrets_are_hidden_but_their_change_is_seen() {
        let secret = |data: &str| json!({"kind": "Secret", "metadata": {"name": "s", "uid": "u"}, "data": {"a": data, "b": "x"}});
        let (old, new) = (secret("b2xk"), secret("bmV3"));
        assert_eq!(
            shown(&new, Some(&old), true),
            "data:\n  a: '[hidden, another one]'\n  b: '[hidden]'\nkind: Secret\nmetadata:\n  name: s\n"
        );
        assert!(!shown(&old, Some(&new), false).contains("b2xk"));
        assert!(!returned(&new).to_string().contains("bmV3"));
    }
}
