//! `synchronize`: which machine starts rsync, and how it reaches the other end.
//!
//! rsync makes its own connection, so the task's is not the one that counts: it runs on the controller for a task that is
//! not delegated, else on the machine that the task is delegated to, and the other end is the host itself.
//!
//! Source: Ansible's documentation of `ansible.posix.synchronize`.

use super::fault::Fault;
use super::machines::{Login, same_user};
use super::run::Run;
use super::scope::with_local;
use super::single::Place;
use crate::actions::{RemoteCall, Step};
use crate::playbook::Task;
use crate::template::expand_home;
use crate::transport::{
    Become, BecomeMethod, ConnectionKind, HostKeyChecking, Target, login_words,
};
use crate::value::{Map, Value, to_bool};

/// Names of the machine that one is on.
const HERE: &[&str] = &["localhost", "127.0.0.1", "::1"];

type Way = (Login, Option<Become>);

impl Run {
    /// The step and the way of a `synchronize`, from those that any other task would have.
    pub(super) fn synchronized(
        &self,
        place: &Place<'_>,
        task: &Task,
        (step, way): (Step, Way),
        delegate: Option<&str>,
        local: &Map,
    ) -> Result<(Step, Way), Fault> {
        let Step::Call(mut call) = step else {
            return Ok((step, way));
        };
        let fault = |why: String| Fault::at(why, &task.action_span);
        let (scope, files) = self
            .task_scope(place.state, place.host, task)
            .map_err(Fault)?;
        let cx = with_local(&scope, &files, local.clone());
        let mut host = self.login(place.host, task, &cx)?;
        let is_here = way.0.kind == ConnectionKind::Local;
        let itself = match delegate {
            None => is_here,
            Some(name) => name == &**place.host || name == host.target.host,
        };
        let wants = Wants::take(&mut call)?;
        wants.log_in(&mut host.target);
        if itself {
            let words = far_words(&host.target, &wants);
            call.args.set("_rsh", listed(words));
            if is_here {
                wants.both_here(&mut call);
            }
            return Ok((Step::Call(call), way));
        }
        let runs_there = delegate.is_some() && !is_here;
        let mut target = host.target.clone();
        let (words, kind) = match &host.kind {
            ConnectionKind::Container(kind) if !runs_there => {
                if let Some(who) = &way.1 {
                    target.user = Some(who.user.clone());
                }
                let words = kind
                    .opening_words(&target)
                    .map_err(|e| fault(e.to_string()))?;
                (words, kind.name())
            }
            // what the keyword says is about the machine that starts rsync
            ConnectionKind::Ssh | ConnectionKind::OpenSsh | ConnectionKind::Local => {
                let words = if runs_there {
                    far_words(&target, &wants)
                } else {
                    near_words(&target, &wants).map_err(|e| fault(e.to_string()))?
                };
                (Some(words), "")
            }
            ConnectionKind::Container(kind) => (None, kind.name()),
            ConnectionKind::Command(_) => (None, "command"),
        };
        let words = words.ok_or_else(|| {
            fault(unreachable(
                place.host,
                kind,
                delegate.filter(|_| runs_there),
            ))
        })?;
        call.args.set("_rsh", listed(words));
        let in_container = !kind.is_empty();
        if in_container {
            add_option(&mut call, "--blocking-io");
        } else {
            for (name, secret) in [
                ("_password", &target.password),
                ("_passphrase", &target.key_passphrase),
            ] {
                if let Some(secret) = secret {
                    call.args.set(name, Value::data(secret.reveal().as_str()));
                }
            }
            if let Some(who) = way.1.as_ref().filter(|who| !same_user(&host, who)) {
                escalate(&mut call, who).map_err(fault)?;
            }
        }
        let user = target.user.as_deref();
        let user = user.filter(|_| wants.set_user && !in_container);
        let far = |path: &str| remote(&target.host, path, user);
        let (remote_end, here) = if wants.pull {
            ("src", "dest")
        } else {
            ("dest", "src")
        };
        let path = wants.path(remote_end);
        call.args.set(remote_end, Value::data(far(&path)));
        if !runs_there {
            wants.one_here(&mut call, here);
        }
        if runs_there && HERE.contains(&target.host.as_str()) {
            call.args.set("_controller", true);
        }
        if runs_there {
            return Ok((Step::Call(call), (way.0, None)));
        }
        let mut login = self.machines.login.clone();
        login.kind = ConnectionKind::Local;
        login.target.host = "localhost".to_owned();
        Ok((Step::Call(call), (login, None)))
    }
}

