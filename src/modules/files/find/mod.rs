//! `find`: files in directories, by name, age, size, content.
//!
//! Source: Ansible's documentation of `ansible.builtin.find`.

mod filter;

use super::attrs::Mode;
use super::stat::basics;
use crate::modules::{Module, ModuleResult, Plan};
use crate::sys::{FileKind, Meta, Sys};
use crate::value::{Map, Value};
use crate::{choices, module_args};
use filter::{Filter, Taken};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

choices! {
    /// What to look for.
    pub enum FileType {
        /// Anything.
        Any = "any",
        /// Directories.
        Directory = "directory",
        /// Regular files.
        File = "file",
        /// Symbolic links.
        Link = "link",
    }
}

choices! {
    /// Which time counts.
    pub enum Stamp {
        /// Of last access.
        Atime = "atime",
        /// Of the inode's last change.
        Ctime = "ctime",
        /// Of the content's last change.
        Mtime = "mtime",
    }
}

module_args! {
    /// Arguments of `find`.
    pub struct Args {
        /// The directories.
        paths: Vec<PathBuf> => required, aliases ["name", "path"];
        /// Names that fit one of these; all, if there is none.
        patterns: Vec<String> => default(Vec::<String>::new()), aliases ["pattern"];
        /// Names that fit none of these.
        excludes: Option<Vec<String>> => optional, aliases ["exclude"];
        /// Patterns are regular expressions, not shell patterns.
        use_regex: bool => default(false);
        /// Files that have a line whose beginning matches this regular expression.
        contains: Option<String> => optional;
        /// Look for `contains` anywhere in the whole file.
        read_whole_file: bool => default(false);
        /// The encoding for `contains`; others than UTF-8 are those that the machine's `iconv` knows.
        encoding: Option<String> => optional;
        /// Files at least this old (with a minus: at most), in seconds or with a unit of `s`, `m`, `h`, `d`, `w`.
        age: Option<String> => optional;
        /// Which time the age is of.
        age_stamp: Stamp => default("mtime");
        /// Files at least this large (with a minus: at most), in bytes or with a unit of `b`, `k`, `m`, `g`, `t`.
        size: Option<String> => optional;
        /// Files with this mode.
        mode: Option<Mode> => optional;
        /// The mode must be the same; otherwise one bit in common is enough.
        exact_mode: bool => default(true);
        /// What to look for.
        file_type: FileType => default("file");
        /// Look into directories below too.
        recurse: bool => default(false);
        /// How deep.
        depth: Option<i64> => optional;
        /// Names that begin with a dot too.
        hidden: bool => default(false);
        /// Look into directories behind links.
        follow: bool => default(false);
        /// Return SHA-1 digests.
        get_checksum: bool => default(false);
        /// Stop after so many.
        limit: Option<i64> => optional;
    }
}

/// The module.
pub struct Find;

impl Module for Find {
    const NAME: &'static str = "find";
    const DOC: &'static str = "List files in directories that fit what is asked for.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut search = Search {
            args,
            sys,
            filter: Filter::new(args, sys)?,
            files: Vec::new(),
            examined: 0,
            skipped: Map::new(),
            top: String::new(),
            above: BTreeSet::new(),
        };
        let mut plan = Plan::new();
        for path in &args.paths {
            let path = sys.expand(path);
            let shown = path.display();
            let is_directory = sys
                .stat(&path, true)?
                .is_some_and(|meta| meta.kind == FileKind::Directory);
            if is_directory {
                search.top = shown.to_string();
                search.directory(&path, 1)?;
                if let Some(reason) = search.skipped.get(search.top.as_str()) {
                    plan.warn(format!(
                        "Skipped '{shown}' path due to this access issue: {reason}"
                    ));
                }
            } else {
                let reason = format!("'{shown}' is not a directory");
                plan.warn(format!(
                    "Skipped '{shown}' path due to this access issue: {reason}"
                ));
                search.skipped.set(&shown.to_string(), Value::data(reason));
            }
        }
        let message = if search.skipped.is_empty() {
            "All paths examined"
        } else {
            "Not all paths examined, check warnings for details"
        };
        plan.returns("msg", message);
        plan.returns("matched", search.files.len());
        plan.returns("files", Value::list(search.files));
        plan.returns("examined", search.examined);
        plan.returns("skipped_paths", search.skipped);
        Ok(plan)
    }
}

