//! Explicit tags: the standard ones of YAML 1.1 and Ansible's `!vault` and `!unsafe`.
//!
//! See "Unsafe or raw strings" and "Encrypting content with Ansible Vault" in Ansible's documentation.

use super::node::{Entry, Kind, Node};
use super::resolve::{bool_of, float_of, int_of};
use crate::diag::{Diagnostic, Span, did_you_mean};
use crate::value::{Text, Trust};
use base64::Engine as _;

const PREFIX: &str = "tag:yaml.org,2002:";

/// The tag of a merge key.
pub(super) const MERGE: &str = "tag:yaml.org,2002:merge";

const KNOWN: [&str; 15] = [
    "!vault",
    "!vault-encrypted",
    "!unsafe",
    "!!str",
    "!!int",
    "!!float",
    "!!bool",
    "!!null",
    "!!binary",
    "!!timestamp",
    "!!seq",
    "!!map",
    "!!set",
    "!!omap",
    "!!pairs",
];

/// What a tagged scalar is.
pub(super) fn scalar(tag: &str, text: &str, span: &Span) -> Result<Kind, Diagnostic> {
    let kind = match tag {
        "!unsafe" => Some(Kind::Str(Text::data(text))),
        "!vault" | "!vault-encrypted" => Some(Kind::Str(Text::vault(text))),
        _ => match tag.strip_prefix(PREFIX) {
            Some("str" | "timestamp" | "merge" | "value") => Some(Kind::Str(Text::written(text))),
            Some("null") => Some(Kind::Null),
            Some("bool") => bool_of_any_case(text).map(Kind::Bool),
            Some("int") => int_of(text),
            Some("float") => float_of(text).map(Kind::Float),
            Some("binary") => return binary(text, span),
            Some("seq" | "map" | "set" | "omap" | "pairs") => {
                return Err(misplaced(tag, "a scalar", span));
            }
            _ => return Err(unknown(tag, span)),
        },
    };
    kind.ok_or_else(|| {
        Diagnostic::error(
            "yaml::bad-value",
            format!("`{text}` does not fit its tag `{}`", short(tag)),
        )
        .at(span)
    })
}

/// A tagged sequence.
pub(super) fn sequence(tag: Option<&str>, node: Node) -> Result<Node, Diagnostic> {
    let Some(tag) = tag.filter(|tag| *tag != "!") else {
        return Ok(node);
    };
    match (tag, tag.strip_prefix(PREFIX)) {
        ("!unsafe", _) => Ok(as_data(node)),
        (_, Some("seq")) => Ok(node),
        (_, Some("omap" | "pairs")) => pairs(node),
        (_, Some(_)) | ("!vault" | "!vault-encrypted", _)
            if KNOWN.contains(&short(tag).as_str()) =>
        {
            Err(misplaced(tag, "a list", &node.span))
        }
        _ => Err(unknown(tag, &node.span)),
    }
}

/// A tagged mapping. A set becomes the list of its members.
pub(super) fn mapping(tag: Option<&str>, node: Node) -> Result<Node, Diagnostic> {
    let Some(tag) = tag.filter(|tag| *tag != "!") else {
        return Ok(node);
    };
    match (tag, tag.strip_prefix(PREFIX)) {
        ("!unsafe", _) => Ok(as_data(node)),
        (_, Some("map")) => Ok(node),
        (_, Some("set")) => Ok(match node.kind {
            Kind::Map(entries) => Node::new(
                Kind::Seq(entries.into_iter().map(|entry| entry.key).collect()),
                node.span,
            ),
            _ => node,
        }),
        (_, Some(_)) | ("!vault" | "!vault-encrypted", _)
            if KNOWN.contains(&short(tag).as_str()) =>
        {
            Err(misplaced(tag, "a mapping", &node.span))
        }
        _ => Err(unknown(tag, &node.span)),
    }
}

/// `!!omap` and `!!pairs`: a list of one-entry mappings becomes a list of two-item lists.
fn pairs(node: Node) -> Result<Node, Diagnostic> {
    let Node { kind, span } = node;
    let items = match kind {
        Kind::Seq(items) => items,
        kind => return Ok(Node::new(kind, span)),
    };
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        let place = item.span.clone();
        let entry = match item.kind {
            Kind::Map(entries) if entries.len() == 1 => entries.into_iter().next(),
            _ => None,
        };
        let Some(Entry { key, value }) = entry else {
            return Err(Diagnostic::error(
                "yaml::bad-value",
                "`!!omap` and `!!pairs` take a list of mappings with one entry each",
            )
            .at(&place));
        };
        out.push(Node::new(Kind::Seq(vec![key, value]), place));
    }
    Ok(Node::new(Kind::Seq(out), span))
}

/// The same tree with every string marked as data.
fn as_data(node: Node) -> Node {
    let kind = match node.kind {
        Kind::Str(text) if text.trust() == Trust::Template => Kind::Str(text.into_data()),
        Kind::Seq(items) => Kind::Seq(items.into_iter().map(as_data).collect()),
        Kind::Map(entries) => Kind::Map(
            entries
                .into_iter()
                .map(|entry| Entry {
                    key: as_data(entry.key),
                    value: as_data(entry.value),
                })
                .collect(),
        ),
        other => other,
    };
    Node::new(kind, node.span)
}

fn bool_of_any_case(text: &str) -> Option<bool> {
    bool_of(&text.to_lowercase())
}

fn binary(text: &str, span: &Span) -> Result<Kind, Diagnostic> {
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(compact)
        .map_err(|error| {
            Diagnostic::error("yaml::bad-value", "this `!!binary` value is not base64")
                .at(span)
                .note(error.to_string())
        })?;
    Ok(Kind::Str(match String::from_utf8(bytes) {
        Ok(text) => Text::template(text),
        Err(other) => Text::binary(other.as_bytes()),
    }))
}

/// The tag as people write it.
fn short(tag: &str) -> String {
    tag.strip_prefix(PREFIX)
        .map_or_else(|| tag.to_owned(), |name| format!("!!{name}"))
}

fn misplaced(tag: &str, what: &str, span: &Span) -> Diagnostic {
    Diagnostic::error(
        "yaml::bad-value",
        format!("the tag `{}` does not fit {what}", short(tag)),
    )
    .at(span)
}

fn unknown(tag: &str, span: &Span) -> Diagnostic {
    let tag = short(tag);
    let hint = did_you_mean(&tag, KNOWN).unwrap_or_else(|| {
        format!(
            "the tags are {}; to have text that begins with `!`, quote it",
            KNOWN.join(", ")
        )
    });
    Diagnostic::error("yaml::unknown-tag", format!("the tag `{tag}` is not known"))
        .at(span)
        .hint(hint)
}
