//! `git`: a checkout of a repository at a version.
//!
//! What the version stands for is asked of the remote repository (`git ls-remote`) while planning, so that check mode
//! knows whether something would change, and nothing is fetched if not.
//! Source: git(1) and its pages, and the documentation of `ansible.builtin.git`.

mod archive;
mod checkout;
mod remote;
mod tool;
mod verify;

use crate::module_args;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Value};
use checkout::Work;
use remote::Target;
use std::path::{Path, PathBuf};
use tool::Tool;

module_args! {
    /// Arguments of `git`.
    pub struct Args {
        /// The repository's address, or its path on the machine.
        repo: String => required, aliases ["name"];
        /// Where the checkout goes; may be left out with `clone: false`.
        dest: Option<PathBuf> => optional;
        /// A branch, a tag, a commit, or `HEAD`.
        version: String => default("HEAD");
        /// What the remote repository is called.
        remote: String => default("origin");
        /// One more refspec to fetch.
        refspec: Option<String> => optional;
        /// A repository whose objects are borrowed.
        reference: Option<String> => optional;
        /// Throw away changes to files of the checkout.
        force: bool => default(false);
        /// Fetch only so many commits.
        depth: Option<i64> => optional;
        /// Make the checkout if it is not there.
        clone: bool => default(true);
        /// Look for new commits if the checkout is there.
        update: bool => default(true);
        /// A repository without a checkout.
        bare: bool => default(false);
        /// Also its submodules.
        recursive: bool => default(true);
        /// Fetch only the version's branch.
        single_branch: bool => default(false);
        /// Submodules follow their branches instead of the commits that are written down.
        track_submodules: bool => default(false);
        /// The commit or tag must have a good signature.
        verify_commit: bool => default(false);
        /// Fingerprints of the keys whose signatures are good.
        gpg_allowlist: Vec<String> => default(Vec::<Value>::new()), aliases ["gpg_whitelist"];
        /// The file of an archive of the checkout (`.zip`, `.tar.gz`, `.tar`, `.tgz`).
        archive: Option<PathBuf> => optional;
        /// A directory that all names in the archive begin with.
        archive_prefix: Option<String> => optional;
        /// Where the repository itself goes, apart from the checkout.
        separate_git_dir: Option<PathBuf> => optional;
        /// The program.
        executable: Option<PathBuf> => optional;
        /// A private key on the machine to log in with.
        key_file: Option<PathBuf> => optional;
        /// Arguments for ssh.
        ssh_opts: Option<String> => optional;
        /// Take the key of a host without looking.
        accept_hostkey: bool => default(false);
        /// Take the key of a host that is not known yet.
        accept_newhostkey: bool => default(false);
        /// File mode creation mask.
        umask: Option<Value> => optional;
    }
}

/// The module.
pub struct Git;

impl Module for Git {
    const NAME: &'static str = "git";
    const DOC: &'static str = "Check out a repository of git at a version.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::Exclusive(&["separate_git_dir", "bare"]),
        ArgRule::Exclusive(&["accept_hostkey", "accept_newhostkey"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let dest = match &args.dest {
            Some(dest) => sys.expand(dest),
            None if args.clone => {
                return Err("the destination directory must be specified unless clone=no".into());
            }
            None => PathBuf::new(),
        };
        if args.archive_prefix.is_some() && args.archive.is_none() {
            return Err("missing parameter(s) required by 'archive_prefix': archive".into());
        }
        let tool = Tool::new(args, &dest, sys)?;
        let mut plan = Plan::new();
        let config = if args.bare { "config" } else { ".git/config" };
        let linked = dest.join(".git");
        let is_file = sys
            .stat(&linked, true)?
            .is_some_and(|meta| meta.kind == crate::sys::FileKind::File);
        let there = args.dest.is_some() && (sys.exists(&dest.join(config)) || is_file);
        if there {
            existing(args, tool, dest, sys, &mut plan)?;
        } else {
            fresh(args, tool, dest, sys, &mut plan)?;
        }
        Ok(plan)
    }
}

impl Args {
    fn depth(&self) -> Option<i64> {
        self.depth.filter(|depth| *depth > 0)
    }
}

/// A checkout that is not there yet.
fn fresh<'a>(
    args: &'a Args,
    tool: Tool,
    dest: PathBuf,
    sys: &Sys,
    plan: &mut Plan<'a>,
) -> ModuleResult<()> {
    let target = Target::find(args, &tool, None, sys)?;
    plan.returns("before", Value::Null);
    plan.returns("after", target.commit.as_deref().map(Value::data));
    if !args.clone {
        return Ok(());
    }
    let after = target.commit.clone().unwrap_or_default();
    let shown = dest.display().to_string();
    let diff = Diff::new(shown.clone(), None::<String>, Some(format!("{after}\n")));
    let archived = args.archive.as_ref().map(|path| sys.expand(path));
    let work = Work { args, tool, target };
    plan.act(format!("clone {shown}"), Some(diff), move |sys, data| {
        work.clone_into(&dest, sys)?;
        data.set("after", work.tool.head(sys)?.map(Value::data));
        if let Some(path) = &archived {
            archive::make(args, &work.tool, path, sys)?;
        }
        Ok(())
    });
    Ok(())
}

