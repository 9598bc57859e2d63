//! `etcd_role`: a role and what it may do.

use super::access::{Access, Etcd, Refusal};
use super::message::{Reader, Writer};
use super::range_of;
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{FromValue, Map, Value, str_of};
use crate::{choices, module_args};
use std::collections::BTreeSet;

choices! {
    /// What there is to be.
    pub enum State {
        /// The role with its permissions.
        Present = "present",
        /// No such role.
        Absent = "absent",
    }
}

choices! {
    /// What is allowed.
    pub enum Allowed {
        /// To read.
        Read = "read",
        /// To write.
        Write = "write",
        /// Both.
        ReadWrite = "readwrite",
    }
}

module_args! {
    /// Arguments of `etcd_role`.
    pub struct Args {
        access: Access => flatten;
        /// The role's name.
        name: String => required, aliases ["role"];
        /// What the role may do, each a mapping: `key`; `permission` (`read`, `write` or `readwrite`, which is the default);
        /// `prefix: true` for all keys that begin with it, or `range_end` for all up to that one.
        permissions: Vec<Value> => default(Vec::<Value>::new());
        /// Leave permissions that are not named here.
        append: bool => default(false);
        /// What there is to be.
        state: State => default("present");
    }
}

/// What a role may do to some keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Permission {
    key: Vec<u8>,
    range_end: Vec<u8>,
    /// etcd's number: 0 read, 1 write, 2 both.
    kind: u64,
}

impl Permission {
    fn of(value: &Value) -> ModuleResult<Self> {
        let map = value
            .as_map()
            .ok_or("a permission should be a mapping with `key` and `permission`")?;
        let known = ["key", "permission", "prefix", "range_end"];
        if let Some((name, _)) = map.str_iter().find(|(name, _)| !known.contains(name)) {
            return Err(Failure::new(format!(
                "a permission has no member `{name}`; it has {}",
                known.join(", ")
            )));
        }
        let given = |name: &str| map.get(name).filter(|v| !v.is_null());
        let key = given("key").map(str_of).ok_or("a permission needs a key")?;
        let kind = given("permission").map(Allowed::from_value).transpose();
        let kind = kind.map_err(|problem| Failure::new(format!("permission {}", problem.0)))?;
        let prefix = given("prefix").map(bool::from_value).transpose();
        let prefix = prefix
            .map_err(|problem| Failure::new(format!("prefix {}", problem.0)))?
            .unwrap_or(false);
        let (key, mut range_end) = range_of(&key, prefix);
        if let Some(end) = given("range_end") {
            if prefix {
                return Err("a permission has either prefix or range_end".into());
            }
            range_end = str_of(end).into_bytes();
        }
        if key.is_empty() {
            return Err("a permission needs a key that is not empty; prefix: true with key \"\\0\" is everything".into());
        }
        let kind = match kind.unwrap_or(Allowed::ReadWrite) {
            Allowed::Read => 0,
            Allowed::Write => 1,
            Allowed::ReadWrite => 2,
        };
        Ok(Self {
            key,
            range_end,
            kind,
        })
    }

    fn read(bytes: &[u8]) -> Self {
        let found = Reader::new(bytes);
        Self {
            key: found.data(2).to_vec(),
            range_end: found.data(3).to_vec(),
            kind: found.number(1),
        }
    }

    fn text(&self) -> String {
        let kind = match self.kind {
            0 => "read",
            1 => "write",
            _ => "readwrite",
        };
        let key = String::from_utf8_lossy(&self.key);
        let range = if self.range_end.is_empty() {
            String::new()
        } else if super::range_of(&key, true).1 == self.range_end {
            " and all that begin with it".to_owned()
        } else {
            format!(" up to {}", String::from_utf8_lossy(&self.range_end))
        };
        format!("{kind} {key}{range}\n")
    }
}

/// The module.
pub struct EtcdRole;

