//! `ssh_config` files, as far as runbook's own SSH understands them (ssh_config(5)).

use super::known_hosts::wildcard;
use crate::value::shell_words;
use std::path::{Path, PathBuf};

/// `Keyword value` pairs that hold for one host, in the order in which they count: the first wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pairs {
    /// Keywords in lowercase.
    pub pairs: Vec<(String, String)>,
    /// What was passed over and may matter.
    pub warnings: Vec<String>,
}

const DEPTH: usize = 16;

impl Pairs {
    /// Adds what a file says about a host; a file that is not there says nothing.
    pub(crate) fn read(&mut self, file: &Path, host: &str, home: Option<&Path>) {
        let Ok(bytes) = std::fs::read(file) else {
            return;
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let mut active = true;
        self.parse(&text, file, host, home, &mut active, DEPTH);
    }

    fn parse(
        &mut self,
        text: &str,
        file: &Path,
        host: &str,
        home: Option<&Path>,
        active: &mut bool,
        depth: usize,
    ) {
        for (index, line) in text.lines().enumerate() {
            let Some((keyword, value)) = keyword(line) else {
                continue;
            };
            match keyword.as_str() {
                "host" => *active = host_matches(&value, host),
                "match" => {
                    *active = value.eq_ignore_ascii_case("all");
                    if !*active {
                        self.warnings.push(format!(
                            "{}:{}: `Match {value}` is not understood and was passed over; use connection: \
                             openssh where it matters",
                            file.display(),
                            index + 1
                        ));
                    }
                }
                "include" if *active && depth > 0 => {
                    for path in included(&value, file, home) {
                        let Ok(text) = std::fs::read_to_string(&path) else {
                            continue;
                        };
                        let mut inner = true;
                        self.parse(&text, &path, host, home, &mut inner, depth - 1);
                    }
                }
                _ if *active => self.pairs.push((keyword, value)),
                _ => {}
            }
        }
    }

    /// The first value of a keyword.
    pub(crate) fn get(&self, keyword: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(name, _)| name == keyword);
        found.map(|(_, value)| value.as_str())
    }

    /// All values of a keyword.
    pub(crate) fn all<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |(name, _): &&(String, String)| name == keyword;
        self.pairs
            .iter()
            .filter(same)
            .map(|(_, value)| value.as_str())
    }
}

/// Keyword and value of a line: `Keyword value`, `Keyword=value`, quotes around the value.
pub(crate) fn keyword(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find(|c: char| c.is_whitespace() || c == '=')?;
    let (keyword, rest) = line.split_at_checked(end)?;
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim();
    let lone = rest.len() > 1 && rest.starts_with('"') && rest.matches('"').count() == 2;
    let value = match rest
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(inner) if lone => inner,
        _ => rest,
    };
    Some((keyword.to_lowercase(), value.to_owned()))
}

fn host_matches(patterns: &str, host: &str) -> bool {
    let mut found = false;
    for pattern in shell_words(patterns).unwrap_or_default() {
        match pattern.strip_prefix('!') {
            Some(pattern) if wildcard(pattern, host) => return false,
            Some(_) => {}
            None => found |= wildcard(&pattern, host),
        }
    }
    found
}

/// The files of an `Include`: relative to `~/.ssh` (or to the file, for the system's one), with `*`
/// and `?` in the last part.
fn included(value: &str, from: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for word in shell_words(value).unwrap_or_default() {
        let path = match (word.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ if Path::new(&word).is_absolute() => PathBuf::from(&word),
            _ => from.parent().unwrap_or(Path::new("/")).join(&word),
        };
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if !name.contains(['*', '?']) {
            files.push(path);
            continue;
        }
        let parent = path.parent().unwrap_or(Path::new("/"));
        let Ok(entries) = std::fs::read_dir(parent) else {
            continue;
        };
        let mut found: Vec<PathBuf> = entries
            .flatten()
            .filter(|entry| {
                entry
                    .file_name()
                    .to_str()
                    .is_some_and(|n| wildcard(name, n))
            })
            .map(|entry| entry.path())
            .collect();
        found.sort();
        files.extend(found);
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, host: &str) -> Pairs {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config");
        std::fs::write(&file, text).unwrap();
        std::fs::create_dir(dir.path().join("conf.d")).unwrap();
        std::fs::write(dir.path().join("conf.d/a.conf"), "User from-include\n").unwrap();
        let mut pairs = Pairs::default();
        pairs.read(&file, host, Some(dir.path()));
        pairs
    }

    #[test]
    fn the_first_value_wins_and_identities_add_up() {
        let text = "Host web* !web9\n  HostName %h.example.org\n  Port=2222\n  IdentityFile ~/a\nHost *\n Port 22\n User \"an na\"\n IdentityFile ~/b\n";
        let pairs = read(text, "web1");
        assert_eq!(pairs.get("hostname"), Some("%h.example.org"));
        assert_eq!(pairs.get("port"), Some("2222"));
        assert_eq!(pairs.get("user"), Some("an na"));
        assert_eq!(
            pairs.all("identityfile").collect::<Vec<_>>(),
            ["~/a", "~/b"]
        );
        assert_eq!(read(text, "web9").get("port"), Some("22"));
    }

    #[test]
    fn match_all_counts_and_other_matches_warn() {
        let pairs = read("Match exec true\n User a\nMatch all\n User b\n", "h");
        assert_eq!(pairs.get("user"), Some("b"));
        assert_eq!(pairs.warnings.len(), 1);
        assert!(
            pairs.warnings[0].contains("config:1"),
            "{:?}",
            pairs.warnings
        );
    }

    #[test]
    fn includes_are_read_where_they_stand() {
        assert_eq!(
            read("Include conf.d/*.conf\nUser b\n", "h").get("user"),
            Some("from-include")
        );
        assert_eq!(
            read("Host x\nInclude conf.d/*.conf\nHost *\nUser b\n", "h").get("user"),
            Some("b")
        );
    }
}
