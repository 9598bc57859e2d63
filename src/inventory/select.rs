//! Selecting hosts with patterns.

use super::host::is_localhost;
use super::pattern::{split_pattern, split_subscript};
use super::{Inventory, Mismatch, glob_matches};
use crate::diag::{Diagnostic, Severity, did_you_mean, io_reason};
use indexmap::IndexSet;
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// The hosts that a pattern selects.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Their names, each once, in the order in which the pattern and the inventory give them.
    pub hosts: Vec<Arc<str>>,
    /// One for each part of the pattern that matches nothing.
    pub warnings: Vec<Diagnostic>,
}

/// The order of a play's hosts (the keyword `order`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HostOrder {
    /// As selected.
    #[default]
    Inventory,
    /// As selected, backwards.
    ReverseInventory,
    /// By name.
    Sorted,
    /// By name, backwards.
    ReverseSorted,
}

impl HostOrder {
    /// Puts the hosts into this order.
    pub fn arrange(self, hosts: &mut [Arc<str>]) {
        match self {
            Self::Inventory => {}
            Self::ReverseInventory => hosts.reverse(),
            Self::Sorted => hosts.sort(),
            Self::ReverseSorted => {
                hosts.sort();
                hosts.reverse();
            }
        }
    }
}

/// What one part of a pattern matches against.
enum Matcher {
    Glob(String),
    Regex(fancy_regex::Regex),
}

impl Matcher {
    fn new(expression: &str) -> Result<Self, Diagnostic> {
        match expression.strip_prefix('~') {
            None => Ok(Self::Glob(expression.to_owned())),
            Some(regex) => fancy_regex::Regex::new(&format!(r"\A(?:{regex})"))
                .map(Self::Regex)
                .map_err(|error| {
                    Diagnostic::error(
                        "inventory::bad-pattern",
                        format!("`{expression}` is not a regular expression: {error}"),
                    )
                }),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Glob(glob) => glob_matches(glob, name),
            Self::Regex(regex) => regex.is_match(name).unwrap_or(false),
        }
    }
}

impl Inventory {
    /// The hosts that a pattern selects: names, groups, globs, `~regex`, joined by `:` or `,`, with `&` for
    /// intersection and `!` for exclusion; groups may have a subscript (`web[0]`, `web[1:3]`).
    ///
    /// # Errors
    /// If a regular expression is wrong, or a subscript asks for a single host that is not there.
    pub fn select(&self, pattern: &str) -> Result<Selection, Diagnostic> {
        self.select_parts(&split_pattern(pattern))
    }

    /// The same for patterns that are already split (a play's `hosts` list, each split in turn).
    ///
    /// # Errors
    /// As [`Inventory::select`].
    pub fn select_parts(&self, parts: &[String]) -> Result<Selection, Diagnostic> {
        let of_kind = |kind: Option<char>| {
            parts.iter().filter(move |part| {
                let first = part.chars().next();
                match kind {
                    Some(_) => first == kind,
                    None => first.is_some() && !matches!(first, Some('&' | '!')),
                }
            })
        };
        let mut warnings = Vec::new();
        let mut hosts: IndexSet<Arc<str>> = IndexSet::new();
        let mut any = false;
        for part in of_kind(None) {
            any = true;
            hosts.extend(self.matching(part, &mut warnings)?);
        }
        if !any {
            hosts.extend(self.hosts_of_group("all"));
        }
        for part in of_kind(Some('&')) {
            let those: HashSet<_> = self
                .matching_rest(part, &mut warnings)?
                .into_iter()
                .collect();
            hosts.retain(|host| those.contains(host));
        }
        for part in of_kind(Some('!')) {
            let those: HashSet<_> = self
                .matching_rest(part, &mut warnings)?
                .into_iter()
                .collect();
            hosts.retain(|host| !those.contains(host));
        }
        Ok(Selection {
            hosts: hosts.into_iter().collect(),
            warnings,
        })
    }

