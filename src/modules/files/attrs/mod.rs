//! The arguments that all modules which leave a file behind have in common (mode, owner, group, …), and what
//! they change.
//!
//! A module that writes asks [`FileAttrs::write_options`] for the options of the write (a new file then has its
//! final attributes from the beginning) and adds [`FileAttrs::plan`] for a file that is there already.
//!
//! Source: Ansible's documentation of `ansible.builtin.file`.

mod facts;
mod mode;

pub use facts::{Facts, facts_of};
pub use mode::Mode;

use crate::module_args;
use crate::modules::{Failure, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Meta, Result as SysResult, Sys, WriteOptions};
use crate::value::Value;
use std::fmt::Write;
use std::path::Path;

module_args! {
    /// What the file is to look like from outside. Flattened into the arguments of every module that writes files.
    pub struct FileAttrs {
        /// Permissions: octal digits in quotes (`"0644"`) or symbolic (`u=rw,g=r,o=`). Where the module has a source,
        /// `preserve` takes the source's.
        mode: Option<Mode> => optional;
        /// Name or number of the user that is to own it.
        owner: Option<String> => optional;
        /// Name or number of the group that is to own it.
        group: Option<String> => optional;
        /// User part of the SELinux context. Ignored where SELinux is not enabled.
        seuser: Option<String> => optional;
        /// Role part of the SELinux context. Ignored where SELinux is not enabled.
        serole: Option<String> => optional;
        /// Type part of the SELinux context. Ignored where SELinux is not enabled.
        setype: Option<String> => optional;
        /// Level part of the SELinux context. Ignored where SELinux is not enabled.
        selevel: Option<String> => optional;
        /// File attributes as `chattr` takes them, e.g. `+i` or `-i`.
        attributes: Option<String> => optional, aliases ["attr"];
        /// Write in place where a file cannot be replaced atomically (a bind-mounted file in a container).
        unsafe_writes: Option<bool> => optional;
    }
}

/// Mode and owners resolved to numbers; `None` is left as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attrs {
    /// Permission bits.
    pub mode: Option<u32>,
    /// Owner's id.
    pub uid: Option<u32>,
    /// Group's id.
    pub gid: Option<u32>,
}

impl FileAttrs {
    /// Whether a file that cannot be replaced is written in place; the machine's variable `ANSIBLE_UNSAFE_WRITES` says it
    /// where the task does not.
    pub fn writes_unsafely(&self, sys: &Sys) -> bool {
        self.unsafe_writes.unwrap_or_else(|| {
            let value = sys.env("ANSIBLE_UNSAFE_WRITES").unwrap_or_default();
            crate::value::to_bool(&value.as_str().into()).unwrap_or(false)
        })
    }
}

impl Attrs {
    /// What a file has now.
    pub fn of(meta: &Meta) -> Self {
        Self {
            mode: Some(meta.mode),
            uid: Some(meta.uid),
            gid: Some(meta.gid),
        }
    }

    /// Only those that differ from what the file has. A link's own mode cannot be set and never differs.
    #[must_use]
    pub fn differing(self, meta: &Meta) -> Self {
        Self {
            mode: self
                .mode
                .filter(|mode| *mode != meta.mode && meta.kind != FileKind::Link),
            uid: self.uid.filter(|uid| *uid != meta.uid),
            gid: self.gid.filter(|gid| *gid != meta.gid),
        }
    }

    /// Whether nothing is wished.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Sets them: the owner first, since that clears set-id bits.
    ///
    /// # Errors
    /// When it is not allowed.
    pub fn set(self, sys: &mut Sys, path: &Path, follow: bool) -> SysResult<()> {
        if self.uid.is_some() || self.gid.is_some() {
            sys.set_owner(path, self.uid, self.gid, follow)?;
        }
        match self.mode {
            Some(mode) => sys.set_mode(path, mode),
            None => Ok(()),
        }
    }
}

/// What a symbolic mode is applied to, and what `X` looks at.
#[derive(Clone, Copy, Debug)]
pub struct Base {
    /// The bits before.
    pub mode: u32,
    /// Whether it is a directory.
    pub directory: bool,
}

impl Base {
    /// A file that is there.
    pub fn of(meta: &Meta) -> Self {
        Self {
            mode: meta.mode,
            directory: meta.kind == FileKind::Directory,
        }
    }

    /// A file that is going to be made.
    pub fn new_file(sys: &Sys) -> Self {
        Self {
            mode: 0o666 & !sys.umask(),
            directory: false,
        }
    }

    /// A directory that is going to be made.
    pub fn new_directory(sys: &Sys) -> Self {
        Self {
            mode: 0o777 & !sys.umask(),
            directory: true,
        }
    }
}

impl FileAttrs {
    /// Nothing is wished.
    pub fn nothing() -> Self {
        Self {
            mode: None,
            owner: None,
            group: None,
            seuser: None,
            serole: None,
            setype: None,
            selevel: None,
            attributes: None,
            unsafe_writes: None,
        }
    }

    /// Names and symbolic modes resolved to numbers for a file that has (or will begin with) `base`.
    ///
    /// # Errors
    /// When a user or group is unknown, or something is asked for that is not built.
    pub fn resolve(&self, sys: &Sys, base: Base) -> ModuleResult<Attrs> {
        self.refuse_unbuilt(sys)?;
        if self.mode == Some(Mode::Preserve) {
            return Err(Failure::new("mode must be in octal or symbolic form").with(
                "details",
                Value::data("bad symbolic permission for mode: preserve"),
            ));
        }
        Ok(Attrs {
            mode: self
                .mode
                .as_ref()
                .and_then(|mode| mode.apply(base.mode, base.directory, sys.umask())),
            uid: self.uid(sys)?,
            gid: self.gid(sys)?,
        })
    }

