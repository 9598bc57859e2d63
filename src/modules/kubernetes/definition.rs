//! Definitions of objects, as they are written.

use super::api::text_at;
use crate::modules::{Failure, ModuleResult};
use crate::value::Value;
use crate::yaml::values_of;
use base64::Engine;
use serde_json::{Map as JsonMap, Value as Json};

/// An object that is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    /// As written; what it means depends on the kind.
    pub(super) namespace: Option<String>,
    pub(super) body: Json,
}

impl Wanted {
    /// `Deployment web` or `Deployment default/web`, for messages and diffs.
    pub(super) fn title(&self, namespace: Option<&str>) -> String {
        match namespace {
            Some(namespace) => format!("{} {namespace}/{}", self.kind, self.name),
            None => format!("{} {}", self.kind, self.name),
        }
    }

    /// The group, version and kind of objects that this one defines, if it is a CustomResourceDefinition.
    fn defines(&self) -> Option<(&str, &str)> {
        (self.kind == "CustomResourceDefinition").then(|| {
            (
                text_at(&self.body, &["spec", "group"]),
                text_at(&self.body, &["spec", "names", "kind"]),
            )
        })
    }
}

/// Whether one of these makes the kind of that object known to the server.
pub(super) fn is_defined_by(all: &[Wanted], object: &Wanted) -> bool {
    let group = object
        .api_version
        .split_once('/')
        .map_or("", |(group, _)| group);
    all.iter()
        .any(|other| other.defines() == Some((group, object.kind.as_str())))
}

/// What stands in for members that a definition does not have.
#[derive(Clone, Debug, Default)]
pub(super) struct Defaults<'a> {
    pub(super) api_version: Option<&'a str>,
    pub(super) kind: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) namespace: Option<&'a str>,
}

/// All objects of a definition: a mapping, a list of them, or YAML text with any number of documents. Objects of kind
/// `List` stand for their items.
///
/// # Errors
/// When it is no definition, or something of an object's identity is missing.
pub(super) fn objects(
    definition: &Value,
    place: &str,
    defaults: &Defaults<'_>,
) -> ModuleResult<Vec<Wanted>> {
    let mut all = Vec::new();
    collect(definition, place, defaults, &mut all)?;
    Ok(all)
}

fn collect(
    value: &Value,
    place: &str,
    defaults: &Defaults<'_>,
    out: &mut Vec<Wanted>,
) -> ModuleResult<()> {
    match value {
        Value::Null => Ok(()),
        Value::Str(text) => {
            for document in values_of(place, text)? {
                if document.as_str().is_some() {
                    return Err(Failure::new(format!(
                        "{place} is text, not the definition of an object: for a file use `src`"
                    )));
                }
                collect(&document, place, defaults, out)?;
            }
            Ok(())
        }
        Value::List(items) => items
            .iter()
            .try_for_each(|item| collect(item, place, defaults, out)),
        Value::Map(_) => {
            let is_list = value
                .get("kind")
                .and_then(Value::as_str)
                .is_some_and(|kind| kind.ends_with("List"));
            if let Some(items) = value.get("items").filter(|_| is_list) {
                return collect(items, place, defaults, out);
            }
            out.push(object(value.to_json(), place, defaults)?);
            Ok(())
        }
        other => Err(Failure::new(format!(
            "{place} should be the definition of an object, not {}",
            other.type_name()
        ))),
    }
}

fn object(mut body: Json, place: &str, defaults: &Defaults<'_>) -> ModuleResult<Wanted> {
    let members = body
        .as_object_mut()
        .ok_or("the definition is not a mapping")?;
    for (name, default) in [
        ("apiVersion", defaults.api_version),
        ("kind", defaults.kind),
    ] {
        if let Some(default) = default
            && members.get(name).is_none_or(Json::is_null)
        {
            members.insert(name.to_owned(), default.into());
        }
    }
    let metadata = members
        .entry("metadata")
        .or_insert_with(|| Json::Object(JsonMap::new()));
    let metadata = metadata
        .as_object_mut()
        .ok_or_else(|| Failure::new(format!("{place}: `metadata` is not a mapping")))?;
    for (name, default) in [("name", defaults.name), ("namespace", defaults.namespace)] {
        if let Some(default) = default
            && metadata.get(name).is_none_or(Json::is_null)
        {
            metadata.insert(name.to_owned(), default.into());
        }
    }
    // what an exported object says of its past is no wish
    for past in [
        "managedFields",
        "resourceVersion",
        "uid",
        "creationTimestamp",
        "generation",
        "selfLink",
    ] {
        metadata.shift_remove(past);
    }
    if metadata.contains_key("generateName") && !metadata.contains_key("name") {
        return Err(Failure::new(format!(
            "{place}: generateName makes a new object in each run; give it a name"
        )));
    }
    encode_strings(members);
    name_protocols(members);
    let text = |path: &[&str]| text_at(&body, path).to_owned();
    let (api_version, kind, name) = (
        text(&["apiVersion"]),
        text(&["kind"]),
        text(&["metadata", "name"]),
    );
    for (what, value) in [
        ("apiVersion", &api_version),
        ("kind", &kind),
        ("metadata.name", &name),
    ] {
        if value.is_empty() {
            let whose = if name.is_empty() {
                kind.clone()
            } else {
                format!("{kind} {name}")
            };
            return Err(Failure::new(format!(
                "{place}: an object{} has no {what}",
                if whose.trim().is_empty() {
                    String::new()
                } else {
                    format!(" ({})", whose.trim())
                }
            )));
        }
    }
    let namespace = Some(text(&["metadata", "namespace"])).filter(|text| !text.is_empty());
    Ok(Wanted {
        api_version,
        kind,
        name,
        namespace,
        body,
    })
}

