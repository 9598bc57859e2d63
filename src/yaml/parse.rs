//! The entry: a source to its document or documents.

use super::compose::Composer;
use super::json;
use super::node::Node;
use crate::diag::{Diagnostic, Source};
use std::sync::Arc;

/// A document and what is worth saying about it.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its root; a null node for an empty file.
    pub node: Node,
    /// Warnings such as duplicate keys.
    pub warnings: Vec<Diagnostic>,
}

/// Reads a source with at most one document. A text that is JSON is read as JSON (so `1e3` is a number there and
/// tabs may indent), everything else as YAML 1.1.
///
/// # Errors
/// A diagnostic with its place: `yaml::syntax` for what is not YAML, other `yaml::` codes for what cannot be read.
pub fn parse(source: &Arc<Source>) -> Result<Document, Diagnostic> {
    document(source).map_err(|problem| match why_no_json(source) {
        Some(why) => problem.note(format!("JSON: {why}")),
        None => problem,
    })
}

/// What keeps a file that is meant to be JSON from being it.
fn why_no_json(source: &Source) -> Option<String> {
    let text = source.text.trim_start_matches('\u{feff}');
    if source
        .path
        .extension()
        .is_none_or(|ending| ending != "json")
    {
        return None;
    }
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    Some(error.to_string())
}

fn document(source: &Arc<Source>) -> Result<Document, Diagnostic> {
    if let Some(node) = json::parse(source) {
        return Ok(Document {
            node,
            warnings: Vec::new(),
        });
    }
    let mut composer = Composer::new(source)?;
    let node = match composer.next_document()? {
        Some((node, _)) => node,
        None => composer.nothing(),
    };
    if let Some((_, second)) = composer.next_document()? {
        return Err(Diagnostic::error(
            "yaml::many-documents",
            "a second document starts here, where only one is expected",
        )
        .at(&second)
        .hint("put each document into a file of its own, or remove the `---`"));
    }
    Ok(Document {
        node,
        warnings: composer.take_warnings(),
    })
}

/// Reads all documents of a stream.
///
/// # Errors
/// As [`parse`], except that many documents are fine.
pub fn parse_all(source: &Arc<Source>) -> Result<Vec<Document>, Diagnostic> {
    let mut composer = Composer::new(source)?;
    let mut documents = Vec::new();
    while let Some((node, _)) = composer.next_document()? {
        documents.push(Document {
            node,
            warnings: composer.take_warnings(),
        });
    }
    Ok(documents)
}