    /// The options to write a file with, so that a new one has its attributes from its first moment. For a file that
    /// is there add [`Self::plan`], which shows and sets what differs.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn write_options(&self, sys: &Sys, path: &Path) -> ModuleResult<WriteOptions> {
        let base = match sys.stat(path, true)? {
            Some(meta) => Base::of(&meta),
            None => Base::new_file(sys),
        };
        let attrs = self.resolve(sys, base)?;
        Ok(WriteOptions {
            mode: attrs.mode,
            uid: attrs.uid,
            gid: attrs.gid,
            unsafe_writes: self.writes_unsafely(sys),
            synced_later: false,
        })
    }

    /// Adds the step that changes what differs on a file that is there (and nothing if it is not there, or is as it
    /// should be). `follow` looks through a link.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub fn plan(
        &self,
        sys: &Sys,
        plan: &mut Plan<'_>,
        path: &Path,
        follow: bool,
    ) -> ModuleResult<()> {
        let Some(meta) = sys.stat(path, follow)? else {
            return Ok(());
        };
        let wanted = self.resolve(sys, Base::of(&meta))?.differing(&meta);
        if !wanted.is_empty() {
            let owned = path.to_owned();
            plan.act(
                format!("set the attributes of {}", path.display()),
                Some(attrs_diff(sys, path, &meta, wanted)),
                move |sys, returns| {
                    wanted.set(sys, &owned, follow)?;
                    facts_of(sys, &owned, follow)?.refresh(returns);
                    Ok(())
                },
            );
        }
        self.plan_flags(sys, plan, path, follow)
    }

    /// `chattr`'s flags.
    fn plan_flags(
        &self,
        sys: &Sys,
        plan: &mut Plan<'_>,
        path: &Path,
        follow: bool,
    ) -> ModuleResult<()> {
        let Some(text) = &self.attributes else {
            return Ok(());
        };
        let is_link = sys
            .stat(path, follow)?
            .is_some_and(|meta| meta.kind == FileKind::Link);
        if is_link {
            return Ok(());
        }
        let Some(now) = sys.inode_flags(path) else {
            plan.warn(format!(
                "{} is on a file system without file attributes; `attributes` was ignored",
                path.display()
            ));
            return Ok(());
        };
        let wanted = crate::sys::InodeFlags::changed(now, text).map_err(Failure::new)?;
        if wanted != now {
            let side = |flags: crate::sys::InodeFlags| {
                format!(
                    "path: {}\nattributes: '{}'\n",
                    path.display(),
                    flags.letters()
                )
            };
            let diff = Diff::new(path.to_string_lossy(), Some(side(now)), Some(side(wanted)));
            let owned = path.to_owned();
            plan.step(diff, move |sys| sys.set_inode_flags(&owned, wanted));
        }
        Ok(())
    }

    fn refuse_unbuilt(&self, sys: &Sys) -> ModuleResult<()> {
        let context = [&self.seuser, &self.serole, &self.setype, &self.selevel];
        if context.iter().any(|part| part.is_some())
            && sys.exists(Path::new("/sys/fs/selinux/enforce"))
        {
            return Err(
                "SELinux contexts (seuser, serole, setype, selevel) are not built yet".into(),
            );
        }
        Ok(())
    }

    fn uid(&self, sys: &Sys) -> ModuleResult<Option<u32>> {
        let Some(owner) = &self.owner else {
            return Ok(None);
        };
        if let Ok(uid) = owner.parse() {
            return Ok(Some(uid));
        }
        match sys.account(owner)? {
            Some(account) => Ok(Some(account.uid)),
            None => Err(Failure::new(format!(
                "chown failed: failed to look up user {owner}"
            ))),
        }
    }

    fn gid(&self, sys: &Sys) -> ModuleResult<Option<u32>> {
        let Some(group) = &self.group else {
            return Ok(None);
        };
        if let Ok(gid) = group.parse() {
            return Ok(Some(gid));
        }
        match sys.group(group)? {
            Some(entry) => Ok(Some(entry.gid)),
            None => Err(Failure::new(format!(
                "chgrp failed: failed to look up group {group}"
            ))),
        }
    }
}

/// The diff of an attribute change: only the lines that change, after the path.
pub fn attrs_diff(sys: &Sys, path: &Path, meta: &Meta, wanted: Attrs) -> Diff {
    let mut before = format!("path: {}\n", path.display());
    let mut after = before.clone();
    attr_lines(sys, &mut before, &mut after, meta, wanted);
    Diff::new(path.to_string_lossy(), Some(before), Some(after))
}

/// Adds the lines of what is wished and differs to both sides of a diff.
pub fn attr_lines(sys: &Sys, before: &mut String, after: &mut String, meta: &Meta, wanted: Attrs) {
    if let Some(uid) = wanted.uid {
        let _ = writeln!(before, "owner: {}", facts::owner_name(sys, meta.uid));
        let _ = writeln!(after, "owner: {}", facts::owner_name(sys, uid));
    }
    if let Some(gid) = wanted.gid {
        let _ = writeln!(before, "group: {}", facts::group_name(sys, meta.gid));
        let _ = writeln!(after, "group: {}", facts::group_name(sys, gid));
    }
    if let Some(mode) = wanted.mode {
        let _ = writeln!(before, "mode: '{}'", mode_text(meta.mode));
        let _ = writeln!(after, "mode: '{}'", mode_text(mode));
    }
}

/// A mode as results show it: a zero and its octal digits (`0644`, `01777`).
pub fn mode_text(mode: u32) -> String {
    format!("0{mode:03o}")
}
