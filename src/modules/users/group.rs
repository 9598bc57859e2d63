//! `group`: groups of users.

use super::{check_name, need, run};
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{ArgRule, Value};
use crate::{choices, module_args};

choices! {
    /// Whether a user or group is to be there.
    pub enum State {
        /// It is not there.
        Absent = "absent",
        /// It is there.
        Present = "present",
    }
}

module_args! {
    /// Arguments of `group`.
    pub struct Args {
        /// The group.
        name: String => required;
        /// Whether it is to be there.
        state: State => default("present");
        /// Its number.
        gid: Option<u64> => optional;
        /// Let another group have the same number.
        non_unique: bool => default(false);
        /// Make it a group of the system's (when it is made).
        system: bool => default(false);
        /// Look at the machine's own files only, not at a directory service.
        local: bool => default(false);
        /// Remove it even if it is a user's primary group.
        force: bool => default(false);
        /// The least number that is chosen.
        gid_min: Option<u64> => optional;
        /// The greatest number that is chosen.
        gid_max: Option<u64> => optional;
    }
}

/// The module.
pub struct Group;

impl Module for Group {
    const NAME: &'static str = "group";
    const DOC: &'static str = "Make, change and remove groups of users.";
    const RULES: &'static [ArgRule] = &[ArgRule::If("non_unique", "True", &["gid"])];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        check_name(&args.name)?;
        refuse(args)?;
        let found = if args.local {
            sys.groups()?.into_iter().find(|g| g.name == args.name)
        } else {
            sys.group_anywhere(&args.name)?
                .filter(|g| g.name == args.name)
        };
        let mut plan = Plan::new();
        plan.returns("name", Value::data(args.name.as_str()));
        plan.returns("state", args.state.word());
        if let (Some(group), State::Present) = (&found, args.state) {
            plan.returns("system", args.system);
            plan.returns("gid", group.gid);
        }
        let number = |gid: Option<u64>| gid.map_or("(next free)".to_owned(), |gid| gid.to_string());
        let text = |gid: Option<u64>| Some(format!("gid: {}\n", number(gid)));
        let target = format!("group {}", args.name);
        match (args.state, found) {
            (State::Absent, None) => {}
            (State::Absent, Some(group)) => {
                let diff = Diff::new(target, text(Some(group.gid.into())), None::<String>);
                step(args, "groupdel", diff, &mut plan);
            }
            (State::Present, None) => {
                step(
                    args,
                    "groupadd",
                    Diff::new(target, None::<String>, text(args.gid)),
                    &mut plan,
                );
            }
            (State::Present, Some(group)) => {
                if let Some(gid) = args.gid
                    && gid != u64::from(group.gid)
                {
                    let diff = Diff::new(target, text(Some(group.gid.into())), text(Some(gid)));
                    step(args, "groupmod", diff, &mut plan);
                }
            }
        }
        Ok(plan)
    }
}

fn refuse(args: &Args) -> ModuleResult<()> {
    if args.local {
        for (given, name) in [
            (args.gid_min.is_some(), "gid_min"),
            (args.gid_max.is_some(), "gid_max"),
            (args.force, "force"),
        ] {
            if given {
                return Err(format!("'{name}' can not be used with 'local'").into());
            }
        }
    }
    Ok(())
}

fn step<'a>(args: &'a Args, tool: &'static str, diff: Diff, plan: &mut Plan<'a>) {
    let what = format!("{tool} {}", args.name);
    plan.act(what, Some(diff), move |sys, data| {
        need(tool, sys)?;
        let mut words = vec![tool.to_owned()];
        if tool == "groupdel" {
            words.extend(args.force.then(|| "-f".to_owned()));
        } else {
            if let Some(gid) = args.gid {
                words.extend(["-g".to_owned(), gid.to_string()]);
                words.extend(args.non_unique.then(|| "-o".to_owned()));
            }
            if tool == "groupadd" {
                words.extend(args.system.then(|| "-r".to_owned()));
                for (name, value) in [("GID_MIN", args.gid_min), ("GID_MAX", args.gid_max)] {
                    if let Some(value) = value {
                        words.extend(["-K".to_owned(), format!("{name}={value}")]);
                    }
                }
            }
        }
        words.push(args.name.clone());
        let command = sys.tool(words);
        run(
            &command,
            &format!("the group {} cannot be brought to its state", args.name),
            sys,
            data,
        )?;
        if args.state == State::Present
            && let Some(group) = sys.group_anywhere(&args.name)?
        {
            data.set("system", args.system);
            data.set("gid", group.gid);
        }
        Ok(())
    });
}
