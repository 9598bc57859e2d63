//! Writing the members that differ.

use super::compare::{Job, check_within};
use super::format::{Format, read_members};
use super::member::MemberKind;
use crate::modules::files::attrs::facts_of;
use crate::modules::files::place::Source;
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys, WriteOptions};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Members that a diff names.
const SHOWN: usize = 200;

/// Adds the one step that writes them all.
pub(super) fn plan<'a>(
    plan: &mut Plan<'a>,
    format: Format,
    source: Source<'a>,
    dest: &Path,
    jobs: Vec<Job>,
) {
    let diff = diff_of(dest, &jobs);
    let dest = dest.to_owned();
    plan.act(
        format!("unpack into {}", dest.display()),
        Some(diff),
        move |sys, returns| {
            extract(sys, format, &source, &dest, jobs)?;
            facts_of(sys, &dest, true)?.refresh(returns);
            Ok(())
        },
    );
}

fn diff_of(dest: &Path, jobs: &[Job]) -> Diff {
    let (mut before, mut after) = (String::new(), String::new());
    for job in jobs.iter().take(SHOWN) {
        let what = match &job.kind {
            MemberKind::Directory => "directory",
            MemberKind::Link(_) => "link",
            MemberKind::HardLink(_) => "hard link",
            MemberKind::File | MemberKind::Other => "file",
        };
        let name = job.path.strip_prefix(dest).unwrap_or(&job.path).display();
        if job.attrs_only {
            let _ = writeln!(before, "{name}: other mode or owner");
            let _ = writeln!(after, "{name}: mode and owner of the archive");
        } else {
            if job.is_there {
                let _ = writeln!(before, "{name}: other content");
            }
            let _ = writeln!(after, "{name}: {what} of the archive");
        }
    }
    if jobs.len() > SHOWN {
        let _ = writeln!(after, "and {} more", jobs.len() - SHOWN);
    }
    Diff::new(dest.to_string_lossy(), Some(before), Some(after))
}

fn extract(
    sys: &mut Sys,
    format: Format,
    source: &Source<'_>,
    dest: &Path,
    jobs: Vec<Job>,
) -> ModuleResult<()> {
    let mut by_number: BTreeMap<usize, Job> =
        jobs.into_iter().map(|job| (job.number, job)).collect();
    // directories get their modes and times last: they may be closed to us, and writing into them changes the times
    let mut directories: Vec<Job> = Vec::new();
    let reader = sys.reader();
    read_members(format, source, &reader, &mut |number, _, content| {
        let Some(job) = by_number.remove(&number) else {
            return Ok(());
        };
        if sys.cancel().is_stopped() {
            return Err(crate::sys::Error::Cancelled.into());
        }
        check_within(sys, dest, &job.path)?;
        if job.attrs_only {
            job.attrs.set(sys, &job.path, false)?;
            return Ok(());
        }
        if let Some(parent) = job.path.parent() {
            make_parents(sys, parent)?;
        }
        match &job.kind {
            MemberKind::Directory => {
                make_way(sys, &job.path)?;
                sys.make_dir(&job.path, 0o700)?;
                directories.push(job);
                Ok(())
            }
            MemberKind::Link(target) => {
                sys.symlink(Path::new(target), &job.path)?;
                sys.set_owner(&job.path, job.attrs.uid, job.attrs.gid, false)?;
                Ok(set_time(sys, &job)?)
            }
            MemberKind::HardLink(_) => match &job.original {
                Some(original) => Ok(sys.hard_link(original, &job.path)?),
                None => Ok(()),
            },
            MemberKind::File => write_file(sys, &job, content),
            MemberKind::Other => Ok(()),
        }
    })?;
    // one look at the disk for all files; before the times, which it does not change
    let mut devices: Vec<u64> = Vec::new();
    for directory in std::iter::once(dest).chain(directories.iter().map(|job| job.path.as_path())) {
        let device = sys.stat(directory, true)?.map(|meta| meta.dev);
        if let Some(device) = device.filter(|device| !devices.contains(device)) {
            devices.push(device);
            sys.sync_file_system(directory)?;
        }
    }
    for job in directories.iter().rev() {
        job.attrs.set(sys, &job.path, false)?;
        set_time(sys, job)?;
    }
    Ok(())
}

fn write_file(sys: &mut Sys, job: &Job, content: &mut dyn Read) -> ModuleResult<()> {
    // a link in its place is replaced, not followed
    let is_file = sys
        .stat(&job.path, false)?
        .is_some_and(|meta| meta.kind == FileKind::File);
    if !is_file {
        sys.remove_file(&job.path)?;
    }
    let options = WriteOptions {
        mode: job.attrs.mode,
        uid: job.attrs.uid,
        gid: job.attrs.gid,
        unsafe_writes: false,
        synced_later: true,
    };
    sys.write_from(&job.path, content, &options)?;
    Ok(set_time(sys, job)?)
}

fn set_time(sys: &mut Sys, job: &Job) -> crate::sys::Result<()> {
    #[expect(clippy::cast_precision_loss, reason = "seconds fit")]
    match job.mtime {
        Some(time) => sys.set_times(&job.path, None, Some(time as f64), false),
        None => Ok(()),
    }
}

/// Removes a file or link where a directory is to be.
fn make_way(sys: &mut Sys, path: &Path) -> ModuleResult<()> {
    if let Some(meta) = sys.stat(path, false)?
        && meta.kind != FileKind::Directory
    {
        sys.remove_file(path)?;
    }
    Ok(())
}

/// Archives need not name the directories of their members.
fn make_parents(sys: &mut Sys, directory: &Path) -> ModuleResult<()> {
    let mut missing: Vec<PathBuf> = directory
        .ancestors()
        .take_while(|dir| !dir.as_os_str().is_empty() && !sys.exists(dir))
        .map(Path::to_owned)
        .collect();
    while let Some(dir) = missing.pop() {
        sys.make_dir(&dir, 0o777)?;
    }
    Ok(())
}
