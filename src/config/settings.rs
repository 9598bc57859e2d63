//! The settings that a run can use: their names in the file and the environment, their defaults.

use super::find::{SYSTEM, find};
use super::ini::{self, Entry};
use super::read::{self, Context, DuplicateKeys, Gathering, GroupNameRule, HashBehaviour};
use super::read::{PatternMismatch, Problem, Read};
use super::setting::{Ignored, Origin, Setting};
use super::table::{Row, Shown as _};
use crate::diag::{Diagnostic, did_you_mean};
use std::path::{Path, PathBuf};

/// One line per setting: what it means, its type, default and reader, `section.key` names, environment variables.
/// Of several names the last that is set counts.
macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:expr, $read:ident, [$($ini:literal),*], [$($env:literal),*];)+) => {
        /// All settings of a run.
        #[derive(Clone, Debug)]
        pub struct Config {
            /// The file that was read, if any.
            pub file: Option<PathBuf>,
            /// Lines of the file that change nothing, so that each can be named once.
            pub ignored: Vec<Ignored>,
            /// What is worth saying about the file and the values.
            pub warnings: Vec<Diagnostic>,
            /// All lines of the file.
            pub(super) entries: Vec<Entry>,
            $($(#[doc = $doc])+ pub $field: Setting<$type>,)+
        }

        impl Config {
            /// The settings when nobody sets anything. `~` stays as it is.
            pub fn defaults() -> Self {
                Self {
                    file: None,
                    ignored: Vec::new(),
                    warnings: Vec::new(),
                    entries: Vec::new(),
                    $($field: Setting::default_of($default),)+
                }
            }

            fn fill(&mut self, from: &mut Sources<'_>) -> Result<(), Diagnostic> {
                $(if let Some(found) = from.find(&[$($ini),*], &[$($env),*], read::$read)? {
                    self.$field = found;
                })+
                Ok(())
            }
        }

        impl Config {
            /// All settings in the order of their names.
            pub fn table(&self) -> Vec<Row> {
                let mut rows = vec![$(Row {
                    field: stringify!($field),
                    doc: [$($doc),+].join(" ").trim().to_owned(),
                    ini: &[$($ini),*],
                    env: &[$($env),*],
                    value: self.$field.value.shown(),
                    origin: self.$field.origin.clone(),
                },)+];
                rows.sort_by_key(|row| row.field);
                rows
            }
        }

        /// The names in the file of all settings above.
        const NAMES: &[&str] = &[$($($ini,)*)+];
    };
}

settings! {
    /// Inventory sources.
    inventory: Vec<PathBuf> = vec![PathBuf::from("/etc/ansible/hosts")], path_list, ["defaults.inventory"], ["ANSIBLE_INVENTORY"];
    /// Where roles are looked for, after the playbook's own.
    roles_path: Vec<PathBuf> = vec![PathBuf::from("~/.ansible/roles"), PathBuf::from("/usr/share/ansible/roles"), PathBuf::from("/etc/ansible/roles")],
        search_path, ["defaults.roles_path"], ["ANSIBLE_ROLES_PATH"];
    /// Where collections are looked for.
    collections_path: Vec<PathBuf> = vec![PathBuf::from("~/.ansible/collections"), PathBuf::from("/usr/share/ansible/collections")],
        search_path, ["defaults.collections_paths", "defaults.collections_path"], ["ANSIBLE_COLLECTIONS_PATHS", "ANSIBLE_COLLECTIONS_PATH"];
    /// Where modules are looked for besides the built-in ones.
    library: Vec<PathBuf> = vec![PathBuf::from("~/.ansible/plugins/modules"), PathBuf::from("/usr/share/ansible/plugins/modules")],
        search_path, ["defaults.library"], ["ANSIBLE_LIBRARY"];
    /// Where Python code is looked for that modules share.
    module_utils: Vec<PathBuf> = vec![PathBuf::from("~/.ansible/plugins/module_utils"), PathBuf::from("/usr/share/ansible/plugins/module_utils")],
        search_path, ["defaults.module_utils"], ["ANSIBLE_MODULE_UTILS"];
    /// The Python that runs modules written in it: a path, or `auto`.
    interpreter_python: String = "auto".to_owned(), string, ["defaults.interpreter_python"], ["ANSIBLE_PYTHON_INTERPRETER"];
    /// How many machines are worked on at a time.
    forks: u64 = 5, positive, ["defaults.forks"], ["ANSIBLE_FORKS"];
    /// The user to log in as.
    remote_user: Option<String> = None, optional, ["defaults.remote_user"], ["ANSIBLE_REMOTE_USER"];
    /// The port to connect to.
    remote_port: Option<u64> = None, optional_number, ["defaults.remote_port"], ["ANSIBLE_REMOTE_PORT"];
    /// The private key to log in with.
    private_key_file: Option<PathBuf> = None, optional_path, ["defaults.private_key_file"], ["ANSIBLE_PRIVATE_KEY_FILE"];
    /// Seconds to wait for a connection.
    timeout: u64 = 10, number, ["defaults.timeout", "ssh_connection.timeout"], ["ANSIBLE_TIMEOUT", "ANSIBLE_SSH_TIMEOUT"];
    /// Whether the keys of machines are checked.
    host_key_checking: bool = true, boolean, ["defaults.host_key_checking", "ssh_connection.host_key_checking"],
        ["ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"];
    /// How machines are reached: `ssh`, `smart`, `local`, …
    transport: String = "ssh".to_owned(), string, ["defaults.transport"], ["ANSIBLE_TRANSPORT"];
    /// Whether the login password is asked for.
    ask_pass: bool = false, boolean, ["defaults.ask_pass"], ["ANSIBLE_ASK_PASS"];
    /// Arguments for ssh.
    ssh_args: String = "-C -o ControlMaster=auto -o ControlPersist=60s".to_owned(), string, ["ssh_connection.ssh_args"], ["ANSIBLE_SSH_ARGS"];
    /// More arguments for ssh, scp and sftp.
    ssh_common_args: String = String::new(), string, ["ssh_connection.ssh_common_args"], ["ANSIBLE_SSH_COMMON_ARGS"];
    /// More arguments for ssh alone.
    ssh_extra_args: String = String::new(), string, ["ssh_connection.ssh_extra_args"], ["ANSIBLE_SSH_EXTRA_ARGS"];
    /// The ssh program.
    ssh_executable: String = "ssh".to_owned(), string, ["ssh_connection.ssh_executable"], ["ANSIBLE_SSH_EXECUTABLE"];
    /// How often a connection is tried again.
    ssh_retries: u64 = 0, number, ["connection.retries", "ssh_connection.retries"], ["ANSIBLE_SSH_RETRIES"];
    /// Whether facts are gathered.
    gathering: Gathering = Gathering::Implicit, gathering, ["defaults.gathering"], ["ANSIBLE_GATHERING"];
    /// What happens to mappings that two places define.
    hash_behaviour: HashBehaviour = HashBehaviour::Replace, hash_behaviour, ["defaults.hash_behaviour"], ["ANSIBLE_HASH_BEHAVIOUR"];
    /// Whether tasks run as another user.
    become_: bool = false, boolean, ["privilege_escalation.become"], ["ANSIBLE_BECOME"];
    /// How to become another user.
    become_method: String = "sudo".to_owned(), string, ["privilege_escalation.become_method"], ["ANSIBLE_BECOME_METHOD"];
    /// The user to become.
    become_user: String = "root".to_owned(), string, ["privilege_escalation.become_user"], ["ANSIBLE_BECOME_USER"];
    /// The program to become another user with.
    become_exe: Option<String> = None, optional, ["privilege_escalation.become_exe"], ["ANSIBLE_BECOME_EXE"];
    /// Its options.
    become_flags: Option<String> = None, optional, ["privilege_escalation.become_flags"], ["ANSIBLE_BECOME_FLAGS"];
    /// Whether that is done where the user to become is the one who logs in, too.
    become_allow_same_user: bool = false, boolean, ["privilege_escalation.become_allow_same_user"], ["ANSIBLE_BECOME_ALLOW_SAME_USER"];
    /// Whether the password for that is asked for.
    become_ask_pass: bool = false, boolean, ["privilege_escalation.become_ask_pass"], ["ANSIBLE_BECOME_ASK_PASS"];
    /// A file with that password.
    become_password_file: Option<PathBuf> = None, optional_path, ["defaults.become_password_file"], ["ANSIBLE_BECOME_PASSWORD_FILE"];
    /// A file with the login password.
    connection_password_file: Option<PathBuf> = None, optional_path, ["defaults.connection_password_file"], ["ANSIBLE_CONNECTION_PASSWORD_FILE"];
    /// A file that gets a log of every run.
    log_path: Option<PathBuf> = None, optional_path, ["defaults.log_path"], ["ANSIBLE_LOG_PATH"];
    /// No colours.
    nocolor: bool = false, boolean, ["defaults.nocolor"], ["ANSIBLE_NOCOLOR"];
    /// Colours even where the output is no terminal.
    force_color: bool = false, boolean, ["defaults.force_color"], ["ANSIBLE_FORCE_COLOR"];
    /// As so many `-v`.
    verbosity: u64 = 0, number, ["defaults.verbosity"], ["ANSIBLE_VERBOSITY"];
    /// Whether skipped machines are shown.
    display_skipped_hosts: bool = true, boolean, ["defaults.display_skipped_hosts"], ["ANSIBLE_DISPLAY_SKIPPED_HOSTS"];
    /// Whether machines where nothing was changed are shown.
    display_ok_hosts: bool = true, boolean, ["defaults.display_ok_hosts"], ["ANSIBLE_DISPLAY_OK_HOSTS"];
    /// Whether failures go to standard error.
    display_failed_stderr: bool = false, boolean, ["defaults.display_failed_stderr"], ["ANSIBLE_DISPLAY_FAILED_STDERR"];
    /// Whether what `set_stats` collected is shown at the end.
    show_custom_stats: bool = false, boolean, ["defaults.show_custom_stats"], ["ANSIBLE_SHOW_CUSTOM_STATS"];
    /// Whether banners show the arguments of tasks, as they are written.
    display_args_to_stdout: bool = false, boolean, ["defaults.display_args_to_stdout"], ["ANSIBLE_DISPLAY_ARGS_TO_STDOUT"];
    /// Whether banners say that a run only predicts.
    check_mode_markers: bool = false, boolean, ["defaults.check_mode_markers"], ["ANSIBLE_CHECK_MODE_MARKERS"];
    /// Whether the start of each task on each machine is shown.
    show_per_host_start: bool = false, boolean, ["defaults.show_per_host_start"], ["ANSIBLE_SHOW_PER_HOST_START"];
    /// Whether a failure shows where its task is written.
    show_task_path_on_failure: bool = false, boolean, ["defaults.show_task_path_on_failure"], ["ANSIBLE_SHOW_TASK_PATH_ON_FAILURE"];
    /// Results as `json` or `yaml`.
    result_format: String = "json".to_owned(), string, ["defaults.callback_result_format"], ["ANSIBLE_CALLBACK_RESULT_FORMAT"];
    /// Whether results take several lines; unset: YAML does.
    format_pretty: Option<bool> = None, optional_boolean, ["defaults.callback_format_pretty"], ["ANSIBLE_CALLBACK_FORMAT_PRETTY"];
    /// Whether commands that run one module use `stdout_callback`, too.
    bin_ansible_callbacks: bool = false, boolean, ["defaults.bin_ansible_callbacks"], ["ANSIBLE_LOAD_CALLBACK_PLUGINS"];
    /// How results are printed.
    stdout_callback: String = "default".to_owned(), string, ["defaults.stdout_callback"], ["ANSIBLE_STDOUT_CALLBACK"];
    /// More outputs.
    callbacks_enabled: Vec<String> = Vec::new(), list, ["defaults.callback_whitelist", "defaults.callbacks_enabled"],
        ["ANSIBLE_CALLBACK_WHITELIST", "ANSIBLE_CALLBACKS_ENABLED"];
    /// Whether changes are shown as diffs.
    diff_always: bool = false, boolean, ["diff.always"], ["ANSIBLE_DIFF_ALWAYS"];
    /// Lines around each change of a diff.
    diff_context: u64 = 3, number, ["diff.context"], ["ANSIBLE_DIFF_CONTEXT"];
    /// Only tasks with these tags.
    tags_run: Vec<String> = Vec::new(), list, ["tags.run"], ["ANSIBLE_RUN_TAGS"];
    /// No tasks with these tags.
    tags_skip: Vec<String> = Vec::new(), list, ["tags.skip"], ["ANSIBLE_SKIP_TAGS"];
    /// What the variable `ansible_managed` holds.
    ansible_managed: String = "Ansible managed".to_owned(), string, ["defaults.ansible_managed"], [];
    /// Whether a template that names an undefined variable fails.
    error_on_undefined_vars: bool = true, boolean, ["defaults.error_on_undefined_vars"], ["ANSIBLE_ERROR_ON_UNDEFINED_VARS"];
    /// Whether a notified handler that does not exist is an error.
    error_on_missing_handler: bool = true, boolean, ["defaults.error_on_missing_handler"], ["ANSIBLE_ERROR_ON_MISSING_HANDLER"];
    /// Whether variables of roles are for themselves alone; nothing if nobody says it.
    private_role_vars: Option<bool> = None, optional_boolean, ["defaults.private_role_vars"], ["ANSIBLE_PRIVATE_ROLE_VARS"];
    /// Whether facts are variables of their own (`ansible_hostname`), too.
    inject_facts_as_vars: bool = true, boolean, ["defaults.inject_facts_as_vars"], ["ANSIBLE_INJECT_FACT_VARS"];
    /// Whether failures start the debugger.
    enable_task_debugger: bool = false, boolean, ["defaults.enable_task_debugger"], ["ANSIBLE_ENABLE_TASK_DEBUGGER"];
    /// Whether failures that are ignored do not start the debugger.
    task_debugger_ignore_errors: bool = true, boolean, ["defaults.task_debugger_ignore_errors"], ["ANSIBLE_TASK_DEBUGGER_IGNORE_ERRORS"];
    /// Whether one machine's failure ends the run for all.
    any_errors_fatal: bool = false, boolean, ["defaults.any_errors_fatal"], ["ANSIBLE_ANY_ERRORS_FATAL"];
    /// Whether handlers run on machines that failed.
    force_handlers: bool = false, boolean, ["defaults.force_handlers"], ["ANSIBLE_FORCE_HANDLERS"];
    /// Whether nothing of any task is logged.
    no_log: bool = false, boolean, ["defaults.no_log"], ["ANSIBLE_NO_LOG"];
    /// How machines go through a play: `linear`, `free`, `host_pinned`.
    strategy: String = "linear".to_owned(), string, ["defaults.strategy"], ["ANSIBLE_STRATEGY"];
    /// Seconds between two looks at an asynchronous task.
    poll_interval: u64 = 15, number, ["defaults.poll_interval"], ["ANSIBLE_POLL_INTERVAL"];
    /// The directory for the files of asynchronous tasks on machines; `~` is the user there.
    async_dir: String = "~/.ansible_async".to_owned(), string, ["defaults.async_dir"], ["ANSIBLE_ASYNC_DIR"];
    /// Where facts are kept between runs: `memory` (nowhere), `jsonfile`.
    fact_caching: String = "memory".to_owned(), string, ["defaults.fact_caching"], ["ANSIBLE_CACHE_PLUGIN"];
    /// The directory of the fact cache.
    fact_caching_connection: Option<PathBuf> = None, optional_path, ["defaults.fact_caching_connection"], ["ANSIBLE_CACHE_PLUGIN_CONNECTION"];
    /// What the names of its files begin with.
    fact_caching_prefix: String = String::new(), string, ["defaults.fact_caching_prefix"], ["ANSIBLE_CACHE_PLUGIN_PREFIX"];
    /// Seconds that cached facts count; zero: for ever.
    fact_caching_timeout: u64 = 86_400, number, ["defaults.fact_caching_timeout"], ["ANSIBLE_CACHE_PLUGIN_TIMEOUT"];
    /// Seconds a task may take; zero: as many as it needs.
    task_timeout: u64 = 0, number, ["defaults.task_timeout"], ["ANSIBLE_TASK_TIMEOUT"];
    /// Extensions of the template language.
    jinja2_extensions: Vec<String> = Vec::new(), list, ["defaults.jinja2_extensions"], ["ANSIBLE_JINJA2_EXTENSIONS"];
    /// Whether it is said what will not work in later versions of Ansible.
    deprecation_warnings: bool = true, boolean, ["defaults.deprecation_warnings"], ["ANSIBLE_DEPRECATION_WARNINGS"];
    /// Whether a condition may be something else than true or false.
    allow_broken_conditionals: bool = true, boolean, ["defaults.allow_broken_conditionals"], ["ANSIBLE_ALLOW_BROKEN_CONDITIONALS"];
    /// Whether templates keep types.
    jinja2_native: bool = false, boolean, ["defaults.jinja2_native"], ["ANSIBLE_JINJA2_NATIVE"];
    /// What a host pattern that matches nothing is.
    host_pattern_mismatch: PatternMismatch = PatternMismatch::Warning, pattern_mismatch, ["inventory.host_pattern_mismatch"], ["ANSIBLE_HOST_PATTERN_MISMATCH"];
    /// Whether an inventory of which nothing can be read is an error.
    inventory_unparsed_is_failed: bool = false, boolean, ["inventory.unparsed_is_failed"], ["ANSIBLE_INVENTORY_UNPARSED_FAILED"];
    /// Whether one source that cannot be read is an error.
    inventory_any_unparsed_is_failed: bool = false, boolean, ["inventory.any_unparsed_is_failed"], ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"];
    /// Whether it is said that no source could be read.
    inventory_unparsed_warning: bool = true, boolean, ["inventory.inventory_unparsed_warning"], ["ANSIBLE_INVENTORY_UNPARSED_WARNING"];
    /// The kinds of inventory sources that are tried, in this order.
    inventory_enabled: Vec<String> = ["host_list", "script", "auto", "yaml", "ini", "toml"].map(str::to_owned).to_vec(),
        list, ["inventory.enable_plugins"], ["ANSIBLE_INVENTORY_ENABLED"];
    /// Endings of files that are passed over in directories of inventories.
    inventory_ignore_extensions: Vec<String> = [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".ini", ".cfg", ".retry"].map(str::to_owned).to_vec(),
        list, ["defaults.inventory_ignore_extensions", "inventory.ignore_extensions"], ["ANSIBLE_INVENTORY_IGNORE"];
    /// Regular expressions of names that are passed over in directories of inventories.
    inventory_ignore_patterns: Vec<String> = Vec::new(), list, ["defaults.inventory_ignore_patterns", "inventory.ignore_patterns"], ["ANSIBLE_INVENTORY_IGNORE_REGEX"];
    /// Whether sources that compute variables see extra variables.
    inventory_use_extra_vars: bool = false, boolean, ["inventory_plugins.use_extra_vars"], ["ANSIBLE_INVENTORY_USE_EXTRA_VARS"];
    /// What happens to names of groups that could not be names of variables: `always` and `silently` change them.
    group_name_rule: GroupNameRule = GroupNameRule::Never, group_name_rule, ["defaults.force_valid_group_names"], ["ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"];
    /// Whether it is said that only localhost is known.
    localhost_warning: bool = true, boolean, ["defaults.localhost_warning"], ["ANSIBLE_LOCALHOST_WARNING"];
    /// A file that names modules that must not be used.
    plugin_filters_cfg: Option<PathBuf> = None, optional_path, ["defaults.plugin_filters_cfg"], [];
    /// The directory that stands for a playbook's where there is none.
    playbook_dir: Option<PathBuf> = None, optional_path, ["defaults.playbook_dir"], ["ANSIBLE_PLAYBOOK_DIR"];
    /// A file or script with the vault's password.
    vault_password_file: Option<PathBuf> = None, optional_path, ["defaults.vault_password_file"], ["ANSIBLE_VAULT_PASSWORD_FILE"];
    /// More vault passwords, as `name@file`.
    vault_identity_list: Vec<String> = Vec::new(), list, ["defaults.vault_identity_list"], ["ANSIBLE_VAULT_IDENTITY_LIST"];
    /// The id of vault passwords and texts that have no other.
    vault_identity: String = "default".to_owned(), string, ["defaults.vault_identity"], ["ANSIBLE_VAULT_IDENTITY"];
    /// The id of the vault password that encrypts, where there are several.
    vault_encrypt_identity: Option<String> = None, optional, ["defaults.vault_encrypt_identity"], ["ANSIBLE_VAULT_ENCRYPT_IDENTITY"];
    /// A salt for vaults instead of a random one: texts that are equal are encrypted equally then.
    vault_encrypt_salt: Option<String> = None, optional, ["defaults.vault_encrypt_salt"], ["ANSIBLE_VAULT_ENCRYPT_SALT"];
    /// Whether only the password of a vault's own id is tried.
    vault_id_match: bool = false, boolean, ["defaults.vault_id_match"], ["ANSIBLE_VAULT_ID_MATCH"];
    /// Whether the vault's password is asked for.
    ask_vault_pass: bool = false, boolean, ["defaults.ask_vault_pass"], ["ANSIBLE_ASK_VAULT_PASS"];
    /// The directory for temporary files on machines; `~` is the user there.
    remote_tmp: String = "~/.ansible/tmp".to_owned(), string, ["defaults.remote_tmp"], ["ANSIBLE_REMOTE_TEMP", "ANSIBLE_REMOTE_TMP"];
    /// What a key that is given twice in YAML is.
    duplicate_dict_key: DuplicateKeys = DuplicateKeys::Warn, duplicate_keys, ["defaults.duplicate_dict_key"], ["ANSIBLE_DUPLICATE_YAML_DICT_KEY"];
}

/// Settings of Ansible that mean nothing here: there is no Python and there are no plugins to find.
const MEANINGLESS: [&str; 35] = [
    "defaults.action_plugins",
    "defaults.action_warnings",
    "defaults.become_plugins",
    "defaults.cache_plugins",
    "defaults.callback_plugins",
    "defaults.command_warnings",
    "defaults.executable",
    "defaults.connection_plugins",
    "defaults.cow_selection",
    "defaults.devel_warning",
    "defaults.display_args_to_stdout",
    "defaults.filter_plugins",
    "defaults.home",
    "defaults.internal_poll_interval",
    "defaults.inventory_plugins",
    "defaults.keep_remote_files",
    "defaults.local_tmp",
    "defaults.lookup_plugins",
    "defaults.module_compression",
    "defaults.no_target_syslog",
    "defaults.nocows",
    "defaults.pipelining",
    "defaults.retry_files_enabled",
    "defaults.retry_files_save_path",
    "defaults.strategy_plugins",
    "defaults.syslog_facility",
    "defaults.system_warnings",
    "defaults.test_plugins",
    "defaults.vars_plugins",
    "connection.pipelining",
    "ssh_connection.pipelining",
    "ssh_connection.control_path",
    "ssh_connection.control_path_dir",
    "ssh_connection.scp_if_ssh",
    "ssh_connection.transfer_method",
];

/// Where values are looked for.
struct Sources<'a> {
    entries: &'a [Entry],
    env: &'a dyn Fn(&str) -> Option<String>,
    cwd: &'a Path,
    dir: &'a Path,
    warnings: Vec<Diagnostic>,
}

