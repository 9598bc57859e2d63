//! `hostname`: the machine's name, now and at the next boot.

use crate::modules::streams::command_failed;
use crate::modules::{Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, WriteOptions, sysctl_path};
use crate::value::{Map, Value};
use crate::{choices, module_args};
use std::path::Path;

choices! {
    /// How the name is kept.
    pub enum Use {
        /// `/etc/hostname`.
        Alpine = "alpine",
        /// `hostnamectl`, or `/etc/hostname` without a running systemd.
        Debian = "debian",
        /// `/etc/hostname`.
        Generic = "generic",
        /// `/etc/conf.d/hostname`.
        OpenRc = "openrc",
        /// `hostnamectl`, or `/etc/hostname` without a running systemd.
        RedHat = "redhat",
        /// `/etc/hostname`.
        Sles = "sles",
        /// `hostnamectl`.
        Systemd = "systemd",
    }
}

module_args! {
    /// Arguments of `hostname`.
    pub struct Args {
        /// The name.
        name: String => required;
        /// How it is kept; without it, as the machine does.
        r#use: Option<Use> => optional;
    }
}

/// The module.
pub struct Hostname;

impl Module for Hostname {
    const NAME: &'static str = "hostname";
    const DOC: &'static str = "Set the machine's name, now and at the next boot.";
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        let name = args.name.as_str();
        let fits = !name.is_empty()
            && name.len() <= 64
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        if !fits || name.starts_with('-') {
            return Err(format!(
                "`{name}` is no host name: at most 64 letters, digits, dots and hyphens"
            )
            .into());
        }
        let systemd = match args.r#use {
            Some(Use::Systemd) => true,
            None | Some(Use::Debian | Use::RedHat) => {
                sys.exists(Path::new("/run/systemd/system")) && sys.which("hostnamectl").is_some()
            }
            Some(_) => false,
        };
        let openrc = args.r#use == Some(Use::OpenRc);
        let path = Path::new(if openrc {
            "/etc/conf.d/hostname"
        } else {
            "/etc/hostname"
        });
        let text = sys.read_text(path)?;
        let kept = kept_name(text.as_deref().unwrap_or_default(), openrc);
        let now = sys.sysctl("kernel.hostname").unwrap_or_default();

        let mut plan = Plan::new();
        plan.returns("name", Value::data(name));
        let (short, domain) = name.split_once('.').unwrap_or((name, ""));
        plan.returns(
            "ansible_facts",
            Map::new()
                .with("ansible_hostname", Value::data(short))
                .with("ansible_nodename", Value::data(name))
                .with("ansible_fqdn", Value::data(name))
                .with("ansible_domain", Value::data(domain)),
        );
        let diff = |target: &str, before: &str| {
            Diff::new(
                target,
                Some(format!("hostname = {before}\n")),
                Some(format!("hostname = {name}\n")),
            )
        };
        if now != name {
            plan.act(
                "set the name",
                Some(diff("hostname", &now)),
                move |sys, _| {
                    if systemd {
                        hostnamectl("--transient", name, sys)
                    } else {
                        Ok(sys.write_kernel(&sysctl_path("kernel.hostname"), name)?)
                    }
                },
            );
        }
        if kept != name {
            let before = kept.clone();
            plan.act(
                "keep the name",
                Some(diff(&path.to_string_lossy(), &before)),
                move |sys, _| {
                    if systemd {
                        return hostnamectl("--static", name, sys);
                    }
                    let content = if openrc {
                        openrc_text(text.as_deref().unwrap_or_default(), name)
                    } else {
                        format!("{name}\n")
                    };
                    Ok(sys.write(path, content.as_bytes(), &WriteOptions::default())?)
                },
            );
        }
        Ok(plan)
    }
}

fn hostnamectl(which: &str, name: &str, sys: &mut Sys) -> ModuleResult<()> {
    let command = sys.tool(["hostnamectl", which, "set-hostname", name]);
    let output = sys.run(&command)?;
    if output.ok() {
        Ok(())
    } else {
        Err(command_failed(
            "the host name cannot be set",
            &command,
            &output,
        ))
    }
}

/// The name in the text of the file.
fn kept_name(text: &str, openrc: bool) -> String {
    let mut lines = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let found = if openrc {
        lines.find_map(|line| Some(line.strip_prefix("hostname=")?.trim_matches(['"', '\''])))
    } else {
        lines.next()
    };
    found.unwrap_or_default().to_owned()
}

fn openrc_text(text: &str, name: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let new = format!("hostname=\"{name}\"");
    match lines
        .iter_mut()
        .find(|line| line.trim().starts_with("hostname="))
    {
        Some(line) => *line = new,
        None => lines.push(new),
    }
    lines.join("\n") + "\n"
}
