//! `deb822_repository`: sources of Debian packages, each in a file of its own.
//!
//! Source: sources.list(5), and the documentation of `ansible.builtin.deb822_repository`.

use crate::modules::files::attrs::Mode;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{HttpRequest, Sys, WriteOptions};
use crate::value::Value;
use crate::{choices, module_args};
use std::io::Read as _;
use std::path::{Path, PathBuf};

choices! {
    /// Whether the source is to be there.
    pub enum State {
        /// It is not.
        Absent = "absent",
        /// It is.
        Present = "present",
    }
}

choices! {
    /// What a source has.
    pub enum Kind {
        /// Packages.
        Deb = "deb",
        /// Their sources.
        Source = "deb-src",
    }
}

module_args! {
    /// Arguments of `deb822_repository`.
    pub struct Args {
        /// Whether a less secure state than before is accepted.
        allow_downgrade_to_insecure: Option<bool> => optional;
        /// Whether a source that is not signed is accepted.
        allow_insecure: Option<bool> => optional;
        /// Whether weak signatures are accepted.
        allow_weak: Option<bool> => optional;
        /// Which architectures are used.
        architectures: Option<Vec<String>> => optional;
        /// Whether files are asked for by their digests.
        by_hash: Option<bool> => optional;
        /// Whether the date of the release is looked at.
        check_date: Option<bool> => optional;
        /// Whether its end of validity is looked at.
        check_valid_until: Option<bool> => optional;
        /// The components.
        components: Option<Vec<String>> => optional;
        /// How many seconds the release's date may lie in the future.
        date_max_future: Option<i64> => optional;
        /// Whether the source is used.
        enabled: Option<bool> => optional;
        /// Where the file InRelease lies.
        inrelease_path: Option<String> => optional;
        /// Which translations are used.
        languages: Option<Vec<String>> => optional;
        /// Permission bits of the file.
        mode: Mode => default("0644");
        /// The source's name; the file is named after it.
        name: String => required;
        /// Whether differences of indexes are used.
        pdiffs: Option<bool> => optional;
        /// The key that signs: a path, a URL, fingerprints, or the key itself.
        signed_by: Option<String> => optional;
        /// Whether the source is to be there.
        state: State => default("present");
        /// The suites.
        suites: Option<Vec<String>> => optional;
        /// Which files are fetched.
        targets: Option<Vec<String>> => optional;
        /// Whether the source is trusted without a signature.
        trusted: Option<bool> => optional;
        /// What the source has.
        types: Vec<Kind> => default(vec!["deb"]);
        /// The addresses.
        uris: Option<Vec<String>> => optional;
    }
}

const KEYRINGS: &str = "/etc/apt/keyrings";

/// The module.
pub struct Deb822Repository;

impl Module for Deb822Repository {
    const NAME: &'static str = "deb822_repository";
    const DOC: &'static str =
        "Add and remove sources of Debian packages in files of their own, in deb822 format.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let slug = slug(&args.name);
        let dest = PathBuf::from(format!("/etc/apt/sources.list.d/{slug}.sources"));
        let mut plan = Plan::new();
        plan.returns("dest", Value::data(dest.to_string_lossy().as_ref()));
        let keys = ["asc", "gpg"].map(|ext| PathBuf::from(format!("{KEYRINGS}/{slug}.{ext}")));
        if args.state == State::Absent {
            plan.returns("repo", Value::Null);
            let [_, key] = &keys;
            plan.returns("key_filename", Value::data(key.to_string_lossy().as_ref()));
            for path in std::iter::once(dest).chain(keys) {
                if sys.exists(&path) {
                    let diff = Diff::new(
                        path.to_string_lossy(),
                        Some(String::from_utf8_lossy(
                            &sys.read(&path)?.unwrap_or_default(),
                        )),
                        None::<String>,
                    );
                    plan.step(diff, move |sys| sys.remove_file(&path));
                }
            }
            return Ok(plan);
        }
        let key = signing_key(args, sys, &slug, &mut plan)?;
        let text = stanza(args, key.as_deref());
        plan.returns("repo", Value::data(text.as_str()));
        let bits = args.mode.apply(0o644, false, sys.umask()).unwrap_or(0o644);
        put(sys, &mut plan, &dest, text.into_bytes(), bits)?;
        Ok(plan)
    }
}

/// The name as file names have it.
fn slug(name: &str) -> String {
    let mut out = String::new();
    let mut is_gap = false;
    for c in name.to_lowercase().chars() {
        if c == '_' || c.is_whitespace() {
            if !is_gap {
                out.push('-');
            }
            is_gap = true;
            continue;
        }
        is_gap = false;
        if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' {
            out.push(c);
        }
    }
    out
}