impl Module for EtcdRole {
    const NAME: &'static str = "etcd_role";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str = "Make a role of etcd, and say which keys it may read and write.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut wanted = BTreeSet::new();
        for value in &args.permissions {
            wanted.insert(Permission::of(value)?);
        }
        let mut etcd = args.access.connect(sys)?;
        let found = find(&mut etcd, &args.name)?;
        let mut plan = Plan::new();
        plan.returns("name", Value::data(args.name.as_str()));
        let text =
            |set: &BTreeSet<Permission>| set.iter().map(Permission::text).collect::<String>();
        let title = format!("etcd role {}", args.name);
        let question = Writer::new().text(1, &args.name);
        if args.state == State::Absent {
            if let Some(found) = found {
                let diff = Diff::new(title.as_str(), Some(text(&found)), None::<String>);
                plan.act(format!("delete {title}"), Some(diff), move |_, _| {
                    etcd.call(
                        "Auth/RoleDelete",
                        &question,
                        &format!("{title} cannot be deleted"),
                    )
                    .map(drop)
                });
            }
            return Ok(plan);
        }
        // etcd's role root is all-powerful by itself, and shows it
        let is_root = args.name == "root";
        if is_root && !args.permissions.is_empty() {
            return Err("the role root may do everything by itself; give it no permissions".into());
        }
        let missing = found.is_none();
        let found_set = found.clone().unwrap_or_default();
        if args.append {
            wanted.extend(
                found_set
                    .iter()
                    .filter(|old| !replaces(&wanted, old))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
        if is_root {
            wanted.clone_from(&found_set);
        }
        plan.returns("permissions", wanted.iter().map(shown).collect::<Vec<_>>());
        if !missing && wanted == found_set {
            return Ok(plan);
        }
        let diff = Diff::new(
            title.as_str(),
            found.as_ref().map(text),
            Some(text(&wanted)),
        );
        plan.act(format!("set {title}"), Some(diff), move |_, _| {
            let what = format!("{title} cannot be set");
            if missing {
                etcd.call("Auth/RoleAdd", &question, &what)?;
            }
            for permission in wanted.difference(&found_set) {
                let inner = Writer::new()
                    .number(1, permission.kind)
                    .data(2, &permission.key)
                    .data(3, &permission.range_end);
                let grant = Writer::new().text(1, &args.name).message(2, &inner);
                etcd.call("Auth/RoleGrantPermission", &grant, &what)?;
            }
            // granting changes the permission of the same keys; only others must be taken away
            for permission in found_set.iter().filter(|old| !replaces(&wanted, old)) {
                let revoke = Writer::new()
                    .text(1, &args.name)
                    .data(2, &permission.key)
                    .data(3, &permission.range_end);
                etcd.call("Auth/RoleRevokePermission", &revoke, &what)?;
            }
            Ok(())
        });
        Ok(plan)
    }
}

/// Whether one of these is about the same keys.
fn replaces(wanted: &BTreeSet<Permission>, old: &Permission) -> bool {
    wanted
        .iter()
        .any(|new| (&new.key, &new.range_end) == (&old.key, &old.range_end))
}

fn shown(permission: &Permission) -> Value {
    let text = |bytes: &[u8]| Value::data(String::from_utf8_lossy(bytes).into_owned());
    let kind = ["read", "write"]
        .get(usize::try_from(permission.kind).unwrap_or(2))
        .unwrap_or(&"readwrite");
    Value::map(
        Map::new()
            .with("key", text(&permission.key))
            .with("range_end", text(&permission.range_end))
            .with("permission", *kind),
    )
}

fn find(etcd: &mut Etcd, name: &str) -> ModuleResult<Option<BTreeSet<Permission>>> {
    match etcd.ask("Auth/RoleGet", &Writer::new().text(1, name))? {
        Ok(answer) => Ok(Some(
            Reader::new(&answer).all(2).map(Permission::read).collect(),
        )),
        Err(refusal) if is_unknown(&refusal) => Ok(None),
        Err(refusal) => Err(refusal.failure(&format!("the role {name} cannot be looked at"))),
    }
}

fn is_unknown(refusal: &Refusal) -> bool {
    refusal.says("role name not found")
}
