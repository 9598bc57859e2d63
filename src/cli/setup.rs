//! From the command line and the configuration to the parts of a run.

use super::args::{ConnectionArgs, HostKey, SourceArgs, VaultArgs};
use super::exit::{CommandFailure, Exit};
use super::prompt::{Terminal, password};
use super::rejected;
use super::show::Show;
use super::sources;
use super::streams::errln;
use super::vault::Passwords;
use super::vocabulary::Actions;
use crate::config::{Config, Gathering, HashBehaviour, known};
use crate::diag::did_you_mean;
use crate::exec::{Login, Machines, PlayScope, RunOptions};
use crate::inventory::{Inventory, SourceSpec, controller_python};
use crate::playbook::{DuplicateKeys, LoadOptions, Loader, TagFilter};
use crate::template::{
    Context, FileContext, FoundSetting, OddConditions, Setting, Templar, TemplarOptions,
};
use crate::transport::{AgentBinaries, ConnectionKind, HostKeyChecking, KeyRing, Options, Target};
use crate::value::{Map, Secret};
use crate::vars::{FactCache, RunMagic, StoreOptions, VarStore, parse_extra_vars};
use crate::vault::Vault;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How many hosts work at once when nobody says: measured, see `docs/performance.md`.
pub const FORKS: usize = 100;

/// Everything that is read once per command.
pub struct Setup {
    pub config: Config,
    pub cwd: PathBuf,
    pub sources: Vec<SourceSpec>,
    /// Directories of modules, by `-M`.
    pub module_path: Vec<PathBuf>,
    pub extra: Vec<(String, Map)>,
    pub vault: Arc<Vault>,
    pub secrets: Secrets,
    /// Whether runbook was called by one of Ansible's names.
    as_ansible: bool,
    /// Modules that must not be used.
    pub rejected: Vec<String>,
}

/// Passwords that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    pub login: Option<Secret<String>>,
    pub r#become: Option<Secret<String>>,
}

impl Setup {
    /// Reads configuration, vault passwords and extra variables.
    pub fn new(
        sources: &SourceArgs,
        vault: &VaultArgs,
        show: &Show,
    ) -> Result<Self, CommandFailure> {
        let (config, cwd) = configuration(show)?;
        let identities = Passwords::of(&config).read(vault, show)?;
        let vault = Arc::new(
            Vault::new(identities, *config.vault_id_match)
                .with_default_id(config.vault_identity.as_str()),
        );
        let mut extra = Vec::new();
        for argument in &sources.extra_vars {
            let vars = parse_extra_vars(argument, &cwd, &vault).map_err(|e| CommandFailure {
                diagnostic: Box::new(e),
                exit: Exit::Usage,
            })?;
            extra.push((format!("-e {argument}"), vars));
        }
        let specs = if sources.inventory.is_empty() {
            sources::configured(&config, &cwd)
        } else {
            sources
                .inventory
                .iter()
                .map(|arg| SourceSpec::parse(arg, &cwd))
                .collect()
        };
        let rejected = rejected::modules(&config, &vault, show)?;
        Ok(Self {
            config,
            cwd,
            sources: specs,
            module_path: sources
                .module_path
                .iter()
                .flat_map(std::env::split_paths)
                .collect(),
            extra,
            vault,
            secrets: Secrets::default(),
            as_ansible: show.is_ansible(),
            rejected,
        })
    }

    /// Where facts are kept between runs.
    pub fn fact_cache(&self) -> Result<Option<FactCache>, CommandFailure> {
        let config = &self.config;
        let kind = config.fact_caching.as_str();
        let short = ["ansible.builtin.", "ansible.legacy."]
            .iter()
            .find_map(|collection| kind.strip_prefix(collection))
            .unwrap_or(kind);
        match short {
            "memory" => return Ok(None),
            "jsonfile" => {}
            _ => {
                let mut failure = CommandFailure::new(
                    Exit::Error,
                    format!("the fact cache `{kind}` is not built; memory and jsonfile are"),
                );
                failure.diagnostic.hint = did_you_mean(short, ["memory", "jsonfile"]);
                return Err(failure);
            }
        }
        let Some(dir) = &config.fact_caching_connection.value else {
            let mut failure = CommandFailure::new(
                Exit::Error,
                "the fact cache `jsonfile` needs a directory, and none is set",
            );
            failure.diagnostic.hint =
                Some("set `fact_caching_connection` or ANSIBLE_CACHE_PLUGIN_CONNECTION".to_owned());
            return Err(failure);
        };
        let cache = FactCache::open(
            &expand_home(dir),
            &config.fact_caching_prefix,
            *config.fact_caching_timeout,
        )?;
        Ok(Some(cache))
    }

