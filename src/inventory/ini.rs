//! INI inventories.
//!
//! Sections: `[group]` lists hosts, `[group:vars]` sets variables, `[group:children]` lists groups. Values are
//! Python literals where they can be read as such, and text otherwise.

use super::{Inventory, python_literal, range};
use crate::diag::{Diagnostic, Source, Span, did_you_mean};
use crate::value::{Value, shell_words_before_comment};
use indexmap::IndexMap;
use std::sync::Arc;

/// What the lines of a section are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Hosts,
    Vars,
    Children,
}

/// A group that is referred to and not yet declared.
struct Pending {
    span: Span,
    /// The groups that want it as a child; none if its variables were set.
    parents: Vec<String>,
}

struct Reader<'a> {
    inventory: &'a mut Inventory,
    source: &'a Arc<Source>,
    group: String,
    section: Section,
    pending: IndexMap<String, Pending>,
}

/// Reads an INI inventory into the inventory.
pub(super) fn parse(inventory: &mut Inventory, source: &Arc<Source>) -> Result<(), Diagnostic> {
    let mut reader = Reader {
        inventory,
        source,
        group: "ungrouped".into(),
        section: Section::Hosts,
        pending: IndexMap::new(),
    };
    let mut offset = 0;
    for raw in source.text.split('\n') {
        let line = raw.trim();
        if !line.is_empty() && !line.starts_with(['#', ';']) {
            let start = offset + (raw.len() - raw.trim_start().len());
            let at = move |from: usize, to: usize| Span::of_bytes(source, start + from, start + to);
            reader.line(line, &at)?;
        }
        offset += raw.len() + 1;
    }
    reader.finish()
}

/// `[name]` or `[name:kind]` with nothing but a comment after it.
fn section_header(line: &str) -> Option<(&str, Option<&str>)> {
    let (inside, after) = line.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    if !(after.is_empty() || after.starts_with('#')) {
        return None;
    }
    let (name, kind) = match inside.split_once(':') {
        Some((name, kind)) => (name, Some(kind)),
        None => (inside, None),
    };
    let word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    (!name.is_empty() && !name.contains(char::is_whitespace) && kind.is_none_or(word))
        .then_some((name, kind))
}

