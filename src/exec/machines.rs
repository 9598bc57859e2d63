//! Connections: one per machine and login, made when it is first needed, shared by all tasks.

use crate::actions::Content;
use crate::result::{ConnectionCost, Outcome};
use crate::transport::{
    AgentBinaries, Become, BlobContent, BlobSink, BlobSource, ConnectionKind, Machine, Options,
    RawOutput, Target, TransportError,
};
use crate::value::Secret;
use crate::wire::Call;
use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use tokio::sync::Mutex;

/// How hosts are reached, as far as neither their variables nor keywords say otherwise.
#[derive(Clone, Debug)]
pub struct Login {
    /// The kind of connection.
    pub kind: ConnectionKind,
    /// User, keys, known hosts.
    pub target: Target,
    /// Whether tasks become another user.
    pub r#become: bool,
    /// By which program.
    pub become_method: String,
    /// Which user.
    pub become_user: String,
    /// The program's path.
    pub become_exe: Option<String>,
    /// The program's options.
    pub become_flags: Option<String>,
    /// Whether it is done for the login user, too (`become_allow_same_user`).
    pub become_allow_same_user: bool,
    /// The password for that.
    pub become_password: Option<Secret<String>>,
}

impl Login {
    /// Same machine, same login.
    fn key(&self) -> String {
        let t = &self.target;
        format!(
            "{:?} {} {:?} {:?} {:?} {}",
            self.kind, t.host, t.port, t.user, t.private_keys, t.ssh_args
        )
    }
}

type Slot = Arc<Mutex<Option<Machine>>>;

/// All connections of a run.
pub struct Machines {
    /// Defaults.
    pub login: Login,
    binaries: AgentBinaries,
    options: Options,
    slots: std::sync::Mutex<HashMap<String, Slot>>,
    warnings: std::sync::Mutex<Vec<String>>,
}

/// Contents by hash.
struct Contents(HashMap<String, Content>);

impl BlobSource for Contents {
    fn open(&self, sha256: &str) -> Option<BlobContent> {
        Some(match self.0.get(sha256)? {
            Content::Bytes(bytes) => BlobContent::Bytes(Arc::clone(bytes)),
            Content::File(path) => BlobContent::File(path.clone()),
        })
    }
}

/// Writes what a machine sends: a private temporary file beside the target, renamed when it is whole.
pub(crate) struct Receiver {
    target: Option<PathBuf>,
    file: Option<tempfile::NamedTempFile>,
}

impl Receiver {
    pub(crate) fn new(target: Option<PathBuf>) -> Self {
        Self { target, file: None }
    }
}

impl BlobSink for Receiver {
    fn piece(&mut self, _: &str, bytes: &[u8], last: bool) -> std::io::Result<()> {
        let Some(target) = &self.target else {
            return Err(std::io::Error::other("nothing was asked for"));
        };
        if self.file.is_none() {
            let dir = target.parent().unwrap_or(std::path::Path::new("."));
            std::fs::create_dir_all(dir)?;
            self.file = Some(
                tempfile::Builder::new()
                    .prefix(".runbook-")
                    .tempfile_in(dir)?,
            );
        }
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
        }
        if last && let Some(file) = self.file.take() {
            file.as_file().sync_all()?;
            file.persist(target).map_err(|e| e.error)?;
        }
        Ok(())
    }
}

/// The users that a call may be about to delete, by name; of a command line, all its words.
fn deleted(call: &Call) -> Vec<String> {
    let text = |name: &str| call.args.get(name).map(ToString::to_string);
    match call.module.rsplit('.').next() {
        Some("user") if text("state").as_deref() == Some("absent") => {
            text("name").or_else(|| text("user")).into_iter().collect()
        }
        Some("command" | "shell" | "script") => {
            let line: Vec<String> = ["_raw_params", "cmd", "argv"]
                .into_iter()
                .filter_map(text)
                .collect();
            let line = line.join(" ");
            if !line.contains("userdel") && !line.contains("deluser") {
                return Vec::new();
            }
            line.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '$')))
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        }
        _ => Vec::new(),
    }
}

impl Machines {
    /// No connection yet.
    pub fn new(login: Login, binaries: AgentBinaries, options: Options) -> Self {
        Self {
            login,
            binaries,
            options,
            slots: std::sync::Mutex::default(),
            warnings: std::sync::Mutex::default(),
        }
    }

