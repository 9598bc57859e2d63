//! `apt_repository`: sources of packages, in one-line style.
//!
//! Source: sources.list(5), and the documentation of `ansible.builtin.apt_repository`.

use super::apt;
use crate::modules::files::attrs::Mode;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Result as SysResult, Sys, WriteOptions};
use crate::value::{Args as _, Map, Value};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// Whether the source is to be there.
    pub enum State {
        /// In no file.
        Absent = "absent",
        /// In a file, and not commented out.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `apt_repository`.
    pub struct Args {
        /// The source: `deb [options] address suite component…`.
        repo: String => required;
        /// Whether it is to be there.
        state: State => default("present");
        /// Permission bits of a new file.
        mode: Option<Mode> => optional;
        /// Refresh the package index when something changed.
        update_cache: bool => default(true), aliases ["update-cache"];
        /// How often refreshing is tried.
        update_cache_retries: u64 => default(5);
        /// Most seconds between two tries.
        update_cache_retry_max_delay: u64 => default(12);
        /// Has no meaning: addresses of PPAs are not looked up.
        validate_certs: bool => default(true);
        /// The file below `/etc/apt/sources.list.d`, without `.list`; made from the address without it.
        filename: Option<String> => optional;
        /// Has no meaning: it is about PPAs.
        codename: Option<String> => optional;
        /// Has no meaning: no Python is needed.
        install_python_apt: bool => default(true);
    }
}

const MAIN: &str = "/etc/apt/sources.list";
const PARTS: &str = "/etc/apt/sources.list.d";

/// The module.
pub struct AptRepository;

impl Module for AptRepository {
    const NAME: &'static str = "apt_repository";
    const DOC: &'static str = "Add and remove sources of Debian packages.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.repo.trim().is_empty() {
            return Err("Please set argument 'repo' to a non-empty value".into());
        }
        if args.repo.trim().starts_with("ppa:") {
            return Err(
                "`ppa:` is not built yet: write the source as `deb address suite components`"
                    .into(),
            );
        }
        let wanted = Source::parse(&args.repo)
            .filter(|(_, enabled)| *enabled)
            .map(|(source, _)| source)
            .ok_or_else(|| {
                format!(
                    "Invalid repository string: {} (it is `deb [options] address suite component…`)",
                    args.repo
                )
            })?;
        let mode = args
            .mode
            .as_ref()
            .and_then(|mode| mode.apply(0o644, false, sys.umask()))
            .unwrap_or(0o644);
        let mut files = Vec::new();
        for path in paths(sys) {
            if let Some(text) = sys.read_text(&path)? {
                files.push((path, text));
            }
        }
        let mut edits = Vec::new();
        let mut found = false;
        for (path, text) in files {
            let new = match args.state {
                State::Present => enable(&text, &wanted, &mut found),
                State::Absent => without(&text, &wanted),
            };
            if new != text {
                let gone = new.trim().is_empty() && path != Path::new(MAIN);
                edits.push(Edit {
                    path,
                    old: Some(text),
                    new: (!gone).then_some(new),
                });
            }
        }
        if args.state == State::Present && !found {
            let path = Path::new(PARTS).join(file_name(args, &wanted));
            let old = sys.read_text(&path)?;
            let mut new = old.clone().unwrap_or_default();
            if !new.is_empty() && !new.ends_with('\n') {
                new.push('\n');
            }
            new.push_str(&wanted.line());
            new.push('\n');
            edits.push(Edit {
                path,
                old,
                new: Some(new),
            });
        }
        let mut plan = Plan::new();
        plan.returns("repo", Value::data(args.repo.as_str()));
        plan.returns("state", args.state.word());
        let named = |wanted: fn(&Edit) -> bool| {
            let names = edits.iter().filter(|edit| wanted(edit));
            Value::list(
                names
                    .map(|edit| Value::data(edit.path.to_string_lossy().as_ref()))
                    .collect(),
            )
        };
        plan.returns("sources_added", named(|edit| edit.old.is_none()));
        plan.returns("sources_removed", named(|edit| edit.new.is_none()));
        for edit in &edits {
            let diff = Diff::new(
                edit.path.to_string_lossy(),
                edit.old.clone(),
                edit.new.clone(),
            );
            let edit = edit.clone();
            plan.step(diff, move |sys| edit.put(edit.new.as_deref(), mode, sys));
        }
        if !edits.is_empty() && args.update_cache {
            let index = apt_args(args)?;
            plan.always("refresh the package index", move |sys, _| {
                apt::refresh_index(&index, sys).or_else(|failure| {
                    // a source that cannot be read would be in the way of every later call of apt
                    for edit in &edits {
                        edit.put(edit.old.as_deref(), mode, sys)?;
                    }
                    Err(failure)
                })
            });
        }
        Ok(plan)
    }
}

