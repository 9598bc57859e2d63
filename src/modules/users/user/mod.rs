//! `user`: accounts.
//!
//! The machine's files are read natively; changes are made by the shadow tools (useradd, usermod, userdel, chpasswd,
//! chage), which work on those files. Password hashes go through standard input, never onto a command line.

mod change;
mod home;
mod password;
mod ssh_key;

use super::group::State;
use super::{check_name, need, run};
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Account, Sys};
use crate::value::{Map, Secret, Value};
use crate::{choices, module_args};
use std::path::PathBuf;

choices! {
    /// When a password is set.
    pub enum UpdatePassword {
        /// Whenever it differs.
        Always = "always",
        /// When the account is made.
        OnCreate = "on_create",
    }
}

module_args! {
    /// Arguments of `user`.
    pub struct Args {
        /// The login name.
        name: String => required, aliases ["user"];
        /// Whether the account is to be there.
        state: State => default("present");
        /// Its number.
        uid: Option<u64> => optional;
        /// Let another account have the same number.
        non_unique: bool => default(false);
        /// Its primary group, by name or number.
        group: Option<String> => optional;
        /// Its other groups; an empty list takes it out of all.
        groups: Option<Vec<String>> => optional;
        /// Add `groups` to those that it is in, instead of replacing them.
        append: bool => default(false);
        /// Full name or the like.
        comment: Option<String> => optional;
        /// Home directory.
        home: Option<PathBuf> => optional;
        /// Make the home directory if it is missing.
        create_home: bool => default(true), aliases ["createhome"];
        /// Move what is in the old home directory when `home` changes.
        move_home: bool => default(false);
        /// Directory whose content a new home directory gets.
        skeleton: Option<String> => optional;
        /// Login shell.
        shell: Option<PathBuf> => optional;
        /// The password's hash.
        password: Option<Secret<String>> => optional, secret;
        /// When the password is set.
        update_password: UpdatePassword => default("always");
        /// Lock (or unlock) the password.
        password_lock: Option<bool> => optional;
        /// Days after which the password must be changed.
        password_expire_max: Option<i64> => optional;
        /// Days before which the password cannot be changed.
        password_expire_min: Option<i64> => optional;
        /// Days of warning before the password must be changed.
        password_expire_warn: Option<i64> => optional;
        /// Days after the password's end until the account is disabled.
        password_expire_account_disable: Option<i64> => optional;
        /// When the account ends, in seconds since 1970; negative for never.
        expires: Option<f64> => optional;
        /// Make it an account of the system's (when it is made).
        system: bool => default(false);
        /// Remove or overwrite even so: an account that is in use, an SSH key that is there.
        force: bool => default(false);
        /// Remove the home directory and mail with the account.
        remove: bool => default(false);
        /// File mode creation mask for the home directory.
        umask: Option<String> => optional;
        /// The least number that is chosen.
        uid_min: Option<u64> => optional;
        /// The greatest number that is chosen.
        uid_max: Option<u64> => optional;
        /// Look at the machine's own files only, not at a directory service.
        local: bool => default(false);
        /// SELinux user.
        seuser: Option<String> => optional;
        /// Make an SSH key for the user if there is none.
        generate_ssh_key: bool => default(false);
        /// Bits of the SSH key.
        ssh_key_bits: u64 => default(0);
        /// Comment of the SSH key.
        ssh_key_comment: Option<String> => optional;
        /// The SSH key's file, relative to the home directory.
        ssh_key_file: Option<PathBuf> => optional;
        /// Passphrase of the SSH key.
        ssh_key_passphrase: Option<Secret<String>> => optional, secret;
        /// Type of the SSH key.
        ssh_key_type: String => default("rsa");
        /// For other systems than Linux.
        login_class: Option<String> => optional;
        /// For other systems than Linux.
        hidden: Option<bool> => optional;
        /// For other systems than Linux.
        profile: Option<String> => optional;
        /// For other systems than Linux.
        role: Option<String> => optional;
        /// For other systems than Linux.
        authorization: Option<String> => optional;
    }
}

