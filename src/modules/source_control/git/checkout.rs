//! Cloning, fetching and checking out.

use super::Args;
use super::remote::{Kind, Target};
use super::tool::Tool;
use super::verify::verify;
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use std::path::Path;

/// What is to be done with a checkout.
#[derive(Debug)]
pub(super) struct Work<'a> {
    pub args: &'a Args,
    pub tool: Tool,
    pub target: Target,
}

impl Work<'_> {
    /// Makes the checkout.
    pub fn clone_into(&self, dest: &Path, sys: &mut Sys) -> ModuleResult<()> {
        let args = self.args;
        if let Some(parent) = dest.parent() {
            for dir in crate::modules::files::parents::missing_directories(sys, parent)? {
                sys.make_dir(&dir, 0o755)?;
            }
        }
        let mut words: Vec<String> = vec!["clone".into()];
        if args.bare {
            words.push("--bare".into());
        } else {
            words.extend(["--origin".into(), args.remote.clone()]);
        }
        let name = match &self.target.kind {
            Kind::Branch(branch) => Some(branch.as_str()),
            Kind::Tag => Some(args.version.as_str()),
            // a lone commit is not among the newest
            Kind::Commit => None,
        };
        if let (Some(depth), Some(_)) = (args.depth(), name) {
            words.extend(["--depth".into(), depth.to_string()]);
        }
        if args.single_branch {
            words.push("--single-branch".into());
        }
        if let Some(name) = name.filter(|_| args.version != "HEAD" && !args.bare) {
            words.extend(["--branch".into(), name.to_owned()]);
        }
        if let Some(reference) = &args.reference {
            words.extend(["--reference".into(), reference.clone()]);
        }
        if let Some(dir) = &args.separate_git_dir {
            let dir = sys.expand(dir);
            words.push(format!("--separate-git-dir={}", dir.display()));
        }
        words.push(self.tool.repo().to_owned());
        words.push(sys.real_path(dest).to_string_lossy().into_owned());
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.tool.run_anywhere(&words, sys)?;
        if let Some(refspec) = &args.refspec {
            self.tool.run(&["fetch", &args.remote, refspec], sys)?;
        }
        if args.bare {
            return Ok(());
        }
        if self.target.kind == Kind::Commit && args.version != "HEAD" {
            self.check_out(sys)?;
        }
        if args.verify_commit {
            verify(args, &self.tool, sys)?;
        }
        self.submodules(sys)
    }

    /// Brings the checkout to the version.
    pub fn update(&self, sys: &mut Sys) -> ModuleResult<()> {
        self.fetch(sys)?;
        if self.args.bare {
            return Ok(());
        }
        self.check_out(sys)?;
        if self.args.verify_commit {
            verify(self.args, &self.tool, sys)?;
        }
        self.submodules(sys)
    }

    fn fetch(&self, sys: &mut Sys) -> ModuleResult<()> {
        let args = self.args;
        let remote = args.remote.as_str();
        let mut words = vec!["fetch"];
        if args.force {
            words.push("--force");
        }
        if args.bare {
            words.extend([
                remote,
                "+refs/heads/*:refs/heads/*",
                "+refs/tags/*:refs/tags/*",
            ]);
            words.extend(args.refspec.as_deref());
            return self.fetched(&words, sys);
        }
        let Some(depth) = args.depth() else {
            let shallow = self
                .tool
                .ask(&["rev-parse", "--is-shallow-repository"], sys)?;
            if shallow.text().trim() == "true" {
                words.push("--unshallow");
            }
            words.extend(["--tags", remote]);
            words.extend(args.refspec.as_deref());
            let branch = match &self.target.kind {
                // a refspec, and a clone of one branch, replace the usual ones
                Kind::Branch(branch) if args.refspec.is_some() || !self.is_wide(sys)? => Some(
                    format!("+refs/heads/{branch}:refs/remotes/{remote}/{branch}"),
                ),
                _ => None,
            };
            words.extend(branch.as_deref());
            return self.fetched(&words, sys);
        };
        let depth = depth.to_string();
        words.extend(["--depth", &depth, remote]);
        let wanted = match &self.target.kind {
            Kind::Branch(branch) => format!("+refs/heads/{branch}:refs/remotes/{remote}/{branch}"),
            Kind::Tag => format!("+refs/tags/{0}:refs/tags/{0}", args.version),
            Kind::Commit => args.version.clone(),
        };
        words.push(&wanted);
        words.extend(args.refspec.as_deref());
        self.fetched(&words, sys)
    }

    fn fetched(&self, words: &[&str], sys: &mut Sys) -> ModuleResult<()> {
        self.tool
            .run_for(words, "Failed to download remote objects and refs", sys)
            .map(drop)
            .map_err(|mut failure| {
                if let Some(said) = failure.returns.get("stderr") {
                    failure.message = format!("{}:  {said}", failure.message);
                }
                failure
            })
    }

    fn check_out(&self, sys: &mut Sys) -> ModuleResult<()> {
        let version = self.args.version.as_str();
        let Kind::Branch(branch) = &self.target.kind else {
            let commit = match self.target.kind {
                Kind::Tag => version,
                _ if version == "HEAD" => self.target.commit.as_deref().unwrap_or(version),
                _ => version,
            };
            let what = format!("Failed to checkout {commit}");
            return self
                .tool
                .run_for(&["checkout", "--force", commit], &what, sys)
                .map(drop);
        };
        let upstream = format!("{}/{branch}", self.args.remote);
        let local = format!("refs/heads/{branch}");
        let what = format!("Failed to checkout branch {branch}");
        if !self
            .tool
            .ask(&["rev-parse", "--verify", "-q", &local], sys)?
            .ok()
        {
            // git follows only what its own refspecs fetch
            let track = if self.is_wide(sys)? {
                "--track"
            } else {
                "--no-track"
            };
            let words = ["checkout", "--force", track, "-b", branch, &upstream];
            return self.tool.run_for(&words, &what, sys).map(drop);
        }
        self.tool
            .run_for(&["checkout", "--force", branch, "--"], &what, sys)?;
        self.tool
            .run_for(&["reset", "--hard", &upstream, "--"], &what, sys)
            .map(drop)
    }

    /// Whether all branches of the remote repository are fetched.
    fn is_wide(&self, sys: &Sys) -> ModuleResult<bool> {
        let key = format!("remote.{}.fetch", self.args.remote);
        let output = self.tool.ask(&["config", "--get-all", &key], sys)?;
        Ok(output.text().contains("refs/heads/*:"))
    }

    fn has_submodules(&self, sys: &Sys) -> ModuleResult<bool> {
        if !self.args.recursive || self.args.bare {
            return Ok(false);
        }
        let output = self
            .tool
            .ask(&["ls-files", "--error-unmatch", ".gitmodules"], sys)?;
        Ok(output.ok())
    }

    fn submodules(&self, sys: &mut Sys) -> ModuleResult<()> {
        if !self.has_submodules(sys)? {
            return Ok(());
        }
        self.tool.run(&["submodule", "sync"], sys)?;
        let mut words = vec!["submodule", "update", "--init", "--recursive"];
        if self.args.track_submodules {
            words.push("--remote");
        }
        if self.args.force {
            words.push("--force");
        }
        self.tool
            .run_for(&words, "Failed to init/update submodules", sys)
            .map(drop)
    }

    /// The commit is checked out already: what may be left is its branch and its submodules.
    pub fn unchanged<'p>(self, plan: &mut Plan<'p>, shown: &str, sys: &Sys) -> ModuleResult<()>
    where
        Self: 'p,
    {
        if self.args.bare {
            return Ok(());
        }
        let loose = self.has_submodules(sys)? && {
            let output = self
                .tool
                .ask(&["submodule", "status", "--recursive"], sys)?;
            output
                .text()
                .lines()
                .any(|line| line.starts_with(['-', '+', 'U']))
        };
        if loose {
            let diff = Diff::new(
                format!("submodules of {shown}"),
                Some("(others than written down)\n"),
                Some("(as written down)\n"),
            );
            plan.act("update the submodules", Some(diff), move |sys, _| {
                self.submodules(sys)
            });
            return Ok(());
        }
        if self.args.track_submodules && self.has_submodules(sys)? {
            plan.always("update the submodules", move |sys, _| {
                let look = ["submodule", "status", "--recursive"];
                let before = self.tool.ask(&look, sys)?.stdout;
                self.submodules(sys)?;
                Ok(self.tool.ask(&look, sys)?.stdout != before)
            });
            return Ok(());
        }
        if let Kind::Branch(branch) = &self.target.kind {
            let output = self
                .tool
                .ask(&["symbolic-ref", "-q", "--short", "HEAD"], sys)?;
            if output.text().trim() != branch {
                // the same commit under another name is no change
                plan.always(format!("check out {branch}"), move |sys, _| {
                    self.update(sys).map(|()| false)
                });
                return Ok(());
            }
        }
        if self.args.verify_commit {
            verify(self.args, &self.tool, sys)?;
        }
        Ok(())
    }
}
