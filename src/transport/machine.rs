//! One machine of a run: its connection and its agents.

use super::TransportError;
use super::agent::Agent;
use super::binaries::AgentBinaries;
use super::blob::{BlobSink, BlobSource};
use super::counters::{Counters, Traffic};
use super::fake::{self, FakeMachine};
use super::install::{Installer, start_in_place};
use super::link::Link;
use super::openssh::OpenSsh;
use super::raw::{self, RawOutput};
use super::ssh::Ssh;
use super::target::{Become, ConnectionKind, Options, Target};
use crate::result::Outcome;
use crate::wire::{Call, Hello};
use std::sync::{Arc, Mutex as SyncMutex, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Time for requests to end after they were cancelled.
const CANCEL: Duration = Duration::from_secs(5);
/// Time for an agent to end after it was told to.
const LEAVE: Duration = Duration::from_secs(2);

/// A machine: one connection, and one agent for the login user and for each become user, which are
/// started when they are first needed. Clones share all of it. A connection that broke is made anew
/// by the next request.
#[derive(Clone)]
pub struct Machine(Arc<Inner>);

struct Inner {
    kind: Kind,
    target: Target,
    binaries: AgentBinaries,
    options: Options,
    link: Mutex<Option<Arc<Link>>>,
    agents: SyncMutex<Vec<Arc<Slot>>>,
    counters: Arc<Counters>,
    warnings: SyncMutex<Vec<String>>,
}

enum Kind {
    Real(ConnectionKind),
    Fake(Arc<FakeMachine>),
}

/// The agent of one user, or its place.
struct Slot {
    who: Option<Become>,
    agent: Mutex<Option<Arc<Agent>>>,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Machine").field(&self.0.target.host).finish()
    }
}

impl Machine {
    /// Connects and logs in; no agent is started yet.
    ///
    /// # Errors
    /// When the machine cannot be reached, does not accept the login, or is not the one that
    /// `known_hosts` knows.
    pub async fn connect(
        kind: ConnectionKind,
        target: Target,
        binaries: &AgentBinaries,
        options: &Options,
    ) -> Result<Self, TransportError> {
        let machine = Self::new(Kind::Real(kind), target, binaries.clone(), options.clone());
        machine.link().await?;
        Ok(machine)
    }

    /// A machine in memory, for tests.
    pub fn fake(machine: FakeMachine) -> Self {
        let binaries = AgentBinaries::new(Vec::new(), "");
        let kind = Kind::Fake(Arc::new(machine));
        Self::new(kind, Target::default(), binaries, Options::default())
    }

    fn new(kind: Kind, target: Target, binaries: AgentBinaries, options: Options) -> Self {
        Self(Arc::new(Inner {
            kind,
            target,
            binaries,
            options,
            link: Mutex::new(None),
            agents: SyncMutex::default(),
            counters: Arc::default(),
            warnings: SyncMutex::default(),
        }))
    }

    /// Runs calls in order as `who` (the login user for `None`), and gives their outcomes in the same
    /// order; with `stop_on_failure` there are fewer of them after one that failed. Contents that the
    /// agent asks for come from `blobs`, files that it sends go to `sink`.
    ///
    /// Dropping the future cancels the request on the machine.
    ///
    /// # Errors
    /// When the agent cannot be started or ends; failures of modules are outcomes.
    pub async fn run(
        &self,
        who: Option<&Become>,
        calls: Vec<Call>,
        stop_on_failure: bool,
        blobs: &dyn BlobSource,
        sink: Option<&mut dyn BlobSink>,
    ) -> Result<Vec<Outcome>, TransportError> {
        let agent = self.agent(who).await?;
        self.0.counters.request();
        agent.run(calls, stop_on_failure, blobs, sink).await
    }

    /// Starts the agent for `who`, if it does not run, and says what it said.
    ///
    /// # Errors
    /// When it cannot be started.
    pub async fn start(&self, who: Option<&Become>) -> Result<Hello, TransportError> {
        Ok(self.agent(who).await?.hello.clone())
    }

    /// Runs a command line without an agent, through the login user's shell, or through
    /// `executable -c` where one is given.
    ///
    /// # Errors
    /// When it cannot be started or ends without a status.
    pub async fn raw(
        &self,
        who: Option<&Become>,
        command: &str,
        stdin: &[u8],
        executable: Option<&str>,
    ) -> Result<RawOutput, TransportError> {
        let link = self.link().await?;
        let (options, counters) = (&self.0.options, &self.0.counters);
        raw::run(&link, who, command, stdin, executable, options, counters).await
    }

    /// Cancels everything that runs on the machine: the agents stop it and answer, or are given up
    /// after 5 s. Then all channels are closed, so that what is left there is hung up on.
    pub async fn cancel(&self) {
        let agents = self.take_agents();
        let asking = agents.iter().map(|agent| agent.cancel(CANCEL));
        futures_util::future::join_all(asking).await;
        drop(agents);
    }

    /// Ends agents and connection in order, within a few seconds.
    pub async fn close(self) {
        self.reset().await;
    }

    /// Ends agents and connection; the next request makes new ones (`meta: reset_connection`).
    pub async fn reset(&self) {
        let agents = self.take_agents();
        futures_util::future::join_all(agents.iter().map(|agent| agent.close(LEAVE))).await;
        drop(agents);
        if let Some(link) = self.0.link.lock().await.take() {
            link.close().await;
        }
    }