/// The module.
pub struct User;

impl Module for User {
    const NAME: &'static str = "user";
    const DOC: &'static str = "Make, change and remove accounts.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        check_name(&args.name)?;
        if args.umask.is_some() && args.local {
            return Err("'umask' can not be used with 'local'".into());
        }
        if args.local {
            for (name, value) in [("uid_min", args.uid_min), ("uid_max", args.uid_max)] {
                if value.is_some() {
                    return Err(format!("'{name}' can not be used with 'local'").into());
                }
            }
        }
        let found = if args.local {
            sys.accounts()?.into_iter().find(|a| a.name == args.name)
        } else {
            sys.account_anywhere(&args.name)?
        };
        let mut plan = Plan::new();
        plan.returns("name", Value::data(args.name.as_str()));
        plan.returns("state", args.state.word());
        if args.state == State::Absent {
            if let Some(account) = found {
                plan_removal(args, &account, &mut plan);
            }
            return Ok(plan);
        }
        if args.append && args.groups.is_none() {
            plan.warn("'append' is set, but no 'groups' are specified. Use 'groups' for appending new groups.");
        }
        if let Some(password) = &args.password {
            plan.returns("password", "NOT_LOGGING_PASSWORD");
            if !password::looks_hashed(password.reveal()) {
                plan.warn(
                    "The input password appears not to have been hashed. The 'password' argument must be \
                     encrypted for this module to work properly.",
                );
            }
        }
        if let Some(groups) = &args.groups {
            plan.returns("groups", Value::data(groups.join(",")));
        }
        if let Some(account) = &found {
            for (key, value) in &described(account) {
                plan.returns(key.as_str().unwrap_or_default(), value.clone());
            }
            plan.returns("append", args.append);
            plan.returns("move_home", args.move_home);
            change::plan(args, account, &mut plan, sys)?;
        } else {
            plan.returns("system", args.system);
            plan.returns("create_home", args.create_home);
            change::plan_new(args, &mut plan, sys)?;
        }
        password::plan_ages(args, &mut plan, sys)?;
        if args.generate_ssh_key {
            ssh_key::plan(args, found.as_ref(), &mut plan, sys)?;
        }
        if plan.changes() {
            // what the tools chose
            plan.always("look at the account", move |sys, data| {
                if let Some(account) = sys.account_anywhere(&args.name)? {
                    for (key, value) in described(&account) {
                        data.insert(key, value);
                    }
                }
                Ok(false)
            });
        }
        Ok(plan)
    }
}

/// What results say of an account.
fn described(account: &Account) -> Map {
    Map::new()
        .with("uid", account.uid)
        .with("group", account.gid)
        .with("comment", Value::data(account.comment.as_str()))
        .with("home", Value::data(account.home.to_string_lossy().as_ref()))
        .with("shell", Value::data(account.shell.as_str()))
}

fn plan_removal<'a>(args: &'a Args, account: &Account, plan: &mut Plan<'a>) {
    plan.returns("force", args.force);
    plan.returns("remove", args.remove);
    let mut before = format!("uid: {}\n", account.uid);
    if args.remove {
        before.push_str(&format!("home: {}\n", account.home.display()));
    }
    let diff = Diff::new(format!("user {}", args.name), Some(before), None::<String>);
    plan.act(
        format!("userdel {}", args.name),
        Some(diff),
        move |sys, data| {
            need("userdel", sys)?;
            let mut words = vec!["userdel"];
            words.extend(args.force.then_some("-f"));
            words.extend(args.remove.then_some("-r"));
            words.push(&args.name);
            let command = sys.tool(words);
            run(
                &command,
                &format!("the user {} cannot be removed", args.name),
                sys,
                data,
            )
        },
    );
}