    fn slot(&self, login: &Login) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(login.key()).or_default())
    }

    /// The connection, made if it is not there.
    pub(crate) async fn connect(&self, login: &Login) -> Result<Machine, TransportError> {
        let slot = self.slot(login);
        let mut slot = slot.lock().await;
        if let Some(machine) = slot.as_ref() {
            return Ok(machine.clone());
        }
        tracing::debug!(host = %login.target.host, kind = ?login.kind, "connecting");
        let machine = Machine::connect(
            login.kind.clone(),
            login.target.clone(),
            &self.binaries,
            &self.options,
        )
        .await?;
        self.warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(machine.take_warnings());
        *slot = Some(machine.clone());
        Ok(machine)
    }

    /// Forgets a connection that broke, or that is to be made anew.
    pub(crate) async fn forget(&self, login: &Login) {
        let slot = self.slot(login);
        let machine = slot.lock().await.take();
        if let Some(machine) = machine {
            machine.close().await;
        }
    }

    /// Runs modules on a machine.
    pub(crate) async fn run(
        &self,
        login: &Login,
        who: Option<&Become>,
        calls: Vec<Call>,
        contents: HashMap<String, Content>,
        receive: Option<PathBuf>,
        stop_on_failure: bool,
    ) -> Result<Vec<Outcome>, TransportError> {
        let machine = self.connect(login).await?;
        let who = who.filter(|who| !same_user(login, who));
        let users: Vec<String> = calls.iter().flat_map(deleted).collect();
        if !users.is_empty() {
            let own = who.map(|who| who.user.as_str());
            machine
                .dismiss(|user| own != Some(user) && users.iter().any(|name| name == user))
                .await;
        }
        let mut sink = Receiver::new(receive);
        // names only: arguments may hold secrets
        let modules: Vec<&str> = calls.iter().map(|call| call.module.as_str()).collect();
        tracing::debug!(host = %login.target.host, become_user = who.map(|w| w.user.as_str()), ?modules, "request");
        let result = machine
            .run(
                who,
                calls,
                stop_on_failure,
                &Contents(contents),
                Some(&mut sink),
            )
            .await;
        match &result {
            Ok(outcomes) => tracing::debug!(
                host = %login.target.host,
                answers = outcomes.len(),
                traffic = ?machine.counters(),
                "answered"
            ),
            Err(error) => tracing::debug!(host = %login.target.host, %error, "no answer"),
        }
        if matches!(result, Err(TransportError::Lost { .. })) {
            self.forget(login).await;
        }
        result
    }

    /// Runs a command line without the agent.
    pub(crate) async fn raw(
        &self,
        login: &Login,
        who: Option<&Become>,
        command: &str,
        executable: Option<&str>,
    ) -> Result<RawOutput, TransportError> {
        let machine = self.connect(login).await?;
        let who = who.filter(|who| !same_user(login, who));
        machine.raw(who, command, &[], executable).await
    }

    /// What was worth saying about connections since the last call, each thing once.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        let mut warnings =
            std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner));
        warnings.sort();
        warnings.dedup();
        warnings
    }

    /// Stops what runs on all machines.
    pub async fn cancel(&self) {
        for machine in self.all() {
            machine.cancel().await;
        }
    }

    /// Ends all connections.
    pub async fn close(&self) {
        let machines = self.all();
        self.slots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        let mut set = tokio::task::JoinSet::new();
        for machine in machines {
            set.spawn(async move { machine.close().await });
        }
        while set.join_next().await.is_some() {}
    }

    /// What each connection cost so far, by address; one that was made anew begins at nothing.
    pub(crate) fn costs(&self) -> Vec<ConnectionCost> {
        let micros =
            |time: std::time::Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let mut costs: Vec<ConnectionCost> = self
            .all()
            .iter()
            .map(|machine| {
                let traffic = machine.counters();
                ConnectionCost {
                    address: machine.address().to_owned(),
                    sent: traffic.sent,
                    received: traffic.received,
                    uploaded: traffic.uploaded,
                    requests: traffic.requests,
                    connect_us: micros(traffic.connect),
                    agent_start_us: micros(traffic.agent_start),
                }
            })
            .collect();
        costs.sort_by(|a, b| a.address.cmp(&b.address));
        costs
    }

    fn all(&self) -> Vec<Machine> {
        let slots: Vec<Slot> = {
            let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            slots.values().cloned().collect()
        };
        let mut machines = Vec::new();
        for slot in slots {
            // a connection that is being made is not waited for
            if let Ok(slot) = slot.try_lock()
                && let Some(machine) = slot.as_ref()
            {
                machines.push(machine.clone());
            }
        }
        machines
    }
}

/// Becoming the user that one is needs no program.
pub(super) fn same_user(login: &Login, who: &Become) -> bool {
    if login.become_allow_same_user {
        return false;
    }
    match (&login.kind, &login.target.user) {
        (ConnectionKind::Local, _) => {
            let uid = nix::unistd::geteuid();
            uid.is_root() && who.user == "root"
        }
        (_, Some(user)) => *user == who.user,
        _ => false,
    }
}
