//! `recurse: true`: attributes of everything in a directory.

use super::Args;
use crate::modules::{ModuleResult, Plan};
use crate::sys::{FileKind, Sys};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub(super) fn plan(args: &Args, sys: &Sys, plan: &mut Plan<'_>, path: &Path) -> ModuleResult<()> {
    // its own plan: the return values are those of the directory, not of what is in it
    let mut inner = Plan::new();
    walk(args, sys, &mut inner, path, &mut BTreeSet::new())?;
    plan.absorb(inner);
    Ok(())
}

fn walk(
    args: &Args,
    sys: &Sys,
    plan: &mut Plan<'_>,
    directory: &Path,
    seen: &mut BTreeSet<PathBuf>,
) -> ModuleResult<()> {
    let place = sys
        .canonical(directory)
        .unwrap_or_else(|| directory.to_owned());
    if !seen.insert(place) {
        return Ok(());
    }
    for name in sys.list(directory)? {
        let path = directory.join(name);
        let Some(meta) = sys.stat(&path, false)? else {
            continue;
        };
        match meta.kind {
            FileKind::Link if args.follow => {
                let Some(target) = sys
                    .canonical(&path)
                    .filter(|target| seen.insert(target.clone()))
                else {
                    continue;
                };
                args.attrs.plan(sys, plan, &target, false)?;
                if sys
                    .stat(&target, false)?
                    .is_some_and(|meta| meta.kind == FileKind::Directory)
                {
                    seen.remove(&target);
                    walk(args, sys, plan, &target, seen)?;
                }
            }
            FileKind::Directory => {
                let known = sys.canonical(&path).is_some_and(|p| seen.contains(&p));
                if !known {
                    args.attrs.plan(sys, plan, &path, false)?;
                    walk(args, sys, plan, &path, seen)?;
                }
            }
            _ => {
                if seen.insert(path.clone()) {
                    args.attrs.plan(sys, plan, &path, false)?;
                }
            }
        }
    }
    Ok(())
}
