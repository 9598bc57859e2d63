//! Making an account, and changing one.

use super::password::{days, plan_password};
use super::{Args, home, need, run};
use crate::modules::{ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Account, Sys};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The words of a command, and the lines of the diff that belong to them.
#[derive(Debug, Default)]
struct Changes {
    words: Vec<String>,
    before: String,
    after: String,
}

impl Changes {
    fn add<const N: usize>(&mut self, words: [String; N], what: &str, before: &str, after: &str) {
        self.words.extend(words);
        self.note(what, before, after);
    }

    fn note(&mut self, what: &str, before: &str, after: &str) {
        self.before.push_str(&format!("{what}: {before}\n"));
        self.after.push_str(&format!("{what}: {after}\n"));
    }

    fn diff(&self, name: &str) -> Diff {
        Diff::new(
            format!("user {name}"),
            Some(self.before.clone()),
            Some(self.after.clone()),
        )
    }
}

fn word(text: &str) -> String {
    text.to_owned()
}

/// The home directory that is wished for.
fn wished_home(args: &Args, sys: &Sys) -> Option<PathBuf> {
    args.home.as_ref().map(|home| sys.expand(home))
}

/// The names of the groups that are wished for. Those that are not there keep the name as written; the tools will
/// complain if nothing makes them before.
fn wished_groups(args: &Args, plan: &mut Plan<'_>, sys: &Sys) -> ModuleResult<Vec<String>> {
    let mut names = Vec::new();
    for name in args.groups.iter().flatten().map(|g| g.trim()) {
        if name.is_empty() {
            continue;
        }
        let name = if let Some(group) = sys.group_anywhere(name)? {
            group.name
        } else {
            plan.warn(missing_group(name));
            name.to_owned()
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn missing_group(name: &str) -> String {
    format!("Group {name} does not exist; a run fails if nothing makes it before")
}

/// Fails if a group is missing when it is needed.
fn check_groups(args: &Args, sys: &Sys) -> ModuleResult<()> {
    for name in args.group.iter().chain(args.groups.iter().flatten()) {
        let name = name.trim();
        if !name.is_empty() && sys.group_anywhere(name)?.is_none() {
            return Err(format!("Group {name} does not exist").into());
        }
    }
    Ok(())
}

/// Plans a new account.
pub(super) fn plan_new<'a>(args: &'a Args, plan: &mut Plan<'a>, sys: &Sys) -> ModuleResult<()> {
    let mut words = vec![word("useradd")];
    let mut after = String::new();
    let mut show = |what: &str, value: &str| after.push_str(&format!("{what}: {value}\n"));
    if let Some(uid) = args.uid {
        words.extend([word("-u"), uid.to_string()]);
        words.extend(args.non_unique.then(|| word("-o")));
        show("uid", &uid.to_string());
    }
    if let Some(seuser) = &args.seuser {
        words.extend([word("-Z"), seuser.clone()]);
    }
    if let Some(group) = &args.group {
        if sys.group_anywhere(group)?.is_none() {
            plan.warn(missing_group(group));
        }
        words.extend([word("-g"), group.clone()]);
        show("group", group);
    } else if sys.group_anywhere(&args.name)?.is_some() {
        // the group of that name is there already: useradd must not make it
        words.push(word("-N"));
    }
    let groups = wished_groups(args, plan, sys)?;
    if !groups.is_empty() {
        words.extend([word("-G"), groups.join(",")]);
        show("groups", &groups.join(","));
    }
    if let Some(comment) = &args.comment {
        words.extend([word("-c"), comment.clone()]);
        show("comment", comment);
    }
    let home = wished_home(args, sys);
    if let Some(home) = &home {
        let home = home.to_string_lossy();
        words.extend([word("-d"), home.to_string()]);
        show("home", &home);
    }
    if let Some(shell) = &args.shell {
        let shell = sys.expand(shell).to_string_lossy().into_owned();
        show("shell", &shell);
        words.extend([word("-s"), shell]);
    }
    if let Some(expires) = args.expires {
        let date = date(expires);
        show("expires", if date.is_empty() { "never" } else { &date });
        words.extend([word("-e"), date]);
    }
    if let Some(inactive) = args.password_expire_account_disable {
        words.extend([word("-f"), inactive.to_string()]);
    }
    if args.create_home {
        words.push(word("-m"));
        if let Some(skeleton) = &args.skeleton {
            words.extend([word("-k"), skeleton.clone()]);
        }
        if let Some(umask) = &args.umask {
            words.extend([word("-K"), format!("UMASK={umask}")]);
        }
    } else {
        words.push(word("-M"));
    }
    words.extend(args.system.then(|| word("-r")));
    for (name, value) in [("UID_MIN", args.uid_min), ("UID_MAX", args.uid_max)] {
        if let Some(value) = value {
            words.extend([word("-K"), format!("{name}={value}")]);
        }
    }
    words.push(args.name.clone());
    if after.is_empty() {
        after.push_str("(as the machine's defaults say)\n");
    }
    let diff = Diff::new(format!("user {}", args.name), None::<String>, Some(after));
    plan.act(
        format!("useradd {}", args.name),
        Some(diff),
        move |sys, data| {
            need("useradd", sys)?;
            check_groups(args, sys)?;
            if let Some(parent) = home.as_deref().and_then(Path::parent)
                && args.create_home
            {
                home::make_parents(parent, sys)?;
            }
            let command = sys.tool(&words);
            run(
                &command,
                &format!("the user {} cannot be made", args.name),
                sys,
                data,
            )
        },
    );
    plan_password(args, None, plan);
    Ok(())
}

/// Plans changes of an account that is there.
pub(super) fn plan<'a>(
    args: &'a Args,
    account: &Account,
    plan: &mut Plan<'a>,
    sys: &Sys,
) -> ModuleResult<()> {
    let mut changes = Changes::default();
    if let Some(uid) = args.uid
        && uid != u64::from(account.uid)
    {
        let (old, new) = (account.uid.to_string(), uid.to_string());
        changes.add([word("-u"), new.clone()], "uid", &old, &new);
        changes.words.extend(args.non_unique.then(|| word("-o")));
    }
    if let Some(name) = &args.group {
        let old = account.gid.to_string();
        match sys.group_anywhere(name)? {
            Some(group) if group.gid == account.gid => {}
            Some(group) => {
                let new = group.gid.to_string();
                changes.add([word("-g"), new.clone()], "group", &old, &new);
            }
            None => {
                plan.warn(missing_group(name));
                changes.add([word("-g"), name.clone()], "group", &old, name);
            }
        }
    }
    if args.groups.is_some() {
        change_groups(args, plan, &mut changes, sys)?;
    }
    if let Some(comment) = &args.comment
        && *comment != account.comment
    {
        changes.add(
            [word("-c"), comment.clone()],
            "comment",
            &account.comment,
            comment,
        );
    }
    let home = wished_home(args, sys).unwrap_or_else(|| account.home.clone());
    if home != account.home {
        let (old, new) = (account.home.to_string_lossy(), home.to_string_lossy());
        changes.add([word("-d"), new.to_string()], "home", &old, &new);
        changes.words.extend(args.move_home.then(|| word("-m")));
    }
    if let Some(shell) = &args.shell {
        let shell = sys.expand(shell).to_string_lossy().into_owned();
        if shell != account.shell {
            changes.add([word("-s"), shell.clone()], "shell", &account.shell, &shell);
        }
    }
    let shadow = sys.shadow(&args.name)?;
    if let Some(expires) = args.expires {
        let now = shadow
            .as_ref()
            .and_then(|s| s.expires)
            .filter(|day| *day >= 0);
        let wanted = (expires >= 0.0).then(|| days(expires));
        // an account without a line in the file of passwords gets one
        if now != wanted || (shadow.is_none() && wanted.is_none()) {
            let text = |day: Option<i64>| day.map_or(word("never"), date_of_day);
            changes.add(
                [word("-e"), date(expires)],
                "expires",
                &text(now),
                &text(wanted),
            );
        }
    }
    if let Some(inactive) = args.password_expire_account_disable {
        let now = shadow.as_ref().and_then(|s| s.inactive).unwrap_or(-1);
        if now != inactive {
            let new = inactive.to_string();
            changes.add(
                [word("-f"), new.clone()],
                "inactive",
                &now.to_string(),
                &new,
            );
        }
    }
    if let Some(seuser) = &args.seuser {
        plan.warn(format!(
            "seuser: {seuser} is set when an account is made, not changed later"
        ));
    }
    if !changes.words.is_empty() {
        let diff = changes.diff(&args.name);
        plan.act(
            format!("usermod {}", args.name),
            Some(diff),
            move |sys, data| {
                need("usermod", sys)?;
                check_groups(args, sys)?;
                let words = [word("usermod")]
                    .into_iter()
                    .chain(changes.words)
                    .chain([args.name.clone()]);
                let command = sys.tool(words);
                run(
                    &command,
                    &format!("the user {} cannot be changed", args.name),
                    sys,
                    data,
                )
            },
        );
    }
    let password = shadow.as_ref().map(|s| s.password.reveal().as_str());
    plan_password(args, Some(password.unwrap_or_default()), plan);
    // usermod -m moves the home directory, and makes none
    if args.create_home && !sys.exists(&home) && !(args.move_home && sys.exists(&account.home)) {
        home::plan(args, home, plan);
    }
    Ok(())
}

fn change_groups(
    args: &Args,
    plan: &mut Plan<'_>,
    changes: &mut Changes,
    sys: &Sys,
) -> ModuleResult<()> {
    let wanted = wished_groups(args, plan, sys)?;
    let now: BTreeSet<String> = sys
        .groups()?
        .into_iter()
        .filter(|group| group.members.contains(&args.name))
        .map(|group| group.name)
        .collect();
    let set: BTreeSet<String> = wanted.iter().cloned().collect();
    let fine = if args.append {
        set.is_subset(&now)
    } else {
        set == now
    };
    if fine {
        return Ok(());
    }
    let after: BTreeSet<String> = if args.append {
        now.union(&set).cloned().collect()
    } else {
        set
    };
    let shown = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(",");
    changes.words.extend(args.append.then(|| word("-a")));
    changes.add(
        [word("-G"), wanted.join(",")],
        "groups",
        &shown(&now),
        &shown(&after),
    );
    Ok(())
}

/// A time as the tools take it; empty for never.
fn date(seconds: f64) -> String {
    if seconds < 0.0 {
        String::new()
    } else {
        date_of_day(days(seconds))
    }
}

fn date_of_day(day: i64) -> String {
    jiff::civil::date(1970, 1, 1)
        .checked_add(jiff::Span::new().try_days(day).unwrap_or_default())
        .map_or_else(|_| day.to_string(), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates() {
        assert_eq!(date(0.0), "1970-01-01");
        assert_eq!(date(1_422_403_387.0), "2015-01-28");
        assert_eq!(date(-1.0), "");
    }
}
