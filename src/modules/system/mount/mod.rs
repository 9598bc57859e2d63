//! `mount`: file systems in `/etc/fstab`, and mounted.
//!
//! Source: fstab(5), mount(8), and the documentation of `ansible.posix.mount`.

mod table;

use crate::modules::files::parents::missing_directories;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Sys, WriteOptions};
use crate::value::{ArgRule, Map, Value};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};
use table::{Entry, Mounted, edit};

choices! {
    /// What a file system is to be.
    pub enum State {
        /// Not in the table, not mounted, and its mount point removed.
        Absent = "absent",
        /// Not in the table.
        AbsentFromFstab = "absent_from_fstab",
        /// In the table and mounted.
        Mounted = "mounted",
        /// In the table.
        Present = "present",
        /// Not mounted.
        Unmounted = "unmounted",
        /// Mounted again.
        Remounted = "remounted",
        /// Mounted, without the table.
        Ephemeral = "ephemeral",
    }
}

module_args! {
    /// Arguments of `mount`.
    pub struct Args {
        /// The mount point; `none` for swap.
        path: PathBuf => required, aliases ["name"];
        /// The device, or what else is mounted.
        src: Option<String> => optional;
        /// The type of the file system.
        fstype: Option<String> => optional;
        /// Options.
        opts: Option<String> => optional;
        /// Leave options out of the result.
        opts_no_log: bool => default(false);
        /// Whether it is dumped.
        dump: String => default("0");
        /// When it is checked at boot.
        passno: String => default("0");
        /// What is to be.
        state: State => required;
        /// Another table than `/etc/fstab`.
        fstab: Option<PathBuf> => optional;
        /// Mount it at boot; otherwise its options get `noauto`.
        boot: bool => default(true);
        /// Keep the old table under a name with the time in it.
        backup: bool => default(false);
    }
}

const FSTAB: &str = "/etc/fstab";

/// The module.
pub struct Mount;

impl Module for Mount {
    const NAME: &'static str = "mount";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Mount and unmount file systems, now and at boot.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::If("state", "mounted", &["src", "fstype"]),
        ArgRule::If("state", "present", &["src", "fstype"]),
        ArgRule::If("state", "ephemeral", &["src", "fstype"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let wish = Wish::new(args, sys);
        let mut plan = Plan::new();
        plan.returns("name", Value::data(wish.point.to_string_lossy().as_ref()));
        plan.returns("fstab", Value::data(wish.table.to_string_lossy().as_ref()));
        for (name, value) in [("src", &args.src), ("fstype", &args.fstype)] {
            if let Some(value) = value {
                plan.returns(name, Value::data(value.as_str()));
            }
        }
        if !args.opts_no_log {
            plan.returns("opts", Value::data(wish.entry.options.as_str()));
        }
        plan.returns("dump", Value::data(args.dump.as_str()));
        plan.returns("passno", Value::data(args.passno.as_str()));
        plan.returns("boot", if args.boot { "yes" } else { "no" });
        plan.returns("backup_file", "");
        if args.opts_no_log {
            plan.secret();
        }
        match args.state {
            State::Present | State::AbsentFromFstab => {
                if let Some(change) = wish.table_change(sys)? {
                    change.step(&mut plan);
                }
            }
            State::Absent => wish.absent(sys, &mut plan)?,
            State::Unmounted => {
                if let Some(mounted) = Mounted::at(&wish.point, sys)? {
                    wish.unmount(&mounted, &mut plan);
                }
            }
            State::Mounted => wish.mounted(sys, &mut plan)?,
            State::Remounted => {
                plan.repeats();
                wish.remount(args.opts.as_deref(), None, &mut plan);
            }
            State::Ephemeral => wish.ephemeral(sys, &mut plan)?,
        }
        Ok(plan)
    }
}

/// What is wished, resolved.
struct Wish<'a> {
    args: &'a Args,
    point: PathBuf,
    table: PathBuf,
    entry: Entry,
}

/// Another text for the table.
#[derive(Clone)]
struct TableChange {
    path: PathBuf,
    before: Option<String>,
    after: String,
    backup: bool,
}

impl TableChange {
    fn diff(&self) -> Diff {
        Diff::new(
            self.path.to_string_lossy(),
            self.before.clone(),
            Some(self.after.clone()),
        )
    }