    /// Variables over an inventory.
    pub fn store(
        &self,
        inventory: Inventory,
        playbook_dir: &Path,
    ) -> Result<Arc<VarStore>, CommandFailure> {
        Ok(VarStore::new(
            inventory,
            StoreOptions {
                playbook_dir: playbook_dir.to_owned(),
                merge_hashes: *self.config.hash_behaviour == HashBehaviour::Merge,
                inject_facts: *self.config.inject_facts_as_vars,
                extra_vars: self.extra.clone(),
                vault: Arc::clone(&self.vault),
                cache: self.fact_cache()?,
            },
        ))
    }

    /// The template engine.
    pub fn templar(&self, store: &Arc<VarStore>) -> Templar {
        let hosts = Arc::clone(store);
        let odd_conditions = if !*self.config.allow_broken_conditionals {
            OddConditions::Refused
        } else if *self.config.deprecation_warnings
            && std::env::var_os("_ANSIBLE_DISABLE_BACKPORTED_INSPECTIONS").is_none()
        {
            OddConditions::Deprecated
        } else {
            OddConditions::Silent
        };
        Templar::new(TemplarOptions {
            hosts: Some(Arc::new(move |pattern: &str| {
                match hosts.inventory(|inventory| inventory.select(pattern)) {
                    Ok(selection) => Ok(selection.hosts.iter().map(ToString::to_string).collect()),
                    // a lookup finds nothing then, whatever `host_pattern_mismatch` says
                    Err(problem) if problem.code == "inventory::no-match" => Ok(Vec::new()),
                    Err(problem) => Err(problem.message),
                }
            })),
            warn: Some(Arc::new(|message: &str| {
                errln!("[WARNING]: {message}");
                super::log::diagnostic(
                    crate::diag::Severity::Warning,
                    &format!("[WARNING]: {message}"),
                );
            })),
            vault: Arc::clone(store.vault()),
            setting: Some(self.settings()),
            jinja2_native: *self.config.jinja2_native,
            odd_conditions,
            ..TemplarOptions::default()
        })
    }

    /// Settings by their names, for the lookup `config`.
    fn settings(&self) -> Setting {
        let config = self.config.clone();
        Arc::new(move |plugin: Option<(&str, &str)>, name: &str| {
            let env = |name: &str| std::env::var(name).ok();
            let known = match plugin {
                Some((kind, plugin)) => known::option(kind, plugin, name),
                None => known::setting(name),
            }?;
            let (value, origin) = config.known(known, &env);
            Some(FoundSetting {
                value,
                origin,
                vars: known.vars.clone(),
                typed: |kind, value| known::typed(kind, value, &|name| std::env::var(name).ok()),
                kind: known.kind,
            })
        })
    }

