//! What the command line takes. One declaration feeds the parser, `--help` and completions.

use super::scenario::{LoginArgs, ScenarioArgs, TestArgs};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Runs Ansible playbooks natively: no Python at either end.
#[derive(Debug, Parser)]
#[command(name = "runbook", version, about, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Show more: results (-v), connections (-vv), logs (-vvv)
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// No colours (NO_COLOR does the same)
    #[arg(long, global = true)]
    pub no_color: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run playbooks
    Play(Box<PlayArgs>),
    /// Run one module on hosts
    Run(Box<RunArgs>),
    /// Run scenarios: make machines, converge them, prove what the playbook claims
    Test(TestArgs),
    /// Take one step of a scenario, or list what there is
    Scenario(ScenarioArgs),
    /// Open a shell on a machine of a scenario
    Login(LoginArgs),
    /// Show what an inventory holds
    Inventory(InventoryArgs),
    /// Encrypt and decrypt files and values as Ansible Vault does
    #[command(subcommand)]
    Vault(VaultCommand),
    /// Show the modules, or one module's arguments
    Doc(DocArgs),
    /// Show the settings and where they come from
    Config(ConfigArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The part that runs on machines
    #[command(hide = true)]
    Agent,
}

#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// Inventory: a file, a directory, an executable, `host1,host2,`, or a name under inventories/
    #[arg(short, long = "inventory", value_name = "SOURCE")]
    pub inventory: Vec<String>,
    /// Only these hosts: a pattern, or @FILE with one per line
    #[arg(short, long, value_name = "PATTERN")]
    pub limit: Vec<String>,
    /// Variables: k=v, JSON or YAML, or @FILE
    #[arg(short, long = "extra-vars", value_name = "VARS")]
    pub extra_vars: Vec<String>,
    /// More directories of modules, separated by colons
    #[arg(short = 'M', long, value_name = "DIRS")]
    pub module_path: Vec<PathBuf>,
}

impl SourceArgs {
    /// As in Ansible, `--limit ''` is no limit: scripts give it a variable that may be empty.
    pub fn forget_empty_limits(&mut self) {
        self.limit.retain(|limit| !limit.is_empty());
    }
}

#[derive(Clone, Debug, Default, Args)]
pub struct VaultArgs {
    /// A vault password: [LABEL@]FILE (a program is run), or [LABEL@]prompt
    #[arg(long, value_name = "ID")]
    pub vault_id: Vec<String>,
    /// Read the vault password from this file, or run it if it is a program
    #[arg(long, alias = "vault-pass-file", value_name = "FILE")]
    pub vault_password_file: Vec<PathBuf>,
    /// Ask for the vault password
    #[arg(
        short = 'J',
        long,
        alias = "ask-vault-password",
        conflicts_with = "vault_password_file"
    )]
    pub ask_vault_pass: bool,
}

