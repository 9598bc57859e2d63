//! What dpkg and apt know of installed packages, from their own files.

use crate::sys::{Result, Sys};
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// A package that dpkg knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::modules::packages) struct Known {
    pub arch: String,
    pub version: String,
    /// What is wanted of it: `install`, `hold`, `deinstall`, `purge`.
    pub want: String,
    /// Its state: `installed`, `config-files`, `half-configured`, ….
    pub state: String,
}

impl Known {
    pub fn installed(&self) -> bool {
        self.state == "installed"
    }
}

/// dpkg's database.
#[derive(Clone, Debug, Default)]
pub(in crate::modules::packages) struct Database {
    packages: HashMap<String, Vec<Known>>,
    native: String,
}

impl Database {
    /// Reads it.
    pub fn read(sys: &Sys) -> Result<Self> {
        let text = sys
            .read_text(Path::new("/var/lib/dpkg/status"))?
            .unwrap_or_default();
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let mut database = Self::default();
        for paragraph in text.split("\n\n") {
            let field = |name: &str| {
                paragraph.lines().find_map(|line| {
                    let value = line.strip_prefix(name)?.strip_prefix(':')?;
                    Some(value.trim())
                })
            };
            let (Some(name), Some(status)) = (field("Package"), field("Status")) else {
                continue;
            };
            let mut words = status.split_whitespace();
            let (want, state) = (words.next(), words.nth(1));
            let arch = field("Architecture").unwrap_or_default();
            if name == "dpkg" {
                arch.clone_into(&mut database.native);
            }
            database
                .packages
                .entry(name.to_owned())
                .or_default()
                .push(Known {
                    arch: arch.to_owned(),
                    version: field("Version").unwrap_or_default().to_owned(),
                    want: want.unwrap_or_default().to_owned(),
                    state: state.unwrap_or_default().to_owned(),
                });
        }
        database
    }

    /// The package of that name (`name` or `name:arch`); without an architecture, the machine's own first.
    pub fn get(&self, name: &str) -> Option<&Known> {
        let (name, arch) = match name.split_once(':') {
            Some((name, arch)) => (name, Some(arch)),
            None => (name, None),
        };
        let all = self.packages.get(name)?;
        match arch {
            Some("any") => all.first(),
            Some("native") => all
                .iter()
                .find(|p| p.arch == self.native || p.arch == "all"),
            Some(arch) => all.iter().find(|p| p.arch == arch || p.arch == "all"),
            None => all
                .iter()
                .find(|p| p.arch == self.native || p.arch == "all")
                .or_else(|| all.first()),
        }
    }

    /// Names that fit a shell pattern and are not gone entirely, sorted.
    pub fn matching(&self, pattern: &str) -> Vec<String> {
        let mut found: Vec<_> = self
            .packages
            .iter()
            .filter(|(name, all)| {
                all.iter().any(|p| p.state != "not-installed") && crate::sys::fnmatch(pattern, name)
            })
            .map(|(name, _)| name.clone())
            .collect();
        found.sort();
        found
    }
}

/// Names of packages that were installed only because others need them.
pub(super) fn automatic(sys: &Sys) -> Result<HashSet<String>> {
    let text = sys
        .read_text(Path::new("/var/lib/apt/extended_states"))?
        .unwrap_or_default();
    Ok(text
        .split("\n\n")
        .filter(|paragraph| {
            paragraph
                .lines()
                .any(|line| line.trim() == "Auto-Installed: 1")
        })
        .filter_map(|paragraph| {
            let line = paragraph.lines().find_map(|l| l.strip_prefix("Package:"))?;
            Some(line.trim().to_owned())
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dpkg_status() {
        let database = Database::parse(
            "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21\n\n\
             Package: libx\nStatus: install ok installed\nArchitecture: i386\nVersion: 1\n\n\
             Package: libx\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 2\nDescription: x\n Version: 9\n\n\
             Package: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 3\n",
        );
        let version = |name| database.get(name).map(|p| p.version.as_str());
        assert_eq!(version("libx"), Some("2"));
        assert_eq!(version("libx:i386"), Some("1"));
        assert_eq!(version("libx:arm64"), None);
        assert_eq!(database.get("libx").unwrap().want, "hold");
        assert!(!database.get("gone").unwrap().installed());
        assert_eq!(database.matching("*o*"), ["gone"]);
    }
}
