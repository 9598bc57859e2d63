//! Home directories.

use super::Args;
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys, WriteOptions};
use std::path::{Path, PathBuf};

/// Plans a home directory for an account that is there without one.
pub(super) fn plan<'a>(args: &'a Args, home: PathBuf, plan: &mut Plan<'a>) {
    let diff = Diff::new(
        home.to_string_lossy(),
        None::<String>,
        Some("state: directory\n"),
    );
    plan.act(
        format!("make {}", home.display()),
        Some(diff),
        move |sys, _| {
            let account = sys
                .account_anywhere(&args.name)?
                .ok_or_else(|| format!("the user {} is gone", args.name))?;
            if let Some(parent) = home.parent() {
                make_parents(parent, sys)?;
            }
            let mode = mode(args, sys)?;
            let skeleton = args.skeleton.as_deref().unwrap_or("/etc/skel");
            let owner = (account.uid, account.gid);
            sys.make_dir(&home, mode)?;
            copy(Path::new(skeleton), &home, owner, sys)?;
            sys.set_owner(&home, Some(owner.0), Some(owner.1), true)?;
            sys.set_mode(&home, mode)?;
            Ok(())
        },
    );
}

/// Makes the directories that are missing on the way to a path, and the path.
pub(super) fn make_parents(path: &Path, sys: &mut Sys) -> ModuleResult<()> {
    let mut missing = Vec::new();
    let mut place = Some(path);
    while let Some(dir) = place.filter(|dir| !dir.as_os_str().is_empty() && !sys.exists(dir)) {
        missing.push(dir);
        place = dir.parent();
    }
    for dir in missing.into_iter().rev() {
        sys.make_dir(dir, 0o755)?;
    }
    Ok(())
}

/// The mode of a new home directory: from the task's mask, else from `/etc/login.defs`.
fn mode(args: &Args, sys: &Sys) -> ModuleResult<u32> {
    let octal = |text: &str| u32::from_str_radix(text.trim_start_matches("0o"), 8).ok();
    if let Some(umask) = &args.umask {
        let mask = octal(umask).ok_or_else(|| format!("umask: `{umask}` is no octal number"))?;
        return Ok(0o777 & !mask);
    }
    let text = sys
        .read_text(Path::new("/etc/login.defs"))?
        .unwrap_or_default();
    let setting = |name: &str| {
        text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some(name))
                .then(|| octal(words.next()?))
                .flatten()
        })
    };
    Ok(setting("HOME_MODE")
        .or_else(|| setting("UMASK").map(|mask| 0o777 & !mask))
        .unwrap_or(0o755))
}

fn copy(from: &Path, to: &Path, owner: (u32, u32), sys: &mut Sys) -> ModuleResult<()> {
    if !sys.exists(from) {
        return Ok(());
    }
    for name in sys.list(from)? {
        let (source, target) = (from.join(&name), to.join(&name));
        let Some(meta) = sys.stat(&source, false)? else {
            continue;
        };
        match meta.kind {
            FileKind::Directory => {
                sys.make_dir(&target, meta.mode)?;
                copy(&source, &target, owner, sys)?;
            }
            FileKind::Link => {
                let link = sys.read_link(&source)?;
                sys.symlink(&link, &target)?;
            }
            FileKind::File => {
                let bytes = sys.read(&source)?.unwrap_or_default();
                let options = WriteOptions {
                    mode: Some(meta.mode),
                    ..WriteOptions::default()
                };
                sys.write(&target, &bytes, &options)?;
            }
            FileKind::Other(_) => continue,
        }
        sys.set_owner(&target, Some(owner.0), Some(owner.1), false)?;
    }
    Ok(())
}