#[derive(Clone, Debug, Args)]
pub struct ConnectionArgs {
    /// Log in as this user
    #[arg(short, long, value_name = "USER")]
    pub user: Option<String>,
    /// Log in with this key
    #[arg(long, alias = "key-file", value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// Ask for the login password
    #[arg(short = 'k', long)]
    pub ask_pass: bool,
    /// Read the login password from this file
    #[arg(long, value_name = "FILE")]
    pub connection_password_file: Option<PathBuf>,
    /// How to connect: ssh, openssh, local
    #[arg(short, long, value_name = "KIND")]
    pub connection: Option<String>,
    /// Seconds to wait for a connection
    #[arg(short = 'T', long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Read this file instead of ~/.ssh/config
    #[arg(short = 'F', long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// Arguments as `ssh` takes them (-F, -o, -J, -i, -p)
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_common_args: Option<String>,
    /// More of them
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_extra_args: Option<String>,
    /// Unknown host keys: refuse them, or remember them (changed ones are always refused)
    #[arg(long, value_enum, value_name = "POLICY")]
    pub host_key: Option<HostKey>,
    /// Become another user
    #[arg(short, long = "become")]
    pub r#become: bool,
    /// By sudo, su or doas
    #[arg(long, value_name = "METHOD")]
    pub become_method: Option<String>,
    /// Become this user
    #[arg(long, value_name = "USER")]
    pub become_user: Option<String>,
    /// Ask for the password to become another user
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,
    /// Read that password from this file
    #[arg(long, alias = "become-pass-file", value_name = "FILE")]
    pub become_password_file: Option<PathBuf>,
    /// How many hosts to work on at once
    #[arg(short, long, value_name = "N")]
    pub forks: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HostKey {
    /// Refuse
    Strict,
    /// Remember
    AcceptNew,
    /// Take any, remember none
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputKind {
    /// For people
    Human,
    /// One event per line
    Json,
    /// A JUnit XML document
    Junit,
    /// What Ansible prints, with its `stdout_callback` and `callbacks_enabled`
    Ansible,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum VerifyKind {
    /// A whole second run must change nothing
    Run,
    /// A second run in check mode must predict no change
    Check,
    /// Each task, planned again right after it was applied, must find nothing left to do
    Task,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all well, 1 error, 2 a host failed, 4 a host was unreachable or a file is wrong, \
5 wrong options, 20 not idempotent, 21 a host executed nothing in the second run, 99 interrupted, 250 a bug in runbook."
)]
pub struct PlayArgs {
    /// Playbooks
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub playbooks: Vec<PathBuf>,
    #[command(flatten)]
    pub sources: SourceArgs,
    #[command(flatten)]
    pub vault: VaultArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Only tasks with these tags
    #[arg(short, long, value_name = "TAGS")]
    pub tags: Vec<String>,
    /// Not tasks with these tags
    #[arg(long, value_name = "TAGS")]
    pub skip_tags: Vec<String>,
    /// Predict, change nothing
    #[arg(short = 'C', long)]
    pub check: bool,
    /// Show what is changed in files
    #[arg(short = 'D', long)]
    pub diff: bool,
    /// Prove idempotence after the run
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "run")]
    pub verify: Option<VerifyKind>,
    /// List the hosts of each play, run nothing
    #[arg(long)]
    pub list_hosts: bool,
    /// List the tasks, run nothing
    #[arg(long)]
    pub list_tasks: bool,
    /// List the tags, run nothing
    #[arg(long)]
    pub list_tags: bool,
    /// Read everything, run nothing
    #[arg(long)]
    pub syntax_check: bool,
    /// Begin at the task of this name (a glob)
    #[arg(long, value_name = "NAME")]
    pub start_at_task: Option<String>,
    /// Ask before each task: yes, no, or yes to all that follow
    #[arg(long)]
    pub step: bool,
    /// Run handlers even on hosts that failed
    #[arg(long)]
    pub force_handlers: bool,
    /// Forget the facts that a cache keeps of the hosts of the inventory
    #[arg(long)]
    pub flush_cache: bool,
    /// What goes to standard output
    #[arg(long, value_enum, default_value = "human", value_name = "KIND")]
    pub output: OutputKind,
    /// Also write every event to this file, one JSON object per line
    #[arg(long, value_name = "FILE")]
    pub events: Option<PathBuf>,
    /// Show at the end where the time went
    #[arg(long)]
    pub timing: bool,
}

#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// Which hosts
    pub pattern: String,
    #[command(flatten)]
    pub sources: SourceArgs,
    #[command(flatten)]
    pub vault: VaultArgs,
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// The module
    #[arg(
        short,
        long = "module-name",
        default_value = "command",
        value_name = "MODULE"
    )]
    pub module: String,
    /// Its arguments: k=v, or its free form, or JSON
    #[arg(
        short,
        long,
        default_value = "",
        value_name = "ARGS",
        allow_hyphen_values = true
    )]
    pub args: String,
    /// Predict, change nothing
    #[arg(short = 'C', long)]
    pub check: bool,
    /// Show what is changed in files
    #[arg(short = 'D', long)]
    pub diff: bool,
    /// List the hosts, run nothing
    #[arg(long)]
    pub list_hosts: bool,
    /// One line for each host
    #[arg(short, long)]
    pub one_line: bool,
    /// What goes to standard output
    #[arg(long, value_enum, default_value = "human", value_name = "KIND")]
    pub output: OutputKind,
    #[arg(skip)]
    pub more: RunMore,
}

/// What only Ansible's `ansible` takes.
#[derive(Clone, Debug, Default)]
pub struct RunMore {
    /// Write each host's result into this directory.
    pub tree: Option<PathBuf>,
    /// The directory that stands for a playbook's.
    pub playbook_dir: Option<PathBuf>,
    /// Seconds that the task may take.
    pub task_timeout: Option<u64>,
}

