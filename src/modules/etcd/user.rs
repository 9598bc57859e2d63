//! `etcd_user`: a user, its roles, and its password if it has one.

use super::access::{Access, Etcd, Refusal};
use super::message::{Reader, Writer};
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{Secret, Value};
use crate::{choices, module_args};
use std::collections::BTreeSet;

choices! {
    /// What there is to be.
    pub enum State {
        /// The user with its roles.
        Present = "present",
        /// No such user.
        Absent = "absent",
    }
}

choices! {
    /// When the password is set.
    pub enum UpdatePassword {
        /// When it is another one.
        Always = "always",
        /// When the user is made.
        OnCreate = "on_create",
    }
}

module_args! {
    /// Arguments of `etcd_user`.
    pub struct Args {
        access: Access => flatten;
        /// The user's name: the common name of its certificates.
        name: String => required, aliases ["user"];
        /// Its password. Without one it can only log in by certificate.
        password: Option<Secret<String>> => optional, secret;
        /// When the password of a user that is there is set. Whether it is another one is only known while authentication is
        /// enabled; before that it is left, with a warning.
        update_password: UpdatePassword => default("always");
        /// Its roles, which must be there.
        roles: Vec<String> => default(Vec::<String>::new());
        /// Leave roles that are not named here.
        append: bool => default(false);
        /// What there is to be.
        state: State => default("present");
    }
}

/// The module.
pub struct EtcdUser;

/// What becomes of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Password {
    Keep,
    Change,
    /// The user was made without one; etcd does not give it one later.
    Recreate,
}

impl Module for EtcdUser {
    const NAME: &'static str = "etcd_user";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str = "Make a user of etcd and give it roles.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut etcd = args.access.connect(sys)?;
        let found = find(&mut etcd, &args.name)?;
        let mut plan = Plan::new();
        plan.returns("name", Value::data(args.name.as_str()));
        let title = format!("etcd user {}", args.name);
        let user = Writer::new().text(1, &args.name);
        let text = |roles: &BTreeSet<String>, password: &str| {
            let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
            format!("roles: {}\n{password}", roles.join(", "))
        };
        if args.state == State::Absent {
            if let Some(found) = found {
                let diff = Diff::new(title.as_str(), Some(text(&found, "")), None::<String>);
                plan.act(format!("delete {title}"), Some(diff), move |_, _| {
                    etcd.call(
                        "Auth/UserDelete",
                        &user,
                        &format!("{title} cannot be deleted"),
                    )
                    .map(drop)
                });
            }
            return Ok(plan);
        }
        let mut wanted: BTreeSet<String> = args.roles.iter().cloned().collect();
        if let Some(found) = found.as_ref().filter(|_| args.append) {
            wanted.extend(found.iter().cloned());
        }
        plan.returns(
            "roles",
            wanted
                .iter()
                .map(|role| Value::data(role.as_str()))
                .collect::<Vec<_>>(),
        );
        let password = match (&args.password, &found) {
            (Some(password), Some(_)) if args.update_password == UpdatePassword::Always => {
                compare(&mut etcd, args, password.reveal(), &mut plan)?
            }
            _ => Password::Keep,
        };
        if found.as_ref() == Some(&wanted) && password == Password::Keep {
            return Ok(plan);
        }
        let said = |now: bool| match (&found, password) {
            (None, _) if now && args.password.is_some() => "password: [hidden]\n",
            (None, _) | (_, Password::Keep) => "",
            _ if now => "password: [hidden, another one]\n",
            _ => "password: [hidden]\n",
        };
        let diff = Diff::new(
            title.as_str(),
            found.as_ref().map(|found| text(found, said(false))),
            Some(text(&wanted, said(true))),
        );
        plan.act(format!("set {title}"), Some(diff), move |_, _| {
            let what = format!("{title} cannot be set");
            let mut has = found.clone().unwrap_or_default();
            if password == Password::Recreate {
                etcd.call("Auth/UserDelete", &user, &what)?;
                has.clear();
            }
            if found.is_none() || password == Password::Recreate {
                let add = match &args.password {
                    Some(password) => Writer::new().text(1, &args.name).text(2, password.reveal()),
                    None => Writer::new()
                        .text(1, &args.name)
                        .message(3, &Writer::new().number(1, 1)),
                };
                etcd.call("Auth/UserAdd", &add, &what)?;
            }
            if let (Password::Change, Some(password)) = (password, &args.password) {
                let change = Writer::new().text(1, &args.name).text(2, password.reveal());
                etcd.call("Auth/UserChangePassword", &change, &what)?;
            }
            for role in wanted.difference(&has) {
                let grant = Writer::new().text(1, &args.name).text(2, role);
                etcd.call(
                    "Auth/UserGrantRole",
                    &grant,
                    &format!("{title} cannot get the role {role}"),
                )?;
            }
            for role in has.difference(&wanted) {
                let revoke = Writer::new().text(1, &args.name).text(2, role);
                etcd.call(
                    "Auth/UserRevokeRole",
                    &revoke,
                    &format!("{title} cannot lose the role {role}"),
                )?;
            }
            Ok(())
        });
        Ok(plan)
    }
}

fn compare(
    etcd: &mut Etcd,
    args: &Args,
    password: &str,
    plan: &mut Plan<'_>,
) -> ModuleResult<Password> {
    let refusal: Refusal = match etcd.authenticate(&args.name, password)? {
        Ok(_) => return Ok(Password::Keep),
        Err(refusal) => refusal,
    };
    if refusal.says("not enabled") {
        plan.warn(format!(
            "etcd's authentication is not enabled: whether {} has this password cannot be seen, so it is left",
            args.name
        ));
        Ok(Password::Keep)
    } else if refusal.says("no password user") {
        Ok(Password::Recreate)
    } else if refusal.says("authentication failed") {
        Ok(Password::Change)
    } else {
        Err(refusal.failure(&format!("the password of {} cannot be compared", args.name)))
    }
}

/// The roles of a user; `None` if there is no such user.
pub(super) fn find(etcd: &mut Etcd, name: &str) -> ModuleResult<Option<BTreeSet<String>>> {
    match etcd.ask("Auth/UserGet", &Writer::new().text(1, name))? {
        Ok(answer) => Ok(Some(Reader::new(&answer).texts(2).into_iter().collect())),
        Err(refusal) if refusal.says("user name not found") => Ok(None),
        Err(refusal) => Err(refusal.failure(&format!("the user {name} cannot be looked at"))),
    }
}
