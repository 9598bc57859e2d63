//! `selinux` and `seboolean`: the mode of SELinux, and its switches.
//!
//! Source: Ansible's documentation of `ansible.posix.selinux` and `ansible.posix.seboolean`.

use crate::modules::steps::{rewrite, run_tool};
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::Sys;
use crate::value::Value;
use crate::{choices, module_args};
use std::path::{Path, PathBuf};

choices! {
    /// The modes of SELinux.
    pub enum Mode {
        /// Off, from the next boot.
        Disabled = "disabled",
        /// In force.
        Enforcing = "enforcing",
        /// Only logged.
        Permissive = "permissive",
    }
}

module_args! {
    /// Arguments of `selinux`.
    pub struct Args {
        /// The configuration's file.
        configfile: PathBuf => default("/etc/selinux/config"), aliases ["conf", "file"];
        /// The policy, e.g. `targeted`; needed unless the mode is `disabled`.
        policy: Option<String> => optional;
        /// The mode.
        state: Mode => required;
        /// Also set the kernel's parameters for the next boot (with grubby).
        update_kernel_param: bool => default(false);
    }
}

const ENFORCE: &str = "/sys/fs/selinux/enforce";

/// The module `selinux`.
pub struct Selinux;

impl Module for Selinux {
    const NAME: &'static str = "selinux";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Set the mode and the policy of SELinux.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if args.update_kernel_param {
            return Err("update_kernel_param is not built yet; use grubby in a command".into());
        }
        let path = sys.expand(&args.configfile);
        let Some(text) = sys.read_text(&path)? else {
            return Err(format!(
                "Unable to find file {}: this machine has no SELinux",
                path.display()
            )
            .into());
        };
        let now = setting(&text, "SELINUX").unwrap_or_default();
        let policy_now = setting(&text, "SELINUXTYPE").unwrap_or_default();
        let policy = match (&args.policy, args.state) {
            (Some(policy), _) => policy.clone(),
            (None, Mode::Disabled) => policy_now.clone(),
            (None, _) => return Err("Policy is required if state is not 'disabled'".into()),
        };
        let enforce = sys.read_text(Path::new(ENFORCE))?;
        let runtime = enforce.as_deref().map(str::trim);
        let mut plan = Plan::new();
        let mut messages = Vec::new();
        let mut reboot = false;
        if policy != policy_now {
            if runtime.is_some() {
                reboot = true;
            }
            messages.push(format!(
                "SELinux policy configuration in '{}' changed from '{policy_now}' to '{policy}'",
                path.display()
            ));
        }
        if now != args.state.word() {
            messages.push(format!(
                "Config SELinux state changed from '{now}' to '{}'",
                args.state.word()
            ));
        }
        let new = with_setting(
            &with_setting(&text, "SELINUX", args.state.word()),
            "SELINUXTYPE",
            &policy,
        );
        rewrite(sys, &mut plan, &path, new, false)?;
        let (wanted, name) = match args.state {
            Mode::Enforcing => ("1", "enforcing"),
            // what is switched off for the next boot is at least not in force until then
            Mode::Permissive | Mode::Disabled => ("0", "permissive"),
        };
        match runtime {
            None => reboot |= args.state != Mode::Disabled,
            Some(current) => {
                reboot |= args.state == Mode::Disabled;
                if current != wanted {
                    let word = |value: &str| {
                        format!(
                            "{}\n",
                            if value == "1" {
                                "enforcing"
                            } else {
                                "permissive"
                            }
                        )
                    };
                    messages.push(format!("SELinux state temporarily changed to '{name}'"));
                    let diff = Diff::new("SELinux", Some(word(current)), Some(word(wanted)));
                    plan.act("set the mode of SELinux", Some(diff), move |sys, _| {
                        run_tool(sys, &["setenforce", wanted]).map(drop)
                    });
                }
            }
        }
        plan.returns("configfile", Value::data(path.to_string_lossy().as_ref()));
        plan.returns("msg", Value::data(messages.join(", ")));
        plan.returns("policy", Value::data(policy));
        plan.returns("state", args.state.word());
        plan.returns("reboot_required", reboot);
        Ok(plan)
    }
}

fn setting(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (key, value) = line.trim().split_once('=')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn with_setting(text: &str, name: &str, value: &str) -> String {
    let mut found = false;
    let mut out = String::new();
    for line in text.lines() {
        let is_it = line
            .trim()
            .split_once('=')
            .is_some_and(|(key, _)| key.trim() == name);
        if is_it {
            found = true;
            out.push_str(&format!("{name}={value}"));
        } else {
            out.push_str(line);
        }
        out.push('\n');
    }
    if !found && !value.is_empty() {
        out.push_str(&format!("{name}={value}\n"));
    }
    out
}

module_args! {
    /// Arguments of `seboolean`.
    pub struct BooleanArgs {
        /// The switch.
        name: String => required;
        /// Keep it over the next boot.
        persistent: bool => default(false);
        /// On or off.
        state: bool => required;
        /// Act even where SELinux is not enabled.
        ignore_selinux_state: bool => default(false);
    }
}

/// The module `seboolean`.
pub struct Seboolean;

impl Module for Seboolean {
    const NAME: &'static str = "seboolean";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Set a switch of SELinux.";
    type Args = BooleanArgs;

    fn plan<'a>(args: &'a BooleanArgs, sys: &Sys) -> ModuleResult<Plan<'a>> {
        if !sys.exists(Path::new(ENFORCE)) && !args.ignore_selinux_state {
            return Err("SELinux is disabled on this host.".into());
        }
        let plain = args
            .name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        let file = Path::new("/sys/fs/selinux/booleans").join(&args.name);
        let now = if plain { sys.read_text(&file)? } else { None };
        let Some(now) = now else {
            return Err(format!("SELinux boolean {} does not exist.", args.name).into());
        };
        // the value in force, and the one that is to come
        let active = now.split_whitespace().next() == Some("1");
        let mut persistent_differs = false;
        if args.persistent {
            let listed =
                crate::modules::steps::ask_tool(sys, &["semanage", "boolean", "-l", "-n"])?;
            let line = listed
                .lines()
                .find(|line| line.split_whitespace().next() == Some(args.name.as_str()));
            // name (on   ,  off) description: in force, and after the next boot
            let kept = line
                .and_then(|line| line.split_once(','))
                .and_then(|(_, rest)| rest.split_once(')'))
                .map(|(word, _)| word.trim() == "on");
            persistent_differs = kept != Some(args.state);
        }
        let mut plan = Plan::new();
        plan.returns("name", Value::data(args.name.as_str()));
        plan.returns("persistent", args.persistent);
        plan.returns("state", args.state);
        if active != args.state || persistent_differs {
            let word = |on: bool| Some(format!("{}\n", if on { "on" } else { "off" }));
            let diff = Diff::new(args.name.as_str(), word(active), word(args.state));
            plan.act(format!("set {}", args.name), Some(diff), move |sys, _| {
                let value = if args.state { "on" } else { "off" };
                let mut words = vec!["setsebool"];
                words.extend(args.persistent.then_some("-P"));
                words.extend([args.name.as_str(), value]);
                run_tool(sys, &words).map(drop)
            });
        }
        Ok(plan)
    }
}