    /// Ends the idle agents of those become users that `is_left` names: a user with processes cannot be deleted.
    pub async fn dismiss(&self, is_left: impl Fn(&str) -> bool) {
        let slots: Vec<Arc<Slot>> = {
            let agents = self.0.agents.lock().unwrap_or_else(PoisonError::into_inner);
            let of_user =
                |slot: &&Arc<Slot>| slot.who.as_ref().is_some_and(|who| is_left(&who.user));
            agents.iter().filter(of_user).cloned().collect()
        };
        for slot in slots {
            // one that works, or is just being started, stays
            let Ok(mut place) = slot.agent.try_lock() else {
                continue;
            };
            if let Some(agent) = place.take_if(|agent| Arc::strong_count(agent) == 1) {
                agent.close(LEAVE).await;
            }
        }
    }

    /// Where it is: the target's host.
    pub fn address(&self) -> &str {
        &self.0.target.host
    }

    /// What the connection cost so far.
    pub fn counters(&self) -> Traffic {
        self.0.counters.read()
    }

    /// What was passed over in the user's `ssh_config`, once.
    pub fn take_warnings(&self) -> Vec<String> {
        let mut warnings = self
            .0
            .warnings
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *warnings)
    }

    fn take_agents(&self) -> Vec<Arc<Agent>> {
        let slots: Vec<Arc<Slot>> = {
            let agents = self.0.agents.lock().unwrap_or_else(PoisonError::into_inner);
            agents.clone()
        };
        let mut agents = Vec::new();
        for slot in slots {
            // One that is just being started is not waited for.
            if let Ok(mut agent) = slot.agent.try_lock() {
                agents.extend(agent.take());
            }
        }
        agents
    }

    fn slot(&self, who: Option<&Become>) -> Arc<Slot> {
        let mut slots = self.0.agents.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.iter().find(|slot| slot.who.as_ref() == who) {
            return Arc::clone(slot);
        }
        let slot = Arc::new(Slot {
            who: who.cloned(),
            agent: Mutex::new(None),
        });
        slots.push(Arc::clone(&slot));
        slot
    }

    async fn agent(&self, who: Option<&Become>) -> Result<Arc<Agent>, TransportError> {
        let slot = self.slot(who);
        let mut place = slot.agent.lock().await;
        if let Some(agent) = place.as_ref().filter(|agent| agent.is_alive()) {
            return Ok(Arc::clone(agent));
        }
        *place = None;
        let link = self.link().await?;
        let inner = &*self.0;
        let (options, counters) = (&inner.options, &inner.counters);
        let native = inner.binaries.native().and_then(|path| path.to_str());
        let local = matches!(&inner.kind, Kind::Real(ConnectionKind::Local));
        let started = match (&inner.kind, who, native) {
            (Kind::Fake(_), ..) => start_in_place(&link, fake::AGENT, options, counters).await?,
            (_, None, Some(path)) if local => {
                start_in_place(&link, path, options, counters).await?
            }
            _ => {
                let installer = Installer {
                    link: &link,
                    who,
                    binaries: &inner.binaries,
                    options,
                    remote_tmp: inner.target.remote_tmp.as_deref(),
                    hint: None,
                    counters,
                };
                let known = if local {
                    native.map(str::to_owned)
                } else {
                    self.installed(who)
                };
                let hint = known.as_deref();
                Installer { hint, ..installer }.start().await?
            }
        };
        let agent = Arc::new(Agent::new(started));
        *place = Some(Arc::clone(&agent));
        Ok(agent)
    }

    /// Where the agent of another user is on the machine: this one may be able to copy it.
    fn installed(&self, not: Option<&Become>) -> Option<String> {
        let slots: Vec<Arc<Slot>> = {
            let agents = self.0.agents.lock().unwrap_or_else(PoisonError::into_inner);
            agents
                .iter()
                .filter(|slot| slot.who.as_ref() != not)
                .cloned()
                .collect()
        };
        slots.iter().find_map(|slot| {
            let agent = slot.agent.try_lock().ok()?;
            agent.as_ref().map(|agent| agent.path.clone())
        })
    }

    async fn link(&self) -> Result<Arc<Link>, TransportError> {
        let inner = &*self.0;
        let mut place = inner.link.lock().await;
        if let Some(link) = place.as_ref().filter(|link| link.is_open()) {
            return Ok(Arc::clone(link));
        }
        *place = None;
        let mut attempt = 0;
        let link = loop {
            match self.open().await {
                Ok(link) => break Arc::new(link),
                Err(error) if error.is_transient() && attempt < inner.options.retries => {
                    attempt += 1;
                    // As Ansible waits between attempts: 1, 3, 7, … s, at most 30.
                    let seconds = (1_u64 << attempt.min(5)).saturating_sub(1).min(30);
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
                Err(error) => return Err(error),
            }
        };
        *place = Some(Arc::clone(&link));
        Ok(link)
    }

    async fn open(&self) -> Result<Link, TransportError> {
        let Inner {
            kind,
            target,
            options,
            counters,
            ..
        } = &*self.0;
        let begun = Instant::now();
        let link = match kind {
            Kind::Fake(machine) => Link::Fake(Arc::clone(machine)),
            Kind::Real(ConnectionKind::Local) => Link::Child(Vec::new()),
            Kind::Real(ConnectionKind::Command(before)) => Link::Child(before.clone()),
            Kind::Real(ConnectionKind::Container(container)) => {
                Link::Child(container.words(target)?)
            }
            Kind::Real(ConnectionKind::OpenSsh) => {
                Link::OpenSsh(OpenSsh::connect(target, options, counters).await?)
            }
            Kind::Real(ConnectionKind::Ssh) => {
                let mut ssh = Ssh::connect(target, options).await?;
                let mut warnings = self
                    .0
                    .warnings
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                warnings.append(&mut ssh.warnings);
                Link::Ssh(ssh)
            }
        };
        counters.connected(begun.elapsed());
        Ok(link)
    }
}
