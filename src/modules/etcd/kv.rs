//! `etcd_kv`: a key and its value.

use super::access::{Access, Etcd};
use super::message::{Reader, Writer};
use super::range_of;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{Map, Secret, Value};
use crate::{choices, module_args};

choices! {
    /// What there is to be.
    pub enum State {
        /// The key with this value.
        Present = "present",
        /// Neither the key nor, with `prefix`, any that begins with it.
        Absent = "absent",
        /// Whatever there is; it is only read.
        Read = "read",
    }
}

module_args! {
    /// Arguments of `etcd_kv`.
    pub struct Args {
        access: Access => flatten;
        /// The key.
        key: String => required;
        /// Its value. A mapping or list is written as JSON.
        value: Option<Value> => optional;
        /// A value that must not be shown, instead of `value`.
        secret_value: Option<Secret<String>> => optional, secret;
        /// Values that are the same JSON count as the same, however they are written.
        json: bool => default(false);
        /// All keys that begin with `key`: with `absent` and `read`.
        prefix: bool => default(false);
        /// What there is to be.
        state: State => default("present");
    }
}

/// The module.
pub struct EtcdKv;

/// A key as it is found.
pub(super) struct Found {
    key: String,
    value: Vec<u8>,
    mod_revision: u64,
    version: u64,
}

impl Found {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.value).into_owned()
    }

    fn to_value(&self) -> Value {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        Value::map(
            Map::new()
                .with("key", Value::data(self.key.as_str()))
                .with("value", Value::data(self.text()))
                .with("mod_revision", number(self.mod_revision))
                .with("version", number(self.version)),
        )
    }
}

fn get(etcd: &mut Etcd, key: &str, prefix: bool) -> ModuleResult<Vec<Found>> {
    let (from, to) = range_of(key, prefix);
    let question = Writer::new().data(1, &from).data(2, &to);
    let answer = etcd.call("KV/Range", &question, &format!("{key} cannot be read"))?;
    let found = Reader::new(&answer)
        .all(2)
        .map(|bytes| {
            let entry = Reader::new(bytes);
            Found {
                key: entry.text(1),
                value: entry.data(5).to_vec(),
                mod_revision: entry.number(3),
                version: entry.number(4),
            }
        })
        .collect();
    Ok(found)
}

impl Module for EtcdKv {
    const NAME: &'static str = "etcd_kv";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str = "Write, delete or read a key of etcd.\nSpeaks etcd's version 3 API by itself; no etcdctl is needed.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let wanted = match (&args.value, &args.secret_value) {
            (Some(_), Some(_)) => return Err("value and secret_value exclude each other".into()),
            (Some(value @ (Value::Map(_) | Value::List(_))), None) => {
                Some(value.to_json().to_string())
            }
            (Some(value), None) => Some(value.to_string()),
            (None, Some(secret)) => Some(secret.reveal().clone()),
            (None, None) => None,
        };
        if args.key.is_empty() {
            return Err("key must not be empty".into());
        }
        if args.state == State::Present && (wanted.is_none() || args.prefix) {
            return Err("state=present needs a value, and takes no prefix".into());
        }
        let mut etcd = args.access.connect(sys)?;
        let found = get(&mut etcd, &args.key, args.prefix)?;
        let mut plan = Plan::new();
        plan.returns("key", Value::data(args.key.as_str()));
        plan.returns("exists", !found.is_empty());
        match (args.state, wanted) {
            (State::Read, _) => {
                if let Some(first) = found.first().filter(|_| !args.prefix) {
                    plan.returns("value", Value::data(first.text()));
                }
                plan.returns("kvs", found.iter().map(Found::to_value).collect::<Vec<_>>());
            }
            (State::Present, Some(wanted)) => {
                let first = found.first();
                if first.is_some_and(|first| same(&first.value, wanted.as_bytes(), args.json)) {
                    return Ok(plan);
                }
                if args.secret_value.is_some() {
                    plan.secret();
                }
                let line = |text: &str| format!("{text}\n");
                let diff = Diff::new(
                    args.key.as_str(),
                    first.map(|first| line(&first.text())),
                    Some(line(&wanted)),
                );
                plan.act(format!("put {}", args.key), Some(diff), move |_, data| {
                    let question = Writer::new().text(1, &args.key).text(2, &wanted);
                    etcd.call(
                        "KV/Put",
                        &question,
                        &format!("{} cannot be written", args.key),
                    )?;
                    data.set("exists", true);
                    Ok(())
                });
            }
            _ => {
                for (index, entry) in found.iter().enumerate() {
                    // one request deletes them all; each has its diff
                    let diff = Diff::new(
                        entry.key.as_str(),
                        Some(format!("{}\n", entry.text())),
                        None::<String>,
                    );
                    if index + 1 < found.len() {
                        plan.step(diff, |_| Ok(()));
                    } else {
                        let mut etcd = args.access.connect(sys)?;
                        plan.act(
                            format!("delete {}", args.key),
                            Some(diff),
                            move |_, data| {
                                let (from, to) = range_of(&args.key, args.prefix);
                                let question = Writer::new().data(1, &from).data(2, &to);
                                let what = format!("{} cannot be deleted", args.key);
                                let answer = etcd.call("KV/DeleteRange", &question, &what)?;
                                let deleted = Reader::new(&answer).number(2);
                                data.set("exists", false);
                                data.set("deleted", i64::try_from(deleted).unwrap_or(i64::MAX));
                                Ok(())
                            },
                        );
                    }
                }
            }
        }
        Ok(plan)
    }
}

fn same(found: &[u8], wanted: &[u8], json: bool) -> bool {
    let read = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).ok();
    found == wanted || (json && read(found).is_some_and(|found| Some(found) == read(wanted)))
}