    /// Renders texts of playbooks before the run: with these variables, those of the command line on top, and what is
    /// known of the run.
    pub fn renderer(
        &self,
        templar: &Templar,
        store: &Arc<VarStore>,
        magic: &Arc<RunMagic>,
    ) -> impl Fn(&str, &[Arc<Map>]) -> Result<String, String> + Send + Sync + 'static {
        let (templar, store, magic) = (templar.clone(), Arc::clone(store), Arc::clone(magic));
        let extra: Vec<_> = self
            .extra
            .iter()
            .map(|(_, vars)| Arc::new(vars.clone()))
            .collect();
        move |text: &str, vars: &[Arc<Map>]| {
            let layers = vars.iter().chain(&extra).cloned().collect();
            let scope = PlayScope::new(layers, &store, &magic).map_err(|e| e.to_string())?;
            let cx = Context::new(Arc::new(scope), Arc::new(FileContext::default()));
            templar
                .render_str(text, &cx)
                .map(|value| value.to_string())
                .map_err(|e| e.message)
        }
    }

    /// The reader of playbooks.
    pub fn loader(
        &self,
        templar: &Templar,
        store: &Arc<VarStore>,
        magic: &Arc<RunMagic>,
    ) -> Arc<Loader> {
        let bases = Arc::new(Places(templar.plugins().clone()));
        let render = self.renderer(templar, store, magic);
        let expand = |paths: &[PathBuf]| -> Vec<PathBuf> {
            paths.iter().map(|path| expand_home(path)).collect()
        };
        let library = [expand(&self.module_path), expand(&self.config.library)].concat();
        Arc::new(Loader::new(
            Arc::new(Actions::without(self.rejected.clone())),
            LoadOptions {
                roles_path: expand(&self.config.roles_path),
                collections_path: expand(&self.config.collections_path),
                library,
                module_utils: expand(&self.config.module_utils),
                bases,
                arguments_later: self.as_ansible,
                render: Arc::new(render),
                duplicate_keys: match *self.config.duplicate_dict_key {
                    crate::config::DuplicateKeys::Error => DuplicateKeys::Error,
                    crate::config::DuplicateKeys::Warn => DuplicateKeys::Warn,
                    crate::config::DuplicateKeys::Ignore => DuplicateKeys::Ignore,
                },
                vault: Arc::clone(&self.vault),
            },
        ))
    }

    /// Asks for the passwords that the command line wants asked for.
    pub fn ask(&mut self, args: &ConnectionArgs) -> Result<(), CommandFailure> {
        let read = |path: &Path| {
            std::fs::read_to_string(path)
                .map(|text| Secret::new(text.lines().next().unwrap_or_default().to_owned()))
                .map_err(|e| {
                    CommandFailure::new(
                        Exit::Usage,
                        format!(
                            "cannot read the password file {}: {}",
                            path.display(),
                            crate::diag::io_reason(&e)
                        ),
                    )
                })
        };
        let login_file = args
            .connection_password_file
            .clone()
            .or_else(|| self.config.connection_password_file.value.clone());
        if let Some(file) = login_file {
            self.secrets.login = Some(read(&expand_home(&file))?);
        } else if args.ask_pass || *self.config.ask_pass {
            self.secrets.login = password("SSH password: ");
        }
        let become_file = args
            .become_password_file
            .clone()
            .or_else(|| self.config.become_password_file.value.clone());
        if let Some(file) = become_file {
            self.secrets.r#become = Some(read(&expand_home(&file))?);
        } else if args.ask_become_pass || *self.config.become_ask_pass {
            let answer = password("BECOME password[defaults to SSH password]: ");
            self.secrets.r#become = match answer {
                Some(answer) if answer.reveal().is_empty() => self.secrets.login.clone(),
                other => other,
            };
        }
        Ok(())
    }

    /// The connections.
    pub fn machines(&self, args: &ConnectionArgs) -> Result<Arc<Machines>, CommandFailure> {
        let config = &self.config;
        let transport = args
            .connection
            .as_deref()
            .unwrap_or(config.transport.as_str());
        let kind = ConnectionKind::from_name(transport)
            .ok_or_else(|| CommandFailure::new(Exit::Usage, ConnectionKind::unknown(transport)))?;
        let mut ssh_args = Vec::new();
        if let Some(file) = &args.ssh_config {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            if let Err(error) = std::fs::File::open(&file) {
                let why = format!(
                    "cannot read {}: {}",
                    file.display(),
                    crate::sys::reason(&error)
                );
                return Err(CommandFailure::new(Exit::Usage, why));
            }
            ssh_args.push(format!(
                "-F '{}'",
                file.display().to_string().replace('\'', r"'\''")
            ));
        }
        if config.ssh_args.is_set() {
            ssh_args.push(config.ssh_args.value.clone());
        }
        ssh_args.push(
            args.ssh_common_args
                .clone()
                .unwrap_or_else(|| config.ssh_common_args.value.clone()),
        );
        ssh_args.push(
            args.ssh_extra_args
                .clone()
                .unwrap_or_else(|| config.ssh_extra_args.value.clone()),
        );
        ssh_args.retain(|part| !part.trim().is_empty());
        let checking = match args.host_key {
            Some(HostKey::Strict) => Some(HostKeyChecking::Strict),
            Some(HostKey::AcceptNew) => Some(HostKeyChecking::AcceptNew),
            Some(HostKey::Off) => Some(HostKeyChecking::Off),
            None if !*config.host_key_checking => Some(HostKeyChecking::Off),
            None => None,
        };
        let key = args
            .private_key
            .clone()
            .or_else(|| config.private_key_file.value.clone());
        let timeout = args
            .timeout
            .or_else(|| config.timeout.is_set().then_some(*config.timeout));
        let target = Target {
            port: config.remote_port.and_then(|port| u16::try_from(port).ok()),
            user: args
                .user
                .clone()
                .or_else(|| config.remote_user.value.clone()),
            password: self.secrets.login.clone(),
            private_keys: key.iter().map(|path| expand_home(path)).collect(),
            host_key_checking: checking,
            connect_timeout: timeout.map(Duration::from_secs),
            ssh_args: ssh_args.join(" "),
            ssh_executable: config
                .ssh_executable
                .is_set()
                .then(|| config.ssh_executable.value.clone()),
            remote_tmp: config
                .remote_tmp
                .is_set()
                .then(|| config.remote_tmp.value.clone()),
            ..Target::default()
        };
        let login = Login {
            kind,
            target,
            r#become: args.r#become || *config.become_,
            become_method: args
                .become_method
                .clone()
                .unwrap_or_else(|| config.become_method.value.clone()),
            become_user: args
                .become_user
                .clone()
                .unwrap_or_else(|| config.become_user.value.clone()),
            become_exe: config.become_exe.value.clone(),
            become_flags: config.become_flags.value.clone(),
            become_allow_same_user: *config.become_allow_same_user,
            become_password: self.secrets.r#become.clone(),
        };
        let binaries = AgentBinaries::from_current_exe()
            .map_err(|e| CommandFailure::new(Exit::Error, e.to_string()))?;
        let mut options = Options::from_environment();
        options.retries = u32::try_from(*config.ssh_retries).unwrap_or(u32::MAX);
        options.keys = Arc::new(KeyRing::asking(Box::new(|path: &Path| {
            password(&format!("passphrase for {}: ", path.display()))
        })));
        Ok(Arc::new(Machines::new(login, binaries, options)))
    }

    /// Options of a run that come from the configuration.
    pub fn options(&self, args: &ConnectionArgs, show: &Show) -> RunOptions {
        let config = &self.config;
        let configured = config
            .forks
            .is_set()
            .then(|| usize::try_from(*config.forks).unwrap_or(FORKS));
        RunOptions {
            forks: args
                .forks
                .map(NonZeroUsize::get)
                .or(configured)
                .unwrap_or(FORKS),
            diff: *config.diff_always,
            verbosity: show.verbosity,
            force_handlers: *config.force_handlers,
            gathering: match *config.gathering {
                Gathering::Explicit => "explicit".into(),
                Gathering::Smart => "smart".into(),
                Gathering::Implicit => "implicit".into(),
            },
            managed: config.ansible_managed.value.clone(),
            recap_each: show.is_ansible(),
            debugger: *config.enable_task_debugger,
            debugger_ignores_errors: *config.task_debugger_ignore_errors,
            any_errors_fatal: *config.any_errors_fatal,
            task_timeout: *config.task_timeout,
            no_log: *config.no_log,
            strategy: config.strategy.value.clone(),
            poll_interval: *config.poll_interval,
            python: config.interpreter_python.value.clone(),
            async_dir: config.async_dir.value.clone(),
            missing_handler_fails: *config.error_on_missing_handler,
            private_role_vars: *config.private_role_vars,
            tags: self.tags(&[], &[]),
            ..RunOptions::default()
        }
    }

    /// The tags to run and to skip.
    pub fn tags(&self, run: &[String], skip: &[String]) -> TagFilter {
        let words = |list: &[String]| -> Vec<String> {
            list.iter()
                .flat_map(|item| item.split(','))
                .map(|word| word.trim().to_owned())
                .filter(|word| !word.is_empty())
                .collect()
        };
        let pick = |given: &[String], configured: &[String]| {
            let given = words(given);
            if given.is_empty() {
                words(configured)
            } else {
                given
            }
        };
        let mut run = pick(run, &self.config.tags_run);
        if run.is_empty() {
            run.push("all".into());
        }
        TagFilter {
            run,
            skip: pick(skip, &self.config.tags_skip),
        }
    }

    /// Magic variables of the run.
    pub fn magic(&self, options: &RunOptions, limit: &[String]) -> RunMagic {
        RunMagic {
            check_mode: options.check,
            diff_mode: options.diff,
            forks: u32::try_from(options.forks).unwrap_or(u32::MAX),
            verbosity: u32::from(options.verbosity),
            limit: (!limit.is_empty()).then(|| limit.join(",")),
            run_tags: options.tags.run.clone(),
            skip_tags: options.tags.skip.clone(),
            inventory_sources: self.sources.iter().map(ToString::to_string).collect(),
            config_file: self.config.file.clone(),
            playbook_python: controller_python().to_owned(),
            ..RunMagic::default()
        }
    }

    /// The hosts that `--limit` leaves.
    pub fn limit(
        &self,
        inventory: &Inventory,
        limit: &[String],
        show: &Show,
    ) -> Result<Option<Vec<Arc<str>>>, CommandFailure> {
        if limit.is_empty() {
            return Ok(None);
        }
        let hosts = self.limited(inventory, limit, show)?;
        if hosts.is_empty() {
            return Err(Self::nobody_left(limit, show));
        }
        Ok(Some(hosts))
    }

    /// The error for a limit that leaves no host.
    pub fn nobody_left(limit: &[String], show: &Show) -> CommandFailure {
        let why = if show.is_ansible() {
            "Specified inventory, host pattern and/or --limit leaves us with no hosts to target."
                .to_owned()
        } else {
            format!("the limit `{}` leaves no host", limit.join(","))
        };
        CommandFailure::new(Exit::Error, why)
    }

    /// The same, of which there may be none.
    pub fn limited(
        &self,
        inventory: &Inventory,
        limit: &[String],
        show: &Show,
    ) -> Result<Vec<Arc<str>>, CommandFailure> {
        let selection = inventory.limit(&limit.join(","), &self.cwd)?;
        show.warnings(selection.warnings);
        Ok(selection.hosts)
    }

    /// Who is asked during a run.
    pub fn prompt(aside: bool) -> Arc<Terminal> {
        Arc::new(Terminal { aside })
    }
}

