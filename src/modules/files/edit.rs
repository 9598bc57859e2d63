//! What lineinfile, blockinfile and replace have in common: reading the file, putting back the text, the message.

use super::attrs::FileAttrs;
use super::lossless::{decode, encode};
use super::parents::plan_directories;
use super::place::{Placement, Source, place};
use crate::modules::{Failure, ModuleResult, Plan};
use crate::sys::{FileKind, Sys};
use crate::value::{Map, Value};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// A file that is edited.
pub(super) struct Edited<'a> {
    /// Its path, expanded.
    pub path: PathBuf,
    /// Its text; `None` if it is not there.
    pub text: Option<String>,
    /// The attributes it is to have.
    pub attrs: &'a FileAttrs,
    /// Keep the old one.
    pub backup: bool,
    /// The validator.
    pub validate: Option<&'a str>,
    /// The return value that names the backup.
    pub backup_key: &'static str,
    /// Write through a symbolic link, instead of replacing it.
    pub follow: bool,
}

/// The text of a file; `None` if it is not there.
///
/// # Errors
/// When it is a directory or cannot be read.
pub(super) fn read(sys: &Sys, path: &Path) -> ModuleResult<Option<String>> {
    match sys.stat(path, true)? {
        None => Ok(None),
        Some(meta) if meta.kind == FileKind::Directory => {
            Err(Failure::new(format!("Path {} is a directory !", path.display())).with("rc", 256))
        }
        Some(_) => Ok(sys.read(path)?.map(|bytes| decode(&bytes))),
    }
}

/// The failure for a file that is not there and is not to be made.
pub(super) fn missing(what: &str, path: &Path) -> Failure {
    Failure::new(format!("{what} {} does not exist !", path.display())).with("rc", 257)
}

impl<'a> Edited<'a> {
    /// Plans the new text and the attributes, and sets the message: `done` if the text changes.
    pub(super) fn plan(
        self,
        sys: &Sys,
        plan: &mut Plan<'a>,
        new_text: &str,
        done: String,
    ) -> ModuleResult<()> {
        let is_new = self.text.is_none();
        let differs = is_new || self.text.as_deref() != Some(new_text);
        // a change of attributes beside the text has a part in the message, as in Ansible
        let mut attrs_only = Plan::new();
        self.attrs.plan(sys, &mut attrs_only, &self.path, true)?;
        let mut parts = Vec::new();
        if differs {
            parts.push(done);
        }
        if attrs_only.changes() {
            parts.push("ownership, perms or SE linux context changed".to_owned());
        }
        plan.returns("msg", Value::data(parts.join(" and ")));
        // of the file itself, results say nothing
        let (mut steps, key) = (Plan::new(), self.backup_key);
        self.steps(sys, &mut steps, new_text, differs)?;
        plan.absorb_with(steps, key);
        Ok(())
    }

    /// Plans the new text if it `differs`, and the attributes. Return values are those of the file.
    pub(super) fn steps(
        self,
        sys: &Sys,
        plan: &mut Plan<'a>,
        new_text: &str,
        differs: bool,
    ) -> ModuleResult<()> {
        if !differs {
            return self.attrs.plan(sys, plan, &self.path, self.follow);
        }
        let mut parent_planned = false;
        if self.text.is_none()
            && let Some(parent) = self.path.parent()
            && !parent.as_os_str().is_empty()
            && sys.stat(parent, true)?.is_none()
        {
            plan_directories(sys, plan, parent, None, &FileAttrs::nothing())?;
            parent_planned = true;
        }
        place(
            sys,
            plan,
            Source::Bytes(Cow::Owned(encode(new_text))),
            Placement {
                dest: self.path,
                attrs: self.attrs.clone(),
                backup: self.backup,
                backup_key: self.backup_key,
                validate: self.validate,
                follow: self.follow,
                checksums: false,
                parent_planned,
            },
        )
        .map(drop)
    }
}

/// The return value `diff` of lineinfile and blockinfile, which is there also where nobody asked for diffs: without them,
/// headers alone.
pub(super) fn headers(path: &Path) -> Value {
    let shown = path.display();
    let part = |what: &str| {
        let header = Value::data(format!("{shown} ({what})"));
        Map::new()
            .with("before_header", header.clone())
            .with("after_header", header)
    };
    let content = part("content").with("before", "").with("after", "");
    Value::list(vec![
        Value::map(content),
        Value::map(part("file attributes")),
    ])
}

/// Lines with their newlines; only `\n` ends one.
pub(super) fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}
