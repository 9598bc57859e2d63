//! `get_url`: a file from the network, fetched only where it is missing or may have changed.
//!
//! Where a file is there already, the plan fetches the new content (if the server says that it is newer) into a
//! private place, to tell whether it differs. Where none is there, nothing is fetched before the plan is applied.
//!
//! Source: Ansible's documentation of `ansible.builtin.get_url`.

use super::download::{Download, url_name};
use super::web::Web;
use crate::module_args;
use crate::modules::files::attrs::{FileAttrs, facts_of};
use crate::modules::files::checksum::Algorithm;
use crate::modules::files::place::{Placement, Source, place};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, HttpRequest, Sys};
use crate::value::{FromValue, Value};
use std::path::{Path, PathBuf};

module_args! {
    /// Arguments of `get_url`.
    pub struct Args {
        web: Web => flatten;
        /// Where it goes. A directory gets the name that the server or the URL gives.
        dest: PathBuf => required;
        /// `algorithm:digest`, or `algorithm:` and the URL of a file of digests. A file that has it is not fetched again.
        checksum: String => default("");
        /// Fetch it even if the server says that it is not newer.
        force: bool => default(false);
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
        /// Seconds to wait for the server.
        timeout: i64 => default(10_i64);
        /// The directory for the download while it is not complete. Accepted; the file is always put in place at once.
        tmp_dest: Option<PathBuf> => optional;
        attrs: FileAttrs => flatten;
    }
}

/// The module.
pub struct GetUrl;

impl Module for GetUrl {
    const NAME: &'static str = "get_url";
    const DOC: &'static str = "Download a file over HTTP or HTTPS to the machine.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut plan = Plan::new();
        plan.returns("url", Value::data(args.web.url.as_str()));
        let dest = sys.expand(&args.dest);
        let mut request = args.web.request(sys, args.timeout)?;
        if let Some(dir) = &args.tmp_dest {
            let dir = sys.expand(dir);
            match sys.stat(&dir, true)? {
                Some(meta) if meta.kind == FileKind::Directory => {}
                Some(_) => {
                    return Err(
                        format!("{} is a file but should be a directory.", dir.display()).into(),
                    );
                }
                None => return Err(format!("{} directory does not exist.", dir.display()).into()),
            }
        }
        let meta = sys.stat(&dest, true)?;
        let into_dir = meta
            .as_ref()
            .is_some_and(|meta| meta.kind == FileKind::Directory)
            || args.dest.to_string_lossy().ends_with('/');
        let wanted = Checksum::of(args, sys, &request)?;
        if into_dir {
            let download = Download::fetch(sys, &request)?;
            let name = download
                .name
                .clone()
                .unwrap_or_else(|| "index.html".to_owned());
            let dest = dest.join(name);
            arrived(args, sys, &mut plan, download, wanted.as_ref(), &dest)?;
            return Ok(plan);
        }
        plan.returns("dest", Value::data(dest.to_string_lossy().as_ref()));
        let Some(meta) = meta else {
            fetch_later(args, sys, &mut plan, request, wanted, dest)?;
            return Ok(plan);
        };
        if let Some(wanted) = &wanted
            && !args.force
            && wanted.fits(sys, &dest)?
        {
            plan.returns("msg", "file already exists");
            unchanged(args, sys, &mut plan, &dest)?;
            return Ok(plan);
        }
        if wanted.is_none() && !args.force {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole seconds are what HTTP knows"
            )]
            let since = jiff::Timestamp::from_second(meta.mtime as i64).unwrap_or_default();
            let since = since.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            request
                .headers
                .push(("If-Modified-Since".to_owned(), since));
        }
        let download = Download::fetch(sys, &request)?;
        if download.file.is_none() {
            said(&download, &mut |key, value| plan.returns(key, value));
            unchanged(args, sys, &mut plan, &dest)?;
            return Ok(plan);
        }
        arrived(args, sys, &mut plan, download, wanted.as_ref(), &dest)?;
        Ok(plan)
    }
}

fn said(download: &Download, set: &mut dyn FnMut(&str, Value)) {
    set("msg", Value::data(download.message.as_str()));
    set("status_code", i64::from(download.status).into());
    set("elapsed", download.elapsed.into());
}

/// The file stays; its attributes may change.
fn unchanged(args: &Args, sys: &Sys, plan: &mut Plan<'_>, dest: &Path) -> ModuleResult<()> {
    facts_of(sys, dest, true)?.plan(plan);
    args.attrs.plan(sys, plan, dest, true)
}

