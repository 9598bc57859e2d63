//! `file`: a path is a file, a directory, a link or nothing, with these attributes.
//!
//! Source: Ansible's documentation of `ansible.builtin.file`.

mod links;
mod recurse;
mod removal;
mod times;

use super::attrs::{Attrs, Base, Facts, FileAttrs, facts_of};
use super::parents::plan_directories;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{FileKind, Meta, Sys};
use crate::value::{Map, Value};
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// What the path is to be.
    pub enum State {
        /// Nothing.
        Absent = "absent",
        /// A directory; parents are made too.
        Directory = "directory",
        /// What it is already; only attributes are set.
        File = "file",
        /// A hard link.
        Hard = "hard",
        /// A symbolic link.
        Link = "link",
        /// A file, with new times.
        Touch = "touch",
    }
}

module_args! {
    /// Arguments of `file`.
    #[allow(dead_code, reason = "Ansible's `file` takes two more, for its own use; here they are only known")]
    pub struct Args {
        /// Given by Ansible's `copy` and `template` to look before they write.
        _diff_peek: Option<String> => optional;
        /// The name of what `copy` brings.
        _original_basename: Option<String> => optional;
        /// The path.
        path: PathBuf => required, aliases ["dest", "name"];
        /// What it is to be. Without it: what it is now, else `directory` with `recurse`, else `file`.
        state: Option<State> => optional;
        /// What a link points to.
        src: Option<PathBuf> => optional;
        /// Set the attributes of everything in the directory too.
        recurse: bool => default(false);
        /// Look through links.
        follow: bool => default(true);
        /// Make a link though its target is missing, or in place of a file.
        force: bool => default(false);
        /// Time of the last change: `preserve`, `now`, or a time as `modification_time_format` says.
        modification_time: Option<String> => optional;
        /// The format of `modification_time`.
        modification_time_format: String => default("%Y%m%d%H%M.%S");
        /// Time of the last access: `preserve`, `now`, or a time as `access_time_format` says.
        access_time: Option<String> => optional;
        /// The format of `access_time`.
        access_time_format: String => default("%Y%m%d%H%M.%S");
        attrs: FileAttrs => flatten;
        _parent_made: bool => default(false);
    }
}

/// The module.
pub struct File;

impl Module for File {
    const NAME: &'static str = "file";
    const DOC: &'static str =
        "Make a path a file, a directory, a link or nothing, and set its attributes.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let unknown = match args.state {
            Some(State::Absent) => Vec::new(),
            _ => unknown_accounts(args, sys)?,
        };
        match Self::planned(args, sys) {
            Ok(mut plan) => {
                for warning in unknown {
                    plan.warn_in_check(warning);
                }
                Ok(plan)
            }
            Err(failure) => Err(failure.with_check_warnings(unknown)),
        }
    }
}

/// What check mode says of an owner and a group that are not there (yet).
fn unknown_accounts(args: &Args, sys: &Sys) -> ModuleResult<Vec<String>> {
    let mut warnings = Vec::new();
    let mut unknown = |kind: &str, number: &str, name: &str| {
        let by = if name.parse::<u32>().is_ok() {
            number
        } else {
            ""
        };
        warnings.push(format!(
            "failed to look up {kind}{by} {name}. Create {kind} up to this point in real play"
        ));
    };
    if let Some(owner) = &args.attrs.owner
        && sys.account(owner)?.is_none()
        && sys.account_anywhere(owner)?.is_none()
    {
        unknown("user", " with uid", owner);
    }
    if let Some(group) = &args.attrs.group
        && sys.group_anywhere(group)?.is_none()
    {
        unknown("group", " with gid", group);
    }
    Ok(warnings)
}

/// Something new whose owner, group or directory is not there: check mode, which may run before what makes them, predicts it, and
/// doing it fails.
fn without<'a>(path: &Path, state: State, failure: Failure) -> Plan<'a> {
    let (key, word) = match state {
        State::Touch => ("dest", "touch"),
        _ => ("path", "directory"),
    };
    let diff = state_diff(path, "absent", word);
    let mut plan = Plan::fails(format!("make {}", path.display()), Some(diff), failure);
    plan.returns(key, text(path));
    plan
}

