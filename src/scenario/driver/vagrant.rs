//! Virtual machines by vagrant, from the `Vagrantfile` of the scenario or of the project.

use super::{Driver, Reach};
use crate::scenario::Scenario;
use crate::scenario::bed::{run, text};
use crate::transport::quote;
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(1800);
/// The variable of a machine's key.
const KEY: &str = "ansible_ssh_private_key_file";
/// The variable of more words for ssh.
const ARGUMENTS: &str = "ansible_ssh_common_args";

/// The machines of a `Vagrantfile`.
pub struct Vagrant {
    directory: PathBuf,
    names: Vec<String>,
}

impl Vagrant {
    /// For a scenario.
    pub fn new(scenario: &Scenario) -> Self {
        let directory = [&scenario.directory, &scenario.project]
            .into_iter()
            .find(|directory| directory.join("Vagrantfile").exists())
            .unwrap_or(&scenario.directory);
        Self {
            directory: directory.clone(),
            names: scenario.platforms.iter().map(|p| p.name.clone()).collect(),
        }
    }

    fn vagrant(&self, words: &[&str]) -> Result<String, String> {
        let mut command = Command::new("vagrant");
        command
            .args(words)
            .args(&self.names)
            .current_dir(&self.directory);
        let output = run(&mut command, LIMIT)?;
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(format!(
            "vagrant {}: {}",
            words.join(" "),
            text(&output.stderr).trim()
        ))
    }
}

impl Driver for Vagrant {
    fn preflight(&self) -> Result<(), String> {
        if !self.directory.join("Vagrantfile").exists() {
            return Err(format!(
                "{}: there is no Vagrantfile",
                self.directory.display()
            ));
        }
        let version = run(Command::new("vagrant").arg("--version"), LIMIT)
            .map_err(|_| "vagrant is not installed".to_owned())?;
        if version.status.success() {
            return Ok(());
        }
        Err(format!(
            "vagrant does not work: {}",
            text(&version.stderr).trim()
        ))
    }

    fn create(&mut self) -> Result<Reach, String> {
        self.vagrant(&["up"])?;
        Ok(reach(&self.vagrant(&["ssh-config"])?))
    }

    fn destroy(&mut self) -> Result<(), String> {
        self.vagrant(&["destroy", "--force"]).map(|_| ())
    }

    fn login(&self, host: &str) -> Option<Command> {
        let mut command = Command::new("vagrant");
        command.args(["ssh", host]).current_dir(&self.directory);
        Some(command)
    }

    fn snapshot_key(&self) -> Option<String> {
        None
    }

    fn keep(&mut self, _directory: &Path) -> Result<(), String> {
        Err("the driver `vagrant` keeps no snapshots".to_owned())
    }

    fn bring_back(&mut self, _directory: &Path) -> Result<Reach, String> {
        Err("the driver `vagrant` keeps no snapshots".to_owned())
    }
}

/// What `vagrant ssh-config` prints.
fn reach(config: &str) -> Reach {
    let mut all: Reach = Vec::new();
    for line in config.lines() {
        let Some((key, value)) = line.trim().split_once(char::is_whitespace) else {
            continue;
        };
        let (written, value) = (value.trim(), value.trim().trim_matches('"'));
        if key == "Host" {
            // vagrant makes a key for each machine, and remembers none of theirs
            let arguments = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no";
            let vars = Map::new().with(ARGUMENTS, arguments);
            all.push((value.to_owned(), vars));
            continue;
        }
        let Some((_, vars)) = all.last_mut() else {
            continue;
        };
        match key {
            "HostName" => vars.set("ansible_host", value),
            "User" => vars.set("ansible_user", value),
            "Port" => vars.set("ansible_port", value),
            // with `insert_key = false` there are several, of which the machine takes one
            "IdentityFile" if vars.get(KEY).is_some() => also(vars, key, written),
            "IdentityFile" => vars.set(KEY, value),
            "ProxyCommand" => {
                also(vars, key, written);
                // which runs such commands
                vars.set("ansible_connection", "openssh")
            }
            _ => None,
        };
    }
    all
}

/// One more option for ssh.
fn also(vars: &mut Map, key: &str, value: &str) -> Option<Value> {
    let before = vars.get(ARGUMENTS).and_then(Value::as_str);
    let option = quote(&format!("{key}={value}"));
    let all = format!("{} -o {option}", before.unwrap_or_default());
    vars.set(ARGUMENTS, all)
}

#[cfg(test)]
mod tests {
    use super::reach;

    #[test]
    fn the_configuration_of_two() {
        let text = "Host a\n  HostName 127.0.0.1\n  User vagrant\n  Port 2222\n  IdentityFile \"/k e/y\"\n\nHost b\n  HostName x\n";
        let all = reach(text);
        assert_eq!(all.len(), 2);
        let get = |name: &str| {
            all[0]
                .1
                .get(name)
                .and_then(|v| v.as_str().map(str::to_owned))
        };
        assert_eq!(get("ansible_port").as_deref(), Some("2222"));
        assert_eq!(
            get("ansible_ssh_private_key_file").as_deref(),
            Some("/k e/y")
        );
    }

    #[test]
    fn several_keys_and_a_way_through_another_machine() {
        let text = "Host a\n  IdentityFile /k/ed25519\n  IdentityFile \"/k s/rsa\"\n  ProxyCommand ssh -W %h:%p hub\n";
        let all = reach(text);
        let get = |name: &str| all[0].1.get(name).and_then(|v| v.as_str());
        assert_eq!(get("ansible_ssh_private_key_file"), Some("/k/ed25519"));
        assert_eq!(get("ansible_connection"), Some("openssh"));
        assert_eq!(
            get("ansible_ssh_common_args"),
            Some(
                "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o 'IdentityFile=\"/k s/rsa\"' \
                 -o 'ProxyCommand=ssh -W %h:%p hub'"
            )
        );
    }
}