#[derive(Clone, Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct InventoryArgs {
    #[command(flatten)]
    pub sources: SourceArgs,
    #[command(flatten)]
    pub vault: VaultArgs,
    /// Everything, as JSON
    #[arg(long, group = "what")]
    pub list: bool,
    /// Groups as a tree
    #[arg(long, group = "what")]
    pub graph: bool,
    /// The variables of one host, as JSON
    #[arg(long, value_name = "HOST", group = "what")]
    pub host: Option<String>,
    /// The group that the tree begins with
    #[arg(value_name = "GROUP")]
    pub group: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// What to do
    #[arg(value_enum)]
    pub action: ConfigAction,
    /// Begin each line as a comment (init)
    #[arg(long)]
    pub disabled: bool,
    /// Only settings that somebody set (dump)
    #[arg(long, alias = "changed-only")]
    pub only_changed: bool,
    /// How to write it
    #[arg(short, long, value_enum, value_name = "FORMAT")]
    pub format: Option<ConfigFormat>,
    /// Read this file
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConfigAction {
    /// All settings with their names in files and the environment
    List,
    /// All settings with their values and where these come from
    Dump,
    /// The configuration file
    View,
    /// A configuration file to begin with
    Init,
    /// Look for settings that do not exist, in the file or (`-f env`) the environment
    Validate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ConfigFormat {
    /// A line for each
    Display,
    /// JSON
    Json,
    /// YAML
    Yaml,
    /// The configuration file (init, validate)
    Ini,
    /// Environment variables (init, validate)
    Env,
    /// Variables (init)
    Vars,
}

#[derive(Clone, Debug, Args)]
pub struct DocArgs {
    /// A module; without it, all are listed
    pub module: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub enum VaultCommand {
    /// Make a new encrypted file in $EDITOR
    Create {
        #[command(flatten)]
        vault: VaultArgs,
        #[command(flatten)]
        with: EncryptWith,
        /// Run the editor even without a terminal
        #[arg(long)]
        skip_tty_check: bool,
        /// The file
        file: PathBuf,
    },
    /// Encrypt files in place, or standard input
    Encrypt {
        #[command(flatten)]
        vault: VaultArgs,
        #[command(flatten)]
        with: EncryptWith,
        #[command(flatten)]
        files: FileArgs,
    },
    /// Decrypt files in place, or standard input
    Decrypt {
        #[command(flatten)]
        vault: VaultArgs,
        #[command(flatten)]
        files: FileArgs,
    },
    /// Show the content of encrypted files
    View {
        #[command(flatten)]
        vault: VaultArgs,
        /// The files; - or none is standard input
        files: Vec<PathBuf>,
    },
    /// Change encrypted files in $EDITOR
    Edit {
        #[command(flatten)]
        vault: VaultArgs,
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Encrypt files with another password
    Rekey {
        #[command(flatten)]
        vault: VaultArgs,
        #[command(flatten)]
        with: EncryptWith,
        /// The new password: [LABEL@]FILE, or [LABEL@]prompt; without it you are asked
        #[arg(long, value_name = "ID", conflicts_with = "new_vault_password_file")]
        new_vault_id: Option<String>,
        /// The file of the new password, or a program that prints it
        #[arg(long, alias = "new-vault-pass-file", value_name = "FILE")]
        new_vault_password_file: Option<PathBuf>,
        /// The files
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Encrypt strings as `!vault` values
    #[command(alias = "encrypt_string")]
    EncryptString(StringArgs),
}

#[derive(Clone, Debug, Args)]
pub struct EncryptWith {
    /// Encrypt with the password of this id, where there are several
    #[arg(long, value_name = "ID")]
    pub encrypt_vault_id: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct FileArgs {
    /// Write to this file, or to standard output (-), instead of in place
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The files; - or none is standard input
    pub files: Vec<PathBuf>,
}

#[derive(Clone, Debug, Args)]
pub struct StringArgs {
    #[command(flatten)]
    pub vault: VaultArgs,
    #[command(flatten)]
    pub with: EncryptWith,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Ask for the string
    #[arg(short, long)]
    pub prompt: bool,
    /// Show the string while it is typed
    #[arg(long)]
    pub show_input: bool,
    /// The name of the variable; the first is that of the first string, and so on
    #[arg(short, long, value_name = "NAME")]
    pub name: Vec<String>,
    /// The name of the variable for what standard input holds
    #[arg(long, value_name = "NAME")]
    pub stdin_name: Option<String>,
    /// The strings; - or none is standard input
    #[arg(allow_hyphen_values = false)]
    pub strings: Vec<String>,
}