impl File {
    fn planned<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut path = sys.expand(&args.path);
        // a hard link goes into a directory that is there already
        if let (Some(State::Hard), Some(name)) =
            (args.state, args.src.as_deref().and_then(Path::file_name))
            && (sys.stat(&path, true)?).is_some_and(|meta| meta.kind == FileKind::Directory)
        {
            path = path.join(name);
        }
        let now = Now::of(sys, &path)?;
        let state = args.state.unwrap_or(match now {
            Now::Absent if args.recurse => State::Directory,
            Now::Absent | Now::File(_) => State::File,
            Now::Directory => State::Directory,
            Now::Hard(_) => State::Hard,
            Now::Link => State::Link,
        });
        if args.src.is_some() && !matches!(state, State::Link | State::Hard) {
            return Err(
                Failure::new("src option requires state to be 'link' or 'hard'")
                    .with("path", text(&path)),
            );
        }
        if args.recurse && state != State::Directory {
            return Err(
                Failure::new("recurse option requires state to be 'directory'")
                    .with("path", text(&path)),
            );
        }
        let mut work = Work {
            args,
            sys,
            plan: Plan::new(),
        };
        let made = match state {
            State::Absent => removal::plan(&mut work.plan, sys, &path),
            State::File => work.file(&path, &now),
            State::Directory => work.directory(&path, &now),
            State::Touch => work.touch(&path, &now),
            State::Link => work.link(&path, &now),
            State::Hard => work.hard(&path, &now),
        };
        if let Err(failure) = made {
            let new =
                matches!(state, State::Touch | State::Directory) && matches!(now, Now::Absent);
            if new && failure.message.contains(" failed: failed to look up ") {
                return Ok(without(&path, state, failure));
            }
            return Err(failure);
        }
        let diff = described(&work.plan, sys, &path);
        work.plan.returns("diff", diff);
        Ok(work.plan)
    }
}

/// The return value `diff`, which results of this module always have: what changes, by name, and the path.
pub(in crate::modules::files) fn described(plan: &Plan<'_>, sys: &Sys, path: &Path) -> Value {
    let start = Map::new().with("path", text(path));
    let (mut before, mut after) = (start.clone(), start);
    for diff in plan.diffs() {
        if Path::new(&diff.target) != path {
            continue;
        }
        for (side, lines) in [(&mut before, &diff.before), (&mut after, &diff.after)] {
            for line in lines.iter().flat_map(|text| text.lines()) {
                match line.split_once(": ") {
                    Some(("content", _)) => {}
                    Some((key, value)) => {
                        side.set(key, Value::data(value.trim_matches('\'')));
                    }
                    None => {}
                }
            }
        }
        if after.get("state").and_then(Value::as_str) == Some("absent")
            && before.get("state").and_then(Value::as_str) == Some("directory")
        {
            before.set("path_content", removal::content(sys, path));
        }
    }
    Value::map(Map::new().with("before", before).with("after", after))
}

/// What is at the path now.
enum Now {
    Absent,
    File(Meta),
    Directory,
    /// A file with more than one name.
    Hard(Meta),
    Link,
}

impl Now {
    fn of(sys: &Sys, path: &Path) -> ModuleResult<Self> {
        Ok(match sys.stat(path, false)? {
            None => Self::Absent,
            Some(meta) => match meta.kind {
                FileKind::Link => Self::Link,
                FileKind::Directory => Self::Directory,
                _ if meta.nlink > 1 => Self::Hard(meta),
                _ => Self::File(meta),
            },
        })
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::File(_) => "file",
            Self::Directory => "directory",
            Self::Hard(_) => "hard",
            Self::Link => "link",
        }
    }
}

/// A path as a return value.
fn text(path: &Path) -> Value {
    Value::data(path.to_string_lossy().as_ref())
}

/// A diff of what is at a path, in words.
fn state_diff(path: &Path, before: &str, after: &str) -> Diff {
    let side = |state: &str| format!("path: {}\nstate: {state}\n", path.display());
    Diff::new(
        path.to_string_lossy(),
        Some(side(before)),
        Some(side(after)),
    )
}

struct Work<'a, 's> {
    args: &'a Args,
    sys: &'s Sys,
    plan: Plan<'a>,
}

impl Work<'_, '_> {
    /// The path itself, or what it leads to where it is a link and links are followed.
    fn followed(&self, path: &Path, now: &Now) -> PathBuf {
        match now {
            Now::Link if self.args.follow => {
                self.sys.canonical(path).unwrap_or_else(|| path.to_owned())
            }
            _ => path.to_owned(),
        }
    }

