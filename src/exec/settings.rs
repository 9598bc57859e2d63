//! What a task's keywords say, templated for a host: flags, the user to become, the login.
//!
//! Source: Ansible's documentation, "Playbook Keywords" and "Understanding privilege escalation".

use super::background::InBackground;
use super::fault::Fault;
use super::machines::Login;
use super::run::Run;
use crate::diag::Diagnostic;
use crate::playbook::{Keywords, Task};
use crate::template::{Context, expand_home};
use crate::transport::{Become, BecomeMethod, ConnectionKind, ContainerSetting, Target};
use crate::value::{Map, OMIT, Secret, Value, strip_omitted, to_bool};
use crate::yaml::Node;
use std::time::Duration;

/// A task's keywords on a host.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub check: bool,
    pub diff: bool,
    pub no_log: bool,
    pub ignore_errors: bool,
    pub ignore_unreachable: bool,
    pub any_errors_fatal: bool,
    pub environment: Vec<(String, String)>,
    pub timeout: Option<u64>,
    pub delegate_facts: bool,
    /// `async`, if the task goes on in the background.
    pub background: Option<InBackground>,
}

impl Run {
    /// A keyword's value, templated; `None` if it is not there or omitted.
    pub(crate) fn keyword(
        &self,
        node: Option<&Node>,
        cx: &Context,
    ) -> Result<Option<Value>, Fault> {
        let Some(node) = node else {
            return Ok(None);
        };
        let value = self
            .templar
            .render(&node.to_value(), cx)
            .map_err(|e| Fault::template(&e, node))?;
        Ok(strip_omitted(value).filter(|value| !value.is_null()))
    }

    /// A keyword of a task, templated; what comes to `omit` leaves what surrounds the task to say it.
    pub(crate) fn inherited(
        &self,
        keywords: &Keywords,
        name: &str,
        node: Option<&Node>,
        cx: &Context,
    ) -> Result<Option<Value>, Fault> {
        let beneath = keywords.beneath.iter().filter(|(of, _)| *of == name);
        for node in node.into_iter().chain(beneath.map(|(_, node)| node)) {
            if let Some(value) = self.keyword(Some(node), cx)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    /// A flag of a task, where [`Run::inherited`] finds it.
    fn own_flag(
        &self,
        keywords: &Keywords,
        name: &str,
        node: Option<&Node>,
        cx: &Context,
    ) -> Result<Option<bool>, Fault> {
        let Some(value) = self.inherited(keywords, name, node, cx)? else {
            return Ok(None);
        };
        match (to_bool(&value), node) {
            (None, Some(node)) => Err(Fault::at(
                format!("`{name}` must be yes or no: '{value}' is not a valid boolean"),
                &node.span,
            )),
            (flag, _) => Ok(flag),
        }
    }

    pub(crate) fn flag(
        &self,
        name: &str,
        node: Option<&Node>,
        cx: &Context,
    ) -> Result<Option<bool>, Fault> {
        let Some(value) = self.keyword(node, cx)? else {
            return Ok(None);
        };
        match (to_bool(&value), node) {
            (Some(flag), _) => Ok(Some(flag)),
            (None, Some(node)) => Err(Fault::at(
                format!("`{name}` must be yes or no: '{value}' is not a valid boolean"),
                &node.span,
            )),
            (None, None) => Ok(None),
        }
    }

    pub(crate) fn number(
        &self,
        name: &str,
        node: Option<&Node>,
        cx: &Context,
    ) -> Result<Option<f64>, Fault> {
        let Some(value) = self.keyword(node, cx)? else {
            return Ok(None);
        };
        match (value.to_string().trim().parse::<f64>(), node) {
            (Ok(number), _) => Ok(Some(number)),
            (Err(_), Some(node)) => Err(Fault::at(
                format!("`{name}` must be a number, it is `{value}`"),
                &node.span,
            )),
            (Err(_), None) => Ok(None),
        }
    }

    /// The flags that decide what becomes of a failure, where the other keywords may be what failed. What cannot be
    /// read hides the result: nobody knows whether it is secret.
    pub(crate) fn flags_of_failure(&self, task: &Task, cx: &Context) -> Settings {
        let keywords = &task.keywords;
        let flag = |name, node: &Option<Node>| self.own_flag(keywords, name, node.as_ref(), cx);
        let lenient = |name, node| flag(name, node).ok().flatten().unwrap_or(false);
        Settings {
            check: self.options.check,
            diff: false,
            no_log: flag("no_log", &keywords.no_log)
                .unwrap_or(Some(true))
                .unwrap_or(false),
            ignore_errors: lenient("ignore_errors", &keywords.ignore_errors),
            ignore_unreachable: lenient("ignore_unreachable", &keywords.ignore_unreachable),
            any_errors_fatal: flag("any_errors_fatal", &keywords.any_errors_fatal)
                .ok()
                .flatten()
                .unwrap_or(self.options.any_errors_fatal),
            environment: Vec::new(),
            timeout: None,
            delegate_facts: false,
            background: None,
        }
    }

    pub(crate) fn settings(&self, task: &Task, cx: &Context) -> Result<Settings, Fault> {
        let keywords = &task.keywords;
        let flag = |name, node: &Option<Node>| self.own_flag(keywords, name, node.as_ref(), cx);
        let check = flag("check_mode", &keywords.check_mode)?.unwrap_or(self.options.check);
        let timeout = self.number("timeout", keywords.timeout.as_ref(), cx)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "seconds, clamped"
        )]
        let timeout = timeout.map_or(self.options.task_timeout, |t| t.clamp(0.0, 1e9) as u64);
        Ok(Settings {
            check,
            diff: flag("diff", &keywords.diff)?.unwrap_or(self.options.diff),
            no_log: flag("no_log", &keywords.no_log)?.unwrap_or(self.options.no_log),
            ignore_errors: flag("ignore_errors", &keywords.ignore_errors)?.unwrap_or(false),
            ignore_unreachable: flag("ignore_unreachable", &keywords.ignore_unreachable)?
                .unwrap_or(false),
            any_errors_fatal: flag("any_errors_fatal", &keywords.any_errors_fatal)?
                .unwrap_or(self.options.any_errors_fatal),
            environment: self.environment(task, cx)?,
            timeout: (timeout > 0).then_some(timeout),
            delegate_facts: flag("delegate_facts", &keywords.delegate_facts)?.unwrap_or(false),
            background: None,
        })
    }