/// What becomes of a file; `None` where it is not there.
#[derive(Clone, Debug)]
struct Edit {
    path: PathBuf,
    old: Option<String>,
    new: Option<String>,
}

impl Edit {
    fn put(&self, text: Option<&str>, mode: u32, sys: &mut Sys) -> SysResult<()> {
        let Some(text) = text else {
            return sys.remove_file(&self.path);
        };
        let options = WriteOptions {
            mode: self.old.is_none().then_some(mode),
            ..WriteOptions::default()
        };
        sys.write(&self.path, text.as_bytes(), &options)
    }
}

fn apt_args(args: &Args) -> ModuleResult<apt::Args> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let map = Map::new()
        .with("update_cache_retries", number(args.update_cache_retries))
        .with(
            "update_cache_retry_max_delay",
            number(args.update_cache_retry_max_delay),
        );
    apt::Args::decode(&map).map_err(|_| "a bug in runbook: apt's own defaults do not fit".into())
}

/// A source, as far as two of them are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Source {
    kind: String,
    options: String,
    address: String,
    rest: Vec<String>,
}

impl Source {
    /// Reads a line; also whether it is in force or commented out.
    fn parse(line: &str) -> Option<(Self, bool)> {
        let line = line.trim();
        let enabled = !line.starts_with('#');
        let line = line.trim_start_matches('#').trim();
        let line = line.split('#').next()?.trim();
        let (kind, rest) = line.split_once(char::is_whitespace)?;
        if !matches!(kind, "deb" | "deb-src") {
            return None;
        }
        let rest = rest.trim();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(inner) => {
                let (options, rest) = inner.split_once(']')?;
                let words: Vec<_> = options.split_whitespace().collect();
                (format!("[{}]", words.join(" ")), rest)
            }
            None => (String::new(), rest),
        };
        let mut words = rest.split_whitespace().map(str::to_owned);
        let address = words.next()?;
        let rest: Vec<String> = words.collect();
        (!rest.is_empty()).then_some((
            Self {
                kind: kind.to_owned(),
                options,
                address,
                rest,
            },
            enabled,
        ))
    }

    fn line(&self) -> String {
        let mut words = vec![self.kind.as_str()];
        if !self.options.is_empty() {
            words.push(&self.options);
        }
        words.push(&self.address);
        words.extend(self.rest.iter().map(String::as_str));
        words.join(" ")
    }
}

/// The files with sources.
fn paths(sys: &Sys) -> Vec<PathBuf> {
    let mut names: Vec<_> = sys.list(Path::new(PARTS)).unwrap_or_default();
    names.retain(|name| name.to_string_lossy().ends_with(".list"));
    names.sort();
    std::iter::once(PathBuf::from(MAIN))
        .chain(names.into_iter().map(|name| Path::new(PARTS).join(name)))
        .collect()
}

/// The text with the source in force wherever it stands commented out.
fn enable(text: &str, wanted: &Source, found: &mut bool) -> String {
    edit(text, |line| match Source::parse(line) {
        Some((source, enabled)) if source == *wanted => {
            *found = true;
            Some(if enabled {
                line.to_owned()
            } else {
                wanted.line()
            })
        }
        _ => Some(line.to_owned()),
    })
}

/// The text without the source.
fn without(text: &str, wanted: &Source) -> String {
    edit(text, |line| match Source::parse(line) {
        Some((source, true)) if source == *wanted => None,
        _ => Some(line.to_owned()),
    })
}

fn edit(text: &str, mut each: impl FnMut(&str) -> Option<String>) -> String {
    text.split_inclusive('\n')
        .filter_map(|line| {
            let bare = line.trim_end_matches('\n');
            let end = line.get(bare.len()..).unwrap_or_default();
            each(bare).map(|new| new + end)
        })
        .collect()
}

/// The file for a new source: named, or made of the address without scheme and password.
fn file_name(args: &Args, source: &Source) -> String {
    if let Some(name) = &args.filename {
        return format!("{name}.list");
    }
    let address = source
        .address
        .split_once("://")
        .map_or(source.address.as_str(), |(_, rest)| rest);
    let address = address.split_once('@').map_or(address, |(_, rest)| rest);
    let words: Vec<_> = address
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    format!("{}.list", words.join("_"))
}