/// Why rsync has no way to a host, and what to do; `from` is the machine that the task is delegated to.
fn unreachable(host: &str, kind: &str, from: Option<&str>) -> String {
    match from {
        Some(from) => format!(
            "rsync on {from} cannot reach {host} over the connection `{kind}`: from one machine to another it goes over \
             ssh only; without delegate_to it goes from the controller"
        ),
        None => format!(
            "rsync cannot reach {host} over the connection `{kind}`: it can over ssh, docker, podman and buildah"
        ),
    }
}

/// What the task's arguments say of the connection.
struct Wants {
    paths: Map,
    pull: bool,
    port: Option<u16>,
    key: Option<String>,
    set_user: bool,
    ssh_args: bool,
    share: bool,
    verify: Option<bool>,
}

impl Wants {
    fn take(call: &mut RemoteCall) -> Result<Self, Fault> {
        let mut paths = Map::new();
        for name in ["_src_here", "_dest_here"] {
            if let Some(path) = call.args.take(name) {
                paths.set(name, path);
            }
        }
        for name in ["src", "dest"] {
            if let Some(path) = call.args.get(name) {
                paths.set(name, path.clone());
            }
        }
        let given = |name: &str| call.args.get(name).filter(|value| !value.is_null());
        let flag = |name: &str| given(name).and_then(to_bool);
        Ok(Self {
            pull: given("mode").is_some_and(|mode| mode.to_string() == "pull"),
            port: given("dest_port").and_then(|port| port.to_string().trim().parse().ok()),
            key: given("private_key").map(ToString::to_string),
            set_user: flag("set_remote_user").unwrap_or(true),
            ssh_args: flag("use_ssh_args").unwrap_or(false),
            share: flag("ssh_connection_multiplexing").unwrap_or(false),
            verify: flag("verify_host"),
            paths,
        })
    }