    fn environment(&self, task: &Task, cx: &Context) -> Result<Vec<(String, String)>, Fault> {
        let mut all: Vec<(String, String)> = Vec::new();
        // what needs the environment's facts is no part of the environment in which they are gathered
        let gathers = matches!(task.short_action(), "setup" | "gather_facts");
        let needs_facts = |error: &crate::template::TemplateError| {
            error.is_undefined() && error.to_string().contains("ansible_env")
        };
        for node in &task.keywords.environment {
            if gathers && let crate::yaml::Kind::Map(entries) = &node.kind {
                for entry in entries {
                    let name = self
                        .templar
                        .render(&entry.key.to_value(), cx)
                        .map_err(|e| Fault::template(&e, &entry.key))?
                        .to_string();
                    match self.templar.render(&entry.value.to_value(), cx) {
                        Ok(value) => {
                            all.retain(|(known, _)| *known != name);
                            all.push((name, value.to_string()));
                        }
                        Err(error) if needs_facts(&error) => {}
                        Err(error) => return Err(Fault::template(&error, &entry.value)),
                    }
                }
                continue;
            }
            let value = self.templar.render(&node.to_value(), cx);
            let value = value.map_err(|e| Fault::template(&e, node))?;
            // a member that is `omit` stays, as in Ansible
            match Some(value).filter(|value| !value.is_null() && value.as_str() != Some(OMIT)) {
                None => {}
                Some(Value::Map(map)) => {
                    for (name, value) in map.iter() {
                        let name = name.to_string();
                        all.retain(|(known, _)| *known != name);
                        all.push((name, value.to_string()));
                    }
                }
                Some(Value::Str(text)) if text.trim().is_empty() => {}
                Some(other) => self.emitter.warn(
                    Diagnostic::warning(
                        "task::environment",
                        format!(
                            "`environment` must be a mapping, this is a {}: it has no effect",
                            other.type_name()
                        ),
                    )
                    .at(&node.span)
                    .to_string(),
                ),
            }
        }
        Ok(all)
    }

    /// What is wrong with the words about the connection and the user to become: they must be right also for tasks
    /// that do not connect, or do not become anybody.
    pub(super) fn words_of_connection(&self, task: &Task, cx: &Context) -> Result<(), Fault> {
        let keywords = &task.keywords;
        for node in [
            &keywords.connection,
            &keywords.port,
            &keywords.remote_user,
            &keywords.r#become,
            &keywords.become_method,
            &keywords.become_user,
            &keywords.become_exe,
            &keywords.become_flags,
        ] {
            self.keyword(node.as_ref(), cx)?;
        }
        Ok(())
    }