/// A Secret's `stringData` as `data`: the server forgets which strings it got, and could not take one away later.
fn encode_strings(members: &mut JsonMap<String, Json>) {
    if members.get("kind").and_then(Json::as_str) != Some("Secret") {
        return;
    }
    let Some(Json::Object(strings)) = members.shift_remove("stringData") else {
        return;
    };
    let data = members
        .entry("data")
        .or_insert_with(|| Json::Object(JsonMap::new()));
    let Some(data) = data.as_object_mut() else {
        return;
    };
    for (name, text) in strings {
        let text = text
            .as_str()
            .map_or_else(|| text.to_string(), str::to_owned);
        data.insert(
            name,
            base64::engine::general_purpose::STANDARD
                .encode(text)
                .into(),
        );
    }
}

/// The default protocol of a Service's ports: servers before 1.23 demand it of what is applied, since it is a part of the
/// list's key.
fn name_protocols(members: &mut JsonMap<String, Json>) {
    if members.get("kind").and_then(Json::as_str) != Some("Service") {
        return;
    }
    let ports = members
        .get_mut("spec")
        .and_then(|spec| spec.get_mut("ports"))
        .and_then(Json::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Json::as_object_mut) {
        if port.get("protocol").is_none_or(Json::is_null) {
            port.insert("protocol".to_owned(), "TCP".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> ModuleResult<Vec<Wanted>> {
        let defaults = Defaults {
            namespace: Some("x"),
            ..Defaults::default()
        };
        objects(&Value::str(text), "the definition", &defaults)
    }

    #[test]
    fn documents_lists_and_defaults() {
        let found = all("apiVersion: v1\nkind: A\nmetadata: {name: a, uid: u}\n---\n---\napiVersion: v1\nkind: List\nitems:\n\
             - {apiVersion: v1, kind: B, metadata: {name: b, namespace: y}}\n")
        .expect("objects");
        assert_eq!(found.len(), 2);
        let [a, b] = found.as_slice() else {
            panic!("two")
        };
        assert_eq!((a.kind.as_str(), a.namespace.as_deref()), ("A", Some("x")));
        assert!(a.body["metadata"].get("uid").is_none());
        assert_eq!((b.kind.as_str(), b.namespace.as_deref()), ("B", Some("y")));
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, part) in [
            ("apiVersion: v1\nkind: A\n", "no metadata.name"),
            ("kind: A\nmetadata: {name: a}\n", "(A a) has no apiVersion"),
            ("deploy.yml", "use `src`"),
            (
                "apiVersion: v1\nkind: A\nmetadata: {generateName: a-}\n",
                "generateName",
            ),
            ("a: [b", "the definition:1"),
        ] {
            let message = all(text).expect_err(text).message;
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn strings_of_secrets_become_data() {
        let found = all(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {b: Yg==}\nstringData: {a: hello}\n",
        );
        let body = found.expect("an object").remove(0).body;
        assert_eq!(
            body["data"],
            serde_json::json!({"b": "Yg==", "a": "aGVsbG8="})
        );
        assert!(body.get("stringData").is_none());
    }

    #[test]
    fn a_definition_of_a_kind_is_found() {
        let found = all("apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: ws.x.io}\n\
             spec: {group: x.io, names: {kind: W}}\n---\napiVersion: x.io/v1\nkind: W\nmetadata: {name: w}\n")
        .expect("objects");
        assert!(is_defined_by(&found, &found[1]) && !is_defined_by(&found, &found[0]));
    }
}
