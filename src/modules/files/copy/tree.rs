//! A directory of the machine copied to another place on it (`remote_src`).

use super::Args;
use crate::modules::files::attrs::{Base, FileAttrs, Mode, facts_of};
use crate::modules::files::parents::plan_directories;
use crate::modules::files::place::{Placement, Source, place};
use crate::modules::{Failure, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys};
use crate::value::Value;
use std::path::Path;

/// Plans the copy of a directory. Files keep the mode of their source; `mode` is for the destination itself,
/// `directory_mode` for directories that are made, owner and group for everything.
pub(super) fn plan<'a>(
    args: &'a Args,
    sys: &Sys,
    plan: &mut Plan<'a>,
    source: &Path,
) -> ModuleResult<()> {
    let wanted = sys.expand(&args.dest);
    let contents_only = source.to_string_lossy().ends_with('/');
    let root = match source.file_name() {
        Some(name) if !contents_only => wanted.join(name),
        _ => wanted.clone(),
    };
    let within = |path: &Path| sys.canonical(path).unwrap_or_else(|| path.to_owned());
    if within(&root).starts_with(within(source)) && within(&root) != within(source) {
        return Err(Failure::new(format!(
            "cannot copy {} into itself ({})",
            source.display(),
            root.display()
        )));
    }
    plan.returns("src", Value::data(source.to_string_lossy().as_ref()));
    plan.returns("dest", Value::data(wanted.to_string_lossy().as_ref()));
    plan.returns("checksum", Value::Null);
    plan.returns("md5sum", Value::Null);
    facts_of(sys, &wanted, true)?.plan(plan);
    plan_directories(
        sys,
        plan,
        &wanted,
        args.directory_mode.as_ref(),
        &args.attrs,
    )?;
    let mut tree = Tree { args, sys, plan };
    if root != wanted {
        tree.directory(source, &root)?;
    }
    tree.contents(source, &root)?;
    if args
        .attrs
        .mode
        .as_ref()
        .is_some_and(|mode| *mode != Mode::Preserve)
    {
        args.attrs.plan(sys, plan, &wanted, true)?;
        if sys.stat(&wanted, true)?.is_none() {
            set_mode_of_new(args, sys, plan, &wanted)?;
        }
    }
    Ok(())
}

/// The destination is made by a step before: its mode is set in one of its own.
fn set_mode_of_new(args: &Args, sys: &Sys, plan: &mut Plan<'_>, dest: &Path) -> ModuleResult<()> {
    let base = Base::new_directory(sys);
    let attrs = args.attrs.resolve(sys, base)?;
    let Some(mode) = attrs.mode.filter(|mode| *mode != base.mode) else {
        return Ok(());
    };
    let text = |mode: u32| format!("path: {}\nmode: '0{mode:03o}'\n", dest.display());
    let diff = Diff::new(
        dest.to_string_lossy(),
        Some(text(base.mode)),
        Some(text(mode)),
    );
    let dest = dest.to_owned();
    plan.act("set the mode", Some(diff), move |sys, returns| {
        sys.set_mode(&dest, mode)?;
        facts_of(sys, &dest, true)?.refresh(returns);
        Ok(())
    });
    Ok(())
}

struct Tree<'t, 'a> {
    args: &'a Args,
    sys: &'t Sys,
    plan: &'t mut Plan<'a>,
}

impl Tree<'_, '_> {
    fn contents(&mut self, source: &Path, dest: &Path) -> ModuleResult<()> {
        for name in self.sys.list(source)? {
            let (from, to) = (source.join(&name), dest.join(&name));
            let follow = self.args.local_follow.unwrap_or(false);
            let Some(meta) = self.sys.stat(&from, follow)? else {
                continue;
            };
            match meta.kind {
                FileKind::Directory => {
                    self.directory(&from, &to)?;
                    self.contents(&from, &to)?;
                }
                FileKind::File => self.file(&from, &to, meta.mode)?,
                FileKind::Link => self.link(&from, &to)?,
                FileKind::Other(_) => self.plan.warn(format!(
                    "{} is neither file, directory nor link; it was not copied",
                    from.display()
                )),
            }
        }
        Ok(())
    }

    fn owners(&self) -> FileAttrs {
        FileAttrs {
            mode: None,
            ..self.args.attrs.clone()
        }
    }

    fn directory(&mut self, from: &Path, to: &Path) -> ModuleResult<()> {
        if let Some(meta) = self.sys.stat(to, true)? {
            if meta.kind != FileKind::Directory {
                return Err(Failure::new(format!(
                    "cannot overwrite {} with a directory",
                    to.display()
                )));
            }
            return self.owners().plan(self.sys, self.plan, to, true);
        }
        let mode = match &self.args.directory_mode {
            Some(mode) => mode.clone(),
            None => Mode::Bits(self.sys.stat(from, true)?.map_or(0o755, |meta| meta.mode)),
        };
        let base = Base::new_directory(self.sys);
        let attrs = FileAttrs {
            mode: Some(mode),
            ..self.args.attrs.clone()
        }
        .resolve(self.sys, base)?;
        let shown = to.display();
        let diff = Diff::new(
            to.to_string_lossy(),
            Some(format!("path: {shown}\nstate: absent\n")),
            Some(format!("path: {shown}\nstate: directory\n")),
        );
        let owned = to.to_owned();
        self.plan.step(diff, move |sys| {
            sys.make_dir(&owned, 0o777)?;
            attrs.set(sys, &owned, true)
        });
        Ok(())
    }

    fn file(&mut self, from: &Path, to: &Path, mode: u32) -> ModuleResult<()> {
        let there = self.sys.stat(to, false)?;
        if there.is_some() && !self.args.force {
            return Ok(());
        }
        let mut attrs = self.owners();
        if there.is_none() {
            attrs.mode = Some(Mode::Bits(mode));
        }
        // only the return values of the whole are of interest
        let mut own = Plan::new();
        place(
            self.sys,
            &mut own,
            Source::File(from.to_owned()),
            Placement {
                dest: to.to_owned(),
                attrs,
                backup: self.args.backup,
                backup_key: "backup_file",
                validate: self.args.validate.as_deref(),
                follow: self.args.follow,
                checksums: false,
                parent_planned: true,
            },
        )?;
        self.plan.absorb(own);
        Ok(())
    }

    fn link(&mut self, from: &Path, to: &Path) -> ModuleResult<()> {
        let target = self.sys.read_link(from)?;
        let before = match self.sys.stat(to, false)? {
            Some(meta) if meta.kind == FileKind::Link => {
                let now = self.sys.read_link(to)?;
                if now == target {
                    return self.owners().plan(self.sys, self.plan, to, false);
                }
                Some(format!("[link to {}]\n", now.display()))
            }
            Some(meta) if meta.kind == FileKind::Directory => {
                return Err(Failure::new(format!(
                    "cannot overwrite the directory {} with a link",
                    to.display()
                )));
            }
            Some(_) => Some("[file]\n".to_owned()),
            None => None,
        };
        let diff = Diff::new(
            to.to_string_lossy(),
            before,
            Some(format!("[link to {}]\n", target.display())),
        );
        // the link itself is the user's, whatever it leads to
        let attrs = self.owners().resolve(self.sys, Base::new_file(self.sys))?;
        let owned = to.to_owned();
        self.plan.step(diff, move |sys| {
            sys.symlink(&target, &owned)?;
            attrs.set(sys, &owned, false)
        });
        Ok(())
    }
}