/// Reads the configuration that counts in the current directory; gives that, too.
pub fn configuration(show: &Show) -> Result<(Config, PathBuf), CommandFailure> {
    let cwd = std::env::current_dir().map_err(|e| {
        CommandFailure::new(Exit::Error, format!("there is no current directory: {e}"))
    })?;
    let env = |name: &str| std::env::var(name).ok();
    let config = Config::load(&env, &cwd)?;
    super::log::open(&config, show);
    show.warnings(config.warnings.iter().cloned());
    if show.is_ansible() {
        show.begins(&config);
    }
    for ignored in &config.ignored {
        // Ansible says nothing of them
        if !show.is_ansible() && (show.verbosity > 0 || !ignored.known) {
            let mut warning = crate::diag::Diagnostic::warning(
                "config::ignored",
                format!(
                    "the setting `{}` of [{}] has no effect here",
                    ignored.key, ignored.section
                ),
            )
            .at(&ignored.span);
            warning.hint.clone_from(&ignored.hint);
            show.diagnostic(&warning);
        }
    }
    Ok((config, cwd))
}

/// What the loader finds, for whoever looks for plugins.
struct Places(crate::template::PluginPlaces);

impl crate::playbook::Bases for Places {
    fn add(&self, dir: PathBuf) {
        self.0.add(dir);
    }
    fn all(&self) -> Vec<PathBuf> {
        self.0.all()
    }
}

/// A path of the controller that may begin with `~` or `~name`.
pub fn expand_home(path: &Path) -> PathBuf {
    path.to_str()
        .map_or_else(|| path.to_owned(), crate::template::expand_home)
}