    fn make(&self, sys: &mut Sys, data: &mut Map) -> ModuleResult<()> {
        if self.backup && self.before.is_some() {
            let copy = sys.backup(&self.path)?;
            data.set("backup_file", Value::data(copy.to_string_lossy().as_ref()));
        }
        let options = WriteOptions {
            mode: self.before.is_none().then_some(0o644),
            ..WriteOptions::default()
        };
        Ok(sys.write(&self.path, self.after.as_bytes(), &options)?)
    }

    fn undo(&self, sys: &mut Sys) -> ModuleResult<()> {
        match &self.before {
            Some(text) => sys.write(&self.path, text.as_bytes(), &WriteOptions::default())?,
            None => sys.remove_file(&self.path)?,
        }
        Ok(())
    }

    fn step(self, plan: &mut Plan<'_>) {
        let diff = self.diff();
        plan.act(diff.target.clone(), Some(diff), move |sys, data| {
            self.make(sys, data)
        });
    }
}

impl<'a> Wish<'a> {
    fn new(args: &'a Args, sys: &Sys) -> Self {
        let mut options = args.opts.clone().unwrap_or_else(|| "defaults".to_owned());
        if !args.boot && !options.split(',').any(|option| option == "noauto") {
            options.push_str(",noauto");
        }
        let point = sys.expand(&args.path);
        let table = args
            .fstab
            .as_ref()
            .map_or_else(|| PathBuf::from(FSTAB), |path| sys.expand(path));
        let entry = Entry {
            source: args.src.clone().unwrap_or_default(),
            point: point.to_string_lossy().into_owned(),
            kind: args.fstype.clone().unwrap_or_default(),
            options,
            dump: args.dump.clone(),
            pass: args.passno.clone(),
        };
        Self {
            args,
            point,
            table,
            entry,
        }
    }

    fn shown(&self) -> String {
        self.point.display().to_string()
    }

    fn diff(&self, before: Option<&str>, after: Option<&str>) -> Diff {
        let line = |text: &str| format!("{text}\n");
        Diff::new(self.shown(), before.map(line), after.map(line))
    }

    /// What becomes of the table, if anything.
    fn table_change(&self, sys: &Sys) -> ModuleResult<Option<TableChange>> {
        let before = sys.read_text(&self.table)?;
        let gone = matches!(self.args.state, State::Absent | State::AbsentFromFstab);
        let text = before.as_deref().unwrap_or_default();
        let after = edit(text, &self.entry, !gone);
        Ok((after != text).then_some(TableChange {
            path: self.table.clone(),
            before,
            after,
            backup: self.args.backup,
        }))
    }

    fn unmount(&self, mounted: &Mounted, plan: &mut Plan<'a>) {
        let shown = self.shown();
        let diff = self.diff(Some(&format!("mounted: {}", mounted.source)), None);
        plan.act(format!("unmount {shown}"), Some(diff), move |sys, _| {
            run(&["umount", &shown], "unmounting", &shown, sys)
        });
    }

    fn absent(&self, sys: &Sys, plan: &mut Plan<'a>) -> ModuleResult<()> {
        let Some(change) = self.table_change(sys)? else {
            return Ok(());
        };
        change.step(plan);
        if self.entry.point == "none" {
            return Ok(());
        }
        if let Some(mounted) = Mounted::at(&self.point, sys)? {
            self.unmount(&mounted, plan);
        }
        if sys.exists(&self.point) {
            let point = self.point.clone();
            let diff = Diff::new(
                self.shown(),
                Some("state: directory\n"),
                Some("state: absent\n"),
            );
            plan.act(
                format!("remove {}", self.shown()),
                Some(diff),
                move |sys, _| {
                    sys.remove_empty_dir(&point).map_err(|error| {
                        Failure::new(format!("Error rmdir {}: {error}", point.display()))
                    })
                },
            );
        }
        Ok(())
    }