    /// The hosts of a limit (`--limit`), for [`Selection::limited_to`]: a pattern, of which parts that begin with
    /// `@` are files with a pattern on each line.
    ///
    /// # Errors
    /// If a file cannot be read, and as [`Inventory::select`].
    pub fn limit(&self, limit: &str, cwd: &Path) -> Result<Selection, Diagnostic> {
        let mut parts = Vec::new();
        for part in split_pattern(limit) {
            let Some(file) = part.strip_prefix('@') else {
                parts.push(part);
                continue;
            };
            let path = cwd.join(file);
            if path.is_dir() {
                return Err(Diagnostic::error(
                    "inventory::limit-file",
                    format!(
                        "the limit {} must be a file, not a directory",
                        path.display()
                    ),
                ));
            }
            let text = std::fs::read_to_string(&path).map_err(|error| {
                Diagnostic::error(
                    "inventory::limit-file",
                    format!(
                        "cannot read the limit file {}: {}",
                        path.display(),
                        io_reason(&error)
                    ),
                )
            })?;
            parts.extend(
                text.lines()
                    .map(str::trim)
                    .filter(|l| !l.is_empty())
                    .map(str::to_owned),
            );
        }
        self.select_parts(&parts)
    }

    fn matching_rest(
        &self,
        part: &str,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<Vec<Arc<str>>, Diagnostic> {
        self.matching(part.get(1..).unwrap_or_default(), warnings)
    }

    /// The hosts that one part matches.
    fn matching(
        &self,
        part: &str,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<Vec<Arc<str>>, Diagnostic> {
        if let Some(host) = self.hosts.get(part) {
            return Ok(vec![Arc::clone(&host.name)]);
        }
        let (expression, subscript) = split_subscript(part);
        let hosts = self.enumerate(expression, warnings)?;
        match subscript {
            Some(subscript) if !hosts.is_empty() => subscript.apply(&hosts).ok_or_else(|| {
                Diagnostic::error(
                    "inventory::subscript",
                    format!("the pattern `{part}` asks for a host that is not there: `{expression}` has {}", hosts.len()),
                )
            }),
            _ => Ok(hosts),
        }
    }

    fn enumerate(
        &self,
        expression: &str,
        warnings: &mut Vec<Diagnostic>,
    ) -> Result<Vec<Arc<str>>, Diagnostic> {
        let mut found: IndexSet<Arc<str>> = IndexSet::new();
        let is_plain = !expression.starts_with('~') && !expression.contains(['.', '?', '*', '[']);
        let mut groups = 0;
        if is_plain {
            if self.groups.contains_key(expression) {
                groups = 1;
                found.extend(self.hosts_of_group(expression));
            } else if let Some(host) = self.hosts.get(expression) {
                found.insert(Arc::clone(&host.name));
            }
        } else {
            let matcher = Matcher::new(expression)?;
            for name in self.groups.keys().filter(|name| matcher.matches(name)) {
                groups += 1;
                found.extend(self.hosts_of_group(name));
            }
            found.extend(
                self.hosts
                    .keys()
                    .filter(|name| matcher.matches(name))
                    .cloned(),
            );
        }
        if found.is_empty() && is_localhost(expression) {
            found.extend(self.host(expression).map(|host| Arc::clone(&host.name)));
        }
        if found.is_empty() && groups == 0 && expression != "all" {
            let names = self
                .groups
                .keys()
                .chain(self.hosts.keys())
                .map(AsRef::as_ref);
            let problem = Diagnostic::warning(
                "inventory::no-match",
                format!("Could not match supplied host pattern, ignoring: {expression}"),
            )
            .maybe_hint(if is_plain {
                did_you_mean(expression, names)
            } else {
                None
            });
            match self.mismatch {
                Mismatch::Warning => warnings.push(problem),
                Mismatch::Error => {
                    return Err(Diagnostic {
                        severity: Severity::Error,
                        ..problem
                    });
                }
                Mismatch::Ignore => {}
            }
        }
        Ok(found.into_iter().collect())
    }
}

impl Selection {
    /// The hosts that are in the limit too, in their own order.
    #[must_use]
    pub fn limited_to(mut self, limit: &Self) -> Self {
        let allowed: HashSet<_> = limit.hosts.iter().collect();
        self.hosts.retain(|host| allowed.contains(host));
        self
    }
}