/// What the field `Signed-By` says. A key behind a URL becomes a file.
fn signing_key<'a>(
    args: &'a Args,
    sys: &Sys,
    slug: &str,
    plan: &mut Plan<'a>,
) -> ModuleResult<Option<String>> {
    plan.returns("key_filename", Value::Null);
    let Some(given) = &args.signed_by else {
        return Ok(None);
    };
    if !given.contains('\n') && sys.exists(Path::new(given)) {
        plan.returns("key_filename", Value::data(given.as_str()));
        return Ok(Some(given.clone()));
    }
    let is_url = ["http://", "https://", "file://", "ftp://"]
        .iter()
        .any(|scheme| given.starts_with(scheme));
    if !is_url {
        return Ok(Some(given.clone()));
    }
    let bytes = fetched(sys, given, true)
        .map_err(|why| Failure::new(format!("Could not fetch signed_by key: {why}")))?;
    let is_armored = bytes.windows(11).any(|part| part == b"-----BEGIN ");
    let ext = if is_armored { "asc" } else { "gpg" };
    let path = PathBuf::from(format!("{KEYRINGS}/{slug}.{ext}"));
    let shown = path.to_string_lossy().into_owned();
    plan.returns("key_filename", Value::data(shown.as_str()));
    if !sys.exists(Path::new(KEYRINGS)) {
        let diff = Diff::new(KEYRINGS, None::<String>, Some("state: directory\n"));
        plan.step(diff, |sys| {
            sys.make_dir(Path::new(KEYRINGS), 0o755)?;
            sys.set_mode(Path::new(KEYRINGS), 0o755)
        });
    }
    put(sys, plan, &path, bytes, 0o644)?;
    Ok(Some(shown))
}

/// The content behind a URL.
pub(super) fn fetched(sys: &Sys, url: &str, validate_certs: bool) -> Result<Vec<u8>, String> {
    const MOST: u64 = 16 << 20;
    if let Some(path) = url.strip_prefix("file://") {
        return match sys.read(Path::new(path)) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(format!("there is no file {path}")),
            Err(error) => Err(error.to_string()),
        };
    }
    let request = HttpRequest {
        url: url.to_owned(),
        validate_certs,
        ..HttpRequest::default()
    };
    let response = sys.http(&request).map_err(|error| error.to_string())?;
    if !(200..300).contains(&response.status) {
        return Err(format!(
            "HTTP Error {}: {}",
            response.status,
            response.message()
        ));
    }
    let mut bytes = Vec::new();
    response
        .body
        .take(MOST)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// A file with this content and mode.
pub(super) fn put(
    sys: &Sys,
    plan: &mut Plan<'_>,
    path: &Path,
    bytes: Vec<u8>,
    mode: u32,
) -> ModuleResult<()> {
    let old = sys.read(path)?;
    let path = path.to_owned();
    let shown = path.to_string_lossy().into_owned();
    if old.as_deref() != Some(&bytes) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let diff = Diff::new(shown, old.as_deref().map(text), Some(text(&bytes)));
        plan.step(diff, move |sys| {
            let options = WriteOptions {
                mode: Some(mode),
                ..WriteOptions::default()
            };
            sys.write(&path, &bytes, &options)
        });
    } else if let Some(meta) = sys.stat(&path, true)?
        && meta.mode != mode
    {
        let side = |mode: u32| Some(format!("mode: {mode:04o}\n"));
        plan.step(Diff::new(shown, side(meta.mode), side(mode)), move |sys| {
            sys.set_mode(&path, mode)
        });
    }
    Ok(())
}

/// The file's text; fields stand in the order of the arguments' names.
fn stanza(args: &Args, key: Option<&str>) -> String {
    let flag = |value: Option<bool>| value.map(|yes| if yes { "yes" } else { "no" }.to_owned());
    let list = |value: &Option<Vec<String>>| value.as_ref().map(|words| words.join(" "));
    let kinds: Vec<_> = args.types.iter().map(|kind| kind.word()).collect();
    let fields = [
        (
            "Allow-Downgrade-To-Insecure",
            flag(args.allow_downgrade_to_insecure),
        ),
        ("Allow-Insecure", flag(args.allow_insecure)),
        ("Allow-Weak", flag(args.allow_weak)),
        ("Architectures", list(&args.architectures)),
        ("By-Hash", flag(args.by_hash)),
        ("Check-Date", flag(args.check_date)),
        ("Check-Valid-Until", flag(args.check_valid_until)),
        ("Components", list(&args.components)),
        (
            "Date-Max-Future",
            args.date_max_future.map(|n| n.to_string()),
        ),
        ("Enabled", flag(args.enabled)),
        ("Inrelease-Path", args.inrelease_path.clone()),
        ("Languages", list(&args.languages)),
        ("X-Repolib-Name", Some(args.name.clone())),
        ("Pdiffs", flag(args.pdiffs)),
        ("Signed-By", key.map(str::to_owned)),
        ("Suites", list(&args.suites)),
        ("Targets", list(&args.targets)),
        ("Trusted", flag(args.trusted)),
        ("Types", Some(kinds.join(" "))),
        ("URIs", list(&args.uris)),
    ];
    let mut text = String::new();
    for (name, value) in fields {
        let Some(value) = value else { continue };
        text.push_str(name);
        text.push(':');
        if value.contains('\n') {
            // lines of a value are indented, an empty one is a dot
            for line in value.trim().lines() {
                let line = match line.trim() {
                    "" => ".",
                    line => line,
                };
                text.push_str("\n    ");
                text.push_str(line);
            }
        } else if !value.is_empty() {
            text.push(' ');
            text.push_str(&value);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_become_file_names() {
        assert_eq!(slug("My  Repo_1 (x)"), "my-repo-1-x");
    }
}