    fn mounted(&self, sys: &Sys, plan: &mut Plan<'a>) -> ModuleResult<()> {
        let change = self.table_change(sys)?;
        if Mounted::at(&self.point, sys)?.is_some() {
            let Some(change) = change else {
                return Ok(());
            };
            if self.table == Path::new(FSTAB) {
                self.remount(None, Some(change), plan);
            } else {
                change.step(plan);
            }
            return Ok(());
        }
        let missing = self.missing(sys)?;
        let mut words = vec!["mount".to_owned()];
        if self.table != Path::new(FSTAB) {
            words.extend([
                "-T".into(),
                sys.real_path(&self.table).to_string_lossy().into(),
            ]);
        }
        words.push(self.shown());
        if let Some(change) = &change {
            // shown as a step of its own; both are done, or taken back, together
            let (done, diff) = (change.clone(), change.diff());
            plan.act(diff.target.clone(), Some(diff), move |sys, data| {
                done.make(sys, data)
            });
        }
        let diff = self.diff(None, Some(&format!("mounted: {}", self.entry.source)));
        let shown = self.shown();
        plan.act(format!("mount {shown}"), Some(diff), move |sys, _| {
            make(&missing, sys)?;
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            run(&words, "mounting", &shown, sys).or_else(|failure| {
                // a file system that cannot be mounted would stop the next boot
                if let Some(change) = &change {
                    change.undo(sys)?;
                }
                unmake(&missing, sys);
                Err(failure)
            })
        });
        Ok(())
    }

    fn ephemeral(&self, sys: &Sys, plan: &mut Plan<'a>) -> ModuleResult<()> {
        plan.repeats();
        let shown = self.shown();
        let options = self.args.opts.clone();
        if let Some(mounted) = Mounted::at(&self.point, sys)? {
            if mounted.source != self.entry.source {
                return Err(format!(
                    "Ephemeral mount point is already mounted with a different source than the specified one. Failing in order to prevent an unwanted unmount or override operation. Try replacing this command with a \"state: unmounted\" followed by a \"state: ephemeral\", or use a different destination path. ({} is mounted on {shown})",
                    mounted.source
                )
                .into());
            }
            self.remount(self.args.opts.as_deref(), None, plan);
            return Ok(());
        }
        let missing = self.missing(sys)?;
        let (kind, source) = (self.entry.kind.clone(), self.entry.source.clone());
        let diff = self.diff(None, Some(&format!("mounted: {source}")));
        plan.act(format!("mount {shown}"), Some(diff), move |sys, _| {
            make(&missing, sys)?;
            let mut words = vec!["mount", "-t", &kind];
            if let Some(options) = &options {
                words.extend(["-o", options]);
            }
            words.extend([source.as_str(), &shown]);
            run(&words, "mounting", &shown, sys).inspect_err(|_| unmake(&missing, sys))
        });
        Ok(())
    }

    /// Mounts again, after the table was changed if that is needed.
    fn remount(&self, options: Option<&'a str>, change: Option<TableChange>, plan: &mut Plan<'a>) {
        let shown = self.shown();
        if let Some(change) = change {
            change.step(plan);
        }
        let word = options.map_or_else(|| "remount".to_owned(), |o| format!("remount,{o}"));
        let diff = self.diff(Some("mounted"), Some("mounted again"));
        plan.act(format!("remount {shown}"), Some(diff), move |sys, _| {
            let again = run(&["mount", "-o", &word, &shown], "remounting", &shown, sys);
            if again.is_ok() || options.is_some() {
                return again;
            }
            // not every file system can
            run(&["umount", &shown], "remounting", &shown, sys)?;
            run(&["mount", &shown], "remounting", &shown, sys)
        });
    }

    /// Directories to be made for the mount point.
    fn missing(&self, sys: &Sys) -> ModuleResult<Vec<PathBuf>> {
        match sys.stat(&self.point, true)? {
            // a file can be the place for another one
            Some(meta) if matches!(meta.kind, FileKind::Directory | FileKind::File) => {
                Ok(Vec::new())
            }
            Some(_) => Err(format!("{} is no place to mount on", self.shown()).into()),
            None => missing_directories(sys, &self.point),
        }
    }
}

fn make(dirs: &[PathBuf], sys: &mut Sys) -> ModuleResult<()> {
    for dir in dirs {
        sys.make_dir(dir, 0o755)?;
    }
    Ok(())
}

fn unmake(dirs: &[PathBuf], sys: &mut Sys) {
    for dir in dirs.iter().rev() {
        // it may be in use by now
        let _ = sys.remove_empty_dir(dir);
    }
}

fn run(words: &[&str], what: &str, point: &str, sys: &mut Sys) -> ModuleResult<()> {
    let command = sys.tool(words.iter().copied());
    let output = sys.run(&command)?;
    if output.ok() {
        return Ok(());
    }
    let mut failure = crate::modules::streams::command_failed(what, &command, &output);
    failure.message = format!("Error {what} {point}: {}", output.complaint());
    Err(failure)
}
