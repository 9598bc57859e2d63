//! `etcd_member`: who belongs to a cluster. `etcd_info`: how its members are.

use super::access::{Access, Etcd};
use super::message::{Reader, Writer};
use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::{Map, Value};
use crate::{choices, module_args};
use std::collections::BTreeSet;

choices! {
    /// What there is to be.
    pub enum State {
        /// The member is known to the cluster; it may then be started.
        Present = "present",
        /// It is not.
        Absent = "absent",
    }
}

module_args! {
    /// Arguments of `etcd_member`.
    pub struct Args {
        access: Access => flatten;
        /// The member's name. One that was added and not yet started has none: it is found by its URLs.
        name: String => required;
        /// Its URLs for other members.
        peer_urls: Vec<String> => default(Vec::<String>::new());
        /// Add it without a vote; it gets one by `learner: false` once it has caught up.
        learner: bool => default(false);
        /// What there is to be.
        state: State => default("present");
    }
}

/// The module.
pub struct EtcdMember;

#[derive(Clone, Debug)]
struct Member {
    id: u64,
    name: String,
    peers: BTreeSet<String>,
    clients: Vec<String>,
    learner: bool,
}

impl Member {
    fn text(&self) -> String {
        let peers: Vec<&str> = self.peers.iter().map(String::as_str).collect();
        format!(
            "peer_urls: {}\nlearner: {}\n",
            peers.join(", "),
            self.learner
        )
    }

    fn to_value(&self) -> Value {
        let list = |all: Vec<Value>| Value::list(all);
        Value::map(
            Map::new()
                .with("id", format!("{:x}", self.id))
                .with("name", Value::data(self.name.as_str()))
                .with(
                    "peer_urls",
                    list(
                        self.peers
                            .iter()
                            .map(|url| Value::data(url.as_str()))
                            .collect(),
                    ),
                )
                .with(
                    "client_urls",
                    list(
                        self.clients
                            .iter()
                            .map(|url| Value::data(url.as_str()))
                            .collect(),
                    ),
                )
                .with("learner", self.learner)
                .with("started", !self.name.is_empty()),
        )
    }
}

fn members(etcd: &mut Etcd) -> ModuleResult<Vec<Member>> {
    let answer = etcd.call(
        "Cluster/MemberList",
        &Writer::new(),
        "the members cannot be listed",
    )?;
    let found = Reader::new(&answer)
        .all(2)
        .map(|bytes| {
            let one = Reader::new(bytes);
            Member {
                id: one.number(1),
                name: one.text(2),
                peers: one.texts(3).into_iter().collect(),
                clients: one.texts(4),
                learner: one.number(5) != 0,
            }
        })
        .collect();
    Ok(found)
}

impl Module for EtcdMember {
    const NAME: &'static str = "etcd_member";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str = "Add a member to an etcd cluster, or remove one.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let wanted: BTreeSet<String> = args.peer_urls.iter().cloned().collect();
        let mut etcd = args.access.connect(sys)?;
        let all = members(&mut etcd)?;
        let by_name = all.iter().find(|member| member.name == args.name);
        let by_urls = || {
            all.iter()
                .find(|member| member.name.is_empty() && member.peers == wanted)
        };
        let found = by_name.or_else(by_urls).cloned();
        let title = format!("etcd member {}", args.name);
        let what = format!("{title} cannot be set");
        let mut plan = Plan::new();
        if let Some(found) = &found {
            plan.returns("member", found.to_value());
        }
        if args.state == State::Absent {
            if let Some(found) = found {
                let diff = Diff::new(title.as_str(), Some(found.text()), None::<String>);
                plan.act(format!("remove {title}"), Some(diff), move |_, _| {
                    etcd.call(
                        "Cluster/MemberRemove",
                        &Writer::new().number(1, found.id),
                        &what,
                    )
                    .map(drop)
                });
            }
            return Ok(plan);
        }
        if wanted.is_empty() {
            return Err("state=present needs peer_urls".into());
        }
        let new = Member {
            id: found.as_ref().map_or(0, |found| found.id),
            name: args.name.clone(),
            peers: wanted,
            clients: Vec::new(),
            learner: args.learner,
        };
        let before = found.as_ref().map(Member::text);
        if before.as_ref() == Some(&new.text()) {
            return Ok(plan);
        }
        if found
            .as_ref()
            .is_some_and(|found| args.learner && !found.learner)
        {
            return Err(Failure::new(format!(
                "{title} has a vote; it cannot become a learner again"
            )));
        }
        let diff = Diff::new(title.as_str(), before, Some(new.text()));
        plan.act(format!("set {title}"), Some(diff), move |_, data| {
            let urls = |mut question: Writer, field: u64| {
                for url in &new.peers {
                    question = question.text(field, url);
                }
                question
            };
            match found {
                None => {
                    let question = urls(Writer::new(), 1).number(2, u64::from(new.learner));
                    let answer = etcd.call("Cluster/MemberAdd", &question, &what)?;
                    let id = Reader::new(Reader::new(&answer).data(2)).number(1);
                    data.set("member", Member { id, ..new }.to_value());
                }
                Some(found) => {
                    if found.peers != new.peers {
                        let question = urls(Writer::new().number(1, new.id), 2);
                        etcd.call("Cluster/MemberUpdate", &question, &what)?;
                    }
                    if found.learner && !new.learner {
                        etcd.call(
                            "Cluster/MemberPromote",
                            &Writer::new().number(1, new.id),
                            &what,
                        )?;
                    }
                }
            }
            Ok(())
        });
        Ok(plan)
    }
}

module_args! {
    /// Arguments of `etcd_info`.
    pub struct InfoArgs {
        access: Access => flatten;
    }
}

/// The module.
pub struct EtcdInfo;

impl Module for EtcdInfo {
    const NAME: &'static str = "etcd_info";
    const COLLECTION: &'static str = "runbook.core";
    const DOC: &'static str =
        "Tell the members of an etcd cluster, and how the member is that answers.";
    type Args = InfoArgs;

    fn plan<'a>(args: &'a InfoArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let mut etcd = args.access.connect(sys)?;
        let all = members(&mut etcd)?;
        let answer = etcd.call(
            "Maintenance/Status",
            &Writer::new(),
            "the status cannot be read",
        )?;
        let status = Reader::new(&answer);
        let own = Reader::new(status.data(1)).number(2);
        let mut plan = Plan::new();
        plan.returns("endpoint", Value::data(etcd.endpoint()));
        plan.returns("version", Value::data(status.text(2)));
        plan.returns(
            "db_size",
            i64::try_from(status.number(3)).unwrap_or(i64::MAX),
        );
        plan.returns("member_id", format!("{own:x}"));
        plan.returns("leader_id", format!("{:x}", status.number(4)));
        plan.returns("is_leader", own == status.number(4));
        plan.returns(
            "healthy",
            status.number(4) != 0 && status.texts(8).is_empty(),
        );
        plan.returns(
            "errors",
            status
                .texts(8)
                .into_iter()
                .map(Value::data)
                .collect::<Vec<_>>(),
        );
        plan.returns("auth_enabled", etcd.is_auth_enabled()?);
        plan.returns(
            "members",
            all.iter().map(Member::to_value).collect::<Vec<_>>(),
        );
        Ok(plan)
    }
}
