//! The tree that a YAML document becomes.

use crate::diag::Span;
use crate::value::{Map, Text, Value};

/// A node of a document, with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it is written (a scalar's span includes its quotes).
    pub span: Span,
}

/// What a node is, after YAML 1.1 resolution.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `null`, `~` or nothing.
    Null,
    /// `yes`, `no`, `on`, `off`, `true`, `false`.
    Bool(bool),
    /// Whole numbers in every form of YAML 1.1 (`0644` is octal, `1:30` sexagesimal).
    Int(i64),
    /// Floating point numbers.
    Float(f64),
    /// Any other scalar. Its trust is data for `!unsafe`, vault for `!vault`.
    Str(Text),
    /// A sequence.
    Seq(Vec<Node>),
    /// A mapping, merge keys applied, in the order written.
    Map(Vec<Entry>),
}

/// A key and its value in a mapping.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Node,
    /// The value.
    pub value: Node,
}

impl Node {
    /// A node of this kind at this place.
    pub fn new(kind: Kind, span: Span) -> Self {
        Self { kind, span }
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The items, if it is a sequence.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if it is a mapping.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }

    /// The member of that name, if this is a mapping.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|entry| &entry.value)
    }

    /// The entry of that name, if this is a mapping.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.as_map()?
            .iter()
            .find(|entry| entry.key.as_str() == Some(name))
    }

    /// What a person calls this kind of node.
    pub fn describe(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing (null)",
            Kind::Bool(_) => "a boolean",
            Kind::Int(_) | Kind::Float(_) => "a number",
            Kind::Str(_) => "a string",
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a mapping",
        }
    }

    /// The node as a variable's value.
    pub fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(b) => Value::Bool(*b),
            Kind::Int(i) => Value::Int(*i),
            Kind::Float(f) => Value::Float(*f),
            Kind::Str(text) => Value::Str(text.clone()),
            Kind::Seq(items) => Value::list(items.iter().map(Node::to_value).collect()),
            Kind::Map(entries) => Value::map(
                entries
                    .iter()
                    .map(|entry| (entry.key.to_value(), entry.value.to_value()))
                    .collect::<Map>(),
            ),
        }
    }

    /// A node for a value made by runbook itself, at the place that it stands for.
    pub fn from_value(value: &Value, span: &Span) -> Self {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(b) => Kind::Bool(*b),
            Value::Int(i) => Kind::Int(*i),
            Value::Float(f) => Kind::Float(*f),
            Value::Str(text) => Kind::Str(text.clone()),
            Value::List(items) => {
                Kind::Seq(items.iter().map(|v| Self::from_value(v, span)).collect())
            }
            Value::Map(map) => Kind::Map(
                map.iter()
                    .map(|(k, v)| Entry {
                        key: Self::from_value(k, span),
                        value: Self::from_value(v, span),
                    })
                    .collect(),
            ),
        };
        Self::new(kind, span.clone())
    }
}
