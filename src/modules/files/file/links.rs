//! `state: link` and `state: hard`.

use super::{Now, Work, text};
use crate::modules::files::attrs::{Attrs, Base, attr_lines, facts_of};
use crate::modules::{Failure, ModuleResult};
use crate::result::Diff;
use crate::sys::{FileKind, Meta};
use std::path::{Path, PathBuf};

impl Work<'_, '_> {
    fn failure(&self, path: &Path, message: String) -> Failure {
        let failure = (Failure::new(message).with("path", text(path))).with("dest", text(path));
        match &self.args.src {
            Some(src) => failure.with("src", text(src)),
            None => failure,
        }
    }

    pub(super) fn link(&mut self, path: &Path, now: &Now) -> ModuleResult<()> {
        let current = match now {
            Now::Link => Some(self.sys.read_link(path)?),
            _ => None,
        };
        let given = self.args.src.as_deref().map(|src| self.sys.expand(src));
        let Some(target) = given.clone().or_else(|| current.clone()) else {
            return Err(self.failure(path, "src is required for creating new symlinks".into()));
        };
        self.plan.returns("dest", text(path));
        self.plan.returns("src", text(&target));
        let is_directory = matches!(now, Now::Directory);
        let base = if is_directory {
            path
        } else {
            path.parent().unwrap_or(Path::new("/"))
        };
        let absolute = base.join(&target);
        let is_there = self.sys.stat(&absolute, true)?.is_some();
        if given.is_some() && !self.args.force && !is_there {
            let message = format!(
                "src file does not exist, use \"force=yes\" if you really want to create the link: {}",
                absolute.display()
            );
            return Err(self.failure(path, message));
        }
        self.may_replace(path, now, "symlink")?;
        if current.as_deref() == Some(&target) {
            facts_of(self.sys, path, false)?.plan(&mut self.plan);
        } else {
            self.make_link(path, now, current.as_deref(), &target)?;
        }
        self.link_attrs(path, now, &absolute, is_there)
    }

    /// Whether what is there may make way.
    fn may_replace(&self, path: &Path, now: &Now, kind: &str) -> ModuleResult<()> {
        let refused = match now {
            Now::Absent | Now::Link => return Ok(()),
            Now::Directory if self.args.force => {
                let is_empty = self.sys.list(path)?.is_empty();
                if is_empty {
                    return Ok(());
                }
                format!(
                    "the directory {} is not empty, refusing to convert it",
                    path.display()
                )
            }
            Now::File(_) | Now::Hard(_) if self.args.force => return Ok(()),
            other => format!(
                "refusing to convert from {} to {kind} for {}",
                other.word(),
                path.display()
            ),
        };
        Err(self.failure(path, refused))
    }

    fn make_link(
        &mut self,
        path: &Path,
        now: &Now,
        current: Option<&Path>,
        target: &Path,
    ) -> ModuleResult<()> {
        if !self.args._parent_made && !self.has_parent(path)? {
            let message = format!(
                "Error while linking: the directory of {} does not exist",
                path.display()
            );
            return Err(self.failure(path, message));
        }
        let mut before = format!("path: {}\nstate: {}\n", path.display(), now.word());
        if let Some(current) = current {
            before.push_str(&format!("src: {}\n", current.display()));
        }
        let after = format!(
            "path: {}\nstate: link\nsrc: {}\n",
            path.display(),
            target.display()
        );
        let diff = Diff::new(path.to_string_lossy(), Some(before), Some(after));
        let is_directory = matches!(now, Now::Directory);
        let (owned, target) = (path.to_owned(), target.to_owned());
        self.plan.act(
            format!("link {}", path.display()),
            Some(diff),
            move |sys, returns| {
                if is_directory {
                    sys.remove_empty_dir(&owned)?;
                }
                sys.symlink(&target, &owned)?;
                facts_of(sys, &owned, false)?.refresh(returns);
                Ok(())
            },
        );
        Ok(())
    }