/// A checkout that is there.
fn existing<'a>(
    args: &'a Args,
    tool: Tool,
    dest: PathBuf,
    sys: &Sys,
    plan: &mut Plan<'a>,
) -> ModuleResult<()> {
    let before = tool.head(sys)?;
    plan.returns("before", before.as_deref().map(Value::data));
    plan.returns("after", before.as_deref().map(Value::data));
    let archived = args.archive.as_ref().map(|path| sys.expand(path));
    if args.update {
        update(args, tool.clone(), &dest, before.as_deref(), sys, plan)?;
    }
    if let Some(path) = archived {
        let what = format!("archive {}", path.display());
        if sys.exists(&path) {
            // whether it is the same is only known when it is made
            plan.always(what, move |sys, _| archive::make(args, &tool, &path, sys));
        } else {
            let diff = Diff::new(path.to_string_lossy(), None::<String>, Some("(archive)\n"));
            plan.act(what, Some(diff), move |sys, _| {
                archive::make(args, &tool, &path, sys).map(drop)
            });
        }
    }
    Ok(())
}

fn update<'a>(
    args: &'a Args,
    tool: Tool,
    dest: &Path,
    before: Option<&str>,
    sys: &Sys,
    plan: &mut Plan<'a>,
) -> ModuleResult<()> {
    let modified = !args.bare && tool.is_modified(sys)?;
    let message = format!(
        "Local modifications exist in the destination: {}",
        dest.display()
    );
    if modified && !args.force {
        return Err(
            Failure::new(format!("{message} (force=no).")).with("before", before.map(Value::data))
        );
    }
    if let Some(separate) = &args.separate_git_dir
        && tool.git_dir(sys)? != sys.expand(separate)
    {
        return Err(format!(
            "moving the repository of a checkout that is there ({}) is not built yet",
            dest.display()
        )
        .into());
    }
    let shown = dest.display().to_string();
    if modified {
        plan.returns("msg", Value::data(message));
        let diff = Diff::new(
            shown.clone(),
            Some("(modified)\n"),
            Some("(not modified)\n"),
        );
        let tool = tool.clone();
        plan.act("throw away modifications", Some(diff), move |sys, _| {
            tool.run(&["reset", "--hard", "HEAD"], sys).map(drop)
        });
    }
    let url = tool.url(&args.remote, sys)?;
    let moved = url.as_deref() != Some(tool.repo()) && url.as_deref() != Some(args.repo.as_str());
    plan.returns("remote_url_changed", moved);
    if moved {
        let verb = if url.is_some() { "set-url" } else { "add" };
        let line = |url: &str| format!("{} {url}\n", args.remote);
        let diff = Diff::new(
            format!("remote repository of {shown}"),
            url.as_deref().map(line),
            Some(line(tool.repo())),
        );
        let tool = tool.clone();
        plan.act("set the remote repository", Some(diff), move |sys, _| {
            let words = ["remote", verb, &args.remote, tool.repo()];
            tool.run(&words, sys).map(drop)
        });
    }
    let target = Target::find(args, &tool, before, sys)?;
    let work = Work { args, tool, target };
    let Some(commit) = work.target.commit.clone() else {
        // only known after fetching
        let before = before.map(str::to_owned);
        plan.always(format!("check out {}", args.version), move |sys, data| {
            work.update(sys)?;
            let after = work.tool.head(sys)?;
            let changed = after != before;
            data.set("after", after.map(Value::data));
            Ok(changed)
        });
        return Ok(());
    };
    plan.returns("after", Value::data(commit.as_str()));
    if before == Some(commit.as_str()) {
        work.unchanged(plan, &shown, sys)?;
        return Ok(());
    }
    let diff = Diff::new(
        shown,
        before.map(|before| format!("{before}\n")),
        Some(format!("{commit}\n")),
    );
    let what = format!("check out {}", args.version);
    plan.act(what, Some(diff), move |sys, data| {
        work.update(sys)?;
        data.set("after", work.tool.head(sys)?.map(Value::data));
        Ok(())
    });
    Ok(())
}
