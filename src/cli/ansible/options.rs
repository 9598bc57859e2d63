//! Options that several of Ansible's programs share. Those without effect here say so.

use crate::cli::args::{ConnectionArgs, SourceArgs, VaultArgs};
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// `-v`
#[derive(Clone, Debug, Args)]
pub struct Verbosity {
    /// Print more; several times for still more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

/// Where hosts come from.
#[derive(Clone, Debug, Args)]
pub struct Hosts {
    /// Inventory: a path, or a list of hosts with commas
    #[arg(short, long, alias = "inventory-file", value_name = "INVENTORY")]
    pub inventory: Vec<String>,
    /// Only these hosts of the selected ones
    #[arg(short, long = "limit", value_name = "SUBSET")]
    pub limit: Option<String>,
    /// Variables: key=value, YAML or JSON, or @FILE
    #[arg(short, long = "extra-vars", value_name = "EXTRA_VARS")]
    pub extra_vars: Vec<String>,
}

/// Passwords of vaults.
#[derive(Clone, Debug, Args)]
pub struct Secrets {
    /// A vault identity
    #[arg(long = "vault-id", value_name = "VAULT_IDS")]
    pub vault_ids: Vec<String>,
    /// Ask for the vault password
    #[arg(short = 'J', long, alias = "ask-vault-pass")]
    pub ask_vault_password: bool,
    /// Read the vault password from this file
    #[arg(
        long,
        alias = "vault-pass-file",
        value_name = "VAULT_PASSWORD_FILES",
        conflicts_with = "ask_vault_password"
    )]
    pub vault_password_file: Vec<PathBuf>,
}

/// How to connect, and as whom.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Connection Options")]
pub struct Reaching {
    /// Log in with this key
    #[arg(long, alias = "key-file", value_name = "PRIVATE_KEY_FILE")]
    pub private_key: Option<PathBuf>,
    /// Connect as this user
    #[arg(short, long, value_name = "REMOTE_USER")]
    pub user: Option<String>,
    /// Connection type
    #[arg(short, long, value_name = "CONNECTION")]
    pub connection: Option<String>,
    /// Seconds to wait for a connection
    #[arg(short = 'T', long, value_name = "TIMEOUT")]
    pub timeout: Option<u64>,
    /// Arguments for ssh
    #[arg(long, value_name = "SSH_COMMON_ARGS", allow_hyphen_values = true)]
    pub ssh_common_args: Option<String>,
    /// Without effect: everything goes over one connection
    #[arg(long, value_name = "SFTP_EXTRA_ARGS", allow_hyphen_values = true)]
    pub sftp_extra_args: Option<String>,
    /// Without effect: everything goes over one connection
    #[arg(long, value_name = "SCP_EXTRA_ARGS", allow_hyphen_values = true)]
    pub scp_extra_args: Option<String>,
    /// More arguments for ssh
    #[arg(long, value_name = "SSH_EXTRA_ARGS", allow_hyphen_values = true)]
    pub ssh_extra_args: Option<String>,
    /// Ask for the connection password
    #[arg(short = 'k', long)]
    pub ask_pass: bool,
    /// Read the connection password from this file
    #[arg(
        long,
        alias = "conn-pass-file",
        value_name = "CONNECTION_PASSWORD_FILE",
        conflicts_with = "ask_pass"
    )]
    pub connection_password_file: Option<PathBuf>,
}

/// As whom to run.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Privilege Escalation Options")]
pub struct Rising {
    /// Become another user
    #[arg(short = 'b', long = "become")]
    pub r#become: bool,
    /// By sudo, su or doas
    #[arg(long, value_name = "BECOME_METHOD")]
    pub become_method: Option<String>,
    /// Become this user
    #[arg(long, value_name = "BECOME_USER")]
    pub become_user: Option<String>,
    /// Ask for the password for that
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,
    /// Read that password from this file
    #[arg(
        long,
        alias = "become-pass-file",
        value_name = "BECOME_PASSWORD_FILE",
        conflicts_with = "ask_become_pass"
    )]
    pub become_password_file: Option<PathBuf>,
}

/// How to run.
#[derive(Clone, Debug, Args)]
pub struct Running {
    /// Predict, change nothing
    #[arg(short = 'C', long)]
    pub check: bool,
    /// Show what is changed in files
    #[arg(short = 'D', long)]
    pub diff: bool,
    /// How many hosts to work on at once
    #[arg(short, long, value_name = "FORKS")]
    pub forks: Option<NonZeroUsize>,
    /// More directories of modules, separated by colons
    #[arg(short = 'M', long, value_name = "MODULE_PATH")]
    pub module_path: Vec<PathBuf>,
    /// List matching hosts, run nothing
    #[arg(long)]
    pub list_hosts: bool,
}

impl Hosts {
    /// As runbook takes them.
    pub fn sources(&self, module_path: &[PathBuf]) -> SourceArgs {
        SourceArgs {
            inventory: self.inventory.clone(),
            limit: self.limit.iter().cloned().collect(),
            extra_vars: self.extra_vars.clone(),
            module_path: module_path.to_vec(),
        }
    }
}

impl Reaching {
    /// As runbook takes them.
    pub fn args(&self, who: &Rising, running: &Running) -> ConnectionArgs {
        ConnectionArgs {
            user: self.user.clone(),
            private_key: self.private_key.clone(),
            ask_pass: self.ask_pass,
            connection_password_file: self.connection_password_file.clone(),
            connection: self.connection.clone(),
            timeout: self.timeout,
            ssh_config: None,
            ssh_common_args: self.ssh_common_args.clone(),
            ssh_extra_args: self.ssh_extra_args.clone(),
            host_key: None,
            r#become: who.r#become,
            become_method: who.become_method.clone(),
            become_user: who.become_user.clone(),
            ask_become_pass: who.ask_become_pass,
            become_password_file: who.become_password_file.clone(),
            forks: running.forks,
        }
    }
}

impl Secrets {
    /// As runbook takes them.
    pub fn args(&self) -> VaultArgs {
        VaultArgs {
            vault_id: self.vault_ids.clone(),
            vault_password_file: self.vault_password_file.clone(),
            ask_vault_pass: self.ask_vault_password,
        }
    }
}
