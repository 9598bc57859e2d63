//! Package specifications: `name`, `name:arch`, `name=version`, `name>=version`, with wildcards.

use super::status::{Database, Known};
use super::version::compare;
use crate::modules::ModuleResult;
use crate::sys::{Sys, fnmatch};

/// Which versions will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Any,
    /// This one; it may be a shell pattern.
    Is(String),
    /// This one or a later one.
    AtLeast(String),
}

/// What is to be there or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    pub name: String,
    pub version: Version,
}

fn has_magic(text: &str) -> bool {
    text.contains(['*', '?', '[', ']', '!'])
}

impl Spec {
    pub fn parse(text: &str) -> ModuleResult<Self> {
        let text = text.trim();
        if text.matches('=').count() > 1 {
            return Err(format!("invalid package spec: {text}").into());
        }
        let (name, version) = match text.split_once('=') {
            Some((name, version)) => match name.strip_suffix('>') {
                Some(name) => (name, Version::AtLeast(version.trim().to_owned())),
                None => (name, Version::Is(version.trim().to_owned())),
            },
            None => (text, Version::Any),
        };
        let name = name.trim();
        // apt would take these for switches or for packages to remove
        if name.is_empty() || name.starts_with('-') || name.ends_with('-') {
            return Err(format!("No package matching '{name}' is available").into());
        }
        Ok(Self {
            name: name.to_owned(),
            version,
        })
    }

    fn fits(&self, version: &str) -> bool {
        match &self.version {
            Version::Any => true,
            Version::Is(wanted) => fnmatch(wanted, version),
            Version::AtLeast(least) => compare(version, least).is_ge(),
        }
    }

    /// Whether the installed package, if it is one, will do.
    pub fn satisfied_by(&self, known: Option<&Known>) -> bool {
        known.is_some_and(|known| known.installed() && self.fits(&known.version))
    }

    /// As `apt-get install` takes it: patterns are replaced by the newest version that fits.
    pub fn argument(&self, sys: &Sys) -> ModuleResult<String> {
        match &self.version {
            Version::Any => Ok(self.name.clone()),
            Version::Is(version) if !has_magic(version) => Ok(format!("{}={version}", self.name)),
            Version::Is(text) | Version::AtLeast(text) => {
                let listed = sys.query(&sys.tool(["apt-cache", "madison", &self.name]))?;
                let listed = listed.text();
                let best = listed
                    .lines()
                    .filter_map(|line| line.split('|').nth(1))
                    .map(str::trim)
                    .filter(|version| self.fits(version))
                    .max_by(|a, b| compare(a, b));
                match best {
                    Some(version) => Ok(format!("{}={version}", self.name)),
                    None => Err(format!(
                        "no available installation candidate for {} {text}",
                        self.name
                    )
                    .into()),
                }
            }
        }
    }
}

/// The specifications of a task, patterns in names replaced by the names that fit: for removing, those that dpkg
/// knows, otherwise those that apt knows.
pub(super) fn expand(
    names: &[String],
    removing: bool,
    database: &Database,
    sys: &Sys,
) -> ModuleResult<Vec<Spec>> {
    let mut found = Vec::new();
    let mut known: Option<String> = None;
    for text in names
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty())
    {
        let spec = Spec::parse(text)?;
        if !has_magic(&spec.name) {
            found.push(spec);
            continue;
        }
        let matching = if removing {
            database.matching(&spec.name)
        } else {
            if known.is_none() {
                known = Some(sys.query(&sys.tool(["apt-cache", "pkgnames"]))?.text());
            }
            let mut all: Vec<_> = known
                .iter()
                .flat_map(|text| text.lines())
                .filter(|name| fnmatch(&spec.name, name))
                .map(str::to_owned)
                .collect();
            all.sort();
            if all.is_empty() {
                return Err(format!("No package(s) matching '{}' available", spec.name).into());
            }
            all
        };
        found.extend(matching.into_iter().map(|name| Spec {
            name,
            version: spec.version.clone(),
        }));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specifications() {
        let spec = Spec::parse("nginx = 1.22*").unwrap();
        assert_eq!(spec.name, "nginx");
        assert!(spec.fits("1.22.1-9") && !spec.fits("1.18"));
        let spec = Spec::parse("nginx>=1.22").unwrap();
        assert_eq!(spec.name, "nginx");
        assert!(spec.fits("1.22-1") && !spec.fits("1.22~rc1"));
        for bad in ["", "-x", "x-", "a=b=c"] {
            assert!(Spec::parse(bad).is_err(), "{bad}");
        }
    }
}