    fn path(&self, name: &str) -> String {
        self.paths
            .get(name)
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    fn one_here(&self, call: &mut RemoteCall, name: &str) {
        let path = self.path(&format!("_{name}_here"));
        call.args.set(name, Value::data(path));
    }

    fn both_here(&self, call: &mut RemoteCall) {
        self.one_here(call, "src");
        self.one_here(call, "dest");
    }

    /// Puts them over what the connection would have.
    fn log_in(&self, target: &mut Target) {
        if let Some(port) = self.port {
            target.port = Some(port);
        }
        if let Some(key) = &self.key {
            target.private_keys = vec![expand_home(key)];
        }
        match self.verify {
            Some(true) => target.host_key_checking = Some(HostKeyChecking::Strict),
            Some(false) => target.host_key_checking = Some(HostKeyChecking::Off),
            None => {}
        }
    }
}

fn option(words: &mut Vec<String>, text: impl Into<String>) {
    words.extend(["-o".to_owned(), text.into()]);
}

/// The host's key, where it is not as ssh's own configuration says. A question about it must not reach the program that
/// answers with the password.
fn checks_key(words: &mut Vec<String>, target: &Target) {
    let asks = target.password.is_some() || target.key_passphrase.is_some();
    match target.host_key_checking {
        None if asks => option(words, "StrictHostKeyChecking=yes"),
        Some(HostKeyChecking::Off) => {
            option(words, "StrictHostKeyChecking=no");
            option(words, "UserKnownHostsFile=/dev/null");
        }
        Some(HostKeyChecking::Strict) => option(words, "StrictHostKeyChecking=yes"),
        Some(HostKeyChecking::AcceptNew) | None => {}
    }
}

/// ssh on the controller: as the task's own connection would be made.
fn near_words(
    target: &Target,
    wants: &Wants,
) -> Result<Vec<String>, crate::transport::TransportError> {
    let mut words = vec![program(target)];
    if !wants.share {
        words.extend(["-S".to_owned(), "none".to_owned()]);
    }
    let mut target = target.clone();
    if !wants.set_user {
        target.user = None;
    }
    // the first that is said counts
    checks_key(&mut words, &target);
    if target.host_key_checking == Some(HostKeyChecking::Off) {
        target.known_hosts.clear();
    }
    words.extend(login_words(&target)?);
    Ok(words)
}

/// ssh on another machine: what only the controller has (its configuration, its known hosts) says nothing there.
fn far_words(target: &Target, wants: &Wants) -> Vec<String> {
    let mut words = vec!["ssh".to_owned()];
    if !wants.share {
        words.extend(["-S".to_owned(), "none".to_owned()]);
    }
    for key in &target.private_keys {
        words.extend(["-i".to_owned(), key.display().to_string()]);
    }
    if let Some(port) = target.port {
        option(&mut words, format!("Port={port}"));
    }
    checks_key(&mut words, target);
    if target.host_key_checking == Some(HostKeyChecking::AcceptNew) {
        option(&mut words, "StrictHostKeyChecking=accept-new");
    }
    if target.password.is_none() && target.key_passphrase.is_none() {
        option(&mut words, "BatchMode=yes");
    } else {
        option(&mut words, "NumberOfPasswordPrompts=1");
    }
    if wants.ssh_args {
        words.extend(crate::value::shell_words(&target.ssh_args).unwrap_or_default());
    }
    words
}

fn program(target: &Target) -> String {
    target
        .ssh_executable
        .clone()
        .unwrap_or_else(|| "ssh".to_owned())
}

fn listed(words: Vec<String>) -> Value {
    Value::list(words.into_iter().map(Value::data).collect())
}

/// One more of `rsync_opts`, which may be a list or a text with commas.
fn add_option(call: &mut RemoteCall, option: &str) {
    let mut all: Vec<Value> = match call.args.get("rsync_opts") {
        Some(Value::List(items)) => items.to_vec(),
        None | Some(Value::Null) => Vec::new(),
        Some(other) => other.to_string().split(',').map(Value::data).collect(),
    };
    if !all.iter().any(|one| one.to_string() == option) {
        all.push(Value::data(option));
    }
    call.args.set("rsync_opts", all);
}

/// rsync at the other end as another user. Its input and output are the transfer's, so nothing can ask for a password.
fn escalate(call: &mut RemoteCall, who: &Become) -> Result<(), String> {
    let given = call.args.get("rsync_path");
    if given.is_some_and(|path| !path.is_null() && !path.to_string().is_empty()) {
        return Ok(());
    }
    let program = who.exe.as_deref().unwrap_or(who.method.name());
    let option = match who.method {
        BecomeMethod::Sudo | BecomeMethod::Doas => "-u",
        BecomeMethod::Su => {
            return Err(
                "synchronize cannot become another user with su: use sudo or doas, or give `rsync_path` (e.g. `su -c \
                 rsync`)"
                    .into(),
            );
        }
    };
    if !who
        .user
        .chars()
        .all(|c| c.is_alphanumeric() || "._-@$".contains(c))
    {
        return Err(format!("`{}` is no name of a user", who.user));
    }
    let line = format!("{program} {option} {} rsync", who.user);
    call.args.set("rsync_path", Value::data(line));
    Ok(())
}

/// A path at the other end, as rsync wants it. One that names its host says all.
fn remote(host: &str, path: &str, user: Option<&str>) -> String {
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    if path.starts_with("rsync://") {
        path.to_owned()
    } else if host.contains(':') {
        format!("{user}[{host}]:{path}")
    } else if !path.contains(':') {
        format!("{user}{host}:{path}")
    } else if path.contains('@') {
        path.to_owned()
    } else {
        format!("{user}{path}")
    }
}
