//! Reading the small files that facts come from.

use crate::sys::Sys;
use std::path::{Path, PathBuf};

/// Reads of a machine, where a file that is missing or cannot be read is simply no answer.
#[derive(Clone, Copy)]
pub(super) struct Look<'a>(pub(super) &'a Sys);

impl Look<'_> {
    /// The trimmed content; `None` if it is missing, not readable or empty.
    pub(super) fn text(self, path: impl AsRef<Path>) -> Option<String> {
        let text = self.0.read_text(path.as_ref()).ok()??;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The content's lines.
    pub(super) fn lines(self, path: impl AsRef<Path>) -> Vec<String> {
        let text = self.0.read_text(path.as_ref()).ok().flatten();
        text.unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// The content as a whole number.
    pub(super) fn number(self, path: impl AsRef<Path>) -> Option<i64> {
        self.text(path)?.parse().ok()
    }

    /// Names in a directory, sorted; none if it cannot be read.
    pub(super) fn names(self, dir: impl AsRef<Path>) -> Vec<String> {
        let names = self.0.list(dir.as_ref()).unwrap_or_default();
        names
            .into_iter()
            .filter_map(|name| name.into_string().ok())
            .collect()
    }

    /// Whether something is there, looking through links.
    pub(super) fn exists(self, path: impl AsRef<Path>) -> bool {
        matches!(self.0.stat(path.as_ref(), true), Ok(Some(_)))
    }

    /// The last part of what a link points to.
    pub(super) fn link_name(self, path: impl AsRef<Path>) -> Option<String> {
        let target: PathBuf = self.0.read_link(path.as_ref()).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }

    /// `KEY=value` lines as shells read them, in order.
    pub(super) fn assignments(self, path: &str) -> Vec<(String, String)> {
        self.lines(path)
            .iter()
            .filter_map(|line| {
                let (key, value) = line.trim().split_once('=')?;
                Some((key.to_owned(), unquote(value)))
            })
            .collect()
    }
}

fn unquote(value: &str) -> String {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|v| v.strip_suffix(quote))
        {
            return inner.replace("\\\"", "\"").replace("\\$", "$");
        }
    }
    value.to_owned()
}
