//! The resources of a Terraform document, whatever its form.

use crate::diag::{Diagnostic, Span};
use crate::template::Templar;
use crate::value::{Map, Value, str_of};
use crate::yaml::Node;

/// A resource that Terraform manages; each instance of a `count` or `for_each` is one.
pub(super) struct Resource {
    /// `aws_instance`.
    pub kind: String,
    /// Its name in the configuration.
    pub name: String,
    /// `module.a.module.b`; empty in the root module.
    pub module: String,
    /// The number of `count` or the key of `for_each`.
    pub index: Option<Value>,
    /// What Terraform knows of it; data that is never templated, except for the variables of Ansible's resources.
    pub attributes: Map,
    /// Where it is written.
    pub span: Span,
}

impl Resource {
    /// `module.a.aws_instance.web[0]`.
    pub fn address(&self) -> String {
        let index = match &self.index {
            None => String::new(),
            Some(Value::Str(key)) => format!("[\"{key}\"]"),
            Some(number) => format!("[{}]", str_of(number)),
        };
        let module = if self.module.is_empty() {
            String::new()
        } else {
            format!("{}.", self.module)
        };
        format!("{module}{}.{}{index}", self.kind, self.name)
    }

    /// An attribute without which it is of no use.
    pub fn required(&self, name: &str) -> Result<String, Diagnostic> {
        match self.attributes.get(name).and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(Diagnostic::error(
                "inventory::terraform",
                format!("{} has no {name}", self.address()),
            )
            .at(&self.span)),
        }
    }
}

/// The managed resources of a state file (version 4) or of what `show -json` prints; those of modules too, if wanted.
pub(super) fn resources(document: &Node, modules: bool) -> Result<Vec<Resource>, Diagnostic> {
    let mut found = Vec::new();
    if let Some(values) = document.get("values") {
        if let Some(root) = values.get("root_module") {
            shown(root, "", modules, 0, &mut found);
        }
        return Ok(found);
    }
    let version = document.get("version").map(Node::to_value);
    match version.as_ref().and_then(Value::as_int) {
        Some(4) => stored(document, modules, &mut found),
        // nothing was applied yet
        None if document.get("format_version").is_some() => {}
        other => {
            let what = other.map_or_else(
                || "this is no Terraform state".to_owned(),
                |n| format!("a Terraform state of version {n} cannot be read, only 4"),
            );
            return Err(Diagnostic::error("inventory::terraform", what)
                .at(&document.span)
                .hint("write what `terraform show -json` prints into a .json file"));
        }
    }
    Ok(found)
}

fn text(node: &Node, name: &str) -> String {
    node.get(name)
        .and_then(Node::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn is_managed(node: &Node) -> bool {
    node.get("mode").and_then(Node::as_str) != Some("data")
}

/// What Terraform knows is data: a text that looks like a template is none.
pub(super) fn harmless(value: Value) -> Value {
    match value {
        Value::Str(text) if Templar::is_template(&text) => Value::Str(text.into_data()),
        Value::List(items) => Value::list(items.iter().cloned().map(harmless).collect()),
        Value::Map(map) => Value::map(
            map.iter()
                .map(|(key, value)| (key.clone(), harmless(value.clone())))
                .collect(),
        ),
        other => other,
    }
}

fn attributes(kind: &str, node: Option<&Node>) -> Map {
    let value = node.map(Node::to_value).unwrap_or_default();
    let value = if kind.starts_with("ansible_") {
        value
    } else {
        harmless(value)
    };
    match value {
        Value::Map(map) => std::sync::Arc::unwrap_or_clone(map),
        _ => Map::new(),
    }
}

/// A state file: resources in one list, each with its instances.
fn stored(document: &Node, modules: bool, found: &mut Vec<Resource>) {
    let list = document.get("resources").and_then(Node::as_seq);
    for resource in list.unwrap_or_default().iter().filter(|r| is_managed(r)) {
        let module = text(resource, "module");
        if !modules && !module.is_empty() {
            continue;
        }
        let kind = text(resource, "type");
        let instances = resource.get("instances").and_then(Node::as_seq);
        for instance in instances.unwrap_or_default() {
            // what is only waiting to be destroyed
            if instance.get("deposed").is_some_and(|d| !d.is_null()) {
                continue;
            }
            found.push(Resource {
                attributes: attributes(&kind, instance.get("attributes")),
                kind: kind.clone(),
                name: text(resource, "name"),
                module: module.clone(),
                index: index(instance.get("index_key")),
                span: instance.span.clone(),
            });
        }
    }
}

fn index(node: Option<&Node>) -> Option<Value> {
    node.map(Node::to_value)
        .map(harmless)
        .filter(|index| !index.is_null())
}

/// What `show -json` prints: modules in modules.
fn shown(module: &Node, address: &str, modules: bool, depth: usize, found: &mut Vec<Resource>) {
    let list = module.get("resources").and_then(Node::as_seq);
    for resource in list.unwrap_or_default().iter().filter(|r| is_managed(r)) {
        if resource.get("deposed_key").is_some_and(|d| !d.is_null()) {
            continue;
        }
        let kind = text(resource, "type");
        found.push(Resource {
            attributes: attributes(&kind, resource.get("values")),
            kind,
            name: text(resource, "name"),
            module: address.to_owned(),
            index: index(resource.get("index")),
            span: resource.span.clone(),
        });
    }
    if !modules || depth > 40 {
        return;
    }
    let children = module.get("child_modules").and_then(Node::as_seq);
    for child in children.unwrap_or_default() {
        shown(child, &text(child, "address"), modules, depth + 1, found);
    }
}
