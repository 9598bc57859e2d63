//! `unarchive`: the members of an archive in a directory.
//!
//! tar (plain, gzip, bzip2, xz, zstd) and zip are read natively. Members are compared with what is there, and only those
//! that differ are written, each atomically. A member never leaves the directory, neither by its name nor through a
//! link.
//!
//! Source: Ansible's documentation of `ansible.builtin.unarchive`.

mod compare;
mod extract;
pub(super) mod format;
pub(super) mod member;
mod options;

use super::attrs::{FileAttrs, facts_of};
use super::place::Source;
use crate::module_args;
use crate::modules::net::Download;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::sys::{FileKind, HttpRequest, Sys};
use crate::value::{ArgRule, Value};
use compare::Comparison;
use format::{Format, read_members};
use options::Options;
use std::path::PathBuf;

module_args! {
    /// Arguments of `unarchive`.
    pub struct Args {
        /// The archive: on the controller; with `remote_src` on the machine, or an address that the machine fetches it from
        /// (each time, to compare).
        src: PathBuf => required;
        /// The directory, which must be there.
        dest: PathBuf => required;
        /// The old name of the opposite of `remote_src`.
        copy: Option<bool> => optional;
        /// The archive lies on the machine.
        remote_src: bool => default(false);
        /// Do nothing if this path is there.
        creates: Option<PathBuf> => optional;
        /// Only these members, by name or shell pattern.
        include: Vec<String> => default(Vec::<String>::new());
        /// Not these members, by name or shell pattern.
        exclude: Vec<String> => default(Vec::<String>::new());
        /// Options as tar takes them: `--strip-components=N`, `--exclude=PATTERN`, `--no-same-owner`, `--keep-newer-files`.
        extra_opts: Vec<String> => default(Vec::<String>::new());
        /// Leave files that are newer than their members.
        keep_newer: bool => default(false);
        /// Return the names of the members.
        list_files: bool => default(false);
        /// Without effect: sizes of buffers are chosen by runbook.
        io_buffer_size: i64 => default(65536);
        /// Whether the server that an address as `src` names must prove who it is.
        validate_certs: bool => default(true);
        /// Decrypt an archive that is encrypted with a vault; the controller does it.
        decrypt: bool => default(true);
        attrs: FileAttrs => flatten;
        _sha256: Option<String> => optional;
        _sha1: Option<String> => optional;
        _size: Option<u64> => optional;
        _source_name: Option<String> => optional;
    }
}

/// The module.
pub struct Unarchive;

impl Module for Unarchive {
    const NAME: &'static str = "unarchive";
    const DOC: &'static str = "Unpack an archive into a directory.";
    const RULES: &'static [ArgRule] = &[ArgRule::Exclusive(&["include", "exclude"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut plan = Plan::new();
        let dest = sys.expand(&args.dest);
        if let Some(creates) = args.creates.as_deref().map(|path| sys.expand(path))
            && sys.exists(&creates)
        {
            let message = format!("skipped, since {} exists", creates.display());
            plan.returns("msg", Value::data(message.as_str()));
            plan.skip(message);
            return Ok(plan);
        }
        let options = Options::of(args)?;
        let (source, download) = source_of(args, sys)?;
        let is_directory = sys
            .stat(&dest, true)?
            .is_some_and(|meta| meta.kind == FileKind::Directory);
        if !is_directory {
            return Err(Failure::new(format!(
                "dest '{}' must be an existing dir",
                dest.display()
            )));
        }
        let shown = args.src.to_string_lossy().into_owned();
        let format = Format::detect(&mut *source.open(sys)?, &shown)?;
        plan.returns("dest", Value::data(dest.to_string_lossy().as_ref()));
        plan.returns("src", Value::data(shown.as_str()));
        plan.returns("handler", format.handler());
        facts_of(sys, &dest, true)?.plan(&mut plan);
        let comparison = Comparison {
            sys,
            dest: &dest,
            attrs: &args.attrs,
            options: &options,
            has_owners: format.has_owners() && sys.me()?.uid == 0 && options.same_owner,
            is_root: sys.me()?.uid == 0,
        };
        let mut names = Vec::new();
        let mut jobs = Vec::new();
        let mut has_dest = false;
        read_members(format, &source, sys, &mut |number, member, _| {
            if let Some(name) = options.told(&member.name) {
                has_dest |= name.is_empty() || name.starts_with("./");
                names.push(Value::data(name));
            }
            if let Some(path) = options.place_of(&member.name)?
                && let Some(job) = comparison.job(number, member, path)?
            {
                jobs.push(job);
            }
            Ok(())
        })?;
        if args.list_files {
            plan.returns("files", Value::list(names));
        }
        if !jobs.is_empty() {
            extract::plan(&mut plan, format, source, &dest, jobs);
            // a download must live until it is unpacked
            plan.always("remove the download", move |_, _| {
                drop(download);
                Ok(false)
            });
        }
        // the directory itself has the attributes only where it is a member as well
        if has_dest {
            args.attrs.plan(sys, &mut plan, &dest, true)?;
        }
        Ok(plan)
    }
}

/// The archive, and the file that it was fetched into.
fn source_of<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<(Source<'a>, Option<Download>)> {
    if let Some(sha256) = &args._sha256 {
        let source = Source::Blob {
            sha256,
            size: args._size,
            sha1: args._sha1.as_deref(),
        };
        return Ok((source, None));
    }
    let shown = args.src.to_string_lossy();
    if !args.remote_src && args.copy != Some(false) {
        return Err(Failure::new(format!(
            "the content of {shown} was not sent along: without `remote_src`, unarchive takes it from the controller"
        )));
    }
    if shown.contains("://") {
        let request = HttpRequest {
            url: shown.into_owned(),
            validate_certs: args.validate_certs,
            ..HttpRequest::default()
        };
        let download = Download::fetch(sys, &request).map_err(|mut failure| {
            failure.message = format!("Failure downloading {}, {}", request.url, failure.message);
            failure
        })?;
        let path = download.path(sys).ok_or("the server sent no content")?;
        return Ok((Source::File(path), Some(download)));
    }
    let path = sys.expand(&args.src);
    match sys.stat(&path, true)? {
        Some(meta) if meta.kind == FileKind::File => Ok((Source::File(path), None)),
        Some(_) => Err(Failure::new(format!(
            "Source '{}' is not a file",
            path.display()
        ))),
        None => Err(Failure::new(format!(
            "Source '{}' does not exist",
            path.display()
        ))),
    }
}
