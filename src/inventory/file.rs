//! A source that is a file.

use super::document::read_source;
use super::script::is_script;
use super::{Inventory, LoadOptions};
use crate::diag::{Diagnostic, Source, did_you_mean, io_reason};
use crate::vault::Vault;
use crate::yaml::Node;
use std::path::Path;
use std::sync::Arc;

/// A source that is a file; its text and document are read once.
pub(super) struct SourceFile<'a> {
    pub path: &'a Path,
    pub head: Vec<u8>,
    vault: Arc<Vault>,
    source: Option<Arc<Source>>,
    node: Option<Node>,
}

impl<'a> SourceFile<'a> {
    pub fn open(path: &'a Path, options: &LoadOptions) -> Result<Self, Diagnostic> {
        if !path.exists() {
            return Err(missing(path));
        }
        let head = head(path).map_err(|error| {
            Diagnostic::error(
                "inventory::unreadable",
                format!("cannot read {}: {}", path.display(), io_reason(&error)),
            )
        })?;
        Ok(Self {
            path,
            head,
            vault: Arc::clone(&options.vault),
            source: None,
            node: None,
        })
    }

    pub fn is_script(&self) -> bool {
        is_script(self.path, &self.head)
    }

    pub fn source(&mut self) -> Result<&Arc<Source>, Diagnostic> {
        let source = match self.source.take() {
            Some(source) => source,
            None => read_source(self.path, &self.vault)?,
        };
        Ok(self.source.insert(source))
    }

    /// The YAML or JSON document.
    pub fn document(&mut self, inventory: &mut Inventory) -> Result<Node, Diagnostic> {
        if let Some(node) = &self.node {
            return Ok(node.clone());
        }
        let document = crate::yaml::parse(self.source()?)?;
        inventory.warnings.extend(document.warnings);
        Ok(self.node.insert(document.node).clone())
    }
}

fn missing(path: &Path) -> Diagnostic {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut near: Vec<String> = Vec::new();
    for folder in [folder.to_path_buf(), folder.join("inventories")] {
        for entry in std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .take(1000)
        {
            near.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Diagnostic::error(
        "inventory::missing",
        format!("there is no inventory {}", path.display()),
    )
    .maybe_hint(
        did_you_mean(&name, near.iter().map(String::as_str))
            .or_else(|| Some(format!("a list of hosts needs a comma: `-i {name},`"))),
    )
}

fn head(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut head = Vec::new();
    std::fs::File::open(path)?.take(2).read_to_end(&mut head)?;
    Ok(head)
}

/// Whether a file without an extension is YAML: its first line that says something is `---`, a brace, or a key.
pub(super) fn looks_like_yaml(text: &str) -> bool {
    let line = text
        .lines()
        .map(str::trim_end)
        .find(|line| !line.trim().is_empty() && !line.trim_start().starts_with(['#', ';']));
    line.is_some_and(|line| {
        line == "---"
            || line.starts_with("--- ")
            || line.starts_with(['{', '%'])
            || line.split_once(':').is_some_and(|(key, rest)| {
                !key.is_empty()
                    && !key.contains([' ', '=', '[', ']'])
                    && (rest.is_empty() || rest.starts_with(' '))
                    && !rest.contains('=')
            })
    })
}
