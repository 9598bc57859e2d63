//! Virtual machines by vagrant, from the `Vagrantfile` of the scenario or of the project.

use super::{Driver, Reach};
use crate::scenario::Scenario;
use crate::scenario::bed::{run, text};
use crate::value::{Map, Value};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(1800);

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
        Command::new("vagrant")
            .arg("--version")
            .output()
            .map(|_| ())
            .map_err(|_| "vagrant is not installed".to_owned())
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
        let value = value.trim().trim_matches('"');
        if key == "Host" {
            // vagrant makes a key for each machine, and remembers none of theirs
            let arguments = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no";
            let vars = Map::new().with("ansible_ssh_common_args", Value::str(arguments));
            all.push((value.to_owned(), vars));
            continue;
        }
        let Some((_, vars)) = all.last_mut() else {
            continue;
        };
        let name = match key {
            "HostName" => "ansible_host",
            "User" => "ansible_user",
            "Port" => "ansible_port",
            "IdentityFile" => "ansible_ssh_private_key_file",
            _ => continue,
        };
        vars.set(name, Value::str(value));
    }
    all
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
}