/// Plans to put a content that was fetched in place, if it differs.
fn arrived(
    args: &Args,
    sys: &Sys,
    plan: &mut Plan<'_>,
    download: Download,
    wanted: Option<&Checksum>,
    dest: &Path,
) -> ModuleResult<()> {
    let path = download.path(sys).ok_or("the server sent no content")?;
    if let Some(wanted) = wanted {
        wanted.check(sys, &path)?;
    }
    said(&download, &mut |key, value| plan.returns(key, value));
    plan.returns("dest", Value::data(dest.to_string_lossy().as_ref()));
    plan.returns("checksum_src", sys.sha1(&path)?.map(Value::data));
    plan.returns("md5sum", sys.digest::<md5::Md5>(&path)?.map(Value::data));
    if sys
        .stat(dest, true)?
        .is_some_and(|meta| meta.kind == FileKind::File)
    {
        plan.returns("checksum_dest", sys.sha1(dest)?.map(Value::data));
    } else {
        plan.returns("checksum_dest", Value::Null);
    }
    let placement = Placement {
        backup_key: "backup_file",
        dest: dest.to_owned(),
        attrs: args.attrs.clone(),
        backup: args.backup,
        validate: None,
        follow: true,
        checksums: false,
        parent_planned: false,
    };
    if place(sys, plan, Source::File(path), placement)? {
        // the download must live until it is in its place
        plan.always("remove the download", move |_, _| {
            drop(download);
            Ok(false)
        });
    }
    Ok(())
}

/// Nothing is there: fetched when the plan is applied.
fn fetch_later<'a>(
    args: &'a Args,
    sys: &Sys,
    plan: &mut Plan<'a>,
    request: HttpRequest,
    wanted: Option<Checksum>,
    dest: PathBuf,
) -> ModuleResult<()> {
    let parent = dest
        .parent()
        .filter(|dir| !dir.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if sys.stat(parent, true)?.is_none() {
        return Err(
            Failure::new(format!("Destination {} does not exist", parent.display()))
                .with("dest", Value::data(dest.to_string_lossy().as_ref())),
        );
    }
    // names and modes that are wrong are said before anything is fetched
    args.attrs.write_options(sys, &dest)?;
    let text = format!("[the content of {}]\n", args.web.url);
    let diff = Diff::new(dest.to_string_lossy(), None::<String>, Some(text));
    plan.act(
        format!("download {}", dest.display()),
        Some(diff),
        move |sys, returns| {
            let download = Download::fetch(sys, &request)?;
            let mut inner = Plan::new();
            arrived(args, sys, &mut inner, download, wanted.as_ref(), &dest)?;
            inner.apply_within(sys, returns).map(drop)
        },
    );
    Ok(())
}

/// A digest that the file must have.
struct Checksum {
    algorithm: Algorithm,
    digest: String,
}

impl Checksum {
    /// That of the arguments, if there is one.
    fn of(args: &Args, sys: &Sys, request: &HttpRequest) -> ModuleResult<Option<Self>> {
        if args.checksum.is_empty() {
            return Ok(None);
        }
        let (algorithm, digest) = args
            .checksum
            .split_once(':')
            .ok_or("The checksum parameter has to be in format <algorithm>:<checksum>")?;
        let algorithm = Algorithm::from_value(&Value::str(algorithm.trim().to_lowercase()))
            .map_err(|problem| Failure::new(format!("checksum: {}", problem.0)))?;
        let mut digest = digest.trim().to_owned();
        if ["http://", "https://", "ftp://", "file://"]
            .iter()
            .any(|scheme| digest.starts_with(scheme))
        {
            let list = Download::fetch(
                sys,
                &HttpRequest {
                    url: digest.clone(),
                    ..request.clone()
                },
            )?;
            let path = list.path(sys).ok_or("the file of checksums is empty")?;
            let text = sys.read_text(&path)?.unwrap_or_default();
            let name = url_name(&args.web.url).unwrap_or_default();
            digest = find_digest(&text, &name).ok_or_else(|| {
                Failure::new(format!(
                    "Unable to find a checksum for file '{name}' in '{digest}'"
                ))
            })?;
        }
        let digest: String = digest.chars().filter(char::is_ascii_alphanumeric).collect();
        if digest.is_empty() || !digest.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err("The checksum format is invalid".into());
        }
        Ok(Some(Self {
            algorithm,
            digest: digest.to_lowercase(),
        }))
    }

    fn fits(&self, sys: &Sys, path: &Path) -> ModuleResult<bool> {
        Ok(self.algorithm.digest(sys, path)?.as_deref() == Some(&self.digest))
    }

    fn check(&self, sys: &Sys, path: &Path) -> ModuleResult<()> {
        let found = self.algorithm.digest(sys, path)?.unwrap_or_default();
        if found == self.digest {
            return Ok(());
        }
        Err(Failure::new(format!(
            "The checksum of the download did not match {}; it was {found}.",
            self.digest
        )))
    }
}

/// The digest of a file in a list: `digest  name`, `digest *./name`, `SHA256 (name) = digest`, or one digest alone.
fn find_digest(list: &str, name: &str) -> Option<String> {
    let lines: Vec<&str> = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if let [only] = lines.as_slice()
        && !only.contains(char::is_whitespace)
    {
        return Some((*only).to_owned());
    }
    lines.iter().find_map(|line| {
        if let Some((left, digest)) = line.split_once(") = ") {
            let (_, file) = left.split_once('(')?;
            return (file == name).then(|| digest.trim().to_owned());
        }
        let (digest, file) = line.split_once(char::is_whitespace)?;
        let file = file
            .trim_start()
            .trim_start_matches('*')
            .trim_start_matches("./");
        (file == name || file.rsplit('/').next() == Some(name)).then(|| digest.to_owned())
    })
}