    /// A variable, templated, if it is defined.
    pub(crate) fn variable(&self, name: &str, cx: &Context) -> Result<Option<Value>, Fault> {
        if cx.scope().get(name).is_none() {
            return Ok(None);
        }
        match self.templar.expression(name, cx) {
            Ok(value) => Ok(Some(value).filter(|v| !v.is_null())),
            Err(error) if error.is_undefined() && error.name.as_deref() == Some(name) => Ok(None),
            Err(error) => Err(Fault(
                Diagnostic::error(
                    "task::variable",
                    format!("the variable `{name}` cannot be used: {}", error.message),
                )
                .into(),
            )),
        }
    }

    fn first_variable(&self, names: &[&str], cx: &Context) -> Result<Option<Value>, Fault> {
        for name in names {
            if let Some(value) = self.variable(name, cx)? {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn secret(&self, names: &[&str], cx: &Context) -> Result<Option<Secret<String>>, Fault> {
        Ok(self
            .first_variable(names, cx)?
            .map(|value| Secret::new(value.to_string())))
    }

    /// The user to become, if any. `cx` is that of the host that really runs the task.
    pub(crate) fn becomes(&self, task: &Task, cx: &Context) -> Result<Option<Become>, Fault> {
        let keywords = &task.keywords;
        let defaults = &self.machines.login;
        let wanted = match self.variable("ansible_become", cx)? {
            Some(value) => to_bool(&value).unwrap_or(false),
            None => self
                .own_flag(keywords, "become", keywords.r#become.as_ref(), cx)?
                .unwrap_or(defaults.r#become),
        };
        if !wanted {
            return Ok(None);
        }
        let text = |names: &[&str], node: &Option<Node>, default: Option<&str>| {
            let variable = names.first().copied().unwrap_or_default();
            if let Some(value) = self.first_variable(names, cx)? {
                return Ok(Some(value.to_string()));
            }
            let name = variable.strip_prefix("ansible_").unwrap_or(variable);
            let value = self.inherited(keywords, name, node.as_ref(), cx)?;
            Ok(value
                .map(|v| v.to_string())
                .or_else(|| default.map(str::to_owned)))
        };
        let method = text(
            &["ansible_become_method"],
            &keywords.become_method,
            Some(&defaults.become_method),
        )?
        .unwrap_or_default();
        let Some(kind) = BecomeMethod::from_name(&method) else {
            let span = keywords
                .become_method
                .as_ref()
                .map_or(&task.span, |node| &node.span);
            let plugin = self.templar.plugins().unsupported("become", &method);
            let why = plugin.unwrap_or_else(|| {
                format!(
                    "there is no way `{method}` to become another user; sudo, su and doas are built"
                )
            });
            return Err(Fault::at(why, span));
        };
        let own = |suffix: &str| format!("ansible_{}_{suffix}", kind.name());
        let user = text(
            &["ansible_become_user", &own("user")],
            &keywords.become_user,
            Some(&defaults.become_user),
        )?
        .unwrap_or_else(|| "root".into());
        let password = self
            .secret(
                &[
                    "ansible_become_password",
                    "ansible_become_pass",
                    &own("password"),
                    &own("pass"),
                ],
                cx,
            )?
            .or_else(|| defaults.become_password.clone());
        Ok(Some(Become {
            method: kind,
            user,
            password,
            exe: text(
                &["ansible_become_exe", &own("exe")],
                &keywords.become_exe,
                defaults.become_exe.as_deref(),
            )?,
            flags: text(
                &["ansible_become_flags", &own("flags")],
                &keywords.become_flags,
                defaults.become_flags.as_deref(),
            )?,
        }))
    }

    /// How the host is reached. `cx` is that of the host that really runs the task.
    pub(crate) fn login(&self, host: &str, task: &Task, cx: &Context) -> Result<Login, Fault> {
        let keywords = &task.keywords;
        let mut login = self.machines.login.clone();
        let text =
            |names: &[&str]| Ok::<_, Fault>(self.first_variable(names, cx)?.map(|v| v.to_string()));
        let word = |name: &str, node: &Option<Node>| {
            let value = self.inherited(keywords, name, node.as_ref(), cx)?;
            Ok::<_, Fault>(value.map(|v| v.to_string()))
        };
        let kind = match text(&["ansible_connection"])? {
            Some(kind) => Some(kind),
            None => word("connection", &keywords.connection)?,
        };
        if let Some(kind) = kind {
            login.kind = ConnectionKind::from_name(&kind).ok_or_else(|| {
                let span = keywords
                    .connection
                    .as_ref()
                    .map_or(&task.span, |node| &node.span);
                let plugin = self.templar.plugins().unsupported("connection", &kind);
                let why = plugin.unwrap_or_else(|| ConnectionKind::unknown(&kind));
                Fault::at(why, span)
            })?;
        }
        let target = &mut login.target;
        target.host =
            text(&["ansible_host", "ansible_ssh_host"])?.unwrap_or_else(|| host.to_owned());
        if let Some(port) = match text(&["ansible_port", "ansible_ssh_port"])? {
            Some(port) => Some(port),
            None => word("port", &keywords.port)?,
        } {
            target.port = Some(port.trim().parse().map_err(|_| {
                Fault::at(
                    format!("the port `{port}` of {host} is not a number"),
                    &task.span,
                )
            })?);
        }
        if let Some(user) = match text(&["ansible_user", "ansible_ssh_user"])? {
            Some(user) => Some(user),
            None => word("remote_user", &keywords.remote_user)?,
        } {
            target.user = Some(user);
        }
        if let Some(password) = self.secret(
            &[
                "ansible_password",
                "ansible_ssh_pass",
                "ansible_ssh_password",
            ],
            cx,
        )? {
            target.password = Some(password);
        }
        if let Some(key) = text(&["ansible_ssh_private_key_file", "ansible_private_key_file"])? {
            target.private_keys = vec![expand_home(&key)];
        }
        if let Some(pass) = self.secret(&["ansible_ssh_private_key_passphrase"], cx)? {
            target.key_passphrase = Some(pass);
        }
        let mut args = match text(&["ansible_ssh_args"])? {
            Some(args) => args,
            None => target.ssh_args.clone(),
        };
        for name in ["ansible_ssh_common_args", "ansible_ssh_extra_args"] {
            if let Some(more) = text(&[name])? {
                args = format!("{args} {more}");
            }
        }
        target.ssh_args = args.trim().to_owned();
        if let Some(executable) = text(&["ansible_ssh_executable"])? {
            target.ssh_executable = Some(executable);
        }
        if let Some(timeout) = text(&["ansible_ssh_timeout", "ansible_timeout"])?
            .and_then(|t| t.trim().parse::<u64>().ok())
        {
            target.connect_timeout = Some(Duration::from_secs(timeout));
        }
        if let Some(checking) = self
            .first_variable(
                &["ansible_ssh_host_key_checking", "ansible_host_key_checking"],
                cx,
            )?
            .as_ref()
            .and_then(to_bool)
            && !checking
        {
            target.host_key_checking = Some(crate::transport::HostKeyChecking::Off);
        }
        if let Some(dir) = text(&["ansible_remote_tmp"])? {
            target.remote_tmp = Some(dir);
        }
        if let ConnectionKind::Container(container) = login.kind {
            for (setting, names) in container.variables() {
                if let Some(value) = self.first_variable(names, cx)? {
                    set_container(target, *setting, &value);
                }
            }
        }
        Ok(login)
    }
}

/// Takes a variable of the connection to a container.
fn set_container(target: &mut Target, setting: ContainerSetting, value: &Value) {
    let text = value.to_string();
    let options = &mut target.container;
    match setting {
        ContainerSetting::Host => target.host = text,
        ContainerSetting::User => target.user = Some(text),
        ContainerSetting::Executable => options.executable = Some(text),
        ContainerSetting::ExtraArgs => options.extra_args = text,
        ContainerSetting::ExtraEnv => {
            let all = value.as_map().into_iter().flat_map(Map::str_iter);
            options.extra_env = all
                .map(|(name, value)| (name.to_owned(), crate::value::str_of(value)))
                .collect();
        }
        ContainerSetting::WorkingDir => options.working_dir = Some(text),
        ContainerSetting::Privileged => options.privileged = to_bool(value).unwrap_or(false),
        ContainerSetting::Namespace => options.namespace = Some(text),
        ContainerSetting::Container => options.container = Some(text),
        ContainerSetting::Remote => options.remote = Some(text),
        ContainerSetting::Config => options.config = Some(text),
        ContainerSetting::Context => options.context = Some(text),
    }
}
