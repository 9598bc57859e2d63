//! File names by shell patterns.

use super::Sys;
use std::path::{Path, PathBuf};

/// Whether a name fits a shell pattern of `*`, `?`, `[abc]`, `[a-z]` and `[!abc]`.
pub fn fnmatch(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    matches(&pattern, &name)
}

fn matches(mut pattern: &[char], mut name: &[char]) -> bool {
    // where to go on after the last star, if what follows it does not fit
    let mut retry: Option<(&[char], &[char])> = None;
    loop {
        let fits = match (pattern, name) {
            ([], []) => return true,
            (['*', rest @ ..], _) => {
                retry = Some((rest, name));
                pattern = rest;
                continue;
            }
            (['?', rest @ ..], [_, more @ ..]) => Some((rest, more)),
            (['[', class @ ..], [c, more @ ..]) => match in_class(class, *c) {
                Some((true, rest)) => Some((rest, more)),
                Some((false, _)) => None,
                // a bracket that is never closed stands for itself
                None => (*c == '[').then_some((class, more)),
            },
            ([p, rest @ ..], [c, more @ ..]) if p == c => Some((rest, more)),
            _ => None,
        };
        match (fits, retry) {
            (Some((rest, more)), _) => (pattern, name) = (rest, more),
            (None, Some((rest, [_, more @ ..]))) => {
                retry = Some((rest, more));
                (pattern, name) = (rest, more);
            }
            (None, _) => return false,
        }
    }
}

/// Whether the character is in the class whose text begins after `[`, and what follows the class.
fn in_class(class: &[char], c: char) -> Option<(bool, &[char])> {
    let (negated, mut rest) = match class {
        ['!', rest @ ..] => (true, rest),
        _ => (false, class),
    };
    let (mut found, mut first) = (false, true);
    loop {
        match rest {
            [']', rest @ ..] if !first => return Some((found != negated, rest)),
            [from, '-', to, more @ ..] if *to != ']' => {
                found |= (*from..=*to).contains(&c);
                rest = more;
            }
            [one, more @ ..] => {
                found |= *one == c;
                rest = more;
            }
            [] => return None,
        }
        first = false;
    }
}

fn has_magic(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

impl Sys {
    /// The paths that fit a pattern, sorted by directory. A path without wildcards fits if it is there (a dangling
    /// link counts). Names that begin with a dot need a dot in the pattern. What cannot be read is not there.
    pub fn glob(&self, pattern: &Path) -> Vec<PathBuf> {
        let mut found = vec![PathBuf::new()];
        for part in pattern.components() {
            let text = part.as_os_str().to_string_lossy();
            found = found
                .into_iter()
                .flat_map(|dir| {
                    if has_magic(&text) {
                        self.names_in(&dir, &text)
                    } else {
                        vec![dir.join(part)]
                    }
                })
                .collect();
        }
        found.retain(|path| !path.as_os_str().is_empty() && self.exists(path));
        found
    }

    fn names_in(&self, dir: &Path, pattern: &str) -> Vec<PathBuf> {
        let place = if dir.as_os_str().is_empty() {
            Path::new(".")
        } else {
            dir
        };
        self.list(place)
            .unwrap_or_default()
            .into_iter()
            .filter(|name| {
                let name = name.to_string_lossy();
                (pattern.starts_with('.') || !name.starts_with('.')) && fnmatch(pattern, &name)
            })
            .map(|name| dir.join(name))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::FakeRunner;
    use std::sync::Arc;

    #[test]
    fn patterns() {
        for (pattern, name) in [
            ("*", ""),
            ("a*c", "abcabc"),
            ("?[b-d]*", "xc"),
            ("[!a]", "b"),
            ("[]]", "]"),
            ("[", "["),
            ("**.rs", "x.rs"),
        ] {
            assert!(fnmatch(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("a*c", "abcab"),
            ("?", ""),
            ("[!a]", "a"),
            ("a", "ab"),
            ("[a", "a"),
        ] {
            assert!(!fnmatch(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn paths() {
        let root = tempfile::tempdir().unwrap();
        for dir in ["a1", "a2", ".a3"] {
            std::fs::create_dir(root.path().join(dir)).unwrap();
            std::fs::write(root.path().join(dir).join("f.txt"), "").unwrap();
        }
        let sys = Sys::rooted(root.path(), Arc::new(FakeRunner::new()));
        let glob = |pattern: &str| sys.glob(Path::new(pattern));
        assert_eq!(
            glob("/a?/*.txt"),
            [Path::new("/a1/f.txt"), Path::new("/a2/f.txt")]
        );
        assert_eq!(glob("/.a*/f.txt"), [Path::new("/.a3/f.txt")]);
        assert!(glob("/x*").is_empty());
        assert!(glob("/a1/g.txt").is_empty());
    }
}
