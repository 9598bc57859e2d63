//! Which members are meant, and where they go.

use super::Args;
use crate::modules::files::wildcard::fits;
use crate::modules::{Failure, ModuleResult};
use std::path::{Component, Path, PathBuf};

/// `include`, `exclude`, `keep_newer` and `extra_opts`.
#[derive(Clone, Debug)]
pub(super) struct Options {
    include: Vec<String>,
    exclude: Vec<String>,
    strip: usize,
    /// Leave newer files.
    pub keep_newer: bool,
    /// Take owners from the archive, if we are root.
    pub same_owner: bool,
}

impl Options {
    pub(super) fn of(args: &Args) -> ModuleResult<Self> {
        let clean = |names: &[String]| names.iter().map(|n| plain(n).to_owned()).collect();
        let mut options = Self {
            include: clean(&args.include),
            exclude: clean(&args.exclude),
            strip: 0,
            keep_newer: args.keep_newer,
            same_owner: true,
        };
        let mut words = args.extra_opts.iter().map(String::as_str);
        while let Some(word) = words.next() {
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => (word, None),
            };
            let mut value = || {
                inline
                    .or_else(|| words.next())
                    .ok_or_else(|| Failure::new(format!("extra_opts: `{name}` needs a value")))
            };
            match name {
                "--strip-components" | "--strip" => {
                    let text = value()?;
                    options.strip = text.parse().map_err(|_| {
                        Failure::new(format!(
                            "extra_opts: `{text}` is not a number of components"
                        ))
                    })?;
                }
                "--exclude" => {
                    let pattern = value()?;
                    options.exclude.push(plain(pattern).to_owned());
                }
                "--no-same-owner" | "-o" => options.same_owner = false,
                "--keep-newer-files" => options.keep_newer = true,
                // what is done in any case, or changes nothing here
                "--same-owner"
                | "--verbose"
                | "-v"
                | "--overwrite"
                | "--wildcards"
                | "--no-overwrite-dir"
                | "-p"
                | "--preserve-permissions"
                | "--same-permissions"
                | "--no-xattrs"
                | "--no-acls"
                | "--no-selinux"
                | "-q" => {}
                _ => {
                    return Err(Failure::new(format!(
                        "extra_opts: `{word}` is not built; these are: --strip-components, --exclude, --no-same-owner, --keep-newer-files"
                    )));
                }
            }
        }
        Ok(options)
    }

    /// Where a member goes, relative to the directory; `None` if it is not meant.
    pub(super) fn place_of(&self, name: &str) -> ModuleResult<Option<PathBuf>> {
        let plain_name = plain(name);
        if !self.is_meant(plain_name) {
            return Ok(None);
        }
        let path = safe(plain_name)?;
        let rest: PathBuf = path.components().skip(self.strip).collect();
        Ok((!rest.as_os_str().is_empty()).then_some(rest))
    }

    /// What `list_files` tells of a member: its name as tar shows it, without the parts that are stripped; `None` if it
    /// is not meant.
    pub(super) fn told(&self, name: &str) -> Option<String> {
        if !self.is_meant(plain(name)) {
            return None;
        }
        if self.strip == 0 {
            return Some(name.to_owned());
        }
        Some(
            name.splitn(self.strip + 1, '/')
                .nth(self.strip)
                .unwrap_or_default()
                .to_owned(),
        )
    }

    /// What a hard link refers to, relative to the directory.
    pub(super) fn link_target(&self, name: &str) -> ModuleResult<PathBuf> {
        Ok(safe(plain(name))?.components().skip(self.strip).collect())
    }

    fn is_meant(&self, name: &str) -> bool {
        let name = name.trim_end_matches('/');
        let excluded = self
            .exclude
            .iter()
            .any(|pattern| tails(name).any(|tail| heads(tail).any(|head| fits(pattern, head))));
        let included = self.include.is_empty()
            || self
                .include
                .iter()
                .any(|pattern| heads(name).any(|head| fits(pattern, head)));
        included && !excluded
    }
}

/// A name without the slashes and dots that mean the directory itself.
fn plain(name: &str) -> &str {
    let mut name = name;
    while let Some(rest) = name.strip_prefix("./").or_else(|| name.strip_prefix('/')) {
        name = rest;
    }
    if name == "." {
        ""
    } else {
        name.trim_end_matches('/')
    }
}

/// The name and all its beginnings that end before a slash.
fn heads(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('/')
        .filter_map(|(at, _)| name.get(..at))
        .chain(std::iter::once(name))
}

/// The name and all its ends that begin after a slash.
fn tails(name: &str) -> impl Iterator<Item = &str> {
    std::iter::once(name).chain(
        name.match_indices('/')
            .filter_map(|(at, _)| name.get(at + 1..)),
    )
}

/// The name as a path that stays where it is put.
fn safe(name: &str) -> ModuleResult<PathBuf> {
    let mut path = PathBuf::new();
    for component in Path::new(name).components() {
        match component {
            Component::Normal(part) => path.push(part),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(Failure::new(format!(
                    "the archive's member `{name}` would be unpacked outside of dest; nothing was unpacked"
                )));
            }
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(include: &[&str], exclude: &[&str], strip: usize) -> Options {
        let own = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        Options {
            include: own(include),
            exclude: own(exclude),
            strip,
            keep_newer: false,
            same_owner: true,
        }
    }

    fn place(options: &Options, name: &str) -> Option<String> {
        let place = options.place_of(name).expect("safe");
        place.map(|path| path.to_string_lossy().into_owned())
    }

    #[test]
    fn names_are_stripped_and_chosen() {
        let all = options(&[], &[], 1);
        assert_eq!(place(&all, "./a/b/c"), Some("b/c".into()));
        assert_eq!(place(&all, "a/"), None);
        let some = options(&["a/b", "*.md"], &[], 0);
        assert_eq!(place(&some, "a/b/c"), Some("a/b/c".into()));
        assert_eq!(place(&some, "x.md"), Some("x.md".into()));
        assert_eq!(place(&some, "a/c"), None);
        let most = options(&[], &["b", "*.o"], 0);
        assert_eq!(place(&most, "a/b/c"), None);
        assert_eq!(place(&most, "a/x.o"), None);
        assert_eq!(place(&most, "a/bc"), Some("a/bc".into()));
        assert!(most.place_of("a/../../etc/passwd").is_err());
        assert_eq!(place(&most, "/etc/x"), Some("etc/x".into()));
    }
}