    /// Attributes and times of something that is there.
    fn existing(&mut self, path: &Path) -> ModuleResult<()> {
        self.plan.returns("path", text(path));
        facts_of(self.sys, path, false)?.plan(&mut self.plan);
        self.args
            .attrs
            .plan(self.sys, &mut self.plan, path, false)?;
        times::plan(self.args, self.sys, &mut self.plan, path, "preserve")
    }

    fn file(&mut self, path: &Path, now: &Now) -> ModuleResult<()> {
        let path = &self.followed(path, now);
        let now = Now::of(self.sys, path)?;
        if matches!(now, Now::File(_) | Now::Hard(_)) {
            return self.existing(path);
        }
        Err(Failure::new(format!(
            "file ({}) is {}, cannot continue",
            path.display(),
            now.word()
        ))
        .with("path", text(path))
        .with("state", now.word()))
    }

    fn directory(&mut self, path: &Path, now: &Now) -> ModuleResult<()> {
        let path = &self.followed(path, now);
        match Now::of(self.sys, path)? {
            Now::Directory => {
                self.existing(path)?;
                if self.args.recurse {
                    recurse::plan(self.args, self.sys, &mut self.plan, path)?;
                }
                Ok(())
            }
            Now::Absent => {
                self.plan.returns("path", text(path));
                self.predict_new(Base::new_directory(self.sys), "directory")?;
                let attrs = &self.args.attrs;
                let mode = attrs.mode.as_ref();
                plan_directories(self.sys, &mut self.plan, path, mode, attrs)?;
                times::plan_new(self.args, self.sys, &mut self.plan, path)
            }
            other => Err(Failure::new(format!(
                "{} already exists as a {}",
                path.display(),
                other.word()
            ))
            .with("path", text(path))),
        }
    }

    fn touch(&mut self, given: &Path, now: &Now) -> ModuleResult<()> {
        let path = &self.followed(given, now);
        match Now::of(self.sys, path)? {
            Now::Absent => return self.touch_new(path),
            Now::Link if self.args.follow => {
                return Err(Failure::new(format!(
                    "{} is a link to something that is not there; touch cannot make it",
                    path.display()
                ))
                .with("path", text(path)));
            }
            _ => {}
        }
        self.plan.returns("dest", text(given));
        facts_of(self.sys, given, false)?.plan(&mut self.plan);
        self.args
            .attrs
            .plan(self.sys, &mut self.plan, path, false)?;
        times::plan(self.args, self.sys, &mut self.plan, path, "now")
    }

    fn touch_new(&mut self, path: &Path) -> ModuleResult<()> {
        let parent = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let is_there = match parent {
            Some(dir) => self
                .sys
                .stat(dir, true)?
                .is_some_and(|meta| meta.kind == FileKind::Directory),
            None => true,
        };
        if !is_there {
            let failure = Failure::new(format!(
                "Error, could not touch target: the directory of {} does not exist",
                path.display()
            ))
            .with("path", text(path));
            // check mode may run before what makes the directory
            self.plan = without(path, State::Touch, failure);
            return Ok(());
        }
        self.plan.returns("dest", text(path));
        self.predict_new(Base::new_file(self.sys), "file")?;
        let wanted = self
            .args
            .attrs
            .resolve(self.sys, Base::new_file(self.sys))?;
        let owned = path.to_owned();
        self.plan.act(
            format!("make {}", path.display()),
            Some(state_diff(path, "absent", "touch")),
            move |sys, returns| {
                sys.touch(&owned)?;
                if let Err(error) = wanted.set(sys, &owned, true) {
                    // what cannot be as it is wished is not left behind
                    sys.remove_file(&owned)?;
                    return Err(error.into());
                }
                facts_of(sys, &owned, true)?.refresh(returns);
                Ok(())
            },
        );
        times::plan_new(self.args, self.sys, &mut self.plan, path)
    }

    /// Return values of something that is going to be made.
    fn predict_new(&mut self, base: Base, state: &str) -> ModuleResult<()> {
        let wanted = self.args.attrs.resolve(self.sys, base)?;
        let me = self.sys.me()?;
        let attrs = Attrs {
            mode: wanted.mode.or(Some(base.mode)),
            uid: wanted.uid.or(Some(me.uid)),
            gid: wanted.gid.or(Some(me.gid)),
        };
        Facts::predicted(self.sys, attrs, 0, state).plan(&mut self.plan);
        Ok(())
    }
}