struct Search<'s> {
    args: &'s Args,
    sys: &'s Sys,
    filter: Filter,
    files: Vec<Value>,
    examined: usize,
    skipped: Map,
    /// The path that is searched now.
    top: String,
    /// The directories on the way to the one that is looked into, against links in circles.
    above: BTreeSet<PathBuf>,
}

impl Search<'_> {
    fn is_full(&self) -> bool {
        let limit = self
            .args
            .limit
            .and_then(|limit| usize::try_from(limit).ok());
        limit.is_some_and(|limit| self.files.len() >= limit)
    }

    fn directory(&mut self, directory: &Path, depth: i64) -> ModuleResult<()> {
        let place = self
            .sys
            .canonical(directory)
            .unwrap_or_else(|| directory.to_owned());
        if !self.above.insert(place.clone()) {
            return Ok(());
        }
        let done = self.listed(directory, depth);
        self.above.remove(&place);
        done
    }

    fn listed(&mut self, directory: &Path, depth: i64) -> ModuleResult<()> {
        let names = match self.sys.list(directory) {
            Ok(names) => names,
            Err(error) => {
                let shown = directory.to_string_lossy().into_owned();
                self.skipped.set(&shown, Value::data(error.to_string()));
                return Ok(());
            }
        };
        self.examined += names.len();
        // one level more than wanted is looked at
        if self.args.depth.is_some_and(|limit| depth > limit) {
            return Ok(());
        }
        let mut below = Vec::new();
        for name in names {
            let path = directory.join(&name);
            // it may be gone meanwhile
            let Ok(Some(meta)) = self.sys.stat(&path, false) else {
                continue;
            };
            let is_directory = meta.kind == FileKind::Directory
                || (self.args.follow
                    && meta.kind == FileKind::Link
                    && self
                        .sys
                        .stat(&path, true)?
                        .is_some_and(|meta| meta.kind == FileKind::Directory));
            if is_directory {
                below.push(path.clone());
            }
            let name = name.to_string_lossy();
            let is_hidden = name.starts_with('.') && !self.args.hidden;
            if is_hidden || self.is_full() {
                continue;
            }
            match self.filter.takes(self.sys, &path, &name, &meta)? {
                Taken::Yes => {
                    let found = self.describe(&path, &meta)?;
                    self.files.push(found);
                }
                Taken::No => {}
                Taken::UnknownEncoding => {
                    let encoding = self.args.encoding.as_deref().unwrap_or("None");
                    let reason = format!("unknown encoding: {encoding}");
                    self.skipped.set(&self.top, Value::data(reason));
                }
                Taken::NoText => {
                    let encoding = self.args.encoding.as_deref().unwrap_or("None");
                    let reason = format!(
                        "Failed to read the file {} due to an encoding error. current encoding: {encoding}",
                        path.display()
                    );
                    self.skipped.set(&self.top, Value::data(reason));
                }
            }
        }
        if self.args.recurse {
            for directory in below {
                if self.is_full() {
                    break;
                }
                self.directory(&directory, depth + 1)?;
            }
        }
        Ok(())
    }

    fn describe(&self, path: &Path, meta: &Meta) -> ModuleResult<Value> {
        let mut map = Map::new().with("path", Value::data(path.to_string_lossy().as_ref()));
        map.extend(basics(self.sys, meta));
        if self.args.get_checksum && meta.kind == FileKind::File {
            let sum = self.sys.sha1(path)?;
            map.set("checksum", sum.map_or(Value::Null, Value::data));
        }
        Ok(Value::map(map))
    }
}