    fn has_parent(&self, path: &Path) -> ModuleResult<bool> {
        match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            Some(dir) => Ok(self
                .sys
                .stat(dir, true)?
                .is_some_and(|meta| meta.kind == FileKind::Directory)),
            None => Ok(true),
        }
    }

    /// Attributes are those of the target, unless links are not followed.
    fn link_attrs(
        &mut self,
        path: &Path,
        now: &Now,
        target: &Path,
        is_there: bool,
    ) -> ModuleResult<()> {
        let attrs = &self.args.attrs;
        if self.args.follow {
            let wished = attrs.mode.is_some() || attrs.owner.is_some() || attrs.group.is_some();
            if !is_there && wished {
                self.plan.warn(
                    "Cannot set fs attributes on a non-existent symlink target. follow should be set to False to avoid this.",
                );
            }
            let mut inner = crate::modules::Plan::new();
            attrs.plan(self.sys, &mut inner, target, true)?;
            self.plan.absorb(inner);
            return Ok(());
        }
        if matches!(now, Now::Link) {
            return attrs.plan(self.sys, &mut self.plan, path, false);
        }
        // the link is going to be made, as ours
        let me = self.sys.me()?;
        let made = Meta {
            kind: FileKind::Link,
            uid: me.uid,
            gid: me.gid,
            ..blank_link()
        };
        let wanted = attrs.resolve(self.sys, Base::of(&made))?.differing(&made);
        if !wanted.is_empty() {
            self.own_new_link(path, &made, wanted);
        }
        Ok(())
    }

    fn own_new_link(&mut self, path: &Path, made: &Meta, wanted: Attrs) {
        let mut before = format!("path: {}\n", path.display());
        let mut after = before.clone();
        attr_lines(self.sys, &mut before, &mut after, made, wanted);
        let diff = Diff::new(path.to_string_lossy(), Some(before), Some(after));
        let owned = path.to_owned();
        self.plan
            .act("own the link", Some(diff), move |sys, returns| {
                wanted.set(sys, &owned, false)?;
                facts_of(sys, &owned, false)?.refresh(returns);
                Ok(())
            });
    }

    pub(super) fn hard(&mut self, path: &Path, now: &Now) -> ModuleResult<()> {
        let Some(src) = self.args.src.as_deref().map(|src| self.sys.expand(src)) else {
            return match now {
                Now::Hard(_) => self.existing(path),
                _ => Err(self.failure(path, "src is required for creating new hardlinks".into())),
            };
        };
        self.plan.returns("dest", text(path));
        self.plan.returns("src", text(&src));
        let Some(source) = self.sys.stat(&src, true)? else {
            return Err(self.failure(path, "src does not exist".into()));
        };
        if source.kind == FileKind::Directory {
            let message = format!(
                "{} is a directory: it cannot have a hard link",
                src.display()
            );
            return Err(self.failure(path, message));
        }
        let is_same = |meta: &Meta| (meta.dev, meta.inode) == (source.dev, source.inode);
        match now {
            Now::File(meta) | Now::Hard(meta) if is_same(meta) => {
                facts_of(self.sys, path, false)?.plan(&mut self.plan);
                return self.args.attrs.plan(self.sys, &mut self.plan, path, false);
            }
            Now::Hard(_) if !self.args.force => {
                let message = "Cannot link, different hard link exists at destination";
                return Err(self.failure(path, message.into()));
            }
            Now::File(_) if !self.args.force => {
                let message = format!("Cannot link, {} exists at destination", path.display());
                return Err(self.failure(path, message));
            }
            other => self.may_replace(path, other, "hard link")?,
        }
        self.make_hard_link(path, now, src)?;
        let mut inner = crate::modules::Plan::new();
        // a hard link has the attributes of what it is a name of
        self.args
            .attrs
            .plan(self.sys, &mut inner, &self.args_src(), true)?;
        self.plan.absorb(inner);
        Ok(())
    }

    fn args_src(&self) -> PathBuf {
        self.sys
            .expand(self.args.src.as_deref().unwrap_or(Path::new("")))
    }

    fn make_hard_link(&mut self, path: &Path, now: &Now, src: PathBuf) -> ModuleResult<()> {
        if !self.has_parent(path)? {
            let message = format!(
                "Error while linking: the directory of {} does not exist",
                path.display()
            );
            return Err(self.failure(path, message));
        }
        let before = format!("path: {}\nstate: {}\n", path.display(), now.word());
        let after = format!(
            "path: {}\nstate: hard\nsrc: {}\n",
            path.display(),
            src.display()
        );
        let diff = Diff::new(path.to_string_lossy(), Some(before), Some(after));
        let is_directory = matches!(now, Now::Directory);
        let owned = path.to_owned();
        self.plan.act(
            format!("link {}", path.display()),
            Some(diff),
            move |sys, returns| {
                if is_directory {
                    sys.remove_empty_dir(&owned)?;
                }
                sys.hard_link(&src, &owned)?;
                facts_of(sys, &owned, false)?.refresh(returns);
                Ok(())
            },
        );
        Ok(())
    }
}

/// A link that is not there yet; only its kind and owners are looked at.
fn blank_link() -> Meta {
    Meta {
        kind: FileKind::Link,
        mode: 0o777,
        uid: 0,
        gid: 0,
        size: 0,
        inode: 0,
        dev: 0,
        rdev: 0,
        nlink: 1,
        atime: 0.0,
        mtime: 0.0,
        ctime: 0.0,
        blocks: 0,
        block_size: 0,
    }
}
