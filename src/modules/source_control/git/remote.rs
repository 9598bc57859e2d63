//! What a version stands for in the remote repository.

use super::Args;
use super::tool::Tool;
use crate::modules::ModuleResult;
use crate::sys::Sys;

/// What kind of name a version is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A branch of that name.
    Branch(String),
    /// A tag.
    Tag,
    /// A commit, or what only the repository knows.
    Commit,
}

/// A version that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub kind: Kind,
    /// Its commit, if it is known already.
    pub commit: Option<String>,
}

impl Target {
    /// Looks the version up; `before` is what is checked out now.
    pub fn find(args: &Args, tool: &Tool, before: Option<&str>, sys: &Sys) -> ModuleResult<Self> {
        let version = args.version.as_str();
        if version == "HEAD" {
            let output = tool.ask_anywhere(&["ls-remote", "--symref", tool.repo(), "HEAD"], sys)?;
            return Ok(Self::head(&output.text()));
        }
        let (branch, tag) = (
            format!("refs/heads/{version}"),
            format!("refs/tags/{version}"),
        );
        let peeled = format!("{tag}^{{}}");
        let words = ["ls-remote", tool.repo(), &branch, &tag, &peeled];
        let output = tool.ask_anywhere(&words, sys)?;
        let text = output.text();
        let find = |wanted: &str| {
            text.lines()
                .filter_map(|line| line.split_once('\t'))
                .find(|(_, name)| *name == wanted)
                .map(|(commit, _)| commit.to_owned())
        };
        if let Some(commit) = find(&branch) {
            return Ok(Self {
                kind: Kind::Branch(version.to_owned()),
                commit: Some(commit),
            });
        }
        if let Some(commit) = find(&peeled).or_else(|| find(&tag)) {
            return Ok(Self {
                kind: Kind::Tag,
                commit: Some(commit),
            });
        }
        let is_hex = version.bytes().all(|byte| byte.is_ascii_hexdigit());
        let commit = if is_hex && matches!(version.len(), 40 | 64) {
            Some(version.to_lowercase())
        } else if before.is_some() {
            // part of a commit's name, or something local
            let words = [
                "rev-parse",
                "--verify",
                "-q",
                &format!("{version}^{{commit}}"),
            ];
            let output = tool.ask(&words, sys)?;
            output.ok().then(|| output.text().trim().to_owned())
        } else {
            None
        };
        Ok(Self {
            kind: Kind::Commit,
            commit,
        })
    }

    /// The branch that a new clone is on, and its commit.
    fn head(text: &str) -> Self {
        let mut target = Self {
            kind: Kind::Commit,
            commit: None,
        };
        for (first, name) in text.lines().filter_map(|line| line.split_once('\t')) {
            match first.strip_prefix("ref: refs/heads/") {
                Some(branch) if name == "HEAD" => target.kind = Kind::Branch(branch.to_owned()),
                None if name == "HEAD" => target.commit = Some(first.to_owned()),
                _ => {}
            }
        }
        target
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Target};

    #[test]
    fn the_branch_of_a_new_clone() {
        let target =
            Target::head("ref: refs/heads/main\tHEAD\nabc\tHEAD\ndef\trefs/remotes/x/HEAD\n");
        assert_eq!(target.kind, Kind::Branch("main".into()));
        assert_eq!(target.commit.as_deref(), Some("abc"));
        assert_eq!(Target::head("abc\tHEAD\n").kind, Kind::Commit);
        assert_eq!(Target::head("").commit, None);
    }
}