impl Sources<'_> {
    fn find<T>(
        &mut self,
        ini: &[&'static str],
        env: &[&'static str],
        read: fn(&str, &Context<'_>) -> Read<T>,
    ) -> Result<Option<Setting<T>>, Diagnostic> {
        let mut found = None;
        for name in ini {
            if let Some(entry) = self.entry(name) {
                found = Some((entry.value.clone(), Origin::File(entry.span.clone()), *name));
            }
        }
        for name in env {
            if let Some(value) = (self.env)(name) {
                found = Some((value, Origin::Environment(name), *name));
            }
        }
        let Some((text, origin, name)) = found else {
            return Ok(None);
        };
        let file = matches!(origin, Origin::File(_));
        let context = Context {
            env: self.env,
            cwd: self.cwd,
            base: if file { self.dir } else { self.cwd },
            file,
        };
        match read(&text, &context) {
            Ok(value) => Ok(Some(Setting { value, origin })),
            // an empty variable is as good as none where text is no value
            Err(Problem::Bad(_)) if !file && text.is_empty() => Ok(None),
            Err(Problem::Bad(expected)) => Err(wrong(
                Diagnostic::error("config::bad-value", describe(name, &origin, &text)),
                &expected,
                &origin,
            )),
            Err(Problem::Odd(value, expected)) => {
                self.warnings.push(wrong(
                    Diagnostic::warning("config::bad-value", describe(name, &origin, &text)),
                    &expected,
                    &origin,
                ));
                Ok(Some(Setting { value, origin }))
            }
        }
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        let (section, key) = name.split_once('.')?;
        self.entries
            .iter()
            .find(|entry| entry.section == section && entry.key == key)
    }
}

fn describe(name: &str, origin: &Origin, text: &str) -> String {
    let key = name.split_once('.').map_or(name, |(_, key)| key);
    match origin {
        Origin::Environment(name) => format!("the environment variable {name} is `{text}`"),
        _ => format!("`{key}` is `{text}`"),
    }
}

fn wrong(mut diagnostic: Diagnostic, expected: &str, origin: &Origin) -> Diagnostic {
    diagnostic.message = format!("{}, but must be {expected}", diagnostic.message);
    match origin {
        Origin::File(span) => diagnostic.at(span),
        _ => diagnostic,
    }
}

impl Config {
    /// Reads the configuration file that counts in this directory, and the environment on top.
    ///
    /// # Errors
    /// `config::syntax` for a file that is not INI, `config::bad-value` for a value that cannot be taken.
    pub fn load(env: &dyn Fn(&str) -> Option<String>, cwd: &Path) -> Result<Self, Diagnostic> {
        Self::load_with(env, cwd, Path::new(SYSTEM))
    }

    pub(super) fn load_with(
        env: &dyn Fn(&str) -> Option<String>,
        cwd: &Path,
        system: &Path,
    ) -> Result<Self, Diagnostic> {
        let (source, warnings) = find(env, cwd, system)?;
        let entries = source.as_ref().map_or_else(|| Ok(Vec::new()), ini::parse)?;
        let file = source.map(|source| source.path.clone());
        let mut sources = Sources {
            entries: &entries,
            env,
            cwd,
            dir: file.as_deref().and_then(Path::parent).unwrap_or(cwd),
            warnings,
        };
        let mut config = Self::defaults();
        config.expand_defaults(env);
        config.fill(&mut sources)?;
        config.warnings = sources.warnings;
        config.ignored = ignored(&entries);
        config.file = file;
        config.entries = entries;
        // https://no-color.org: set to anything means no colours
        if env("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            config.nocolor = Setting {
                value: true,
                origin: Origin::Environment("NO_COLOR"),
            };
        }
        Ok(config)
    }

    /// `~` in the default search paths; `$ANSIBLE_HOME` is the directory that they begin with.
    fn expand_defaults(&mut self, env: &dyn Fn(&str) -> Option<String>) {
        let home = env("ANSIBLE_HOME").filter(|home| !home.is_empty());
        for setting in [
            &mut self.roles_path,
            &mut self.collections_path,
            &mut self.library,
            &mut self.module_utils,
        ] {
            for path in &mut setting.value {
                let text = path.to_string_lossy();
                let text = match (&home, text.strip_prefix("~/.ansible")) {
                    (Some(home), Some(rest)) => format!("{home}{rest}"),
                    _ => text.into_owned(),
                };
                *path = PathBuf::from(read::expand(&text, env));
            }
        }
    }
}

fn ignored(entries: &[Entry]) -> Vec<Ignored> {
    entries
        .iter()
        .filter_map(|entry| {
            let name = format!("{}.{}", entry.section, entry.key);
            if NAMES.contains(&name.as_str()) {
                return None;
            }
            // settings of Ansible's other tools and of plugins
            let foreign = matches!(
                entry.section.as_str(),
                "galaxy" | "colors" | "persistent_connection" | "selinux" | "paramiko_connection"
            ) || entry.section.starts_with("galaxy_server.")
                || entry.section.starts_with("callback_")
                || entry.section.ends_with("_plugin");
            let known = foreign || MEANINGLESS.contains(&name.as_str());
            let hint = (!known).then(|| hint(&entry.section, &entry.key)).flatten();
            Some(Ignored {
                section: entry.section.clone(),
                key: entry.key.clone(),
                span: entry.span.clone(),
                known,
                hint,
            })
        })
        .collect()
}

/// The right section for a key in a wrong one, or a key that is written alike.
fn hint(section: &str, key: &str) -> Option<String> {
    let split = || NAMES.iter().filter_map(|name| name.split_once('.'));
    if let Some((right, _)) = split().find(|(_, known)| *known == key) {
        return Some(format!("`{key}` belongs into the section [{right}]"));
    }
    did_you_mean(
        key,
        split().filter(|(s, _)| *s == section).map(|(_, key)| key),
    )
}
