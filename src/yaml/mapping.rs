//! What the pairs of a mapping become: merge keys applied, duplicates reported.

use super::node::{Entry, Kind, Node};
use crate::diag::Diagnostic;
use crate::value::Value;
use std::collections::HashMap;

/// A key and its value as written.
pub(super) struct Pair {
    pub key: Node,
    pub value: Node,
    /// The key is a plain `<<`.
    pub merge: bool,
}

/// The entries of a mapping. As PyYAML orders them: merged entries first (those of the first mapping of a list win),
/// then the mapping's own, each key at the place where it first came and with the value that came last.
pub(super) fn assemble(
    pairs: Vec<Pair>,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<Entry>, Diagnostic> {
    let mut entries = Entries::default();
    let mut own = Vec::with_capacity(pairs.len());
    for pair in pairs {
        if pair.merge {
            for entry in merged(pair.value)? {
                entries.put(entry.key, entry.value, None);
            }
        } else {
            own.push(pair);
        }
    }
    entries.merged = entries.list.len();
    entries.written = vec![false; entries.merged];
    for pair in own {
        entries.put(pair.key, pair.value, Some(warnings));
    }
    Ok(entries.list)
}

#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    index: HashMap<Value, usize>,
    /// How many of them came from merge keys.
    merged: usize,
    /// Which of the merged ones the mapping itself has set.
    written: Vec<bool>,
}

impl Entries {
    fn put(&mut self, key: Node, value: Node, warnings: Option<&mut Vec<Diagnostic>>) {
        let name = key.to_value();
        let place = *self.index.entry(name).or_insert(self.list.len());
        let Some(entry) = self.list.get_mut(place) else {
            self.list.push(Entry { key, value });
            return;
        };
        if let Some(warnings) = warnings {
            // to set what a merge brought is what merges are for
            let first = self
                .written
                .get_mut(place)
                .is_some_and(|written| !std::mem::replace(written, true));
            if !first {
                warnings.push(duplicate(&key, &entry.key));
            }
        }
        entry.key.span = key.span;
        entry.value = value;
    }
}

fn duplicate(key: &Node, earlier: &Node) -> Diagnostic {
    Diagnostic::warning(
        "yaml::duplicate-key",
        format!(
            "the key `{}` is given twice in this mapping; the last one counts",
            key.to_value()
        ),
    )
    .at(&key.span)
    .related(&earlier.span, "first given here")
}

/// The entries that the value of a `<<` brings, those that lose first.
fn merged(value: Node) -> Result<Vec<Entry>, Diagnostic> {
    match value.kind {
        Kind::Map(entries) => Ok(entries),
        Kind::Seq(items) => {
            let mut all = Vec::new();
            for item in items.into_iter().rev() {
                match item.kind {
                    Kind::Map(entries) => all.extend(entries),
                    _ => return Err(not_mergeable(&item, "a list of mappings")),
                }
            }
            Ok(all)
        }
        _ => Err(not_mergeable(&value, "a mapping or a list of mappings")),
    }
}

fn not_mergeable(node: &Node, expected: &str) -> Diagnostic {
    Diagnostic::error(
        "yaml::bad-merge",
        format!(
            "the merge key `<<` takes {expected}, not {}",
            node.describe()
        ),
    )
    .at(&node.span)
    .hint("merge with an alias: `<<: *name`, where `&name` stands before the mapping to merge")
}
