//! What a connection is made from: the machine, the login, the become user, the limits.

use super::container::{Container, ContainerOptions};
use super::key_ring::KeyRing;
use crate::value::{LocalAccount, Secret};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How a machine is reached (`ansible_connection`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionKind {
    /// SSH, spoken by runbook itself.
    Ssh,
    /// The system's `ssh` program, for what runbook's own SSH does not speak (`ProxyCommand`,
    /// GSSAPI, hardware keys, `Match exec`).
    OpenSsh,
    /// Child processes on this machine.
    Local,
    /// A program on this machine that opens the other: `docker exec`, `chroot`, ….
    Container(Container),
    /// A command that is put before `sh -c COMMAND`.
    Command(Vec<String>),
}

impl ConnectionKind {
    /// The kind of an `ansible_connection` value, collection prefixes included. `smart`, `ssh` and
    /// `paramiko` are runbook's own SSH.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ssh"
            | "ansible.builtin.ssh"
            | "smart"
            | "paramiko"
            | "paramiko_ssh"
            | "ansible.builtin.paramiko_ssh"
            | "ansible.builtin.paramiko" => Some(Self::Ssh),
            "openssh" => Some(Self::OpenSsh),
            "local" | "ansible.builtin.local" => Some(Self::Local),
            other => Container::from_name(other).map(Self::Container),
        }
    }

    /// What is said when [`Self::from_name`] knows no such connection.
    pub fn unknown(name: &str) -> String {
        let containers: Vec<&str> = Container::ALL.iter().map(|kind| kind.name()).collect();
        format!(
            "the connection `{name}` is not built; ssh, openssh, local, {} are",
            containers.join(", ")
        )
    }
}

/// What is done with host keys that `known_hosts` does not have (`host_key_checking`,
/// `StrictHostKeyChecking`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum HostKeyChecking {
    /// Unknown and changed keys are errors.
    #[default]
    Strict,
    /// Unknown keys are recorded, changed ones are errors.
    AcceptNew,
    /// Any key is taken and nothing is recorded.
    Off,
}

/// One machine and the login on it. What is `None` or empty comes from `ssh_config`, then from the
/// defaults that OpenSSH has.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// Name or address (`ansible_host`), as `ssh` would be given it.
    pub host: String,
    /// Port (`ansible_port`).
    pub port: Option<u16>,
    /// Login user (`ansible_user`).
    pub user: Option<String>,
    /// Login password (`ansible_password`), also for keyboard-interactive questions.
    pub password: Option<Secret<String>>,
    /// Private keys (`ansible_ssh_private_key_file`), tried first.
    pub private_keys: Vec<PathBuf>,
    /// For encrypted private keys.
    pub key_passphrase: Option<Secret<String>>,
    /// An `ssh_config` in place of `~/.ssh/config` and `/etc/ssh/ssh_config`; `none` reads none.
    pub ssh_config: Option<PathBuf>,
    /// `None`: what `ssh_config` says, else [`HostKeyChecking::Strict`].
    pub host_key_checking: Option<HostKeyChecking>,
    /// Files with known host keys in place of the user's; the first takes new keys.
    pub known_hosts: Vec<PathBuf>,
    /// Bastions, `[user@]host[:port]`, in order of the way.
    pub proxy_jump: Vec<String>,
    /// Time for connecting and logging in; `None`: `ssh_config`, else 10 s as in Ansible.
    pub connect_timeout: Option<Duration>,
    /// Time between signs of life, three of which may stay unanswered; `None`: 15 s.
    pub keepalive: Option<Duration>,
    /// `ansible_ssh_args`, `ansible_ssh_common_args` and `ansible_ssh_extra_args`, as one shell text.
    pub ssh_args: String,
    /// Program for [`ConnectionKind::OpenSsh`] (`ansible_ssh_executable`).
    pub ssh_executable: Option<String>,
    /// A directory for the agent that is tried first (`ansible_remote_tmp`); `~/` is the home there.
    pub remote_tmp: Option<String>,
    /// For [`ConnectionKind::Container`].
    pub container: ContainerOptions,
}

/// The way to another user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BecomeMethod {
    /// `sudo`.
    Sudo,
    /// `su`.
    Su,
    /// `doas`.
    Doas,
}

impl BecomeMethod {
    /// The method of a `become_method` value.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix("ansible.builtin.").unwrap_or(name);
        let name = name.strip_prefix("community.general.").unwrap_or(name);
        match name {
            "sudo" => Some(Self::Sudo),
            "su" => Some(Self::Su),
            "doas" => Some(Self::Doas),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sudo => "sudo",
            Self::Su => "su",
            Self::Doas => "doas",
        }
    }
}

/// A become user (`become_user` and its neighbours).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Become {
    /// How.
    pub method: BecomeMethod,
    /// Who.
    pub user: String,
    /// The password that the method asks for (`ansible_become_password`).
    pub password: Option<Secret<String>>,
    /// The program in place of the method's name (`become_exe`).
    pub exe: Option<String>,
    /// Arguments in place of the method's defaults (`become_flags`), as shell words.
    pub flags: Option<String>,
}

impl Become {
    /// `sudo` to a user, without a password.
    pub fn sudo(user: &str) -> Self {
        Self {
            method: BecomeMethod::Sudo,
            user: user.to_owned(),
            password: None,
            exe: None,
            flags: None,
        }
    }
}

/// What holds for all connections of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Home directory of the user on the controller, for `~/.ssh`.
    pub home: Option<PathBuf>,
    /// Name of the user on the controller: the login user where nothing else is said.
    pub local_user: String,
    /// Socket of the SSH agent.
    pub auth_sock: Option<PathBuf>,
    /// The keys that were read, and who is asked for passphrases.
    pub keys: Arc<KeyRing>,
    /// More attempts after one that did not connect (`ansible_ssh_retries`).
    pub retries: u32,
    /// Time for the bootstrap script to answer, and for each password to be judged.
    pub start_timeout: Duration,
    /// Time that a transfer may stand still.
    pub stall_timeout: Duration,
    /// Global `known_hosts`, read after the user's.
    pub global_known_hosts: Vec<PathBuf>,
    /// System-wide `ssh_config`, read after the user's.
    pub global_ssh_config: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            home: None,
            local_user: "root".to_owned(),
            auth_sock: None,
            keys: Arc::default(),
            retries: 0,
            start_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(60),
            global_known_hosts: vec!["/etc/ssh/ssh_known_hosts".into()],
            global_ssh_config: Some("/etc/ssh/ssh_config".into()),
        }
    }
}

impl Options {
    /// Options with what the environment says: `HOME`, `USER`/`LOGNAME`, `SSH_AUTH_SOCK`. For the
    /// command line; everything else is given its options.
    pub fn from_environment() -> Self {
        let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let account = {
            let uid = nix::unistd::getuid().as_raw();
            LocalAccount::find(|account| account.uid == uid)
        };
        let named = ["USER", "LOGNAME"]
            .iter()
            .find_map(|name| var(name)?.into_string().ok());
        Self {
            home: var("HOME")
                .map(PathBuf::from)
                .or_else(|| account.as_ref().map(|account| account.home.clone())),
            local_user: account
                .map(|account| account.name)
                .or(named)
                .unwrap_or_else(|| "root".to_owned()),
            auth_sock: var("SSH_AUTH_SOCK").map(PathBuf::from),
            ..Self::default()
        }
    }
}