impl Reader<'_> {
    fn line(&mut self, line: &str, at: &dyn Fn(usize, usize) -> Span) -> Result<(), Diagnostic> {
        let whole = || at(0, line.len());
        let error = |message: String| Diagnostic::error("inventory::ini", message).at(&whole());
        if let Some((name, kind)) = section_header(line) {
            return self.begin(name, kind, at).map_err(|d| located(d, &whole()));
        }
        if line.starts_with('[') && line.ends_with(']') {
            return Err(error(format!("`{line}` is not a section"))
                .hint("a section is [group], [group:vars] or [group:children], without spaces"));
        }
        match self.section {
            Section::Hosts => self.hosts(line, at).map_err(|d| located(d, &whole())),
            Section::Vars => {
                let Some((name, value)) = line.split_once('=') else {
                    return Err(error(format!("expected name=value, got `{line}`")));
                };
                let (name, value) = (Value::str(name.trim()), typed(value.trim()));
                self.inventory
                    .set_variable(&self.group, &name, value)
                    .map_err(|d| located(d, &whole()))
            }
            Section::Children => {
                let child = line.split('#').next().unwrap_or_default().trim_end();
                let called = self.inventory.group_called(child, false);
                if child.is_empty()
                    || child.contains([':', ']'])
                    || child.contains(char::is_whitespace)
                {
                    return Err(error(format!("expected the name of a group, got `{line}`")));
                }
                if self.inventory.groups.contains_key(&*called) {
                    return self
                        .inventory
                        .add_child(&self.group, &called)
                        .map_err(|d| located(d, &whole()));
                }
                self.pending
                    .entry(child.to_owned())
                    .or_insert_with(|| Pending {
                        span: at(0, child.len()),
                        parents: Vec::new(),
                    })
                    .parents
                    .push(self.group.clone());
                Ok(())
            }
        }
    }

    fn begin(
        &mut self,
        name: &str,
        kind: Option<&str>,
        at: &dyn Fn(usize, usize) -> Span,
    ) -> Result<(), Diagnostic> {
        self.section = match kind {
            None | Some("hosts") => Section::Hosts,
            Some("vars") => Section::Vars,
            Some("children") => Section::Children,
            Some(other) => {
                let from = name.len() + 2;
                return Err(Diagnostic::error(
                    "inventory::ini",
                    format!("`{other}` is not a kind of section: vars, children and hosts are"),
                )
                .at(&at(from, from + other.len()))
                .maybe_hint(did_you_mean(other, ["vars", "children", "hosts"])));
            }
        };
        name.clone_into(&mut self.group);
        let declares = self.section != Section::Vars;
        if !self.inventory.groups.contains_key(name) {
            if !declares && !self.pending.contains_key(name) {
                self.pending.insert(
                    name.to_owned(),
                    Pending {
                        span: at(1, name.len() + 1),
                        parents: Vec::new(),
                    },
                );
            }
            self.inventory.add_group(name)?;
        }
        if declares && let Some(pending) = self.pending.shift_remove(name) {
            for parent in pending.parents {
                self.inventory.add_child(&parent, name)?;
            }
        }
        Ok(())
    }

    fn hosts(&mut self, line: &str, at: &dyn Fn(usize, usize) -> Span) -> Result<(), Diagnostic> {
        // a span costs a walk through the file: only for errors
        let error =
            |message: String| Diagnostic::error("inventory::ini", message).at(&at(0, line.len()));
        let words =
            shell_words_before_comment(line).map_err(|why| error(format!("{why} in `{line}`")))?;
        let Some((entry, assignments)) = words.split_first() else {
            return Ok(());
        };
        if entry.trim() == "---" {
            return Err(
                error("`---` begins a YAML file, and this is read as INI".into())
                    .hint("give the file the extension .yml"),
            );
        }
        let (names, port) = range::expand(entry).map_err(error)?;
        if entry.trim().ends_with(':') && port.is_none() {
            return Err(error(format!("the host `{entry}` must not end in `:`"))
                .hint("the colon is for a port; a YAML inventory needs the extension .yml"));
        }
        let mut vars = Vec::with_capacity(assignments.len());
        for assignment in assignments {
            let Some((name, value)) = assignment.split_once('=') else {
                let from = line.find(assignment.as_str()).unwrap_or(0);
                return Err(Diagnostic::error(
                    "inventory::ini",
                    format!("expected name=value after the host `{entry}`, got `{assignment}`"),
                )
                .at(&at(from, from + assignment.len()))
                .hint("a value with spaces needs quotes; each host has a line of its own"));
            };
            vars.push((Value::str(name), typed(value)));
        }
        for name in names {
            self.inventory
                .declare_host(&name, Some(&self.group), port, Some(&self.source.path))?;
            for (key, value) in &vars {
                self.inventory.set_variable(&name, key, value.clone())?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Diagnostic> {
        let Some((name, pending)) = self.pending.first() else {
            return Ok(());
        };
        let message = match pending.parents.last() {
            Some(parent) => format!("[{parent}:children] includes `{name}`, which is not a group"),
            None => format!("[{name}:vars] sets variables of `{name}`, which is not a group"),
        };
        let declared = self
            .inventory
            .groups
            .keys()
            .filter(|g| !self.pending.contains_key(&***g));
        let hint = did_you_mean(name, declared.map(AsRef::as_ref))
            .unwrap_or_else(|| format!("declare it with a section [{name}]"));
        Err(Diagnostic::error("inventory::undefined-group", message)
            .at(&pending.span)
            .label("no section declares it")
            .hint(hint))
    }
}

fn located(diagnostic: Diagnostic, span: &Span) -> Diagnostic {
    if diagnostic.span.is_some() {
        diagnostic
    } else {
        diagnostic.at(span)
    }
}

/// A value of an INI inventory: a Python literal if it is one, text if not.
fn typed(text: &str) -> Value {
    python_literal(text).unwrap_or_else(|| Value::str(text))
}
